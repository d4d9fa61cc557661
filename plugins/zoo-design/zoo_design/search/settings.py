"""What a search is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.errors import ConfigError

METHODS = ("greedy", "beam", "anneal", "gradient", "insert")


@dataclass(frozen=True)
class Settings:
    """method: one of METHODS.

    edits: letters that may differ from the start, repairs included.
    steps: of the search; by default as many as edits for greedy and beam, five times as many for anneal, 100 for
        gradient.
    width: sequences that the beam keeps of every start.
    temperature: of the first step of anneal, in units of the objective; by default the standard deviation of the
        effects of all substitutions of the start.
    insertions: motifs to insert, as in CTCF, CTCF@40, TGACTCA@20-60.
    seed: of everything random.
    """

    method: str = "greedy"
    edits: int = 20
    steps: int | None = None
    width: int = 8
    temperature: float | None = None
    insertions: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ConfigError(f"method {self.method!r} is none of {', '.join(METHODS)}")
        for name in ("edits", "width", "steps"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 100_000:
                raise ConfigError(f"{name} = {value} must be 1 to 100,000")
        if self.temperature is not None and not self.temperature > 0:
            raise ConfigError(f"temperature {self.temperature} must be above 0: leave it out for one that fits")
        if self.method == "insert" and not self.insertions:
            raise ConfigError("method insert needs a motif: name one with --insert, as in --insert CTCF@40")
        if self.insertions and self.method != "insert":
            raise ConfigError(f"--insert belongs to --method insert, not {self.method}: choose one of them")

    @property
    def number_of_steps(self) -> int:
        """Steps of the search, at most."""
        if self.method == "insert":
            return len(self.insertions)
        defaults = {"greedy": self.edits, "beam": self.edits, "anneal": 5 * self.edits, "gradient": 100}
        return self.steps or defaults[self.method]
