"""`.cool` of a map: predicted values as floating-point pixels, or the counts and weights of a `ContactMap`.

Pixels that are NaN are left out, and a column `weight` is 1, or NaN for bins of which nothing is known, so that a
reader that applies weights shows those as unknown and not as 0.  Zeros are written: 0 is a value of log(O/E).
Source: the cooler schema, v3 (Abdennur and Mirny 2020, doi:10.1093/bioinformatics/btz540).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from zoo.errors import ConfigError, DataError
from zoo.files.hdf5 import hdf5_by_name
from zoo_hic.maps import ContactMap, check_square

if TYPE_CHECKING:
    import pandas as pd

VALUES = {
    "counts": "contacts counted",
    "balanced": "balanced contacts",
    "oe": "observed over expected by distance",
    "log_oe": "natural logarithm of observed over expected by distance",
    "difference": "difference of two maps of log(observed over expected)",
}


def write_cool(
    path: str | Path,
    contacts: ContactMap | Mapping[str, np.ndarray],
    sizes: Mapping[str, int] | None = None,
    resolution: int | None = None,
    *,
    values: str | None = None,
    assembly: str = "unknown",
    metadata: Mapping[str, Any] | None = None,
) -> int:
    """Write a map; returns the number of pixels.

    path: ends with .cool; written beside it and moved into place.
    contacts: a ContactMap (its counts, and its weights as the column `weight`), or {contig: (T, T)} symmetric, NaN
        where unknown.
    sizes, resolution: bp by contig and of a bin, of a dense map; T = ceil(size / resolution).
    values: what the numbers are: one of VALUES.  "counts" for a ContactMap.
    assembly: name of the genome.
    metadata: further keys of the file's metadata, plain JSON, such as the model and its preprocessing.

    Raises ConfigError for another ending, missing or wrong options, DataError for a map that does not fit its sizes.
    """
    path = Path(path)
    if path.suffix != ".cool":
        raise ConfigError(f"{path} does not end with .cool: call it {path.name}.cool")
    if isinstance(contacts, ContactMap):
        if values not in (None, "counts") or sizes is not None or resolution is not None:
            raise ConfigError("sizes, resolution and values of a ContactMap are its own (counts): leave them out")
        values = "counts"
    else:
        if sizes is None or resolution is None:
            raise ConfigError("a dense map needs its sizes {contig: bp} and its resolution in bp: give both")
        known = {c: known_pixels(_check(c, square, sizes, resolution)) for c, square in contacts.items()}
        pixels, weights = {c: p for c, (p, _) in known.items()}, {c: w for c, (_, w) in known.items()}
        contacts = ContactMap(tuple(known), sizes, resolution, pixels, weights)
    if values not in VALUES:
        raise ConfigError(f"values {values!r} must be one of {', '.join(VALUES)}")
    if not contacts.contigs:
        raise DataError(f"there is no contig to write to {path}: give at least one")
    about = {"zoo": {"values": values, "values_are": VALUES[values], "left_out": "unknown", **(metadata or {})}}
    return _create(path, contacts, about, assembly)


def known_pixels(square: np.ndarray, first: int = 0, bins: int | None = None) -> tuple[csr_array, np.ndarray]:
    """Known pairs of a square (T, T) as pixels (bins, bins), and weights (bins,): NaN where nothing is known, else 1.

    first, bins: where the square begins on its contig, and bins of the contig; by default it is the whole contig.
    """
    bins = len(square) if bins is None else bins
    row, column = np.nonzero(np.triu(np.isfinite(square)))
    weights = np.full(bins, np.nan)
    weights[first : first + len(square)] = np.where(np.isfinite(square).any(1), 1.0, np.nan)
    return csr_array((square[row, column], (row + first, column + first)), shape=(bins, bins)), weights


def _create(path: Path, contacts: ContactMap, about: dict, assembly: str) -> int:
    import cooler

    bins = _bins(contacts)
    options = {"dtypes": {"count": "float64"}, "assembly": assembly, "metadata": about, "ordered": True}
    with hdf5_by_name(path) as name:
        cooler.create_cooler(name, bins, _pixels(contacts), **options)
        if "weight" in bins:
            import h5py

            with h5py.File(name, "r+") as file:
                file["bins/weight"].attrs["divisive_weights"] = False
        return int(cooler.Cooler(name).info["nnz"])


def _bins(contacts: ContactMap) -> pd.DataFrame:
    import pandas as pd

    contigs, width = contacts.contigs, contacts.resolution
    starts = [np.arange(0, contacts.sizes[c], width, dtype=np.int64) for c in contigs]
    ends = [np.minimum(s + width, contacts.sizes[c]) for c, s in zip(contigs, starts, strict=True)]
    chrom = pd.Categorical.from_codes(np.repeat(np.arange(len(contigs)), list(map(len, starts))), contigs)
    bins = pd.DataFrame({"chrom": chrom, "start": np.concatenate(starts), "end": np.concatenate(ends)})
    if contacts.weights is not None:
        bins["weight"] = np.concatenate([contacts.weights[c] for c in contigs])
    return bins


def _check(contig: str, square: np.ndarray, sizes: Mapping[str, int], resolution: int) -> np.ndarray:
    square = check_square(square, f"map of {contig!r}")
    if contig not in sizes:
        raise DataError(f"the size of {contig!r} is not given: add it to sizes")
    n = -(-int(sizes[contig]) // int(resolution))
    if len(square) != n:
        raise DataError(
            f"map of {contig!r} has {len(square):,} bins, {sizes[contig]:,} bp have {n:,} of {resolution:,} bp: "
            "make them agree"
        )
    if np.isinf(square).any():
        raise DataError(f"map of {contig!r} has infinite values: clip it, or set them to NaN")
    return square


def _pixels(contacts: ContactMap) -> Iterator[dict[str, np.ndarray]]:
    first = 0
    for contig in contacts.contigs:
        upper = contacts.pixels[contig].tocsr()
        upper.sort_indices()
        at = upper.tocoo()
        row, column = at.row.astype(np.int64) + first, at.col.astype(np.int64) + first
        yield {"bin1_id": row, "bin2_id": column, "count": at.data.astype(np.float64)}
        first += contacts.bins(contig)
