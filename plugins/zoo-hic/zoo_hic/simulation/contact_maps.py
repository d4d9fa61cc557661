"""Contact maps with truth that is written in the sequence.

    settings ── sites and decoys ──> codes (the sequence)
                     └── boundaries, loops ── decay x insulation x loops ──> mean ── negative binomial ──> observed
                                                        └── log(O/E), noise free ──> truth

A model that knows only distance predicts nothing of log(O/E): its correlation is 0.  The oracle, which knows all
boundaries and loops, reaches the correlation that the noise leaves (`tune_noise`).  The effect of an edit follows
from `compute_truth(find_sites(edited, settings), ...)`, or of the motifs after `drop_sites` or `flip_sites`.
Natural logarithms throughout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.maps import bins_apart
from zoo_hic.simulation.sequence import plant
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import (
    average_by_distance,
    bin_sites,
    build_structure,
    compute_truth,
    find_loops,
    mirror,
)


@dataclass(frozen=True)
class SimulatedContig:
    """A contig of T bins and the truth about it.

    codes: (T x resolution,) uint8, A, C, G, T = 0 to 3.  motifs: table of dtype MOTIF.
    boundaries: (M,) bins with a site.  loops: table of dtype LOOP.
    truth: (T, T) float32, noise-free log(O/E).  expected: (T,) subtracted from each diagonal (`average_by_distance`).
    observed: (T, T) int32 counts, symmetric.  resolution: bp of a bin.
    """

    codes: np.ndarray
    motifs: np.ndarray
    boundaries: np.ndarray
    loops: np.ndarray
    truth: np.ndarray
    expected: np.ndarray
    observed: np.ndarray
    resolution: int

    @property
    def log_oe(self) -> np.ndarray:
        """(T, T) float64: log(O/E) of the counts."""
        return log_observed_over_expected(self.observed)


def simulate_contig(rng: np.random.Generator, bins: int, settings: MapSettings | None = None) -> SimulatedContig:
    """One contig.  The same state of `rng`, bins and settings give the same contig."""
    settings = settings or MapSettings()
    codes, motifs = plant(rng, bins, settings)
    structure = build_structure(motifs, bins, settings)
    observed = _counts(rng, structure, settings)
    expected = average_by_distance(structure)
    return SimulatedContig(
        codes=codes,
        motifs=motifs,
        boundaries=bin_sites(motifs, settings),
        loops=find_loops(motifs, settings),
        truth=compute_truth(motifs, bins, settings, expected=expected),
        expected=expected,
        observed=observed,
        resolution=settings.resolution,
    )


def log_observed_over_expected(counts: np.ndarray) -> np.ndarray:
    """(T, T) float64, symmetric: log of each count over the mean of its diagonal; NaN where there is no contact."""
    counts = np.asarray(counts, np.float64)
    expected = np.array([np.diagonal(counts, d).mean() for d in range(len(counts))])
    expected = np.log(expected, out=np.zeros(len(counts)), where=expected > 0)
    log = np.log(counts, out=np.full(counts.shape, np.nan), where=counts > 0)
    return log - expected[bins_apart(len(counts))]


def oracle(simulated: SimulatedContig, *, near: int = 10, far: int = 128) -> float:
    """Pearson correlation of truth and observed log(O/E) over pixels `near` to `far` bins from the diagonal."""
    first, second = np.triu_indices(len(simulated.truth), near)
    kept = second - first <= far
    x, y = (m[first[kept], second[kept]] for m in (simulated.truth, simulated.log_oe))
    known = np.isfinite(y)
    return float(np.corrcoef(x[known], y[known])[0, 1])


def tune_noise(
    settings: MapSettings,
    oracle: float = 0.9,
    rng: np.random.Generator | None = None,
    *,
    contigs: int = 16,
    bins: int = 1024,
    near: int = 10,
    far: int = 128,
) -> float:
    """The `Settings.noise` with which the oracle reaches this correlation, to 0.001, by bisection.

    All steps share their random numbers, so the correlation falls steadily.

    Raises ConfigError where counting noise alone leaves less, or where there is no structure.
    """
    if not 0.05 <= oracle <= 0.99:
        raise ConfigError(f"oracle is {oracle}: give a correlation from 0.05 to 0.99")
    rng = rng or np.random.default_rng(0)
    structures = [build_structure(plant(rng, bins, settings)[1], bins, settings) for _ in range(contigs)]
    seeds = rng.integers(2**63, size=contigs)

    def reached(noise: float) -> float:
        noisy = replace(settings, noise=noise)
        pairs = [_pixels(s, seed, noisy, near, far) for s, seed in zip(structures, seeds, strict=True)]
        return float(np.corrcoef(*np.concatenate(pairs, 1))[0, 1])

    low, high = 0.0, 3.0
    if not reached(low) >= oracle > reached(high):
        raise ConfigError(
            f"no noise gives an oracle of {oracle}: without any it reaches {reached(low):.3f}, so raise depth, "
            "insulation or loop"
        )
    while high - low > 5e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) >= oracle else (low, middle)
    return round((low + high) / 2, 4)


def _pixels(structure, seed, settings, near, far):
    """(2, P) truth and observed log(O/E) near the diagonal, where there is a contact."""
    counts, expected = _counts(np.random.default_rng(seed), structure, settings, far), average_by_distance(structure)
    rows = []
    for d in range(near, min(far + 1, len(structure))):
        seen = np.diagonal(counts, d)
        known = seen > 0
        truth = np.diagonal(structure, d)[known] - expected[d]
        rows.append((truth, np.log(seen[known]) - np.log(max(seen.mean(), 1e-300))))
    return np.concatenate(rows, 1)


def _counts(rng, structure, settings, far=None):
    """(T, T) int32; row by row, so that nothing but the result is as large as the map."""
    bins = len(structure)
    decay = settings.depth * np.maximum(np.arange(bins), 0.5) ** -settings.decay
    out = np.zeros((bins, bins), np.int32)
    for i in range(bins):
        end = bins if far is None else min(bins, i + far + 1)
        mean = decay[: end - i] * np.exp(structure[i, i:end])
        if settings.noise:
            over = settings.noise**2
            mean = mean * over * rng.standard_gamma(1 / over, end - i)
        out[i, i:end] = rng.poisson(mean)
    mirror(out)
    return out
