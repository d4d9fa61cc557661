"""SEG of segments, for IGV: ID, chrom, loc.start, loc.end, num.mark, seg.mean; 1-based, ends included.

ID  chrom  loc.start  loc.end  num.mark  seg.mean
s1  chr1   1001       5000     4         -0.98
"""

from __future__ import annotations

import math
from pathlib import Path

from zoo.errors import DataError
from zoo.files.tables import write_table
from zoo_copy_number.calls import Calls

_COLUMNS = ("ID", "chrom", "loc.start", "loc.end", "num.mark", "seg.mean")


def write_seg(path: str | Path, calls: Calls) -> int:
    """Write every segment that has a log2, neutral ones too; returns how many.

    A segment without one is left out: IGV takes no missing value.  Comments are left out as well, since the first
    line must be the header.  Raises DataError where no segment has a log2.
    """
    known = [c for c in calls if not math.isnan(c.log2)]
    if len(calls) and not known:
        raise DataError(f"{path} would be empty: no segment of {calls.sample} has a log2 ratio, write BED or VCF")
    sample = "_".join(calls.sample.split())
    rows = ([sample, c.contig, c.start + 1, c.end, c.n_bins, f"{c.log2:.6g}"] for c in known)
    return write_table(path, _COLUMNS, rows)
