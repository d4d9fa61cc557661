"""Windows of a model's length around intervals and regions of a genome, and why some have none.

place_windows(intervals, genome, 200)                 every row: contig (n,), start (n,), status (n,)
region_window("chr20:1,001-1,100", genome, 200)       one region in the middle of a window
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.region import format_region, parse_region
from zoo.errors import ConfigError, GenomeMismatch, ZooError

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.data.intervals import Intervals


@dataclass(frozen=True)
class Placed:
    """A window for each of n intervals.

    contig: (n,) int64, its place in `genome.contigs`, -1 where the genome does not have it.
    start: (n,) int64, 0-based; only that of a row that is ok means something.
    status: (n,) ok, malformed, contig_unknown or out_of_bounds.
    """

    contig: np.ndarray
    start: np.ndarray
    status: np.ndarray


def place_windows(intervals: Intervals, genome: Genome, length: int) -> Placed:
    """Windows of `length` bp around the middle (the summit, where the file has one) of each interval."""
    contig = _resolve_all(genome, intervals.chrom)
    start = intervals.centers() - length // 2
    status = np.where(intervals.ok, "ok", "malformed").astype(object)
    status[(status == "ok") & (contig < 0)] = "contig_unknown"
    ok = np.flatnonzero(status == "ok")
    inside = (start[ok] >= 0) & (start[ok] + length <= genome.lengths(contig[ok]))
    status[ok[~inside]] = "out_of_bounds"
    return Placed(contig, start, status)


@dataclass(frozen=True)
class RegionWindow:
    """A window of a model's length around the middle of a region.

    codes: (L,) uint8; what lies beyond the contig is N.
    first, last: the columns of the region in it, 0-based half-open.
    chrom, start: where the window begins; start is negative where it begins before the contig.  chrom is None for a
        sequence that is not from a genome.
    comments: what a file of numbers must say of the place.
    """

    codes: np.ndarray
    first: int
    last: int
    chrom: str | None = None
    start: int = 0
    contig_length: int | None = None
    comments: Mapping[str, str] = field(default_factory=dict)


def region_window(region: str | tuple[str, int, int], genome: Genome, length: int) -> RegionWindow:
    """region: as in chr20:1,001-1,200 (1-based, both ends belong to it) or (chrom, start, end) 0-based half-open.

    Raises ConfigError for a region that cannot be read or is longer than `length`, GenomeMismatch for one off the
    genome.
    """
    name_in_region, start, end = parse_region(region) if isinstance(region, str) else _checked(region)
    chrom = genome.resolve(name_in_region)
    contig_length = genome.contigs[chrom]
    name = format_region(chrom, start, end)
    if end > contig_length:
        raise GenomeMismatch(
            f"region {name} leaves contig {chrom!r} of genome {genome.name!r}, which ends at {contig_length:,}: "
            "end it there, or check the assembly"
        )
    if end - start > length:
        raise ConfigError(
            f"region {name} is {end - start:,} bp but the model reads {length:,}: split it into parts of at most that"
        )
    at = (start + end) // 2 - length // 2
    comments = {
        "genome": genome.name or "",
        "aliases": f"{name_in_region} is {chrom}" if name_in_region != chrom else "none",
        "window": format_region(chrom, max(at, 0), min(at + length, contig_length)),
        "region": name,
    }
    beyond = max(-at, 0) + max(at + length - contig_length, 0)
    if beyond:
        comments["rim"] = f"{beyond:,} bp of the model's {length:,} lie beyond the contig and read as N"
    codes = genome.fetch(chrom, at, at + length)
    return RegionWindow(codes, start - at, end - at, chrom, at, contig_length, comments)


def _resolve_all(genome: Genome, names: Sequence[str]) -> np.ndarray:
    """Index of each name among the genome's contigs, -1 where it is unknown."""
    order = {contig: i for i, contig in enumerate(genome.contigs)}
    known: dict[str, int] = {}
    for name in dict.fromkeys(names):
        try:
            known[name] = order[genome.resolve(name)]
        except ZooError:
            known[name] = -1
    return np.array([known[name] for name in names], np.int64)


def _checked(region: tuple[str, int, int]) -> tuple[str, int, int]:
    try:
        chrom, start, end = region
        start, end = int(start), int(end)
    except (TypeError, ValueError):
        raise ConfigError(f"region {region!r} is not (chrom, start, end) with 0-based half-open numbers") from None
    if not 0 <= start < end:
        raise ConfigError(f"region {region!r}: it must hold a base: use 0 <= start < end")
    return chrom, start, end
