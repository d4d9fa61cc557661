"""Lists of intervals that count from 1, as rows of BED: Picard's interval lists, and regions one a line.

@SQ SN:chr20 ... / chr20 1001 1200 + name    (Picard: both ends belong to the interval)
chr20:1,001-1,200                            (as samtools and GATK take them)
"""

from __future__ import annotations

import re

from zoo.data.bed import BadCell
from zoo.data.region import parse_region
from zoo.errors import ConfigError

_HEADER = re.compile(r"@(HD|SQ|RG|PG|CO)(\t|$)")


def is_list_header(line: str) -> bool:
    """Whether a line is of the header of an interval list, which is that of SAM."""
    return _HEADER.match(line) is not None


def from_interval_list(cells: list[str]) -> list[str]:
    """chrom, start (from 1), end, strand and name -> the columns of BED6.  Raises BadCell."""
    if len(cells) < 3:
        raise BadCell(f"{len(cells)} column(s), an interval list has chrom, start, end, strand and name: complete it")
    chrom, start, end, strand, name, *_ = (*cells, *[""] * 5)
    if re.fullmatch("0+", start):
        raise BadCell("column 2 (start) is 0: an interval list counts from 1")
    if start.isascii() and start.isdigit() and len(start) < 20:
        start = str(int(start) - 1)
    return [chrom, start, end, name or ".", ".", strand or "."]


def from_region(cells: list[str]) -> list[str]:
    """chr20:1,001-1,200 -> the columns of BED3.  Raises BadCell."""
    try:
        chrom, start, end = parse_region(" ".join(cells))
    except ConfigError as error:
        raise BadCell(str(error)) from None
    return [chrom, str(start), str(end)]


def are_regions(rows: list[list[str]]) -> bool:
    """Whether most rows are one region each."""
    alone = [cells for cells in rows if len(cells) == 1 and ":" in cells[0]]
    return 2 * len(alone) > len(rows)
