"""What both simulated sources share: rows in memory, a motif or its shuffled letters in the middle, peaks of a track.

codes (N, L), signal (N, A, T), label (N, 1), context (N,) -> SignalRows.batch
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from zoo.data.codes import reverse_complement
from zoo.data.motifs import Motif
from zoo.data.planted_motifs import background
from zoo.data.source import Examples
from zoo.errors import ConfigError, DataError

TRACK = "accessibility"


class SignalRows(Examples):
    """Rows of one split.  arrays: {key of a batch: (N, ...)}."""

    def __init__(self, split: str, arrays: Mapping[str, np.ndarray]):
        self._split, self._arrays = split, dict(arrays)
        codes = self._arrays["codes"]
        self.lengths = np.full(len(codes), codes.shape[1], np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """codes (N, L) uint8, signal (N, 1, T), target/bound (N, 1), and context (N,) where there are cells."""
        if margin:
            raise DataError(f"simulated rows have no flank, but {margin} bp are asked for: set trainer.shift=0")
        return {key: x[indices] for key, x in self._arrays.items()}

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """name."""
        return {"name": np.array([f"{self._split}_{i}" for i in np.asarray(indices)], str)}


def sequences(
    motifs: Sequence[Motif], kind: np.ndarray, holds: np.ndarray, length: int, jitter: int, rng: np.random.Generator
) -> np.ndarray:
    """(N, length) uint8 of random background with motif `kind` (N,) at the middle, give or take `jitter` bp.

    A row that does not hold it has the letters of a site there in shuffled order, so that base composition says
    nothing.  Half of the sites lie on the other strand.
    """
    codes = background(len(kind), length, rng=rng)
    for m, motif in enumerate(motifs):
        rows = np.flatnonzero(kind == m)
        letters = motif.sample(rng, len(rows))
        letters = np.where(rng.random(len(rows))[:, None] < 0.5, letters, reverse_complement(letters))
        letters = np.where(holds[rows, None], letters, rng.permuted(letters, axis=1))
        start = (length - len(motif)) // 2 + rng.integers(-jitter, jitter + 1, len(rows))
        codes[rows[:, None], start[:, None] + np.arange(len(motif))] = letters
    return codes


def counts(
    centre: np.ndarray, height: np.ndarray, *, length: int, bin_size: int, spread: float, rng: np.random.Generator
) -> np.ndarray:
    """log1p of Poisson counts (N, 1, length / bin_size) float32: 0.5 a bin, and a peak.

    centre, height: (N, P) bp and expected counts in the highest bin of every peak.  spread: sd of a peak in bp.
    """
    if length % bin_size:
        raise ConfigError(f"bin_size {bin_size} does not divide {length} bp: use {length - length % bin_size} bp")
    places = bin_size * (np.arange(length // bin_size) + 0.5)
    peaks = height[..., None] * np.exp(-0.5 * ((places - centre[..., None]) / spread) ** 2)
    return np.log1p(rng.poisson(0.5 + peaks.sum(1))[:, None]).astype(np.float32)
