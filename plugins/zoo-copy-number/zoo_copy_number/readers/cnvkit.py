"""CNVkit's .cnn and .cnr: coverage of targets and off-target bins, and the pooled reference.

    chromosome start end gene [depth] log2 [gc] [rmask] [spread] [weight]

Coordinates are 0-based half-open.  Off-target bins are those of the gene Antitarget, Background in older files.
Source: CNVkit's file formats (Talevich et al. 2016, doi:10.1371/journal.pcbi.1004873).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import DataError, did_you_mean
from zoo.files.compressed import read_lines
from zoo_copy_number.readers.raw_bins import MAX_BINS, RawBins
from zoo_copy_number.readers.sniff import sample_name
from zoo_copy_number.readers.text import ColumnLayout, is_setting, read_columns

_OFF_TARGET = ("Antitarget", "Background")
_NO_COVERAGE = -19.9
"""CNVkit writes log2 = -20 for a bin without any coverage."""


@dataclass(frozen=True)
class PooledReference:
    """A pooled reference: bins in the file's order, `log2` and `spread` (n,) float32, gc (n,) or None, kind (n,)."""

    path: str
    contigs: list[str]
    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray
    log2: np.ndarray
    spread: np.ndarray
    gc: np.ndarray | None


def read_cnvkit(path: str | Path) -> RawBins:
    """Coverage of one sample.  Depth is 2 ** log2 where the file has no depth, and 0 where log2 is -20.

    Raises DataError for a pooled reference, which is no sample.
    """
    layout = _layout(path)
    if "spread" in layout.names:
        raise DataError(f"{path} has a spread, it is a pooled reference and no sample: give it as reference")
    if not {"depth", "log2"} & set(layout.names):
        raise DataError(f"{path} has neither depth nor log2: it needs one of them")
    columns = _columns(path, layout)
    notes = []
    if "depth" in layout.names:
        depth, unit = columns["depth"], "mean depth"
        if "weight" in layout.names:
            notes.append("its log2 is corrected already and is not used, the depth beside it is")
    else:
        log2 = columns["log2"]
        with np.errstate(over="ignore"):
            depth = np.where(log2 > _NO_COVERAGE, np.exp2(log2), np.where(np.isnan(log2), np.nan, 0))
        unit = "2 ** log2"
    place = columns["contig"], columns["start"], columns["end"]
    more = {"kind": _kind(path, columns), "gc": _float32(path, columns, "gc"), "notes": notes}
    return RawBins(str(path), layout.contigs, *place, depth, sample_name(path), "cnvkit", unit, **more)


def read_reference(path: str | Path) -> PooledReference:
    """A pooled reference: log2, spread and gc of every bin."""
    layout = _layout(path)
    missing = [c for c in ("log2", "spread") if c not in layout.names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]}: a pooled reference is made by `cnvkit.py reference`")
    columns = _columns(path, layout)
    if not len(columns["start"]):
        raise DataError(f"{path} holds no bins: make the reference anew")
    place = columns["contig"], columns["start"], columns["end"]
    values = (_float32(path, columns, name) for name in ("log2", "spread", "gc"))
    return PooledReference(str(path), layout.contigs, *place, _kind(path, columns), *values)


def _layout(path: str | Path) -> ColumnLayout:
    for number, line in read_lines(path):
        if is_setting(line):
            continue
        names = line.split("\t")
        for wanted in ("chromosome", "start", "end"):
            if wanted not in names:
                raise DataError(f"{path} line {number} has no column {wanted!r}{did_you_mean(wanted, names)}")
        if len(set(names)) < len(names):
            raise DataError(f"{path} line {number} names a column twice: rename one")
        if {"probes", "cn"} & set(names):
            raise DataError(f"{path} holds CNVkit's segments (.cns), which are calls already: give the .cnr or .cnn")
        real = tuple(c for c in ("depth", "log2", "gc", "spread") if c in names)
        text = ("gene",) if "gene" in names else ()
        return ColumnLayout(names, real=real, text=text, contig="chromosome", skip=number)
    raise DataError(f"{path} is empty: it should have columns chromosome, start, end, gene, log2")


def _columns(path: str | Path, layout: ColumnLayout) -> dict[str, np.ndarray]:
    pieces, n = [], 0
    for piece in read_columns(path, layout):
        pieces.append(piece)
        n += len(piece["start"])
        if n > MAX_BINS:
            raise DataError(f"{path} has more than {MAX_BINS:,} bins: make them larger")
    if not pieces:
        empty = {"contig": np.zeros(0, np.int32), "gene": np.zeros(0, object)}
        return empty | {k: np.zeros(0, np.int64) for k in ("start", "end")} | {k: np.zeros(0) for k in layout.real}
    return {k: np.concatenate([p[k] for p in pieces]) for k in pieces[0]}


def _float32(path: str | Path, columns: dict[str, np.ndarray], name: str) -> np.ndarray | None:
    if name not in columns:
        return None
    with np.errstate(over="ignore"):
        values = columns[name].astype(np.float32)
    if np.isinf(values).any():
        raise DataError(f"{path}: {name} {columns[name][np.isinf(values)][0]:g} is no finite number: write NA for none")
    return values


def _kind(path: str | Path, columns: dict[str, np.ndarray]) -> np.ndarray:
    if "gene" in columns and "antitarget" not in Path(path).name.lower():
        return np.isin(columns["gene"].astype(str), _OFF_TARGET).astype(np.uint8)
    return np.full(len(columns["start"]), "antitarget" in Path(path).name.lower(), np.uint8)
