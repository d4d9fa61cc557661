"""Pseudoautosomal regions: the ends of X and Y that pair, of which a male has two copies.

lengths or reach of the contigs -> assemblies that it may be -> how much of each bin lies in a region
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import Karyotype

Intervals = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Assembly:
    """size: bp of X and of Y.  regions: of X and of Y, 0-based half-open."""

    name: str
    size: Mapping[str, int]
    regions: Mapping[str, Intervals]


ASSEMBLIES = (
    Assembly(
        "GRCh37",
        {"X": 155_270_560, "Y": 59_373_566},
        {
            "X": ((60_000, 2_699_520), (154_931_043, 155_260_560)),
            "Y": ((10_000, 2_649_520), (59_034_049, 59_363_566)),
        },
    ),
    Assembly(
        "GRCh38",
        {"X": 156_040_895, "Y": 57_227_415},
        {
            "X": ((10_000, 2_781_479), (155_701_382, 156_030_895)),
            "Y": ((10_000, 2_781_479), (56_887_902, 57_217_415)),
        },
    ),
    Assembly(
        "T2T-CHM13v2.0",
        {"X": 154_259_566, "Y": 62_460_029},
        {"X": ((0, 2_394_410), (153_925_834, 154_259_566)), "Y": ((0, 2_458_320), (62_122_809, 62_460_029))},
    ),
    Assembly(
        "GRCm38",
        {"X": 171_031_299, "Y": 91_744_698},
        {"X": ((169_969_758, 170_931_299),), "Y": ((90_745_844, 91_644_698),)},
    ),
    Assembly(
        "GRCm39",
        {"X": 169_476_592, "Y": 91_455_967},
        {"X": ((168_752_754, 169_376_592),), "Y": ((90_757_113, 91_355_967),)},
    ),
)
"""Genome Reference Consortium, and the T2T consortium's mask of CHM13v2.0."""

_NEAR = 3_000_000
"""bp between the last bin and the end of its contig up to which a file of unknown lengths may be of an assembly."""

_ROUNDED = 50_000
"""bp by which a length that a file gives may be rounded."""


def find_assemblies(bins: Bins, karyotype: Karyotype) -> list[Assembly]:
    """The assemblies that bins may be of, by the length of X, or of Y where there is no X.

    Lengths of the file or of a genome leave one or none.  Without them the last bin tells: it ends with the contig or,
    in a grid, goes past it by less than its width; targets end before it, so that several assemblies may be left.
    """
    role = "X" if karyotype.has("X") else "Y"
    rows = np.flatnonzero(karyotype.lies_on(bins.contig, role))
    if not len(rows):
        return []
    name, width, end = bins.contigs[bins.contig[rows[-1]]], int(np.median(bins.width[rows])), int(bins.end[rows[-1]])
    if name in bins.sizes:
        return [a for a in ASSEMBLIES if abs(a.size[role] - bins.sizes[name]) <= _ROUNDED]
    possible = [a for a in ASSEMBLIES if end - width < a.size[role] <= end + _NEAR]
    return [a for a in possible if end in (a.size[role], -(-a.size[role] // width) * width)] or possible


def measure_overlap(bins: Bins, karyotype: Karyotype, assemblies: Sequence[Assembly]) -> tuple[np.ndarray, np.ndarray]:
    """(inside, border), each (n,) bool: bins that lie in a region in every one of the assemblies; bins of which only a
    part does, or which do in some of them."""
    inside, outside = np.full((2, len(bins)), bool(assemblies))
    for assembly in assemblies:
        share = np.zeros(len(bins))
        for role, intervals in assembly.regions.items():
            here = karyotype.lies_on(bins.contig, role)
            for start, end in intervals:
                share += here * np.clip(np.minimum(bins.end, end) - np.maximum(bins.start, start), 0, None)
        inside &= share >= bins.width
        outside &= share == 0
    return inside, ~inside & ~outside & bool(assemblies)
