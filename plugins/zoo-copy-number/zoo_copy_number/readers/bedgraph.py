"""bedGraph and mosdepth: contig, start, end, [name,] value; 0-based half-open.

Sources: UCSC's description of bedGraph; mosdepth's `regions.bed.gz` (Pedersen and Quinlan 2018,
doi:10.1093/bioinformatics/btx699), whose fourth column is the name of the region where `--by` was a BED file of four.
"""

from __future__ import annotations

from pathlib import Path

from zoo.errors import DataError
from zoo.files.compressed import read_lines
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import sample_name
from zoo_copy_number.readers.text import ColumnLayout, is_setting, read_columns


def read_bedgraph(path: str | Path) -> Runs:
    """Runs of a bedGraph; four columns, by tabs or spaces."""
    return _runs(path, "bedgraph", (4,))


def read_mosdepth(path: str | Path) -> Runs:
    """Runs of mosdepth's regions: four or five columns."""
    return _runs(path, "mosdepth", (4, 5))


def _runs(path: str | Path, reader: str, widths: tuple[int, ...]) -> Runs:
    layout = ColumnLayout([])
    for number, line in read_lines(path):
        if is_setting(line):
            continue
        layout.skip, layout.tabs = number - 1, "\t" in line
        n = len(line.split("\t") if layout.tabs else line.split())
        if n not in widths:
            wanted = " or ".join(map(str, widths))
            raise DataError(f"{path} line {number} has {n} columns, {reader} has {wanted}: give one of those")
        layout.names = ["contig", "start", "end", "name", "depth"] if n == 5 else ["contig", "start", "end", "depth"]
        break
    gaps = "auto" if reader == "bedgraph" else "unknown"
    tables = read_columns(path, layout) if layout.names else ()
    pieces = ((t["contig"], t["start"], t["end"], t["depth"]) for t in tables)
    return Runs(str(path), pieces, layout.contigs, sample_name(path), reader, gaps=gaps)
