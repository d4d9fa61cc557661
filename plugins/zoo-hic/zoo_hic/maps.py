"""`ContactMap`: the cis contacts of one experiment, contig by contig.

    file -> readers.read_map -> ContactMap -> square("chrI") (T, T) -> expected, Preprocess, scores

Raw counts are kept sparse, as the upper triangle, with one balance weight a bin.  What a user of the map sees is
dense: (T, T) float64, symmetric, NaN in the rows and columns of bins that are masked, 0 where no contact was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean

MAX_DENSE = 20_000
"""Bins of a dense square: 3.2 GB of float64."""


@dataclass(frozen=True)
class ContactMap:
    """Cis contacts of one experiment in bins of `resolution` bp; bin i of a contig is [i * resolution, ...).

    contigs: names, in the file's order.
    sizes: bp by contig, as the file has them.
    resolution: bp of a bin.
    pixels: {contig: (n, n) float32, upper triangle with diagonal, raw counts}, n = ceil(size / resolution); a mapping
        that may read a contig at first access.
    weights: {contig: (n,) float64, NaN where a bin is masked}, multiplicative as cooler's: balanced contacts are
        raw * w_i * w_j.  None: the map is not balanced.
    name: for tables and cards.
    origin: where it comes from: plain JSON.
    notes: for the user.

    Raises DataError where sizes, pixels and weights do not fit each other.
    """

    contigs: tuple[str, ...]
    sizes: Mapping[str, int]
    resolution: int
    pixels: Mapping[str, csr_array]
    weights: Mapping[str, np.ndarray] | None = None
    name: str = "map"
    origin: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "contigs", tuple(self.contigs))
        object.__setattr__(self, "notes", tuple(self.notes))
        if not isinstance(self.resolution, (int, np.integer)) or self.resolution < 1:
            raise DataError(
                f"resolution {self.resolution!r} of map {self.name!r} must be a whole number of bp from 1 on"
            )
        for contig in self.contigs:
            if contig not in self.sizes or contig not in self.pixels:
                raise DataError(f"contig {contig!r} of map {self.name!r} has no size or no contacts: give both")
            if self.weights is not None:
                n, shape = self.bins(contig), np.shape(self.weights.get(contig))
                if shape != (n,):
                    raise DataError(
                        f"weights of {contig!r} of map {self.name!r} are {shape}, its bins are {n:,}: give ({n},)"
                    )

    def __repr__(self) -> str:
        bins = f"{sum(map(self.bins, self.contigs)):,} bins of {self.resolution:,} bp"
        balanced = "not balanced" if self.weights is None else "balanced"
        return f"ContactMap({self.name!r}, {len(self.contigs):,} contigs, {bins}, {balanced})"

    def bins(self, contig: str) -> int:
        """Number of bins of a contig; GenomeMismatch for one that the map does not have."""
        if contig not in self.sizes:
            raise GenomeMismatch(f"map {self.name!r} has no contig {contig!r}{did_you_mean(contig, self.contigs)}")
        return -(-int(self.sizes[contig]) // int(self.resolution))

    def square(self, contig: str, first: int = 0, last: int | None = None, *, balanced: bool = True) -> np.ndarray:
        """Contacts of bins [first, last) with each other: (T, T) float64, symmetric.

        balanced: raw * w_i * w_j, NaN in the rows and columns of masked bins; False: raw counts, NaN in the same
            places where the map has weights.
        0 where no contact was seen.  Raises DataError for bins outside the contig, too many of them, or balanced
        contacts of a map without weights.
        """
        n = self.bins(contig)
        last = n if last is None else last
        if not 0 <= first <= last <= n:
            raise DataError(f"bins {first:,} to {last:,} leave {contig}, which has {n:,}: choose bins from 0 to {n:,}")
        if last - first > MAX_DENSE:
            raise DataError(
                f"{last - first:,} bins of {contig} are too many for one square, at most {MAX_DENSE:,}: "
                "ask for a part of the contig, or read the map at a coarser resolution"
            )
        if balanced and self.weights is None:
            raise DataError(
                f"map {self.name!r} is not balanced: run `cooler balance` on its file, or ask for raw counts "
                "(balance=none, balanced=False)"
            )
        upper = self.pixels[contig][first:last, first:last].toarray().astype(np.float64)
        square = upper + np.triu(upper, 1).T
        if self.weights is not None:
            w = np.asarray(self.weights[contig][first:last], np.float64)
            if balanced:
                square *= np.outer(w, w)
            unknown = ~np.isfinite(w)
            square[unknown] = np.nan
            square[:, unknown] = np.nan
        return square

    @classmethod
    def from_dense(
        cls,
        dense: Mapping[str, np.ndarray],
        resolution: int,
        sizes: Mapping[str, int] | None = None,
        weights: Mapping[str, np.ndarray] | None = None,
        name: str = "map",
    ) -> ContactMap:
        """A map of dense squares {contig: (T, T)}, such as a simulator makes.

        sizes: bp; whole bins where it is not given.
        weights: {contig: (T,)}; `dense` holds raw counts then.  Where it is not given, rows that are NaN throughout
            are masked and the others have weight 1, so that `square` gives back `dense`.
        Values are kept as float32.  Raises DataError for squares that are not symmetric, or NaN beyond whole rows.
        """
        pixels, kept, lengths = {}, {}, {}
        for contig, square in dense.items():
            square = check_square(square, f"map of {contig!r}")
            masked = np.isnan(square).all(1)
            clear = np.where(masked[:, None] | masked[None, :], 0.0, square)
            if not np.isfinite(clear).all():
                raise DataError(
                    f"map of {contig!r} has NaN or infinite values in bins that are not masked: mask whole bins"
                )
            pixels[contig] = csr_array(np.triu(clear).astype(np.float32))
            kept[contig] = np.where(masked, np.nan, 1.0) if weights is None else np.asarray(weights[contig], np.float64)
            lengths[contig] = len(square) * int(resolution) if sizes is None else int(sizes[contig])
            if -(-lengths[contig] // int(resolution)) != len(square):
                raise DataError(
                    f"map of {contig!r} has {len(square):,} bins, {lengths[contig]:,} bp have "
                    f"{-(-lengths[contig] // int(resolution)):,} of {resolution:,} bp: make them agree"
                )
        return cls(tuple(dense), lengths, int(resolution), pixels, kept, name, {"reader": "dense"})


class LazyPixels(Mapping[str, csr_array]):
    """Pixels by contig, made by `make(contig)` at first access and then kept; a pickled copy makes its own."""

    def __init__(self, contigs: Iterable[str], make: Callable[[str], csr_array]):
        self._contigs, self._make = tuple(contigs), make
        self._made: dict[str, csr_array] = {}

    def __getstate__(self):
        return {**self.__dict__, "_made": {}}

    def __contains__(self, contig: object) -> bool:
        return contig in self._contigs

    def __iter__(self) -> Iterator[str]:
        return iter(self._contigs)

    def __len__(self) -> int:
        return len(self._contigs)

    def __getitem__(self, contig: str) -> csr_array:
        if contig not in self._made:
            if contig not in self._contigs:
                raise GenomeMismatch(f"there are no contacts of {contig!r}: choose one of the map's contigs")
            self._made[contig] = self._make(contig)
        return self._made[contig]


def bins_apart(bins: int) -> np.ndarray:
    """(T, T) distance of each pair of bins, in bins."""
    return np.abs(np.subtract.outer(np.arange(bins), np.arange(bins)))


def check_square(square: np.ndarray, what: str = "map") -> np.ndarray:
    """`square` as (T, T) float64; ConfigError unless it is square, DataError unless symmetric (NaN beside NaN)."""
    square = np.asarray(square, np.float64)
    if square.ndim != 2 or square.shape[0] != square.shape[1]:
        raise ConfigError(f"{what} has shape {square.shape}, it must be (T, T)")
    if not np.allclose(square, square.T, rtol=1e-5, atol=1e-8, equal_nan=True):
        raise DataError(f"{what} is not symmetric: give contacts of i with j and of j with i alike")
    return square
