"""`Design`: where the bins of an experiment lie and what stays the same from sample to sample.

    genome_design   equal bins side by side        GC, mappability, replication timing, blacklist
    target_design   exons in clusters, uneven      the same and capture efficiency of each target (the kit)

Tracks are sums of Ornstein-Uhlenbeck processes along the contigs.  Their scales (0.7 kb to 4 Mb) and shares follow
the autocorrelation of GC in 1-kb bins of human chromosome 2: .62 at 1 kb, .43 at 5 kb, .31 at 100 kb, .19 at 1 Mb.
Wider bins average the short scales away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numba
import numpy as np
from scipy.special import ndtr

from zoo.errors import ConfigError

# Mbp of the contigs of GRCh38 (Genome Reference Consortium), rounded.
_MBP = (248, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80, 59, 64, 47, 51, 156, 57)
HUMAN = {f"chr{name}": mbp * 1_000_000 for name, mbp in zip([*range(1, 23), "X", "Y"], _MBP, strict=True)}

# (scale in bp, share of the variance in 1-kb bins)
_GC_SCALES = ((700, 0.55), (30_000, 0.10), (1_000_000, 0.20), (4_000_000, 0.15))
_MAPPABILITY_SCALES = ((700, 0.65), (60_000, 0.35))
# Cumulative share of 1-kb bins of chromosome 2 and their mappability.
_SHARES = (0.0, 0.01, 0.025, 0.05, 0.10, 0.20, 0.35, 0.50, 0.57, 1.0)
_MAPPABILITY = (0.0, 0.0, 0.1, 0.47, 0.72, 0.84, 0.95, 0.99, 1.0, 1.0)


@dataclass(frozen=True)
class Design:
    """n bins and what a bin is like in every sample.

    contigs, contig, start, end, sizes: as in `Bins`.
    gc: (n,) float32, share of G and C; NaN in assembly gaps.  mappability: (n,) float32, 0 to 1.  mask: (n,) bool.
    exposure: (n,) float32, reads that the width brings, 1 in the median bin.
    efficiency: (n,) float32, log2 of the capture efficiency, median 0; zeros for a genome.
    timing: (n,) float32, replication timing, mean 0 and standard deviation 1.
    artefact: (n,) float32, standard normal: which way mismapped reads push the depth of a bin.
    unrest: (n,) float32, factor of the overdispersion, median 1.
    off_target: (n,) bool, bins between targets.
    reference, spread: (n,) float32 or None, log2 depth of pooled normals and its spread (`simulate_reference`).
    """

    contigs: Sequence[str]
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    gc: np.ndarray
    mappability: np.ndarray
    mask: np.ndarray
    exposure: np.ndarray
    efficiency: np.ndarray
    timing: np.ndarray
    artefact: np.ndarray
    unrest: np.ndarray
    off_target: np.ndarray
    sizes: Mapping[str, int] = field(default_factory=dict)
    reference: np.ndarray | None = None
    spread: np.ndarray | None = None

    def __len__(self) -> int:
        """n."""
        return len(self.start)


def genome_design(
    rng: np.random.Generator, *, width: int = 50_000, bins: int | None = None, sizes: Mapping[str, int] | None = None
) -> Design:
    """Equal bins of `width` bp that fill the contigs; 2 % of a contig are a centromere without sequence.

    bins: if given, contigs are shortened by one factor so that about so many bins come out.
    sizes: bp by contig; human chromosomes 1-22, X and Y by default.
    """
    sizes = dict(sizes or HUMAN)
    if width < 1 or (bins is not None and bins < 5 * len(sizes)):
        raise ConfigError(
            f"width {width} and {bins} bins cannot cover {len(sizes)} contigs: ask for a width of at least 1 bp and "
            f"at least {5 * len(sizes)} bins"
        )
    if bins is not None:
        factor = bins * width / sum(sizes.values())
        sizes = {name: max(5 * width, int(size * factor)) for name, size in sizes.items()}
    counts = np.array([-(-size // width) for size in sizes.values()])
    contig = np.repeat(np.arange(len(sizes), dtype=np.int32), counts)
    start = (np.arange(len(contig)) - np.repeat(np.cumsum(counts) - counts, counts)) * width
    end = np.minimum(start + width, np.array(list(sizes.values()))[contig])
    return _design(rng, sizes, contig, start, end, np.zeros(len(start), bool))


def target_design(
    rng: np.random.Generator, *, targets: int = 20_000, off_target: int = 0, sizes: Mapping[str, int] | None = None
) -> Design:
    """About `targets` uneven bins in clusters, as the exons of genes lie, on `sizes` (human by default).

    Widths are lognormal (median 200 bp, 100 to 5,000), a fifth touch the next one, other gaps within a gene have a
    median of 1.5 kb.  off_target: bp of the bins that fill the gaps between genes, 0 for none; a tenth of it is the
    least.
    """
    sizes = dict(sizes or HUMAN)
    total = sum(sizes.values())
    pieces = []
    for i, size in enumerate(sizes.values()):
        start, end = _targets(rng, max(3, round(targets * size / total)), size)
        is_off = np.zeros(len(start), bool)
        if off_target:
            start, end, is_off = _merge(start, end, *_between(start, end, size, off_target))
        pieces.append((np.full(len(start), i, np.int32), start, end, is_off))
    return _design(rng, sizes, *map(np.concatenate, zip(*pieces, strict=True)), kit=True)


def _targets(rng, n, size):
    width = np.clip(rng.lognormal(np.log(200), 0.6, n), 100, 5000).astype(np.int64)
    gap = np.maximum(20, rng.lognormal(np.log(1500), 1.3, n)).astype(np.int64)
    gap[rng.random(n) < 0.2] = 0
    between = rng.random(n) < 1 / 8
    between[0] = True
    gap[between] = 0
    free = size - int((width + gap).sum())
    if free < 1000 * int(between.sum()):
        raise ConfigError(f"{n:,} targets do not fit a contig of {size:,} bp: ask for fewer")
    share = rng.exponential(size=int(between.sum()) + 1)
    gap[between] = (free * (share / share.sum()))[:-1].astype(np.int64)
    end = np.cumsum(gap + width)
    return end - width, end


def _between(start, end, size, width):
    left, right = np.append(0, end) + 500, np.append(start, size) - 500
    pieces = np.where(right - left >= width // 10, np.maximum(1, (right - left) // width), 0)
    which = np.repeat(np.arange(len(left)), pieces)
    k = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    length = (right - left)[which] // np.maximum(1, pieces[which])
    return left[which] + k * length, left[which] + (k + 1) * length


def _merge(start, end, more_start, more_end):
    starts, ends = np.concatenate([start, more_start]), np.concatenate([end, more_end])
    order = np.argsort(starts, kind="stable")
    return starts[order], ends[order], order >= len(start)


def _design(rng, sizes, contig, start, end, off_target, kit=False):
    n, middle, width = len(start), (start + end) / 2, end - start
    lengths = np.array(list(sizes.values()), float)

    def process(scales):
        """Standard deviation 1 in 1-kb bins; and its part of more than 100 kb."""
        short, long = np.zeros(n), np.zeros(n)
        for scale, share in scales:
            part = _walk(rng.standard_normal(n), contig, middle, float(scale))
            (long if scale > 100_000 else short)[:] += part * np.sqrt(share * _kept(width, scale) / _kept(1000, scale))
        return short + long, long

    z, isochore = process(_GC_SCALES)
    if kit:
        z = np.where(off_target, z, 1.1 * z + 0.6)
    gc = np.clip(0.19 + 0.207 * np.exp(0.325 * z), 0.02, 0.95)
    u, _ = process(_MAPPABILITY_SCALES)
    mappability = np.interp(ndtr(u / u.std() if n > 1 else u), _SHARES, _MAPPABILITY)
    shrink = np.sqrt(np.minimum(1, _kept(width, 700) / _kept(1000, 700)))
    mappability = np.clip(0.92 + shrink * (mappability - 0.92), 0, 1)

    timing = isochore + _walk(rng.standard_normal(n), contig, middle, 1.5e6)
    timing = (timing - timing.mean()) / (timing.std() + 1e-9)

    # A centromere without sequence, and short runs that a blacklist takes out.
    centre = rng.uniform(0.3, 0.5, len(lengths))[contig] * lengths[contig]
    centromere = np.abs(middle - centre) < 0.01 * lengths[contig]
    gc[centromere], mappability[centromere] = np.nan, 0
    seeds = rng.random(n) < 0.002
    listed = np.convolve(seeds, np.ones(int(rng.integers(1, 6)), bool))[:n] > 0

    efficiency = np.zeros(n)
    if kit:
        efficiency = 0.36 * np.where(rng.random(n) < 0.9, 1, 2.2) * rng.standard_normal(n)
        efficiency[rng.random(n) < 0.005] -= 5
    exposure = np.ones(n)
    for group in (off_target, ~off_target):
        if group.any():
            exposure[group] = width[group] / np.median(width[group])
            efficiency[group] -= np.median(efficiency[group])
    f4 = np.float32
    place = {"contigs": list(sizes), "contig": contig, "start": start.astype(np.int64), "end": end.astype(np.int64)}
    tracks = {"gc": gc, "mappability": mappability, "exposure": exposure, "efficiency": efficiency, "timing": timing}
    return Design(
        **place,
        **{name: values.astype(f4) for name, values in tracks.items()},
        mask=~(centromere | listed),
        artefact=rng.standard_normal(n, dtype=f4),
        unrest=np.exp((0.5 if kit else 0.25) * rng.standard_normal(n, dtype=f4)),
        off_target=off_target,
        sizes=sizes,
    )


def _kept(width, scale):
    """Variance of the mean over `width` bp of an Ornstein-Uhlenbeck process of variance 1 and this scale."""
    x = np.asarray(width, float) / scale
    return 2 / x * (1 - (1 - np.exp(-x)) / x)


@numba.njit(nogil=True, cache=True)
def _walk(noise, contig, position, scale):
    out = noise
    for i in range(1, len(out)):
        if contig[i] == contig[i - 1]:
            keep = np.exp((position[i - 1] - position[i]) / scale)
            out[i] = keep * out[i - 1] + np.sqrt(1 - keep * keep) * out[i]
    return out
