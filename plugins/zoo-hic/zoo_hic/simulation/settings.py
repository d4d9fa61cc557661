"""The numbers of a simulated contact map, and the tables of motifs and loops that go with one.

Lengths along the map are in bins, so that a window of 128 bins holds as many boundaries at any resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.data.codes import encode, reverse_complement
from zoo.errors import ConfigError

MOTIF = np.dtype([("position", np.int64), ("strand", np.int8), ("strength", np.float32), ("width", np.int32)])
"""position: first base, 0-based, of the site as it lies on the forward strand; strand: +1 or -1; width: bases."""

LOOP = np.dtype([("first", np.int64), ("second", np.int64), ("strength", np.float32)])
"""first, second: bins of the anchors, first < second."""

Range = tuple[float, float]


@dataclass(frozen=True)
class MapSettings:
    """What is planted, how strongly it acts, and how noisy the counts are.

    resolution: bp of a bin.  gc: share of G and C in the background, whose bases are independent.
    motif: consensus of a boundary site, 5' to 3' as it reads on the + strand (by default CTCF's).
    strengths: of a site with 0, 1, 2 ... mismatches to the consensus; more mismatches are no site.
    shares: how many sites have so many mismatches; they sum to 1.
    decoys: for each site, so many words that act on nothing: half motifs, shuffled ones, and near misses.
    spacing, gap: mean and least distance between neighbouring boundaries, in bins; the rest is exponential.
    forward: share of sites on the + strand.
    decay: contacts fall as (distance in bins) ** -decay; the diagonal counts as distance 0.5.
    insulation, saturation: log contacts fall by insulation x (sum of strengths of the boundaries between) **
        saturation.  Near the square root the spread of log(O/E) is about the same at all distances, so that distance
        tells nothing about it.
    loop: gain of log contacts in the middle of a loop of strength 1; loop_width: its standard deviation in bins.
    loop_distance: least and most bins between the anchors of a loop.
    depth: mean contacts of a pixel at distance 1 of a map without boundaries.
    noise: coefficient of variation beyond Poisson's (negative binomial with overdispersion noise ** 2).  The default
        is what `tune_noise` finds for an oracle of Pearson 0.9.
    """

    resolution: int = 2048
    gc: float = 0.42
    motif: str = "CCACCAGGGGGCGC"
    strengths: tuple[float, ...] = (1.0, 0.75, 0.5)
    shares: tuple[float, ...] = (0.5, 0.3, 0.2)
    decoys: float = 2.0
    spacing: float = 20.0
    gap: int = 5
    forward: float = 0.5
    decay: float = 1.0
    insulation: float = 0.5
    saturation: float = 0.6
    loop: float = 1.0
    loop_width: float = 1.5
    loop_distance: tuple[int, int] = (8, 64)
    depth: float = 200_000.0
    noise: float = 0.12

    def __post_init__(self) -> None:
        consensus = encode_consensus(self.motif)
        width, mismatches = len(consensus), self.mismatches
        if mismatches < 0 or len(self.shares) != len(self.strengths):
            raise ConfigError(
                f"strengths are {self.strengths} and shares {self.shares}: give one of each for 0, 1, 2 ... mismatches"
            )
        if min(self.strengths) <= 0 or min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ConfigError(
                f"strengths are {self.strengths} and shares {self.shares}: strengths above 0, shares that sum to 1"
            )
        apart = int((consensus != reverse_complement(consensus)).sum())
        if apart <= 2 * mismatches:
            raise ConfigError(
                f"motif {self.motif} differs from its reverse complement in {apart} bases, so its strand is not told "
                f"apart with {mismatches} mismatches: take one that differs in more than {2 * mismatches}"
            )
        if self.resolution < 4 * width:
            raise ConfigError(f"resolution is {self.resolution} bp: at least {4 * width}, four times the motif")
        _within("gc", self.gc, 0.05, 0.95)
        _within("forward", self.forward, 0, 1)
        _within("gap", self.gap, 1, self.spacing)
        _within("decoys", self.decoys, 0, self.spacing * self.resolution / (8 * width))
        for name, most in (("decay", 3), ("insulation", 10), ("saturation", 1), ("loop", 10), ("noise", 3)):
            _within(name, getattr(self, name), 0, most)
        _within("loop_width", self.loop_width, 0.3, 20)
        _within("depth", self.depth, 1, 1e8)
        low, high = self.loop_distance
        if not 2 <= low <= high:
            raise ConfigError(f"loop_distance is {self.loop_distance}: at least 2 bins, the lower end first")

    @property
    def mismatches(self) -> int:
        """The most a site may have."""
        return len(self.strengths) - 1


def encode_consensus(motif: str) -> np.ndarray:
    """(width,) uint8 codes, A, C, G, T = 0 to 3."""
    if not 8 <= len(motif) <= 40 or set(motif) - set("ACGT"):
        raise ConfigError(f"motif is {motif!r}: give 8 to 40 letters of ACGT")
    return encode(motif)


def _within(name, value, low, high):
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}: give one from {low:g} to {high:g}")
