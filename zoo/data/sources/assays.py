"""`data=assays`: many experiments of a sheet, each a task, on windows at the union of their peaks.

experiments.tsv + genome -> chosen experiments -> windows by split -> labels (N, tasks), weight 0 where nothing is known
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.assays.examples import AssayExamples, ExampleTable
from zoo.data.assays.peak_labels import POSITIVE, UNKNOWN, combine_replicates, keep_drawn_negatives, label_windows
from zoo.data.assays.placement import ContigLine, PlacedPeaks, WindowPlacer, Windows, read_peaks
from zoo.data.assays.settings import AssayLabels, AssayWindows, Background
from zoo.data.assays.sheet import Experiment, choose_experiments, read_sheet
from zoo.data.assays.tasks import Tasks, tasks_by_experiment, tasks_by_target
from zoo.data.genome import Genome
from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import canonical_hash
from zoo.data.source import SPLITS, Source
from zoo.data.splits import Splits
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.files.compressed import file_identity
from zoo.outputs import as_name

_LAYOUTS = ("intervals", "contexts")
_AT_ONCE = 1 << 16


class Assays(Source):
    """Bound against not bound in many experiments at once.

    sheet: TSV or CSV of experiments, see `zoo.data.assays.sheet`.
    genome: {name, fasta}, given by the configuration's `genome`.
    tasks: names or patterns of experiments, all where not given.  where: COLUMN=VALUE, or a list of them.
    examples: "intervals": an example is an interval and a task an experiment; "contexts": an example is an interval in
        a cell (and batch), and a task a target.
    windows, labels, negatives: settings, see `AssayWindows`, `AssayLabels`, `Background`.
    splits: {train, validation, test: [regions]}, 0-based half-open; a window that crosses a border is in none.
    seed: of the background.

    experiments: that are used.  tasks: names of the channels, over all targets.
    Raises ConfigError for what is missing, DataError for a sheet or file that breaks its format, GenomeMismatch where
    peaks are not of this genome.
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
        splits: Mapping[str, Sequence[str]] | None = None,
        negatives: Background | Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        if not sheet:
            raise ConfigError("data=assays needs a sheet of experiments: set data.sheet=/path/to/experiments.tsv")
        if examples not in _LAYOUTS:
            raise ConfigError(f"data.examples is {examples!r}{did_you_mean(str(examples), _LAYOUTS)}")
        self.windows = settings_of(AssayWindows, "data.windows", windows)
        self.labels = settings_of(AssayLabels, "data.labels", labels)
        self.negatives = settings_of(Background, "data.negatives", negatives)
        self.layout, self.input_length = examples, self.windows.length
        self.genome = Genome.from_config(genome)
        self.splits = Splits.from_config(splits)
        self.regions = self.splits.of(self.genome)
        self.sheet = read_sheet(sheet)
        self.notes = list(self.sheet.notes)
        self.dropped: dict[str, int] = {}
        chosen, self.input_experiments = choose_experiments(self.sheet, tasks, where)
        self._line = ContigLine(self.genome, 2 * self.windows.length + self.labels.near)
        self.experiments, self._peaks = self._with_peaks(chosen)
        by = tasks_by_experiment if examples == "intervals" else tasks_by_target
        self._tasks = by(self.experiments)
        placed = self._place(seed)
        labels_of_split = self._without_untrained(
            {s: self._with_drawn_negatives(self._labels(w, s), w, s, seed) for s, w in placed.items()}
        )
        self.tasks = self._tasks.names
        self.targets, self._columns = self._fields()
        self.domains = tuple(dict.fromkeys(s.batch for s in self._tasks.samples if s.batch))
        if examples == "contexts":
            self.contexts = tuple(dict.fromkeys(s.cell for s in self._tasks.samples))
            self.inputs = {"context": Field("", values="class", vocabulary=self.contexts)}
        self._examples = {s: self._split(placed[s], labels_of_split[s]) for s in SPLITS}
        self.notes += self._sentences()

    def examples(self, split: str) -> AssayExamples:
        """Examples of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        return self._examples[split]

    def describe(self) -> dict[str, Any]:
        """Sheet, files, genome, tasks with their columns and n, splits, what was dropped, the leakage audit."""
        files = dict.fromkeys(path for e in self.experiments for path in e.files("peaks"))
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
            "labels": vars(self.labels),
            "windows": {k: v for k, v in vars(self.windows).items() if k not in ("places", "blacklist")},
            "splits": self.splits.describe(),
            "n": {split: {"examples": len(e), "at_peaks": int(e.labels.sum())} for split, e in self._examples.items()},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            "negatives": vars(self.negatives) | self._matching,
            "audit": audit_source(self),
        }

    def _with_peaks(self, chosen: Sequence[Experiment]) -> tuple[list[Experiment], list[list[PlacedPeaks]]]:
        """Experiments of enough peaks, and the peaks of their replicates."""
        experiments, peaks, short = [], [], []
        summits, on_error = self.windows.center == "summit", self.labels.on_error
        for e in chosen:
            lacking = next((r for r in e.replicates if r.peaks is None), None)
            if lacking is not None:
                raise ConfigError(
                    f"{self.sheet.path} line {lacking.line}: experiment {e.name!r} has no file of peaks, of which its "
                    "labels are made: name one, leave the experiment out with data.tasks, or give it the role input"
                )
            placed = [read_peaks(path, self.genome, self.splits, summits, on_error) for path in e.files("peaks")]
            if min(map(len, placed)) < self.labels.min_peaks:
                short.append(e.name)
                continue
            experiments.append(e)
            peaks.append(placed)
            for p in placed:
                for reason, n in p.dropped.items():
                    self.dropped[reason] = self.dropped.get(reason, 0) + n
                self.notes += [f"{e.name}: {note}" for note in p.notes]
        if short:
            self.notes.append(f"{_names(short)} left out: fewer than {self.labels.min_peaks:,} peaks on the genome")
        if not experiments:
            raise ConfigError(
                f"no chosen experiment has {self.labels.min_peaks:,} peaks on the genome: set a lower "
                "data.labels.min_peaks, or check the genome"
            )
        return experiments, peaks

    def _place(self, seed: int) -> dict[str, Windows]:
        """Windows of every split, without sequences that a later split holds."""
        places, blacklist = (
            read_peaks(Path(path).expanduser(), self.genome, self.splits, True) if path else None
            for path in (self.windows.places, self.windows.blacklist)
        )
        flat = [p for replicates in self._peaks for p in replicates]
        placer = WindowPlacer(self._line, self.windows, flat, blacklist)
        starts = placer.starts(places)
        placed, seen = {}, np.empty(0, np.uint64)
        for split in reversed(SPLITS):
            windows = placer.place(starts, split, self.regions, self.negatives, (seed,))
            hashes = self._hashes(windows)
            keep = ~np.isin(hashes, seen)
            self.dropped[f"{split}_in_a_later_split"] = int((~keep).sum())
            if split == "train":
                # Windows at peaks first, so that a sequence which is both stays one.
                order = np.argsort(~windows.at_peak, kind="stable")
                once = np.zeros(len(windows), bool)
                once[order[np.unique(hashes[order], return_index=True)[1]]] = True
                self.dropped["train_duplicates"] = int((keep & ~once).sum())
                keep &= once
            placed[split] = windows.take(np.flatnonzero(keep))
            seen = np.concatenate([seen, hashes])
        self.dropped |= placer.dropped
        self._matching = placer.matching
        return {split: placed[split] for split in SPLITS}

    def _hashes(self, windows: Windows) -> np.ndarray:
        parts = [np.empty(0, np.uint64)]
        for i in range(0, len(windows), _AT_ONCE):
            chunk = slice(i, i + _AT_ONCE)
            codes = self.genome.windows(windows.contig[chunk], windows.start[chunk], self.input_length)
            parts.append(canonical_hash(codes)[0])
        return np.concatenate(parts)

    def _labels(self, windows: Windows, split: str) -> np.ndarray:
        """(N, S, C) int8."""
        starts = self._line.place(windows.contig, windows.start)
        limit = self.labels.max_width if split == "train" else None
        core, near = self.windows.core, self.labels.near
        of_experiment = np.empty((len(self.experiments), len(windows)), np.int8)
        for e, replicates in enumerate(self._peaks):
            parts = [
                label_windows(starts, self.input_length, core, near, p.on_line(self._line, limit)) for p in replicates
            ]
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
            self.notes.append(f"{few}: data.negatives.per_window makes more")
        return kept

    def _without_untrained(self, labels: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Tasks without a training positive, or without a training negative, are left out and named."""
        train = labels["train"]
        has = {"positive": (train == POSITIVE).any((0, 1)), "negative": (train == 0).any((0, 1))}
        for kind, there in has.items():
            lacking = [name for name, ok in zip(self._tasks.names, there, strict=True) if not ok]
            if lacking:
                self.notes.append(f"{_names(lacking)} left out: no training window is a {kind}")
        keep = np.flatnonzero(has["positive"] & has["negative"])
        if not len(keep):
            raise ConfigError(
                f"no task has both positives and negatives among {len(train):,} training windows: widen "
                "data.splits.train, choose other experiments, or set data.negatives.how=random"
            )
        names = tuple(self._tasks.names[c] for c in keep)
        table = tuple(tuple(row[c] for c in keep) for row in self._tasks.experiments)
        self._tasks = Tasks(names, self._tasks.samples, table)
        return {split: x[:, :, keep] for split, x in labels.items()}

    def _fields(self) -> tuple[dict[str, Field], dict[str, np.ndarray]]:
        """Fields of the targets, and which tasks are the columns of each."""
        if self.labels.heads == "one":
            groups = {self.labels.target: list(range(len(self.tasks)))}
        else:
            groups = {}
            for c in range(len(self.tasks)):
                e = self._experiments_of(c)[0]
                if not e.assay:
                    raise ConfigError(
                        f"data.labels.heads=assay: experiment {e.name!r} names no assay: fill the column, or set "
                        "data.labels.heads=one"
                    )
                groups.setdefault(as_name(e.assay).replace(".", "_"), []).append(c)
        fields = {k: Field("C", channels=tuple(self.tasks[c] for c in v), values="binary") for k, v in groups.items()}
        return fields, {k: np.array(v) for k, v in groups.items()}

    def _experiments_of(self, task: int) -> list[Experiment]:
        return [self.experiments[e] for row in self._tasks.experiments for e in row[task]]

    def _split(self, windows: Windows, labels: np.ndarray) -> AssayExamples:
        """Examples of a split: every window in every sample that says something about it."""
        window, sample = np.nonzero((labels != UNKNOWN).any(2))
        samples = self._tasks.samples
        domain = np.array([self.domains.index(s.batch) if s.batch else -1 for s in samples], np.int64)
        context = np.array([self.contexts.index(s.cell) if self.contexts else -1 for s in samples], np.int64)
        table = ExampleTable(window, sample, labels[window, sample], domain[sample], context[sample])
        covariates = windows.gc[:, None].astype(np.float32)
        return AssayExamples(
            self.genome, self.input_length, windows, table, self._columns, covariates, self.contexts, self.domains
        )

    def _described_tasks(self) -> list[dict[str, Any]]:
        """One row a task: its columns of the sheet, and positives and negatives by split."""
        rows = []
        counts = {s: [(e.task_labels == label).sum(0) for label in (1, 0)] for s, e in self._examples.items()}
        for c, name in enumerate(self.tasks):
            of = self._experiments_of(c)
            shared = {k: v for k, v in of[0].columns.items() if v and all(e.columns.get(k) == v for e in of)}
            n = {s: {"positives": int(p[c]), "negatives": int(q[c])} for s, (p, q) in counts.items()}
            rows.append({**shared, "name": name, "n": n})
        return rows

    def _sentences(self) -> list[str]:
        """What a person should know of the layout."""
        notes = []
        batches = dict.fromkeys(e.batch for e in self.experiments if e.batch)
        if len(batches) > 1 and self.layout == "intervals":
            notes.append(
                f"experiments are of {len(batches)} batches, so that an interval has no one domain: "
                "data.examples=contexts makes an example for each batch"
            )
        return notes


def _names(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
