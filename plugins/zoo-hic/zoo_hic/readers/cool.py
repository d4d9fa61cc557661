"""`.cool` and `.mcool`: read by hictkpy, or by cooler where hictk refuses an old file.

Before either library sees it, the file's own description is checked: fixed bins, upper triangle, sizes within bounds,
no links to other files.  Source: the cooler schema, v3 (Abdennur and Mirny 2020, doi:10.1093/bioinformatics/btz540).

Weights of cooler multiply; those of Juicer divide, and keep doing so in a .cool (hic2cool, 4DN): KR, VC, VC_SQRT and
SCALE, unless the attribute `divisive_weights` of the column says otherwise (zoo_hic.readers.balance).  Here they all
come out multiplicative.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo_hic.readers.balance import measure_direction
from zoo_hic.readers.hdf5_probe import probe
from zoo_hic.readers.map_file import MOST_BINS, MapFile, Triplets, check_size, choose, fetch_cis, readable

_SCHEMA = {"chroms": ("name", "length"), "bins": ("chrom", "start", "end"), "pixels": ("bin1_id", "bin2_id", "count")}
_MOST_RESOLUTIONS = 1_000


def open_cool(path: Path, group: str | None, resolution: int | None) -> tuple[MapFile, int]:
    """The map of one group of the file, and the factor to coarsen it by to `resolution`.

    Raises ConfigError for a group that is not there or several resolutions without a choice, DataError for a file
    that is not a cooler with fixed bins and the upper triangle.
    """
    import h5py

    probe(path)
    with readable(path), h5py.File(path, "r") as file:
        format = "cool"
        if group is None:
            group, format = _group(path, file, resolution)
        elif group.startswith("/resolutions/"):
            format = "mcool"
        if group not in file:
            raise ConfigError(f"{path} has no group {group!r}: {_groups(file)}")
        root: Any = file[group]
        _check_links(path, root)
        _check_kind(path, root)
        sizes, width = _check_bins(path, root)
        _, factor = choose(path, [width], resolution)
        columns = {name: column for name, column in root["bins"].items() if column.dtype.kind == "f"}
        divisive = {name: _is_divisive(column) for name, column in columns.items() if column.ndim == 1}
        assembly = root.attrs.get("genome-assembly", root.attrs.get("assembly", "unknown"))
    uri = str(path) if group == "/" else f"{path}::{group}"
    about = (format, sizes, width, tuple(divisive), str(assembly), uri, group, divisive)
    return _Cool(path, _reader(uri), *about), factor


@dataclass(frozen=True)
class _Cool(MapFile):
    uri: str = ""
    group: str = "/"
    divisive: dict[str, bool | None] = field(default_factory=dict)

    def weights(self, name: str) -> tuple[np.ndarray, str]:
        import h5py

        with readable(self.path), h5py.File(self.path, "r") as file:
            bins: Any = file[f"{self.group}/bins"]
            column: np.ndarray = bins[name][:].astype(np.float64)
        divides, note = self.divisive[name], ""
        if divides is None and len(column) == sum(map(self.bins, self.sizes)):
            divides, note = measure_direction(self, name, column)
        with np.errstate(divide="ignore"):
            return (1 / column if divides else column), note

    def cis(self, contig: str) -> Triplets:
        if self.reader.startswith("hictkpy"):
            import hictkpy

            with readable(self.path):
                return fetch_cis(hictkpy.File(self.uri), contig, self.sizes[contig])
        import cooler

        first = self.first_bins()[contig]
        here = slice(first, first + self.bins(contig))
        with readable(self.path):
            found = cooler.Cooler(self.uri).matrix(balance=False, as_pixels=True)[here, here]
        row, column = found["bin1_id"].to_numpy() - first, found["bin2_id"].to_numpy() - first
        return row, column, found["count"].to_numpy(np.float64)


def _reader(uri: str) -> str:
    """The library that opens the map: hictkpy, else cooler."""
    import hictkpy

    try:
        hictkpy.File(uri)
    except RuntimeError:
        import cooler

        with readable(uri.partition("::")[0]):
            cooler.Cooler(uri)
        return f"cooler {cooler.__version__}"
    return f"hictkpy {version('hictkpy')}"


def _group(path: Path, file, resolution: int | None) -> tuple[str, str]:
    """(group, format) of the resolution that is meant."""
    if "resolutions" in file:
        names = [n for n, _ in zip(file["resolutions"], range(_MOST_RESOLUTIONS), strict=False) if n.isdecimal()]
        if not names:
            raise DataError(f"{path} holds no resolution: fetch it again")
        return f"/resolutions/{choose(path, [int(n) for n in names], resolution)[0]}", "mcool"
    if all(g in file for g in _SCHEMA):
        return "/", "cool"
    if "cells" in file:
        raise ConfigError(f"{path} holds many single cells: name one, as {path}::/cells/NAME")
    raise DataError(f"{path} is HDF5 but no cooler, it has no chroms, bins and pixels: give a .cool or .mcool")


def _groups(file) -> str:
    listed = [f"/resolutions/{n}" for n, _ in zip(file.get("resolutions", ()), range(20), strict=False)]
    return f"choose one of {', '.join(listed)}" if listed else "leave out what follows ::"


def _check_links(path: Path, root) -> None:
    """Everything that is read must lie in this file: HDF5 can point at any other."""
    import h5py

    for name, columns in _SCHEMA.items():
        for place, key in ((root, name), *((root.get(name), c) for c in columns)):
            if place is None or key not in place:
                raise DataError(
                    f"{path} has no {name}/{', '.join(columns)}: it is no cooler, or cut off, fetch it again"
                )
    for name in (*_SCHEMA, *(["indexes"] if "indexes" in root else [])):
        links = [(root, name), *((root[name], key) for key in root[name])]
        for place, key in links:
            outside = isinstance(place.get(key, getlink=True), h5py.ExternalLink)
            if not outside and isinstance(place[key], h5py.Dataset):
                outside = bool(place[key].external) or place[key].is_virtual
            if outside:
                raise DataError(f"{path} keeps {name}/{key} in another file: copy it into one (`cooler cp`)")


def _check_kind(path: Path, root) -> None:
    storage, kind = (
        _text(root.attrs.get(k, d)) for k, d in (("storage-mode", "symmetric-upper"), ("bin-type", "fixed"))
    )
    if storage != "symmetric-upper":
        raise DataError(f"{path} stores {storage!r} contacts, not symmetric-upper: load it again with `cooler load`")
    width = root.attrs.get("bin-size")
    if kind != "fixed" or width is None or _text(width) in ("null", "None"):
        raise DataError(f"{path} has bins of various sizes: bin it at one size with `cooler cload` or `cooler load`")
    made = re.match(r"hic2cool-0\.([0-9]+)", _text(root.attrs.get("generated-by", "")))
    if made and int(made[1]) < 5:
        raise DataError(f"{path} was made by {made[0]}, which inverted weights: run `hic2cool update {path}` on it")


def _check_bins(path: Path, root) -> tuple[dict[str, int], int]:
    """(bp by contig, bp of a bin); the table of bins must be the grid that these two make."""
    names, lengths, starts = root["chroms/name"], root["chroms/length"], root["bins/start"]
    width = int(root.attrs["bin-size"])
    if len(names) != len(lengths) or len(names) > MOST_BINS or len(starts) > MOST_BINS:
        raise DataError(f"{path} has {len(names):,} contigs and {len(starts):,} bins: it is damaged or too large")
    contigs = [_text(n) for n in names[:]]
    sizes = dict(zip(contigs, map(int, lengths[:]), strict=True))
    if len(sizes) != len(contigs):
        raise DataError(f"{path} names a contig twice: it is damaged, fetch it again")
    check_size(path, sizes, width)
    bins = [-(-s // width) for s in sizes.values()]
    grid = np.concatenate([np.arange(n, dtype=np.int64) * width for n in bins])
    if not np.array_equal(starts[:], grid):
        raise DataError(
            f"{path} has bins that are not a grid of {width:,} bp over its contigs: bin it again with `cooler cload`"
        )
    return sizes, width


def _is_divisive(column) -> bool | None:
    """What the attribute says; None without it, or where it is neither true nor false."""
    attribute = column.attrs.get("divisive_weights")
    said = _text(attribute).strip("[ ]").lower()
    return {"true": True, "1": True, "false": False, "0": False}.get(said)


def _text(value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
