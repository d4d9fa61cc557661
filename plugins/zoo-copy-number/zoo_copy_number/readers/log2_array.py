"""Probes of an array with log2 ratios (SNP arrays, array CGH), averaged in equal bins.

    Name  Chr  Position  S1.Log R Ratio  S1.B Allele Freq
    rs1   1    752566    -0.04           0.51

Columns are known by their names, as GenomeStudio, PennCNV, Affymetrix and others write them, separated by tabs, commas
or spaces.  Depth of a bin is 2 ** (mean log2 ratio of its probes); bins without a probe are left out.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo.files.compressed import read_lines
from zoo_copy_number.readers.raw_bins import RawBins
from zoo_copy_number.readers.sniff import sample_name
from zoo_copy_number.readers.text import ArrayColumns, find_array_columns, is_setting

_NOWHERE = {"", "0", "---", "NA", "."}
_UNKNOWN = {"", ".", "na", "nan", "-nan"}
_LARGEST = 30.0


def read_array(path: str | Path, bin_size: int | None) -> RawBins:
    """Bins of `bin_size` bp of one sample's probes.

    Raises ConfigError without a bin size, DataError for a table without log2 ratios or with a cell that is no number.
    """
    if bin_size is None:
        raise ConfigError(f"{path} holds log2 ratios of probes, not bins: give a bin size (--bin-size, such as 50000)")
    columns: ArrayColumns | None = None
    sums: dict[tuple[str, int], list[float]] = {}
    nowhere = 0
    for number, line in read_lines(path):
        if is_setting(line) and columns is None and find_array_columns(line) is None:
            continue
        if columns is None:
            if (columns := find_array_columns(line)) is None:
                raise DataError(f"{path} line {number} names no chromosome, position and log2 ratio: add them")
            continue
        if not line.strip():
            continue
        cells = columns.split(line)
        if len(cells) != columns.n:
            raise DataError(f"{path} line {number} has {len(cells)} columns, the header has {columns.n}: complete it")
        contig, position, value = cells[columns.contig], cells[columns.position], cells[columns.log2]
        if contig in _NOWHERE or position in _NOWHERE:
            nowhere += 1
        elif value.lower() not in _UNKNOWN:
            place = contig, (_whole(path, number, position) - 1) // bin_size
            total = sums.setdefault(place, [0.0, 0])
            total[0] += _ratio(path, number, value)
            total[1] += 1
    notes = ["its log2 ratios are averaged in bins; qualities are fitted to read depth, not to arrays"]
    if nowhere:
        notes.append(f"{nowhere:,} probes without a place were passed over")
    contigs = list(dict.fromkeys(contig for contig, _ in sums))
    code = {c: i for i, c in enumerate(contigs)}
    contig = np.array([code[c] for c, _ in sums], np.int32)
    start = np.array([i for _, i in sums], np.int64) * bin_size
    depth = np.array([2 ** (total / n) for total, n in sums.values()])
    place = contigs, contig, start, start + bin_size, depth
    return RawBins(str(path), *place, sample_name(path), "array", "2 ** log2 ratio", notes=notes)


def _whole(path: str | Path, number: int, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text, re.ASCII) or not int(text):
        raise DataError(f"{path} line {number}: position {text[:40]!a} is no whole number from 1 on: correct it")
    return int(text)


def _ratio(path: str | Path, number: int, text: str) -> float:
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if not abs(value) <= _LARGEST:
        raise DataError(f"{path} line {number}: log2 ratio {text[:40]!a} is no number from -30 to 30: correct it")
    return value
