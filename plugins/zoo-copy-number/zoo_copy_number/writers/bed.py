"""BED of calls: contig, start, end, name, score; 0-based half-open.

chr1  1000  5000  DEL:1  43      name is state and copy number, score the quality, at most 1,000
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path

from zoo.files.atomic import atomic_path
from zoo_copy_number.calls import Calls


def write_bed(path: str | Path, calls: Calls, *, neutral: bool = False) -> int:
    """Write deletions, duplications and regions without a call, and neutral ones if `neutral`; returns how many.

    Source: UCSC's description of BED, in which a score is a whole number from 0 to 1,000.
    """
    written = [c for c in calls if neutral or c.state != "NEUTRAL"]
    opener = gzip.open if str(path).endswith(".gz") else open
    with atomic_path(path) as temporary, opener(temporary, "wt", encoding="utf-8", newline="\n") as file:
        file.write(f"#sample={calls.sample}\n")
        for key, value in calls.comments.items():
            file.write(f"#{_line(key)}={_line(value)}\n")
        for call in written:
            name = call.state if call.copy_number is None else f"{call.state}:{call.copy_number}"
            score = 0 if math.isnan(call.quality) else min(1000, round(call.quality))
            file.write(f"{call.contig}\t{call.start}\t{call.end}\t{name}\t{score}\n")
    return len(written)


def _line(text: str) -> str:
    return " ".join(str(text).split())
