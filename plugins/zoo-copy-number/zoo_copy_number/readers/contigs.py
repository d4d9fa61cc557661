"""Contigs of bins beside those of another file: 1 is chr1, and a bin past the end is of another assembly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from zoo.data.aliases import find
from zoo.errors import GenomeMismatch
from zoo_copy_number.bins import Bins


def match_contigs(names: Iterable[str], others: Iterable[str]) -> dict[str, str | None]:
    """{name: the one of `others` that is the same contig, or None}.

    >>> match_contigs(["1", "chrX", "GL1"], ["chr1", "chrX"])
    {'1': 'chr1', 'chrX': 'chrX', 'GL1': None}
    """
    others = list(dict.fromkeys(others))
    known = set(others)
    return {n: n if n in known else find(n, others) for n in names}


def fit_to(bins: Bins, sizes: Mapping[str, int], owner: str) -> Bins:
    """The bins with `sizes` of a genome; the last bin of a regular grid is cut to the end of its contig.

    Raises GenomeMismatch where bins lie past the end of a contig, where the file's own contig lengths differ, and
    where no contig is known: the file is of another assembly.
    """
    place = match_contigs(bins.contigs, sizes)
    present = [c for i, c in enumerate(bins.contigs) if (bins.contig == i).any()]
    if present and all(place[c] is None for c in present):
        raise GenomeMismatch(
            f"{bins.sample} has contigs {', '.join(present[:4])}, {owner} has {', '.join(list(sizes)[:4])}: "
            "use the genome that the reads were mapped to"
        )
    end, cut, known = bins.end.copy(), 0, {**bins.sizes}
    for i, name in enumerate(bins.contigs):
        if place[name] is None:
            continue
        size = sizes[place[name]]
        if bins.sizes.get(name, size) != size:
            raise GenomeMismatch(
                f"{name} of {bins.sample} has {bins.sizes[name]:,} bp, in {owner} {size:,}: "
                "use the genome that the reads were mapped to"
            )
        known[name] = size
        cut += _cut(bins, np.flatnonzero(bins.contig == i), end, size, name, owner)
    notes = list(bins.notes)
    if cut:
        notes.append(f"the last bin of {cut} contigs was cut to the end of its contig")
    if unknown := [c for c in present if place[c] is None]:
        more = f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else ""
        notes.append(f"{owner} does not have {', '.join(unknown[:5])}{more}")
    return replace(bins, end=end, sizes=known, notes=notes)


def _cut(bins: Bins, rows: np.ndarray, end: np.ndarray, size: int, name: str, owner: str) -> bool:
    if not len(rows):
        return False
    start, ends = bins.start[rows], bins.end[rows]
    remedy = "the bins are of another assembly, use the genome that the reads were mapped to"
    width = ends - start
    # mosdepth's windows go to the end of every contig, so that a short last one gives the contig's length away.
    whole = bins.origin.get("reader") == "mosdepth" and "averaged" not in bins.origin.get("unit", "")
    grid = len(rows) > 1 and start[0] == 0 and (width[:-1] == width[0]).all() and (start[1:] == ends[:-1]).all()
    if ends[-1] <= size:
        if whole and grid and width[-1] < width[0] and ends[-1] != size:
            raise GenomeMismatch(f"{name} of {bins.sample} ends at {ends[-1]:,}, in {owner} at {size:,}: {remedy}")
        return False
    if start[-1] < size and len(rows) > 1 and width[-1] == width[-2]:
        end[rows[-1]] = size
        return True
    past = int((ends > size).sum())
    raise GenomeMismatch(
        f"{past:,} bins of {bins.sample} lie past the end of {name}, {size:,} bp in {owner} "
        f"(the last ends at {ends[-1]:,}): {remedy}"
    )
