"""Read depth with known copy number: a `Design` and `DepthSettings` in, a sample and its truth out.

    design ── tracks ─┐
    settings ─ draws ─┼─> mean reads of a bin ── negative binomial ──> Bins
    events ── copies ─┘                └──────────────────────────────> copies, log2 ratio, events

    reads ~ NB(mean, overdispersion)
    mean  = coverage x exposure x (copies seen / 2) x mappability effect x 2^(GC curve + wave + efficiency + noise)
    copies seen = purity x copies + (1 - purity) x copies of a normal cell of this sex, + a little background

The GC curve of a sample is a parabola and a tilt.  The tilt is solved for so that the correlation of log2 depth with
GC comes out near the value drawn: of depth itself for a genome, of depth over what is common to all samples of a kit
for targets.  Off-target bins have a tilt of their own.
Copies that are not altered are those of the sex: one X and one Y, or two X and no Y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from zoo.errors import ConfigError
from zoo_copy_number.bins import Bins
from zoo_copy_number.designs import Design
from zoo_copy_number.events import plant_events
from zoo_copy_number.pooled_reference import pool
from zoo_copy_number.sex import SEXES, expect_copies, lies_on
from zoo_copy_number.simulation_settings import DepthSettings


@dataclass(frozen=True)
class SimulatedSample:
    """A sample and the truth about its n bins.

    copies: (n,) int8, copies in a cell of the altered clone.  expected: (n,) int8, in a normal cell of this sex.
    log2_ratio: (n,) float32, log2 of copies seen (with purity) over 2, at least log2(0.01).
    events: table of dtype EVENT, sorted: contig, first bin, bin after the last, copies, and how many of its bins are
        usable; bins are indices into `bins`.
    purity, male, ploidy: of the sample; ploidy is expected copies by contig.
    drawn: every other number that was drawn, for reports.
    """

    bins: Bins
    copies: np.ndarray
    expected: np.ndarray
    log2_ratio: np.ndarray
    events: np.ndarray
    purity: float
    male: bool
    ploidy: Mapping[str, int]
    drawn: Mapping[str, float] = field(default_factory=dict)

    @property
    def classes(self) -> np.ndarray:
        """(n,) int64: 0, 1, 2, 3 copies, and 4 for four or more."""
        return np.minimum(self.copies, 4).astype(np.int64)


def simulate_sample(
    rng: np.random.Generator, design: Design, settings: DepthSettings | None = None, *, name: str = "simulated"
) -> SimulatedSample:
    """One sample.  The same state of `rng`, design and settings give the same sample.

    Depth is mean coverage a base by reads of 100 bp.  Off-target bins are as wide as it takes to have about as many
    reads as the targets, so their depth is on another level (`Bins.kind` 1).
    """
    settings = settings or DepthSettings()
    male = bool(rng.random() < 0.5)
    copies_by_contig = expect_copies(design.contigs, SEXES[male])
    ploidy = dict(zip(design.contigs, copies_by_contig.tolist(), strict=True))
    expected = copies_by_contig.astype(np.int8)[design.contig]
    copies, events = plant_events(rng, design, settings, expected)
    purity = 1.0 if rng.random() < settings.pure else rng.uniform(*settings.purity)
    seen = (purity * copies + (1 - purity) * expected).astype(np.float32)
    shape, drawn = _shape(rng, design, settings)
    depth = _reads(rng, design, settings, seen / 2 + drawn["background"], shape, drawn)
    gc, mappability, reference = _channels(rng, design, settings, drawn)
    bins = Bins(
        **{k: getattr(design, k) for k in ("contigs", "contig", "start", "end", "mask", "sizes")},
        depth=depth,
        gc=gc,
        mappability=mappability,
        sample=name,
        reference=design.reference if reference else None,
        spread=design.spread if reference else None,
        kind=design.off_target.astype(np.uint8) if design.off_target.any() else None,
        origin={"reader": "simulate_sample"},
    )
    log2_ratio = np.log2(np.maximum(seen, 0.02) / 2).astype(np.float32)
    return SimulatedSample(bins, copies, expected, log2_ratio, events, float(purity), male, ploidy, drawn)


def simulate_reference(
    rng: np.random.Generator, design: Design, settings: DepthSettings | None = None, *, normals: int = 12
) -> Design:
    """The design with a reference pooled from so many simulated normals.

    The log2 depth of each normal is brought to two copies by its sex and centred on its median, targets and off-target
    bins each on their own.  `reference` is the median over normals (NaN where fewer than half have a depth; on Y one
    is enough), `spread` 1.4826 times the median absolute deviation.
    """
    if normals < 3:
        raise ConfigError(f"{normals} normals are no pool: give at least 3")
    settings = replace(settings or DepthSettings(), events=(0.0, 0.0), arms=0.0, pure=1.0)
    rows = np.full((normals, len(design)), np.nan, np.float32)
    for row in rows:
        sample = simulate_sample(rng, design, settings)
        known = (sample.bins.depth > 0) & (sample.expected > 0)
        row[known] = np.log2(sample.bins.depth[known] * 2 / sample.expected[known])
        _centre(row, design)
    reference, spread = pool(rows, np.where(lies_on(design.contigs, design.contig, "Y"), 1, normals // 2))
    _centre(reference, design)
    return replace(design, reference=reference, spread=spread)


def _centre(log2: np.ndarray, design: Design) -> None:
    for kind in (design.off_target, ~design.off_target):
        known = kind & design.mask & np.isfinite(log2)
        if known.any():
            log2[kind] -= np.median(log2[known])


def _shape(rng, design, settings):
    """(n,) log2 of all that bends the depth but for copies and counting, and what was drawn."""
    names = "poisson gc_correlation gc_curvature gc_optimum wave mappability_power mappability_floor mapping_noise"
    drawn = {k: float(rng.uniform(*getattr(settings, k))) for k in (*names.split(), "background", "outliers")}
    drawn["noise"] = float(np.exp(rng.uniform(*np.log(settings.noise))))
    n, lost = len(design), 1 - design.mappability
    floor = drawn["mappability_floor"]
    effect = np.log2(np.maximum(floor + (1 - floor) * design.mappability ** drawn["mappability_power"], 1e-3))
    noise = drawn["mapping_noise"] * lost * np.float32(0.5**0.5)
    own, effect = noise * rng.standard_normal(n, dtype=np.float32), effect + noise * design.artefact
    wave = _wave(rng, design, settings) * np.float32(drawn["wave"] / 2**0.5)

    gc = np.where(np.isfinite(design.gc), design.gc, np.float32(0.41))
    curve = -drawn["gc_curvature"] * (gc - drawn["gc_optimum"]) ** 2
    variance = drawn["noise"] ** 2 * ((1 - drawn["poisson"]) * design.unrest + drawn["poisson"] / design.exposure)
    used = design.mask & (design.mappability > 0.05)
    common = effect if not design.efficiency.any() else 0
    for off, name in ((False, "gc"), (True, "off_target_gc")):
        here, known = design.off_target == off, used & (design.off_target == off)
        if known.sum() > 2:
            r = drawn["gc_correlation"] if not off else float(rng.uniform(*settings.gc_correlation))
            g, other = gc[known] - gc[known].mean(), (common + own + wave + curve)[known]
            slope = float(g @ (other - other.mean()) / (g @ g))
            rest = float(np.var(other - slope * g) + variance[known].mean())
            drawn[f"{name}_correlation"] = r
            drawn[f"{name}_tilt"] = r * (rest / (1 - r * r)) ** 0.5 / float(g.std()) - slope
            curve[here] += np.float32(drawn[f"{name}_tilt"]) * (gc[here] - gc[known].mean())
            curve[here] -= np.median(curve[known])
    shape = effect + own + wave + np.clip(curve, -4, 3) + design.efficiency
    odd = np.flatnonzero(rng.random(n, dtype=np.float32) < drawn["outliers"])
    shape[odd] += 1.2 * rng.standard_normal(len(odd))
    return shape, drawn


def _wave(rng, design, settings):
    """(n,) of standard deviation about 1: replication timing, and three sinusoids that start anew on each contig."""
    middle, contigs = (design.start + design.end) / 2, len(design.contigs)
    longest = np.zeros(contigs)
    np.maximum.at(longest, design.contig, design.end)
    spacing = longest.sum() / max(1, len(design))
    low, high = np.maximum(settings.wavelength, 40 * spacing)
    low, high = np.minimum((low, high), max(40 * spacing, longest.mean()))
    wave = np.zeros(len(design), np.float32)
    for wavelength in np.exp(rng.uniform(np.log(low), np.log(high), 3)):
        phase = rng.uniform(0, 2 * np.pi, contigs)[design.contig]
        wave += np.sin((2 * np.pi / wavelength * middle + phase).astype(np.float32))
    sign = rng.choice([-1, 1])
    return 0.8 * wave * np.float32((2 / 3) ** 0.5) + 0.6 * sign * design.timing


def _reads(rng, design, settings, copies, shape, drawn):
    """(n,) float32 depth."""
    variance = (drawn["noise"] * np.log(2)) ** 2
    drawn["reads"] = 1 / (drawn["poisson"] * variance)
    over = np.float32((1 - drawn["poisson"]) * variance) * design.unrest
    mean = np.float32(drawn["reads"]) * design.exposure * copies * np.exp2(shape)
    mean[~np.isfinite(design.gc) & (design.mappability == 0)] = 0
    reads = mean
    if drawn["poisson"] < 1:
        reads = mean * over * rng.standard_gamma(1 / over)
    return (rng.poisson(reads) * 100 / (design.end - design.start)).astype(np.float32)


def _channels(rng, design, settings, drawn):
    gc, mappability = design.gc, design.mappability
    lacking = rng.random(3) < (settings.gc_unknown, settings.mappability_unknown, settings.reference_absent)
    if lacking[0]:
        gc = np.full_like(gc, np.nan)
    else:
        drawn["gc_gaps"] = float(rng.uniform(*settings.gc_gaps))
        gc = np.where(rng.random(len(design), dtype=np.float32) < drawn["gc_gaps"], np.float32(np.nan), gc)
    if lacking[1]:
        mappability = np.full_like(mappability, np.nan)
    return gc, mappability, not lacking[2] and design.reference is not None
