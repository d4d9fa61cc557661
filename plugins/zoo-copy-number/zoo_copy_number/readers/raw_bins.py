"""`RawBins`: the bins of a file in its own order; `assemble` checks and sorts them.

file -> RawBins -> assemble: sort, drop duplicates, refuse what cannot be -> Bins
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo_copy_number.bins import Bins
from zoo_copy_number.readers.text import find_line

MAX_BINS = 1 << 26
"""Bins that one sample may have: a human genome in bins of 50 bp."""
_LARGEST = 1 << 40
_SMALL_OVERLAP = 0.01


@dataclass
class RawBins:
    """n bins in the order of the file: arrays as of `Bins`, but unsorted and unchecked.

    kind: (n,) uint8 or None.  gc: (n,) float32 or None.  unit: what depth counts, for `origin`.
    """

    path: str
    contigs: list[str]
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    depth: np.ndarray
    sample: str
    reader: str
    unit: str = "mean depth"
    kind: np.ndarray | None = None
    gc: np.ndarray | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def join_files(parts: Sequence[RawBins], sample: str | None = None) -> RawBins:
    """RawBins of several files of one sample, such as targets and off-target bins, one after another.

    Raises ConfigError where the files name different samples and `sample` is not given.
    """
    first = parts[0]
    names = list(dict.fromkeys(p.sample for p in parts))
    if sample is None and len(names) > 1:
        raise ConfigError(
            f"files of samples {', '.join(names)} cannot be one sample: read each alone, or name the sample"
        )
    if len(units := {p.unit for p in parts}) > 1:
        raise ConfigError(f"{' and '.join(sorted(units))} cannot stand in one sample: give files of one program")
    contigs = list(dict.fromkeys(c for p in parts for c in p.contigs))
    at = {c: i for i, c in enumerate(contigs)}
    place = [np.array([at[c] for c in p.contigs], np.int32) for p in parts]
    filled = {"kind": (np.uint8, 0), "gc": (np.float32, np.nan)}
    optional = {
        k: np.concatenate([np.full(len(p.start), v, t) if getattr(p, k) is None else getattr(p, k) for p in parts])
        for k, (t, v) in filled.items()
        if any(getattr(p, k) is not None for p in parts)
    }
    return RawBins(
        " + ".join(p.path for p in parts),
        contigs,
        np.concatenate([table[p.contig] for table, p in zip(place, parts, strict=True)]),
        *(np.concatenate([getattr(p, k) for p in parts]) for k in ("start", "end", "depth")),
        sample or first.sample,
        first.reader,
        first.unit,
        **optional,
        sizes={c: n for p in parts for c, n in p.sizes.items()},
        notes=[n for p in parts for n in p.notes],
    )


def assemble(rows: RawBins) -> Bins:
    """Sorted bins without duplicates; mask is where the depth is known.

    Unsorted rows are sorted, equal duplicates dropped, off-target bins cut back where they overlap the next by less
    than 1 % (CNVkit's own files do), each with a note.  Raises DataError for no rows at all, negative or infinite
    depth, empty intervals, duplicates of different depth, and overlaps.
    """
    path, notes = rows.path, list(rows.notes)
    if not len(rows.start):
        raise DataError(f"{path} holds no bins: depth needs contig, start, end and a value on each line")
    if len(rows.start) > MAX_BINS:
        raise DataError(f"{path} holds {len(rows.start):,} bins, at most {MAX_BINS:,} are read: make them larger")
    with np.errstate(over="ignore"):
        depth = rows.depth.astype(np.float32)
    _refuse(rows, rows.depth < 0, "depth {depth:g} is negative: give depth or counts, not their logarithm")
    _refuse(rows, np.isinf(depth), "depth {depth:g} is no finite number: write NaN for an unknown depth")
    _refuse(rows, rows.end <= rows.start, "end {end:,} is not after start {start:,}: drop the bin")
    outside = (rows.start < 0) | (rows.end > _LARGEST)
    _refuse(rows, outside, "{start:,} to {end:,} lies outside any contig: drop the bin")
    arrays = {k: getattr(rows, k) for k in ("contig", "start", "end", "kind", "gc") if getattr(rows, k) is not None}
    arrays["depth"] = depth
    step = np.diff(rows.contig)
    if (step < 0).any() or (np.diff(rows.start)[step == 0] < 0).any():
        order = np.lexsort((rows.start, rows.contig))
        arrays = {k: v[order] for k, v in arrays.items()}
        notes.append("its bins were not sorted by position, they were sorted")
    arrays = _without_duplicates(path, rows.contigs, arrays, notes)
    arrays["end"] = _without_overlaps(path, rows.contigs, arrays, notes)
    depth, contig, n = arrays["depth"], arrays["contig"].astype(np.int32), len(arrays["start"])
    if missing := int(np.isnan(depth).sum()):
        notes.append(f"{missing:,} of {n:,} bins have no depth (NaN) and are masked")
    notes += _empty_contigs(rows.contigs, contig, depth)
    origin = {"reader": rows.reader, "file": " + ".join(Path(p).name for p in path.split(" + ")), "unit": rows.unit}
    origin["gc"] = "unknown" if rows.gc is None else "file"
    return Bins(
        rows.contigs,
        contig,
        arrays["start"].astype(np.int64),
        arrays["end"].astype(np.int64),
        depth,
        arrays.get("gc", np.full(n, np.nan, np.float32)).astype(np.float32),
        np.full(n, np.nan, np.float32),
        ~np.isnan(depth),
        rows.sample,
        dict(rows.sizes),
        kind=arrays.get("kind"),
        origin=origin,
        notes=notes,
    )


def _refuse(rows: RawBins, bad: np.ndarray, why: str) -> None:
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        values = {"depth": float(rows.depth[i]), "start": int(rows.start[i]), "end": int(rows.end[i])}
        more = f" ({int(bad.sum()):,} such bins)" if bad.sum() > 1 else ""
        where = f"{rows.contigs[rows.contig[i]]}:{values['start']:,}"
        line = find_line(rows.path, rows.contigs[rows.contig[i]], values["start"])
        raise DataError(f"{rows.path}{line}, bin at {where}: {why.format(**values)}{more}")


def _without_duplicates(path: str, contigs: list[str], arrays: dict, notes: list[str]) -> dict:
    twice = np.flatnonzero(np.all([np.diff(arrays[k]) == 0 for k in ("contig", "start", "end")], axis=0))
    if not len(twice):
        return arrays
    a, b = arrays["depth"][twice], arrays["depth"][twice + 1]
    other = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if other.any():
        i = int(np.flatnonzero(other)[0])
        name, start = contigs[arrays["contig"][twice[i]]], int(arrays["start"][twice[i]])
        where = f"{name}:{start:,}"
        line = find_line(path, name, start)
        raise DataError(
            f"{path}{line}: the bin at {where} comes twice, with depth {a[i]:g} and {b[i]:g}: leave one out"
        )
    notes.append(f"{len(twice):,} bins came twice with one depth, once is enough")
    keep = np.ones(len(arrays["start"]), bool)
    keep[twice + 1] = False
    return {k: v[keep] for k, v in arrays.items()}


def _without_overlaps(path: str, contigs: list[str], arrays: dict, notes: list[str]) -> np.ndarray:
    """`end`, of off-target bins moved back where they barely overlap the next bin."""
    start, end = arrays["start"], arrays["end"].copy()
    over = np.where(np.diff(arrays["contig"]) == 0, end[:-1] - start[1:], 0)
    if "kind" in arrays:
        small = (over > 0) & (arrays["kind"][:-1] == 1) & (over < _SMALL_OVERLAP * (end[:-1] - start[:-1]))
        if small.any():
            end[:-1][small] = start[1:][small]
            over[small] = 0
            notes.append(f"{int(small.sum()):,} off-target bins overlapped the next by less than 1 % and were cut back")
    if (over > 0).any():
        i = int(np.flatnonzero(over > 0)[0])
        where = f"{contigs[arrays['contig'][i]]}:{start[i]:,}-{end[i]:,} and {start[i + 1]:,}-{arrays['end'][i + 1]:,}"
        line = find_line(path, contigs[arrays["contig"][i]], int(start[i + 1]))
        raise DataError(f"{path}{line}: bins {where} overlap: merge the targets (bedtools merge) and count again")
    return end


def _empty_contigs(contigs: list[str], contig: np.ndarray, depth: np.ndarray) -> list[str]:
    bins = np.bincount(contig, minlength=len(contigs))
    some = np.bincount(contig, weights=depth > 0, minlength=len(contigs))
    notes = []
    for which, what in ((bins == 0, "no bins on"), ((bins > 0) & (some == 0), "no depth above 0 on")):
        names = [contigs[i] for i in np.flatnonzero(which)]
        if names:
            more = f" and {len(names) - 5:,} more" if len(names) > 5 else ""
            notes.append(f"{what} {', '.join(names[:5])}{more}")
    return notes
