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

from zoo.errors import ConfigError, DataError
from zoo.files.tables import atomic_path
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
        sizes, resolution, values = contacts.sizes, contacts.resolution, "counts"
        contigs, parts = contacts.contigs, _sparse(contacts)
        weights = contacts.weights
    else:
        if sizes is None or resolution is None:
            raise ConfigError("a dense map needs its sizes {contig: bp} and its resolution in bp: give both")
        contacts = {c: _check(c, square, sizes, resolution) for c, square in contacts.items()}
        contigs, parts = tuple(contacts), _dense(contacts)
        weights = {c: np.where(np.isfinite(s).any(1), 1.0, np.nan) for c, s in contacts.items()}
    if values not in VALUES:
        raise ConfigError(f"values {values!r} must be one of {', '.join(VALUES)}")
    if not contigs:
        raise DataError(f"there is no contig to write to {path}: give at least one")
    about = {"zoo": {"values": values, "values_are": VALUES[values], "left_out": "unknown", **(metadata or {})}}
    return _create(path, _bins(contigs, sizes, resolution, weights), parts, about, assembly)


def _create(path: Path, bins: pd.DataFrame, parts, about: dict, assembly: str) -> int:
    import cooler

    with atomic_path(path) as temporary:
        cooler.create_cooler(
            str(temporary),
            bins,
            parts,
            dtypes={"count": "float64"},
            assembly=assembly,
            metadata=about,
            ordered=True,
        )
        if "weight" in bins:
            import h5py

            with h5py.File(temporary, "r+") as file:
                file["bins/weight"].attrs["divisive_weights"] = False
        return int(cooler.Cooler(str(temporary)).info["nnz"])


def _bins(contigs, sizes, resolution: int, weights) -> pd.DataFrame:
    import pandas as pd

    starts = {c: np.arange(0, sizes[c], resolution, dtype=np.int64) for c in contigs}
    bins = pd.DataFrame(
        {
            "chrom": pd.Categorical.from_codes(
                np.repeat(np.arange(len(contigs)), list(map(len, starts.values()))), contigs
            ),
            "start": np.concatenate(list(starts.values())),
            "end": np.concatenate([np.minimum(s + resolution, sizes[c]) for c, s in starts.items()]),
        }
    )
    if weights is not None:
        bins["weight"] = np.concatenate([weights[c] for c in contigs])
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


def _dense(squares: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    first = 0
    for square in squares.values():
        row, column = np.nonzero(np.triu(np.isfinite(square)))
        yield _pixels(row + first, column + first, square[row, column])
        first += len(square)


def _sparse(contacts: ContactMap) -> Iterator[dict[str, np.ndarray]]:
    first = 0
    for contig in contacts.contigs:
        upper = contacts.pixels[contig].tocsr()
        upper.sort_indices()
        found = upper.tocoo()
        yield _pixels(found.row.astype(np.int64) + first, found.col.astype(np.int64) + first, found.data)
        first += contacts.bins(contig)


def _pixels(row: np.ndarray, column: np.ndarray, value: np.ndarray) -> dict[str, np.ndarray]:
    return {"bin1_id": row, "bin2_id": column, "count": value.astype(np.float64)}
