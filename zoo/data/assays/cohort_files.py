"""Files of the chosen experiments: which of them are of use, their peaks, and what a person should know of them.

experiments + what is learned of them -> read_cohort -> those of enough peaks, with their peaks on the genome
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.assays.peak_files import PlacedPeaks
from zoo.data.assays.settings import AssayLabels
from zoo.data.assays.sheet import Experiment, Sheet
from zoo.data.assays.tasks import Sample
from zoo.errors import ConfigError, did_you_mean


@dataclass
class CohortFiles:
    """experiments: that are used.  peaks: [experiment][replicate].  dropped: {reason: rows of peak files}.

    notes: what a person should know of the files.
    """

    experiments: list[Experiment] = field(default_factory=list)
    peaks: list[list[PlacedPeaks]] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_cohort(
    sheet: Sheet, chosen: Sequence[Experiment], labels: AssayLabels, read: Callable[[Path], PlacedPeaks]
) -> CohortFiles:
    """Experiments of at least `labels.min_peaks` peaks, where labels are of peaks; else all that have a signal.

    read: a file of peaks to its places.  Raises ConfigError for an experiment without the file that its labels are
    made of, and where none is left.
    """
    files, short = CohortFiles(), []
    needed = "peaks" if labels.of == "peaks" else "signal"
    for e in chosen:
        lacking = next((r for r in e.replicates if getattr(r, needed) is None), None)
        if lacking is not None:
            if needed not in sheet.columns:
                near = did_you_mean(needed, sheet.columns)
                raise ConfigError(
                    f"{sheet.path} has no column {needed!r}, of which labels are made{near}; or"
                    f" set data.labels.of={'signal' if needed == 'peaks' else 'peaks'}"
                )
            raise ConfigError(
                f"{sheet.path} line {lacking.line}: experiment {e.name!r} names no {needed}, of which its labels are "
                "made: fill the column, leave the experiment out with data.tasks, give it the role input, or set "
                f"data.labels.of={'signal' if needed == 'peaks' else 'peaks'}"
            )
        placed = [read(path) for path in e.files("peaks")]
        if labels.of == "peaks" and min(map(len, placed)) < labels.min_peaks:
            short.append(e.name)
            continue
        files.experiments.append(e)
        files.peaks.append(placed)
        for p in placed:
            for reason, n in p.dropped.items():
                files.dropped[reason] = files.dropped.get(reason, 0) + n
            files.notes += [f"{e.name}: {note}" for note in p.notes]
    if short:
        files.notes.append(f"{listed(short)} left out: fewer than {labels.min_peaks:,} peaks on the genome")
    if not files.experiments:
        raise ConfigError(
            f"no chosen experiment has {labels.min_peaks:,} peaks on the genome: set a lower data.labels.min_peaks, or "
            "check the genome"
        )
    controlled = [e for e in files.experiments if e.files("control")]
    if labels.of == "peaks" and controlled:
        files.notes.append(
            f"controls of {len(controlled):,} experiments give the covariate depth alone: peaks were called against "
            "them, data.labels.of=signal takes the ratio to them"
        )
    return files


def batch_notes(experiments: Sequence[Experiment], samples: Sequence[Sample]) -> list[str]:
    """A sentence where the sheet names several batches and an example is of all of them."""
    batches = dict.fromkeys(e.batch for e in experiments if e.batch)
    if len(batches) < 2 or any(sample.batch for sample in samples):
        return []
    return [
        f"experiments are of {len(batches)} batches, so that an interval has no one domain: "
        "data.examples=contexts makes an example for each batch"
    ]


def listed(names: Sequence[str], most: int = 5) -> str:
    """The names, the first few where they are many."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
