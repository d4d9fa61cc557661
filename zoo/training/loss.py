"""The objectives of a run, added up."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from zoo.errors import ConfigError, did_you_mean
from zoo.interfaces import Objective
from zoo.training.schedule import coefficient_factor

Parts = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Term:
    """One objective, its factor and the head that it looks at, if it is one."""

    objective: Objective
    coefficient: float = 1.0
    head: str | None = None

    @property
    def is_main(self) -> bool:
        """Whether it fits a head to its target; only such terms choose the best epoch."""
        return self.objective.activation is not None


class Terms(nn.Module):
    """{name: Term} as one module.  Parts are called `<term>` or `<term>/<part>` where a term has several.

    schedules: {"objectives.<term>.<number>": schedule}, where number is `coefficient` or an attribute of the
        objective, such as a gradient reversal's `strength`; see `zoo.training.schedule.coefficient_factor`.
    scheduled: {the same key: value at the step at hand}.
    held: stay at the end of all schedules.
    """

    def __init__(self, terms: Mapping[str, Term], schedules: Mapping[str, str] | None = None):
        super().__init__()
        self.terms = dict(terms)
        self.held = False
        self._schedules = {key: (*self._scheduled_number(key), schedule) for key, schedule in (schedules or {}).items()}
        self.scheduled = {key: value for key, (_, _, value, _) in self._schedules.items()}
        # A module's name may hold no dot.
        self.objectives = nn.ModuleDict({name.replace(".", "_"): term.objective for name, term in terms.items()})

    @property
    def additive(self) -> bool:
        """Whether every term is a sum over examples."""
        return all(term.objective.additive for term in self.terms.values())

    @property
    def activation(self) -> dict[str, str]:
        """{head: activation} as the terms that fit a head name it; ConfigError where two of them disagree."""
        activation: dict[str, str] = {}
        for name, term in self.terms.items():
            if term.is_main and term.head is not None:
                first = activation.setdefault(term.head, term.objective.activation)
                if first != term.objective.activation:
                    raise ConfigError(
                        f"objective {name!r} makes head {term.head!r} a {term.objective.activation}, another makes it "
                        f"a {first}: fit one head by terms of one activation"
                    )
        return activation

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()} of every additive term, from the batch alone."""
        return {
            part: weight
            for name, term in self.terms.items()
            if term.objective.additive
            for part, weight in _named(name, term.objective.weights(batch)).items()
        }

    def forward(
        self,
        prediction: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        embedding: Tensor,
        gather: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] | None = None,
    ) -> Parts:
        """prediction {head: (N, ...)}, batch, embedding (N, D, T) -> {part: (sum (), weight ())}.

        gather: joins the rows of all processes, for terms that are not additive.
        """
        everyone = None
        parts: Parts = {}
        for name, term in self.terms.items():
            if term.objective.additive or gather is None:
                made = term.objective(prediction, batch, embedding)
            else:
                if everyone is None:
                    everyone = (gather(prediction), gather(batch), gather({"embedding": embedding})["embedding"])
                made = term.objective(*everyone)
            parts.update(_named(name, made))
        return parts

    def at_step(self, step: int, total: int) -> None:
        """Give every scheduled coefficient its value at `step` of `total`, or at the end where it is held there."""
        step = total if self.held else step
        for key, (term, name, base, schedule) in self._schedules.items():
            self.scheduled[key] = base * coefficient_factor(schedule, step, total)
            if name != "coefficient":
                setattr(self.terms[term].objective, name, self.scheduled[key])

    def term(self, part: str) -> Term:
        """The term that a part belongs to; its coefficient is the unscheduled one, by which epochs are compared."""
        return self.terms[self._name(part)]

    def coefficient_now(self, part: str) -> float:
        """The factor of a part at the step at hand."""
        return self.scheduled.get(f"objectives.{self._name(part)}.coefficient", self.term(part).coefficient)

    def _name(self, part: str) -> str:
        return part if part in self.terms else part.rpartition("/")[0]

    def _scheduled_number(self, key: str) -> tuple[str, str, float]:
        """Term, attribute and unscheduled value of "objectives.<term>.<number>"."""
        path, _, name = key.rpartition(".")
        term = path.removeprefix("objectives.")
        if term not in self.terms:
            raise ConfigError(
                f"schedules.{key} names no objective" + did_you_mean(path, [f"objectives.{t}" for t in self.terms])
            )
        objective = self.terms[term].objective
        numbers = {n: getattr(objective, n, None) for n in inspect.signature(type(objective)).parameters}
        numbers = {n: x for n, x in numbers.items() if isinstance(x, int | float) and not isinstance(x, bool)}
        numbers["coefficient"] = self.terms[term].coefficient
        if name not in numbers:
            raise ConfigError(f"schedules.{key}: {term!r} has no number {name!r}" + did_you_mean(name, numbers))
        return term, name, float(numbers[name])


def _named(name: str, parts: Mapping) -> dict:
    if len(parts) == 1:
        return {name: next(iter(parts.values()))}
    return {f"{name}/{part}": value for part, value in parts.items()}
