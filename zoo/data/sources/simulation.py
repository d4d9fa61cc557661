"""`data=simulated`: planted JASPAR motifs with known truth, the data that everything can run on at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.motif_pair import Pair
from zoo.data.motifs import RELEASE, get_motifs
from zoo.data.planted_motifs import Simulation, activity, profile_counts, simulate
from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field

TARGETS = ("binding", "activity", "profile")


@dataclass(frozen=True, kw_only=True)
class SimulatedRows:
    """How the sequences are made.

    gc: share of C and G in the background.
    positives: share of the rows that hold a motif.
    sites: planted in a row that holds the motif.
    decoys: shuffled, scattered or none, see `zoo.data.planted_motifs.simulate`.
    """

    gc: float = 0.41
    positives: float = 0.5
    sites: int = 1
    decoys: str = "shuffled"


@dataclass(frozen=True, kw_only=True)
class SimulatedProfile:
    """bin_size: bp a position of the profile.  stranded: two tracks of reads a motif instead of one."""

    bin_size: int = 1
    stranded: bool = False


@dataclass(frozen=True, kw_only=True)
class SimulatedNoise:
    """activity: sd of the activity's noise.  labels: share of the training split's binding labels turned around.

    missing: share of the training split's binding labels that nobody measured (weight 0), one number for all motifs or
        one for each, as in [0, 0, 0.95] for a rare task.
    replicates: measurements whose mean is the activity of a training or validation row, each with a noise of its own;
        the batch then has `variance/activity`, as they show it, and test rows have the activity without any noise.
        0 for one value a row, 2 or more otherwise.
    qualities: sd of one measurement; every row draws one of them.
    """

    activity: float = 0.1
    labels: float = 0.0
    missing: float | Sequence[float] = 0.0
    replicates: int = 0
    qualities: Sequence[float] = (0.3, 3.0)

    def __post_init__(self) -> None:
        if self.replicates < 0 or self.replicates == 1:
            raise ConfigError(f"data.noise.replicates is {self.replicates}: give 0, or 2 or more that vary")
        if not self.qualities or min(self.qualities) <= 0:
            raise ConfigError(f"data.noise.qualities {list(self.qualities)} must be standard deviations above 0")
        object.__setattr__(self, "qualities", list(self.qualities))  # as JSON has it


class Simulated(Source):
    """Sequences of random background in which JASPAR motifs are planted or, letters shuffled, withheld.

    targets: which of these to yield:
        binding (N, M) binary: does the row hold a site of the motif;
        activity (N, 1) real: one for every motif held, the pair's synergy, noise;
        profile (N, tracks, length / bin_size) count: reads around the sites.
    motifs: JASPAR names or identifiers; each is a task of its own.  One that is named again is planted once, and its
        further tasks have the same labels, as measured by another laboratory; `noise.missing` tells them apart.
    tasks: those of them that are predicted, None for all: the rows stay the same, as for a model of a single task.
    n_train, n_validation, n_test: rows.
    length: bp of a row.
    rows, profile, noise: settings, see `SimulatedRows`, `SimulatedProfile`, `SimulatedNoise`.
    pair: arguments of `zoo.data.motif_pair.Pair` by name, for an activity that does not add up, as in
        {spacing: [8, 12], orientation: opposite, synergy: 3}.
    seed: of the data; a run's own seed leaves it alone, so that runs are compared on the same rows.
    """

    def __init__(
        self,
        *,
        motifs: Sequence[str] = ("CTCF",),
        tasks: Sequence[str] | None = None,
        targets: Sequence[str] = ("binding",),
        n_train: int = 4_000,
        n_validation: int = 1_000,
        n_test: int = 2_000,
        length: int = 200,
        rows: SimulatedRows | Mapping[str, Any] | None = None,
        pair: Pair | Mapping[str, Any] | None = None,
        noise: SimulatedNoise | Mapping[str, Any] | None = None,
        profile: SimulatedProfile | Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        self._rows = settings_of(SimulatedRows, "data.rows", rows)
        self._noise = settings_of(SimulatedNoise, "data.noise", noise)
        self._profile = settings_of(SimulatedProfile, "data.profile", profile)
        self._pair = None if pair is None else settings_of(Pair, "data.pair", pair)
        targets = [targets] if isinstance(targets, str) else list(targets)
        for name in targets:
            if name not in TARGETS:
                raise ConfigError(f"data simulated has no target {name!r}" + did_you_mean(name, TARGETS))
        if not targets:
            raise ConfigError(f"data simulated needs a target: choose from {', '.join(TARGETS)}")
        named = get_motifs([motifs] if isinstance(motifs, str) else motifs)
        once = {motif.id: motif for motif in named}
        self.motifs, self._planted = list(once.values()), [list(once).index(motif.id) for motif in named]
        missing = np.asarray(self._noise.missing, np.float64)
        if missing.shape not in ((), (len(named),)) or not ((missing >= 0) & (missing < 1)).all():
            raise ConfigError(
                f"data.noise.missing is {self._noise.missing!r}: give a share from 0 to below 1, or one for each "
                f"of the {len(named)} motifs"
            )
        self.input_length = length
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self._seed = seed
        groups = {"rows": self._rows, "noise": self._noise, "profile": self._profile, "pair": self._pair}
        self._config = {
            "name": "simulated",
            "motifs": [motifs] if isinstance(motifs, str) else list(motifs),
            **({} if tasks is None else {"tasks": list(tasks)}),
            "targets": targets,
            **{f"n_{split}": n for split, n in self._n.items()},
            "length": length,
            **{key: None if group is None else asdict(group) for key, group in groups.items()},
            "seed": seed,
        }
        names = _task_names([m.name for m in named])
        self._channels = _channels_of(tasks, names)
        if tasks is not None and "profile" in targets:
            raise ConfigError("data.tasks chooses among binding labels: leave profile out of data.targets")
        self.targets = {name: self._field(name, names) for name in targets}
        self._made: dict[str, Simulation] = {}

    def examples(self, split: str) -> Examples:
        """The rows of one split, positives and others mixed."""
        simulation = self._simulate(split)
        seed = self._seeds(split)
        labels, variances = {}, {}
        for name in self.targets:
            if name == "binding":
                labels[name] = simulation.labels[:, self._planted]
                if self._noise.labels and split == "train":
                    turned = np.random.default_rng([*seed, 1]).random(labels[name].shape) < self._noise.labels
                    labels[name] = np.abs(labels[name] - turned).astype(np.float32)
                labels[name] = self._with_missing(labels[name], split)[:, self._channels]
            elif name == "activity":
                labels[name], variance = self._activity(simulation, split)
                variances |= {} if variance is None else {name: variance}
            else:
                labels[name] = profile_counts(simulation, len(self.motifs), seed=[*seed, 3], **asdict(self._profile))
        return _Rows(split, simulation.codes, labels, variances)

    def truth(self, split: str) -> dict[str, np.ndarray]:
        """Columns row, motif, index, start, end (0-based half-open), strand of every planted site of a split."""
        return self._simulate(split).truth

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "simulated",
            "motifs": [{"name": m.name, "id": m.id} for m in self.motifs],
            "release": RELEASE,
            "licence": "motifs: JASPAR, CC BY 4.0; sequences: simulated",
            "splits": {split: {"n": n, "n_positive": round(n * self._rows.positives)} for split, n in self._n.items()},
            "negatives": f"the same background with decoys: {self._rows.decoys}",
            "config": self._config,
        }

    def _activity(self, simulation: Simulation, split: str) -> tuple[np.ndarray, np.ndarray | None]:
        """(n, 1) activities, and the variance of those that are means of replicates."""
        seed, effects = self._seeds(split), np.ones(len(self.motifs))
        if not self._noise.replicates:
            return activity(simulation, effects, self._pair, self._noise.activity, [*seed, 2])[:, None], None
        value = activity(simulation, effects, self._pair)[:, None]
        if split == "test":
            return value, np.full_like(value, np.nan)
        rng = np.random.default_rng([*seed, 5])
        sd = rng.choice(np.asarray(self._noise.qualities, np.float64), (len(value), 1))
        measured = value + sd * rng.standard_normal((len(value), self._noise.replicates))
        variance = measured.var(1, ddof=1, keepdims=True) / self._noise.replicates
        return measured.mean(1, keepdims=True).astype(np.float32), variance.astype(np.float32)

    def _with_missing(self, labels: np.ndarray, split: str) -> np.ndarray:
        """(n, M) labels, NaN where nobody measured them."""
        if split != "train" or not np.any(self._noise.missing):
            return labels
        drawn = np.random.default_rng([*self._seeds(split), 4]).random(labels.shape)
        return np.where(drawn < np.asarray(self._noise.missing), np.nan, labels).astype(np.float32)

    def _simulate(self, split: str) -> Simulation:
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        if split not in self._made:
            settings = {"pair": self._pair, "length": self.input_length, **asdict(self._rows)}
            self._made[split] = simulate(self.motifs, self._n[split], seed=self._seeds(split), **settings)
        return self._made[split]

    def _seeds(self, split: str) -> tuple[int, int]:
        return self._seed, SPLITS.index(split)

    def _field(self, target: str, names: tuple[str, ...]) -> Field:
        if target == "binding":
            return Field("C", channels=tuple(names[c] for c in self._channels), values="binary")
        if target == "activity":
            return Field("C", channels=("activity",), unit="planted effects")
        bin_size, names = self._profile.bin_size, _task_names([m.name for m in self.motifs])
        if not self._profile.stranded:
            return Field("CT", channels=names, unit="reads", bin_size=bin_size, values="count")
        tracks = tuple(f"{name}_{strand}" for name in names for strand in ("plus", "minus"))
        swap = tuple(i ^ 1 for i in range(len(tracks)))
        return Field("CT", channels=tracks, unit="reads", bin_size=bin_size, rc=swap, values="count")


class _Rows(Examples):
    def __init__(
        self, split: str, codes: np.ndarray, labels: Mapping[str, np.ndarray], variances: Mapping[str, np.ndarray]
    ):
        self._split, self._codes = split, codes
        self._labels = {f"target/{k}": v for k, v in labels.items()}
        self._labels |= {f"variance/{k}": v for k, v in variances.items()}
        self.lengths = np.full(len(codes), codes.shape[1], np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        if margin:
            raise ConfigError(f"simulated rows have no flank, but {margin} bp are asked for: set trainer.shift=0")
        return {"codes": self._codes[indices], **{k: v[indices] for k, v in self._labels.items()}}

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        return {"name": np.array([f"{self._split}_{i}" for i in np.asarray(indices)], str)}


def _task_names(names: Sequence[str]) -> tuple[str, ...]:
    """Motif names as task names: a heterodimer's :: would read as an output's reduction."""
    names = [name.replace("::", "_") for name in names]
    return tuple(n if names.count(n) == 1 else f"{n}_{names[: i + 1].count(n)}" for i, n in enumerate(names))


def _channels_of(tasks: Sequence[str] | None, names: tuple[str, ...]) -> list[int]:
    """Places of the tasks among the motifs' names, in the motifs' order."""
    for task in tasks or ():
        if task not in names:
            raise ConfigError(f"data simulated has no task {task!r}" + did_you_mean(task, names))
    if tasks is not None and not tasks:
        raise ConfigError(f"data.tasks names no task: choose from {', '.join(names)}")
    return [c for c, name in enumerate(names) if tasks is None or name in tasks]
