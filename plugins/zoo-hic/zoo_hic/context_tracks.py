"""Epigenomic context by bin: how many intervals of a BED file begin in each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoo.data.aliases import find
from zoo.data.intervals import read_intervals
from zoo.errors import DataError


def read_tracks(paths: Mapping[str, str | Path], bins: Mapping[str, int], bin_size: int) -> dict[str, np.ndarray]:
    """{contig: (A, T) float32} log(1 + intervals that begin in the bin), one row a file.

    bins: {contig: T}; contigs of the files are matched by alias, and those that are not here are left out.
    Raises DataError for a file without an interval on any contig.
    """
    out = {contig: np.zeros((len(paths), n), np.float32) for contig, n in bins.items()}
    for row, (name, path) in enumerate(paths.items()):
        intervals = read_intervals(path)
        names, codes = np.unique(np.asarray(intervals.chrom, object).astype(str), return_inverse=True)
        place = [contig if contig in bins else find(contig, bins) for contig in names]
        hits = 0
        for code, contig in enumerate(place):
            if contig is None:
                continue
            at = np.asarray(intervals.start)[codes == code] // bin_size
            at = at[at < bins[contig]]
            np.add.at(out[contig][row], at, 1)
            hits += len(at)
        if not hits:
            raise DataError(
                f"track {name}, {path}, has no interval on {', '.join(list(bins)[:4])}: is it of this genome?"
            )
    return {contig: np.log1p(values) for contig, values in out.items()}
