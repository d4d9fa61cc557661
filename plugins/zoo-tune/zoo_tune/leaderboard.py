"""The leaderboard: a row a trial, the best first, nothing left out; as leaderboard.tsv and for a terminal."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from zoo.files.tables import write_table
from zoo.terminal.columns import align
from zoo_tune.choice import ranking
from zoo_tune.space import override
from zoo_tune.study import Study
from zoo_tune.trial import Trial

SHOWN = 10


def write_leaderboard(study: Study) -> Path:
    """Write leaderboard.tsv into the search's folder; returns its path.

    Columns: trial, status, validation_loss (of the weights that were kept), seeds (how many more it was trained with)
    and mean_of_seeds (their mean validation loss), epochs, lowest_loss (of all epochs, of pruned trials too), seconds,
    a column a parameter, run, reason.
    """
    columns = ["trial", "status", "validation_loss", "seeds", "mean_of_seeds", "epochs", "lowest_loss", "seconds"]
    rows = [
        [
            *_cells(study, trial),
            *(_shown({**study.defaults, **trial.parameters}.get(key)) for key in study.space),
            str(trial.folder),
            trial.reason or None,
        ]
        for trial in in_order(study)
    ]
    path = study.folder / "leaderboard.tsv"
    comments = {"search": study.folder, "judged_on": "validation", "trials": len(study.trials)}
    write_table(path, [*columns, *study.space, "run", "reason"], rows, comments)
    return path


def in_order(study: Study) -> list[Trial]:
    """Trials that are ok by validation loss, then the others by number."""
    ranked = ranking(study.trials)
    return ranked + [trial for trial in study.trials if trial.validation_loss is None]


def table(study: Study) -> str:
    """The first rows as text; parameters that differ from the default's."""
    header = ["trial", "status", "validation", "mean of seeds", "epochs", "seconds", "parameters"]
    lines = [header]
    for trial in in_order(study)[:SHOWN]:
        number, status, loss, seeds, mean, epochs, _, seconds = _cells(study, trial)
        changed = [override(k, v) for k, v in trial.parameters.items() if v != study.defaults.get(k)]
        lines.append(
            [
                str(number),
                status,
                "" if loss is None else f"{loss:.5g}",
                "" if mean is None else f"{mean:.5g} ({seeds})",
                str(epochs),
                f"{seconds:.1f}",
                "the default" if trial.number == 0 else " ".join(changed),
            ]
        )
    text = align(lines)
    further = len(study.trials) - SHOWN
    return "\n".join(text + ([f"... and {further} more"] if further > 0 else []))


def _cells(study: Study, trial: Trial) -> list[Any]:
    again = [one for one in study.confirmations if one.number == trial.number and one.validation_loss is not None]
    losses = [one.validation_loss for one in again if one.validation_loss is not None]
    return [
        trial.number,
        "stopped" if trial.status == "running" else trial.status,
        trial.validation_loss,
        len(losses),
        fmean(losses) if losses else None,
        len(trial.losses),
        trial.lowest,
        round(trial.seconds, 1),
    ]


def _shown(value: Any) -> Any:
    """A value as an override shows it; numbers as they are."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else override("", value)[1:]
