"""Squares as bands: one row a diagonal, so that a distance is a row and a place on the contig a column.

    square (T, T), distances in bp ── diagonals first..last ──> band (D, T), band[d - first, i] = square[i, i + d]

Columns that a diagonal does not have, and pixels that are not finite, are NaN.  Every metric leaves a pixel out when
it is NaN in either map.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo_hic.maps import check_square

Squares = Mapping[str, np.ndarray]
"""{contig: (T, T)}, symmetric, NaN where masked."""


@dataclass(frozen=True)
class Bands:
    """The same pixels of two maps, contig by contig.

    contigs: names.  first: distance of the first row in bins.  resolution: bp of a bin.
    predicted, observed: for each contig (D, T), both NaN where either is not known.
    """

    contigs: tuple[str, ...]
    first: int
    resolution: int
    predicted: tuple[np.ndarray, ...]
    observed: tuple[np.ndarray, ...]

    @property
    def distances(self) -> np.ndarray:
        """(D,) bp of each row."""
        return (self.first + np.arange(len(self.predicted[0]))) * self.resolution

    @property
    def pixels(self) -> int:
        """How many are known in both maps."""
        return int(sum(np.isfinite(a).sum() for a in self.predicted))


def diagonals(resolution: int, distances: tuple[float, float]) -> tuple[int, int]:
    """The first and the last diagonal whose distance, in bins times `resolution`, lies within `distances` (bp).

    Raises ConfigError where there is none.
    """
    if resolution < 1:
        raise ConfigError(f"resolution is {resolution}: give the bp of a bin")
    low, high = distances
    first, last = int(np.ceil(low / resolution)), int(np.floor(high / resolution))
    if low < 0 or last < first:
        raise ConfigError(
            f"no diagonal of {resolution:,} bp bins lies within {low:,} to {high:,} bp: give a wider range, "
            "the lower end first"
        )
    return first, last


def cut_band(square: np.ndarray, first: int, last: int) -> np.ndarray:
    """(last - first + 1, T) float64 of the diagonals first to last."""
    bins = len(square)
    out = np.full((last - first + 1, bins), np.nan)
    for row, d in enumerate(range(first, min(last + 1, bins))):
        out[row, : bins - d] = np.diagonal(square, d)
    return np.where(np.isfinite(out), out, np.nan)


def cut_bands(predicted: Squares, observed: Squares, resolution: int, distances: tuple[float, float]) -> Bands:
    """Pixels whose distance is within `distances` (bp, both ends included) of the contigs of `predicted`.

    `observed` may have more contigs.  Raises DataError for a contig that it lacks, another number of bins, or a square
    that is not symmetric.
    """
    first, last = diagonals(resolution, distances)
    pairs = [[cut_band(m, first, last) for m in pair] for pair in pair_squares(predicted, observed)]
    return Bands(tuple(predicted), first, int(resolution), *map(tuple, zip(*pairs, strict=True)))


def pair_squares(predicted: Squares, observed: Squares) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Both squares of each contig of `predicted`, NaN where either is not finite; errors as of `cut_bands`."""
    if not predicted:
        raise DataError("there is no contig to score: give at least one map")
    for contig, square in predicted.items():
        if contig not in observed:
            raise DataError(f"contig {contig!r} is predicted but not observed: score contigs that both maps have")
        a = check_square(square, f"predicted map of {contig!r}")
        b = check_square(observed[contig], f"observed map of {contig!r}")
        if len(a) != len(b):
            raise DataError(
                f"{contig!r} has {len(a):,} bins predicted and {len(b):,} observed: bring them to one resolution"
            )
        known = np.isfinite(a) & np.isfinite(b)
        yield np.where(known, a, np.nan), np.where(known, b, np.nan)


def mask_unknown(maps: Mapping[str, Squares]) -> list[dict[str, np.ndarray]]:
    """The maps {what it is: squares} with NaN where any of them is not known; contigs are those of the first.

    Raises DataError for a contig that one lacks or has in another number of bins.
    """
    first = next(iter(maps.values()))
    out: list[dict[str, np.ndarray]] = [{} for _ in maps]
    for contig in first:
        for name, squares in maps.items():
            if contig not in squares:
                raise DataError(f"contig {contig!r} is not in the {name} map: score contigs that all maps have")
        squares = [np.asarray(m[contig], np.float64) for m in maps.values()]
        if len({s.shape for s in squares}) > 1:
            raise DataError(f"{contig!r} has squares of {[s.shape for s in squares]}: bring maps to one resolution")
        known = np.logical_and.reduce([np.isfinite(s) for s in squares])
        for kept, square in zip(out, squares, strict=True):
            kept[contig] = np.where(known, square, np.nan)
    return out
