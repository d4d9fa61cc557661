"""`data=simulated_depth`: windows of simulated samples, whose copy number is known bin by bin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.terminal.progress import counting
from zoo_copy_number.designs import HUMAN, Design, genome_design, target_design
from zoo_copy_number.simulation import SimulatedSample, simulate_reference, simulate_sample
from zoo_copy_number.simulation_settings import DepthSettings
from zoo_copy_number.tracks import TRACKS, cut_windows, draw_sample, is_autosomal, stack_tracks

STATES = ("0", "1", "2", "3", "4+")
KINDS = ("genome", "exome", "panel")
FLOOR, CEILING = -4.0, 3.0

TRAINING = DepthSettings(noise=(0.03, 0.25), gc_correlation=(-0.92, 0.92), events=(5.0, 60.0), any_length=True)
"""What models are trained on: from deep genomes to noisier bins than anybody should call, depth that is
nearly all GC, as in off-target bins of real captures, and many events from a single bin on."""

FROZEN = DepthSettings(noise=(0.03, 0.10))
"""What models are evaluated on: the noise of a genome at 30x in bins of 1 to 10 kb, in the median bin."""

NORMALS = (3, 6, 12, 24)
"""Samples in the pool of a kit, each as likely."""

AUTOSOMES = 4
"""In a sample of training, beside X and Y: contigs are then as long as windows."""


class SimulatedDepth(Source):
    """Windows of samples of whole genomes, exomes and panels, with and without a pooled reference.

    targets: states (N, T), 0, 1, 2, 3 or at least 4 copies; log2 and level (N, 1, T), the log2 of copies seen
        over 2, for a head of corrected depth and for one of depth without noise.
    bins: of a window.
    samples: of training; a twelfth of them, at least 6, in validation and in test.
    size: bins of a sample, about.
    kinds: genome (equal bins of 1 to 500 kb), exome (uneven targets), panel (few targets and off-target bins); one that
        is named twice is twice as frequent.
    settings: of zoo_copy_number.simulation_settings.DepthSettings, by name, where they differ from TRAINING.
    seed: of the data; a run's own seed leaves it alone.
    """

    def __init__(
        self,
        *,
        bins: int = 1024,
        samples: int = 2_400,
        size: int = 7_000,
        kinds: Sequence[str] = KINDS,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        for kind in kinds:
            if kind not in KINDS:
                raise ConfigError(f"data simulated_depth has no kind {kind!r}" + did_you_mean(kind, KINDS))
        unknown = set(settings or {}) - set(DepthSettings.__dataclass_fields__)
        if unknown:
            name = sorted(unknown)[0]
            raise ConfigError(f"simulated depth has no setting {name!r}" + did_you_mean(name, TRAINING.__dict__))
        changed = {k: tuple(v) if isinstance(v, (list, tuple)) else v for k, v in (settings or {}).items()}
        self.settings = replace(TRAINING, **changed)
        self._config = {"name": "simulated_depth", "bins": bins, "samples": samples, "size": size}
        self._config |= {"kinds": list(kinds), "settings": dict(settings) if settings else None, "seed": seed}
        signal = Field("AT", channels=TRACKS, bin_size=1)
        self.inputs = {"signal": signal, "sample": signal}
        ratio = Field("CT", channels=("log2_ratio",), unit="log2 of copies over 2", bin_size=1)
        states = Field("T", values="class", vocabulary=STATES, bin_size=1)
        self.targets = {"states": states, "log2": ratio, "level": ratio}
        self.input_length = bins
        held_out = max(6, samples // 12)
        self._n = dict(zip(SPLITS, (samples, held_out, held_out), strict=True))
        self._size, self._kinds, self._seed = size, tuple(kinds), seed
        self._made: dict[str, _Windows] = {}

    def examples(self, split: str) -> Examples:
        """Windows of the samples of one split."""
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        if split not in self._made:
            at, n = SPLITS.index(split), self._n[split]
            made = []
            with counting(n, label=f"simulating {split}", unit="samples", enabled=True) as advance:
                for i in range(n):
                    kind = self._kinds[i % len(self._kinds)]
                    made.append(make_sample(kind, self._size, (self._seed, at, i), self.settings, autosomes=AUTOSOMES))
                    advance(1)
            self._made[split] = _Windows(made, self.input_length, (self._seed, at))
        return self._made[split]

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "simulated_depth",
            "licence": "simulated",
            "splits": {split: {"samples": n} for split, n in self._n.items()},
            "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in self.settings.__dict__.items()},
            "config": self._config,
        }


def make_sample(
    kind: str,
    size: int,
    seed: Sequence[int],
    settings: DepthSettings = FROZEN,
    *,
    autosomes: int | None = None,
    reference: bool | None = None,
) -> SimulatedSample:
    """A sample of about `size` bins.

    autosomes: how many, drawn at random, beside X and Y; all of them where it is not given.
    reference: whether an exome or panel has a pooled reference; half of them where it is not given.
    """
    rng = np.random.default_rng(seed)
    if kind == "genome":
        width = int(np.exp(rng.uniform(np.log(1_000), np.log(500_000))))
        design = genome_design(rng, width=width, bins=size, sizes=_contigs(rng, autosomes))
    else:
        design = _kit(kind, size, int(rng.integers(24)), autosomes)
        settings = replace(settings, reference_absent=0.5 if reference is None else float(not reference))
    return simulate_sample(rng, design, settings, name="-".join(map(str, seed)))


@lru_cache(maxsize=64)
def _kit(kind: str, size: int, number: int, autosomes: int | None) -> Design:
    """A capture kit with its pool of normals."""
    rng = np.random.default_rng((7, KINDS.index(kind), number))
    sizes = _contigs(rng, autosomes)
    if kind == "exome":
        design = target_design(rng, targets=size, sizes=sizes)
    else:
        fill = int(sum(sizes.values()) / (0.75 * size) * rng.uniform(0.7, 1.4))
        design = target_design(rng, targets=max(300, size // 4), off_target=fill, sizes=sizes)
    return simulate_reference(rng, design, TRAINING, normals=int(rng.choice(NORMALS)))


def _contigs(rng: np.random.Generator, autosomes: int | None) -> dict[str, int]:
    names = [name for name in HUMAN if name.removeprefix("chr") not in ("X", "Y")]
    if autosomes is not None:
        names = [names[i] for i in np.sort(rng.choice(len(names), autosomes, replace=False))]
    return {name: size for name, size in HUMAN.items() if name in names or name.removeprefix("chr") in ("X", "Y")}


class _Windows(Examples):
    def __init__(self, samples: Sequence[SimulatedSample], bins: int, seed: tuple[int, ...]):
        self._bins, self._seed = bins, seed
        self._tracks, self._states, self._log2, self._auto = [], [], [], []
        index = []
        for i, sample in enumerate(samples):
            autosomes = is_autosomal(sample.bins)
            tracks = stack_tracks(sample.bins, autosomes)
            self._tracks.append(tracks)
            self._auto.append(autosomes)
            self._states.append(np.where(tracks[1] > 0, sample.classes, -1).astype(np.int64))
            self._log2.append(np.clip(sample.log2_ratio, FLOOR, CEILING).astype(np.float32))
            index += [(i, first, last) for first, last in cut_windows(sample.bins.contig, bins)]
        self._index = np.array(index)
        self._names = [sample.bins.sample for sample in samples]
        self.lengths = np.full(len(index), bins, np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        if margin:
            raise ConfigError(f"windows of bins have no flank, but {margin} are asked for: set trainer.shift=0")
        n, tracks = len(indices), len(TRACKS)
        out = {
            "signal": np.zeros((n, tracks, self._bins), np.float32),
            "sample": np.zeros((n, tracks, self._bins), np.float32),
            "target/states": np.full((n, self._bins), -1, np.int64),
            "target/log2": np.zeros((n, 1, self._bins), np.float32),
            "weight/log2": np.zeros((n, 1, self._bins), np.float32),
        }
        for row, which in enumerate(np.asarray(indices)):
            i, first, last = self._index[which]
            size, here = last - first, slice(first, last)
            out["signal"][row, :, :size] = self._tracks[i][:, here]
            rng = np.random.default_rng((*self._seed, int(which)))
            out["sample"][row] = draw_sample(self._tracks[i], self._bins, rng, self._auto[i])
            out["target/states"][row, :size] = self._states[i][here]
            out["target/log2"][row, 0, :size] = self._log2[i][here]
            known = self._tracks[i][1, here] > 0
            out["weight/log2"][row, 0, :size] = known & (self._tracks[i][0, here] > FLOOR)
        for part in ("target", "weight"):
            out[f"{part}/level"] = out[f"{part}/log2"]
        return out

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        rows = self._index[np.asarray(indices)]
        return {
            "name": np.array([self._names[i] for i in rows[:, 0]], object),
            "first_bin": rows[:, 1],
            "last_bin": rows[:, 2],
        }
