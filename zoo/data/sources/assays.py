"""`data=assays`: many experiments of a sheet, each a task, on windows at the union of their peaks.

experiments.tsv + genome -> chosen experiments -> windows by split -> labels (N, tasks), weight 0 where nothing is known
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.assays.cohort_files import batch_notes, listed, read_cohort
from zoo.data.assays.covariates import Covariates
from zoo.data.assays.examples import AssayExamples, CohortParts, ExampleTable
from zoo.data.assays.input_tracks import InputTracks
from zoo.data.assays.peak_files import ContigLine, PlacedPeaks, read_peaks
from zoo.data.assays.peak_labels import (
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    combine_replicates,
    keep_drawn_negatives,
    label_windows,
)
from zoo.data.assays.placement import WindowPlacer, Windows
from zoo.data.assays.settings import AssayLabels, AssayWindows, Background, InputSignals
from zoo.data.assays.sheet import Experiment, choose_experiments, read_sheet
from zoo.data.assays.signal_labels import SignalLabels
from zoo.data.assays.tasks import tasks_by_experiment, tasks_by_target
from zoo.data.genome import Genome
from zoo.data.leakage_audit import audit_examples
from zoo.data.source import SPLITS, Source
from zoo.data.splits import Splits
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.files.compressed import file_identity
from zoo.outputs import as_name

_LAYOUTS = ("intervals", "contexts")


class Assays(Source):
    """Many experiments at once: bound or not, coverage, or profiles.

    sheet: TSV or CSV of experiments, see `zoo.data.assays.sheet`.
    genome: {name, fasta}, given by the configuration's `genome`.
    tasks: names or patterns of experiments, all where not given.  where: COLUMN=VALUE, or a list of them.
    examples: "intervals": an example is an interval and a task an experiment; "contexts": an example is an interval in
        a cell (and batch), and a task a target.
    windows, labels, signals, negatives: settings, see `AssayWindows`, `AssayLabels`, `InputSignals`, `Background`.
    splits: {train, validation, test: [regions]}, 0-based half-open; a window that crosses a border is in none.
    mappability: track whose mean over the window is a covariate.
    seed: of the background.

    experiments: that are used.  tasks: names of the channels, over all targets.
    Raises ConfigError for what is missing, DataError for a sheet or file that breaks its format, GenomeMismatch where
    peaks or tracks are not of this genome.
    """

    def __init__(
        self,
        *,
        sheet: str | None = None,
        genome: Mapping[str, Any] | None = None,
        tasks: Sequence[str] | str | None = None,
        where: Sequence[str] | str | Mapping[str, Any] | None = None,
        examples: str = "intervals",
        windows: AssayWindows | Mapping[str, Any] | None = None,
        labels: AssayLabels | Mapping[str, Any] | None = None,
        signals: InputSignals | Mapping[str, Any] | None = None,
        splits: Mapping[str, Sequence[str]] | None = None,
        negatives: Background | Mapping[str, Any] | None = None,
        mappability: str | None = None,
        seed: int = 0,
    ):
        if not sheet:
            raise ConfigError("data=assays needs a sheet of experiments: set data.sheet=/path/to/experiments.tsv")
        if examples not in _LAYOUTS:
            raise ConfigError(f"data.examples is {examples!r}{did_you_mean(str(examples), _LAYOUTS)}")
        self.windows = settings_of(AssayWindows, "data.windows", windows)
        self.labels = settings_of(AssayLabels, "data.labels", labels)
        self.negatives = settings_of(Background, "data.negatives", negatives)
        self.layout, self.input_length, length = examples, self.windows.length, self.windows.length
        self.genome = Genome.from_config(genome)
        self.splits = Splits.from_config(splits)
        self.sheet = read_sheet(sheet)
        chosen, inputs = choose_experiments(self.sheet, tasks, where)
        files = read_cohort(self.sheet, chosen, self.labels, self._read_peaks)
        self.experiments, self._peaks, self.dropped = files.experiments, files.peaks, files.dropped
        self.notes = [*self.sheet.notes, *files.notes]
        self._tasks = (tasks_by_experiment if examples == "intervals" else tasks_by_target)(self.experiments)
        self.notes += batch_notes(self.experiments, self._tasks.samples)
        placed = self._place(seed)
        if self.labels.of == "peaks":
            labels_of_split = {s: self._with_drawn_negatives(self._labels(w, s), w, s, seed) for s, w in placed.items()}
            known = self._without_untrained(labels_of_split)
            self._signal_labels = None
        else:
            self._signal_labels = self._open_signal_labels()
            shape = self._signal_labels.known.shape
            where_known = np.where(self._signal_labels.known, NEGATIVE, UNKNOWN).astype(np.int8)
            known = {s: np.broadcast_to(where_known, (len(w), *shape)) for s, w in placed.items()}
        self.tasks, samples = self._tasks.names, self._tasks.samples
        self.domains = tuple(dict.fromkeys(s.batch for s in samples if s.batch))
        self._tracks = self._open_tracks(inputs, settings_of(InputSignals, "data.signals", signals))
        self.inputs = {"signal": self._tracks.field} if self._tracks else {}
        if examples == "contexts":
            self.contexts = tuple(dict.fromkeys(s.cell for s in samples))
            self.inputs["context"] = Field("", values="class", vocabulary=self.contexts)
        self._covariates = Covariates(self.genome, length, mappability, self._tasks, self.experiments)
        self.covariates = self._covariates.names
        self.notes += self._covariates.notes
        self.targets, columns = self._fields()
        shared = (self.genome, length, self.targets, columns, self.contexts, self.domains)
        parts = CohortParts(*shared, self._signal_labels, self._tracks)
        self._examples = {s: AssayExamples(parts, placed[s], self._table(placed[s], known[s])) for s in SPLITS}

    def examples(self, split: str) -> AssayExamples:
        """Examples of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        return self._examples[split]

    def describe(self) -> dict[str, Any]:
        """Sheet, files, genome, tasks with their columns and n, splits, what was dropped, the leakage audit."""
        read = ("peaks",) if self.labels.of == "peaks" else ("peaks", "signal", "control")
        files = dict.fromkeys(path for column in read for e in self.experiments for path in e.files(column))
        licences = dict.fromkeys(e.columns.get("licence", "") for e in self.experiments)
        return {
            "source": "assays",
            "files": [file_identity(self.sheet.path), *(file_identity(path) for path in files)],
            "licence": "; ".join(x for x in licences if x),
            "genome": self.genome.identity(),
            "aliases": dict(self.genome.aliases),
            "length": self.input_length,
            "examples": self.layout,
            "tasks": self._described_tasks(),
            **({"tracks": self._tracks.describe(self._tasks.samples)} if self._tracks else {}),
            "covariates": list(self.covariates),
            "labels": vars(self.labels),
            "windows": {k: v for k, v in vars(self.windows).items() if k not in ("places", "blacklist")},
            "splits": self.splits.describe(),
            "n": {s: {"examples": len(e), "windows": len(e.windows)} for s, e in self._examples.items()},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": vars(self.negatives) | self._matching,
            "audit": audit_examples({s: e.once_a_window() for s, e in self._examples.items()}),
        }

    def _read_peaks(self, path: str | Path) -> PlacedPeaks:
        summits = self.windows.center == "summit"
        return read_peaks(Path(path).expanduser(), self.genome, self.splits, summits, self.labels.on_error)

    def _place(self, seed: int) -> dict[str, Windows]:
        """Windows of every split, without sequences that a later split holds."""
        line = ContigLine(self.genome, 2 * self.windows.length + self.labels.near)
        self._line = line
        places, blacklist = (
            self._read_peaks(path) if path else None for path in (self.windows.places, self.windows.blacklist)
        )
        flat = [p for replicates in self._peaks for p in replicates]
        if places is None and not sum(map(len, flat)):
            raise ConfigError(
                f"no chosen experiment of {self.sheet.path} names peaks, at which windows would stand: name a BED file "
                "of places with data.windows.places"
            )
        if places is not None and not len(places):
            raise ConfigError(
                f"data.windows.places {self.windows.places} names no place on the genome: name a BED file that does, "
                "or leave it out, and windows stand at the peaks"
            )
        placer = WindowPlacer(line, self.windows, flat, blacklist)
        placed = placer.place_all(places, self.splits, self.negatives, seed)
        self.dropped = {**self.dropped, **placer.dropped}
        self._matching = placer.matching
        return placed

    def _labels(self, windows: Windows, split: str) -> np.ndarray:
        """(N, S, C) int8."""
        starts = self._line.place(windows.contig, windows.start)
        limit = self.labels.max_width if split == "train" else None
        rule = (self.input_length, self.windows.core, self.labels.near)
        of_experiment = np.empty((len(self.experiments), len(windows)), np.int8)
        for e, replicates in enumerate(self._peaks):
            parts = [label_windows(starts, *rule, p.on_line(self._line, limit)) for p in replicates]
            of_experiment[e] = combine_replicates(parts, self.labels.replicates)
        return self._tasks.labels(of_experiment.T, self.labels.replicates)

    def _with_drawn_negatives(self, labels: np.ndarray, windows: Windows, split: str, seed: int) -> np.ndarray:
        """Labels of which validation and test keep as many negatives a task as `data.negatives.judged_per_positive`."""
        number = self.negatives.judged_per_positive
        if number is None or split == "train":
            return labels
        background = np.flatnonzero(~windows.at_peak)
        order = np.random.default_rng([seed, SPLITS.index(split), 5]).permutation(background)
        kept, short = keep_drawn_negatives(labels, order, number)
        if short:
            few = f"{short} tasks have fewer than {number:g} {split} negatives a positive"
            self.notes = [*self.notes, f"{few}: data.negatives.per_window makes more"]
        return kept

    def _without_untrained(self, labels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Tasks without a training positive, or without a training negative, are left out and named."""
        train = labels["train"]
        has = {"positive": (train == POSITIVE).any((0, 1)), "negative": (train == NEGATIVE).any((0, 1))}
        for kind, there in has.items():
            lacking = [name for name, ok in zip(self._tasks.names, there, strict=True) if not ok]
            if lacking:
                self.notes = [*self.notes, f"{listed(lacking)} left out: no training window is a {kind}"]
        keep = np.flatnonzero(has["positive"] & has["negative"])
        if not len(keep):
            raise ConfigError(
                f"no task has both positives and negatives among {len(train):,} training windows: widen "
                "data.splits.train, choose other experiments, or set data.negatives.how=random"
            )
        self._tasks = self._tasks.take(keep)
        return {split: x[:, :, keep] for split, x in labels.items()}

    def _open_signal_labels(self) -> SignalLabels:
        by_position = self.labels.of == "profile"
        if by_position and self.input_length % self.labels.bin_size:
            raise ConfigError(
                f"data.labels.bin_size {self.labels.bin_size} does not divide the window of {self.input_length:,} bp: "
                "choose one that does"
            )
        bin_size = self.labels.bin_size if by_position else self.input_length
        labels = SignalLabels(self.experiments, self._tasks, self.genome, bin_size, by_position)
        self.notes = [*self.notes, *labels.notes]
        return labels

    def _open_tracks(self, inputs: Sequence[Experiment], settings: InputSignals) -> InputTracks | None:
        if not inputs:
            return None
        if self.input_length % settings.bin_size:
            raise ConfigError(
                f"data.signals.bin_size {settings.bin_size} does not divide the window of {self.input_length:,} bp: "
                "choose one that does"
            )
        samples = self._tasks.samples
        tracks = InputTracks(inputs, samples, self.genome, settings.bin_size, settings.transform)
        self.notes = [*self.notes, *tracks.notes]
        return tracks

    def _fields(self) -> tuple[dict[str, Field], dict[str, np.ndarray]]:
        """Fields of the targets, and which tasks are the columns of each."""
        groups: dict[str, list[int]] = {}
        for c in range(len(self.tasks)):
            e = self._experiments_of(c)[0]
            if self.labels.heads == "assay" and not e.assay:
                raise ConfigError(
                    f"data.labels.heads=assay: experiment {e.name!r} names no assay: fill the column, or set "
                    "data.labels.heads=one"
                )
            name = self.labels.target if self.labels.heads == "one" else as_name(e.assay).replace(".", "_")
            groups.setdefault(name, []).append(c)
        signal = self._signal_labels
        kind = "binary" if signal is None else "count" if signal.is_count else "real"
        axes = {"axes": "CT", "bin_size": self.labels.bin_size} if self.labels.of == "profile" else {"axes": "C"}
        unit = {"unit": "log2 of the ratio to the control"} if signal is not None and signal.has_control else {}
        names = {k: tuple(self.tasks[c] for c in v) for k, v in groups.items()}
        fields = {k: Field(channels=channels, values=kind, **axes, **unit) for k, channels in names.items()}
        return fields, {k: np.array(v) for k, v in groups.items()}

    def _experiments_of(self, task: int) -> list[Experiment]:
        return [self.experiments[e] for row in self._tasks.experiments for e in row[task]]

    def _table(self, windows: Windows, labels: np.ndarray) -> ExampleTable:
        """Every window in every sample that says something about it; labels: (N, S, C)."""
        window, sample = np.nonzero((labels != UNKNOWN).any(2))
        samples = self._tasks.samples
        domain = np.array([self.domains.index(s.batch) if s.batch else -1 for s in samples], np.int64)
        context = np.array([self.contexts.index(s.cell) if self.contexts else -1 for s in samples], np.int64)
        covariates = self._covariates.of(windows, window, sample)
        return ExampleTable(window, sample, labels[window, sample], domain[sample], context[sample], covariates)

    def _described_tasks(self) -> list[dict[str, Any]]:
        """One row a task: its columns of the sheet, and positives and negatives by split."""
        counts = {s: [(e.task_labels == x).sum(0) for x in (POSITIVE, NEGATIVE)] for s, e in self._examples.items()}
        rows = []
        for c, name in enumerate(self.tasks):
            of = self._experiments_of(c)
            shared = {k: v for k, v in of[0].columns.items() if v and all(e.columns.get(k) == v for e in of)}
            n = {s: {"positives": int(p[c]), "negatives": int(q[c])} for s, (p, q) in counts.items()}
            if self._signal_labels is not None:
                n = {s: {"labels": q["negatives"]} for s, q in n.items()}
            rows.append({**shared, "name": name, "n": n})
        return rows
