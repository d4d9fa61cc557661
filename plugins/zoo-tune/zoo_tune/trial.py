"""A trial: the record of one training run of a search, kept as JSON beside the run's folder.

trials/0003.json  trials/0003/ (an ordinary run folder)         running -> ok, pruned, failed, or stopped and gone on
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.files.regular_files import read_bounded
from zoo.files.strict_json import parse_json
from zoo.training.run_folder import write_json

STATUSES = ("running", "ok", "pruned", "stopped", "failed")
"""running: it is at work, or was killed.  stopped: the budget or a signal ended it; it goes on with the next call."""

_MOST_BYTES = 1 << 22


@dataclass
class Trial:
    """One configuration and what came of it.

    number: its place in the search; 0 is the default configuration.
    parameters: {key: value} that it sets beside the user's overrides; none for the default.
    folder: of its run.
    seed: where it is trained again with another seed than the search's.
    losses: {epoch, from 1: validation loss}.
    validation_loss: of the weights that it keeps; None unless it is ok.
    seconds: of training, over all calls.
    reason: why it is pruned, stopped or failed.
    """

    number: int
    parameters: dict[str, Any]
    folder: Path
    seed: int | None = None
    status: str = "running"
    losses: dict[int, float] = field(default_factory=dict)
    validation_loss: float | None = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in ("ok", "pruned", "failed")

    @property
    def lowest(self) -> float | None:
        """Lowest finite validation loss of its epochs."""
        return min((loss for loss in self.losses.values() if math.isfinite(loss)), default=None)

    def save(self) -> None:
        """Replace the record at once."""
        plain = {**asdict(self), "folder": self.folder.name}
        # JSON has no NaN.
        plain["losses"] = [[epoch, loss if math.isfinite(loss) else None] for epoch, loss in self.losses.items()]
        write_json(_record(self.folder), plain)


def read_trial(path: Path) -> Trial:
    """The trial of a record.  Raises DataError for a file that is none."""
    try:
        plain = parse_json(read_bounded(path, _MOST_BYTES))
        names = {one.name for one in fields(Trial)}
        values = {key: plain[key] for key in names}
        values["folder"] = path.with_suffix("")
        values["losses"] = {int(e): math.nan if loss is None else float(loss) for e, loss in plain["losses"]}
        if values["status"] not in STATUSES or not isinstance(values["parameters"], dict):
            raise ValueError(f"status {values['status']!r}")
        if values["validation_loss"] is not None:
            values["validation_loss"] = float(values["validation_loss"])
        return Trial(**values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no record of a trial ({error}): remove it, and its run is left out") from error


def read_trials(folder: Path) -> list[Trial]:
    """All trials of a folder, by name."""
    return [read_trial(path) for path in sorted(folder.glob("[0-9]*.json"))]


def _record(run: Path) -> Path:
    return run.with_name(f"{run.name}.json")
