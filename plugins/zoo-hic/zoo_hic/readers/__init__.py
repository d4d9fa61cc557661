"""`read_map`: contacts of one experiment, from .cool, .mcool or .hic, as a `ContactMap`.

read_map("yeast.10kb.cool", fasta="sacCer3.fa.gz")
read_map("map.mcool", resolution=10_000)              # or map.mcool::/resolutions/10000
read_map("map.hic", resolution=10_000, balance="KR")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from zoo.data.aliases import find
from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean
from zoo_hic.coarsen import coarsen
from zoo_hic.maps import ContactMap, LazyPixels
from zoo_hic.readers.assembly import list_some, match_assembly, read_sizes
from zoo_hic.readers.balance import choose_balance
from zoo_hic.readers.cool import open_cool
from zoo_hic.readers.hic import open_hic
from zoo_hic.readers.map_file import MapFile, is_hdf5, split_group

if TYPE_CHECKING:
    from zoo.data.genome import Genome

__all__ = ["read_map"]


def read_map(
    path: str | Path,
    *,
    resolution: int | None = None,
    balance: str = "weight",
    any_balance: bool = False,
    fasta: str | Path | Genome | Mapping[str, int] | None = None,
    allow_other_assembly: bool = False,
    contigs: Sequence[str] | None = None,
) -> ContactMap:
    """Read a contact map.  Contacts of a contig are read at first access.

    path: .cool, .mcool (or path::/resolutions/N) or .hic; what the file holds decides.
    resolution: bp of a bin; the file's where it has one only.  A multiple of one that the file has is made from it by
        `coarsen`, which is noted.
    balance: name of the weights (weight, ICE, KR, VC, SCALE ...), turned into cooler's multiplicative convention;
        "none" for raw counts.  Whether those of a .cool multiply or divide is measured where the file does not say, and
        noted (zoo_hic.readers.balance).
    any_balance: take other weights where the file has none of that name, with a note.
    fasta: FASTA, Genome or bp by contig.  Contigs are matched by name or alias and come out under its names, in the
        file's order; those that it does not have are left out; lengths keep the file's bins.
    allow_other_assembly: take contigs whose lengths differ from the FASTA's by 0.1 % or more.
    contigs: only these, by name or alias.

    Raises DataError for a file that breaks its format or is not balanced, GenomeMismatch for another assembly or a
    contig that is not there, ConfigError for options that do not fit the file.
    """
    file, group = split_group(path)
    if is_hdf5(file):
        opened, factor = open_cool(file, group, resolution)
    elif group is not None:
        raise ConfigError(f"{file} is a .hic, which has no group {group!r}: leave out what follows ::")
    else:
        opened, factor = open_hic(file, resolution)
    names, notes = {c: c for c in opened.sizes}, []
    if fasta is not None:
        names, notes = match_assembly(opened.sizes, opened.resolution, fasta, str(file), allow_other_assembly)
    taken, note = choose_balance(opened, balance, any_balance)
    chosen = _chosen(file, {name: contig for contig, name in names.items()}, contigs)
    origin = {
        "file": file.name,
        "format": opened.format,
        "reader": opened.reader,
        "resolution": opened.resolution,
        "assembly": opened.assembly,
        "balance": taken,
        "available": list(opened.balances),
    }
    if fasta is not None:
        origin |= {"fasta": read_sizes(fasta)[0], "allow_other_assembly": allow_other_assembly}
    weights, told = (None, "") if taken == "none" else _weights(opened, taken, chosen)
    sizes = {name: opened.sizes[contig] for name, contig in chosen.items()}
    pixels = LazyPixels(chosen, partial(_read_upper, opened, chosen))
    name = file.stem or file.name
    notes = [*notes, *filter(None, (note, told))]
    contacts = ContactMap(tuple(chosen), sizes, opened.resolution, pixels, weights, name, origin, tuple(notes))
    return coarsen(contacts, factor)


def _read_upper(opened: MapFile, chosen: Mapping[str, str], name: str) -> csr_array:
    return opened.upper(chosen[name])


def _weights(file: MapFile, name: str, chosen: Mapping[str, str]) -> tuple[dict[str, np.ndarray], str]:
    """Weights by contig, NaN where they are not finite or not positive, and a note."""
    whole, note = file.weights(name)
    n = sum(file.bins(c) for c in file.sizes)
    if whole.shape != (n,):
        raise DataError(f"weights {name!r} of {file.path} are {len(whole):,} for {n:,} bins: balance it again")
    whole = np.where(np.isfinite(whole) & (whole > 0), whole, np.nan)
    first = file.first_bins()
    weights = {own: whole[first[c] : first[c] + file.bins(c)] for own, c in chosen.items()}
    if all(np.isnan(w).all() for w in weights.values()):
        raise DataError(
            f"weights {name!r} of {file.path} mask all bins of {', '.join(list(chosen)[:4])}: balance it again"
        )
    return weights, note


def _chosen(path: Path, names: Mapping[str, str], contigs: Sequence[str] | None) -> dict[str, str]:
    """{name here: contig in the file} of `contigs`, in the file's order."""
    if contigs is None:
        return dict(names)
    if isinstance(contigs, str) or not contigs:
        raise ConfigError(f"contigs {contigs!r} must be a list of names, such as [{next(iter(names))}]")
    own = {contig: contig if contig in names else find(contig, names) for contig in contigs}
    for contig, name in own.items():
        if name is None:
            hint = did_you_mean(contig, names) or f": choose from {list_some(names, 8)}"
            raise GenomeMismatch(f"{path} has no contig {contig!r}{hint}")
    return {name: contig for name, contig in names.items() if name in own.values()}
