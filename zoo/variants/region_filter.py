"""Which records of variants lie in the intervals that a run is limited to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo.data.genome import Genome
from zoo.data.intervals import Intervals, read_intervals
from zoo.data.region import parse_region
from zoo.errors import ConfigError, GenomeMismatch
from zoo.files.pipes import is_pipe
from zoo.variants.variants import Record

Regions = str | Path | Intervals | Sequence[tuple[str, int, int]] | Sequence[str | Path]
"""A BED file or a list of intervals; regions as one types them, "chr20:1,001-1,200" (1-based), several with commas
between, or a contig's name; several of these; a file's intervals; or (chrom, start, end), 0-based half-open."""


class RegionFilter:
    """Intervals, merged, by contig; what the genome lacks is named in `notes`."""

    def __init__(self, source: Regions, genome: Genome, notes: list[str]):
        self.genome = genome
        self.names: dict[str, str] = {}
        by_contig: dict[str, list[tuple[int, int]]] = {}
        for chrom, start, end in _spans(source, genome, notes):
            by_contig.setdefault(self._name(chrom), []).append((start, end))
        self.merged = {name: _merge(spans) for name, spans in by_contig.items()}
        unknown = [name for name in by_contig if name not in genome.contigs]
        if unknown:
            notes.append(f"regions lie on contigs that genome {genome.name!r} lacks: {', '.join(unknown[:4])}")

    def within(self, records: list[Record]) -> list[Record]:
        """Records whose REF overlaps an interval, and malformed ones."""
        return [r for r, kept in zip(records, self.mask(records).tolist(), strict=True) if kept]

    def mask(self, records: list[Record]) -> np.ndarray:
        """(n,) bool: the records that `within` keeps."""
        keep = np.array([bool(r[7]) for r in records], np.bool_)
        pos = np.array([r[3] for r in records], np.int64)
        end = pos + np.array([len(r[5]) for r in records], np.int64)
        names = np.array([self._name(r[2]) for r in records], object)
        for name in dict.fromkeys(names.tolist()):
            if name in self.merged:
                rows = np.flatnonzero(names == name)
                starts, ends = self.merged[name]
                last = np.searchsorted(starts, end[rows]) - 1
                keep[rows] |= (last >= 0) & (ends[last] > pos[rows])
        return keep

    def near(self, chrom: str, reach: int) -> list[tuple[int, int]]:
        """Stretches, sorted and apart, that are within `reach` bp of an interval of a contig, named as in a file."""
        starts, ends = self.merged.get(self._name(chrom), ((), ()))
        wide = [(max(0, int(a) - reach), int(b) + reach) for a, b in zip(starts, ends, strict=True)]
        return list(zip(*(x.tolist() for x in _merge(wide)), strict=True)) if wide else []

    def _name(self, chrom: str) -> str:
        if chrom not in self.names:
            try:
                self.names[chrom] = self.genome.resolve(chrom)
            except GenomeMismatch:
                self.names[chrom] = chrom
        return self.names[chrom]


def _spans(source: Regions, genome: Genome, notes: list[str]) -> Iterator[tuple[str, int, int]]:
    for part in [source] if isinstance(source, (str, Path, Intervals)) else source:
        if isinstance(part, str) and not is_pipe(part) and not Path(part).expanduser().exists():
            yield from _typed(part, genome)
        elif isinstance(part, (str, Path, Intervals)):
            intervals = part if isinstance(part, Intervals) else read_intervals(part, columns=3)
            notes += [note for note in intervals.notes if "count from 1" in note]
            intervals = intervals.select(intervals.ok & (intervals.end > intervals.start))
            yield from zip(intervals.chrom, intervals.start.tolist(), intervals.end.tolist(), strict=True)
        else:
            yield part


def _typed(text: str, genome: Genome) -> Iterator[tuple[str, int, int]]:
    """Regions, from 1, and whole contigs, with commas, semicolons or blanks between; numbers may have commas too."""
    marks = r"[;\s]+|,(?=[^0-9])|,(?=[^,\s]*:)" if ":" in text else r"[,;\s]+"
    for part in filter(None, re.split(marks, text.strip())):
        if ":" in part and part not in genome.contigs:
            yield parse_region(part)
            continue
        try:
            name = genome.resolve(part)
        except GenomeMismatch as error:
            raise ConfigError(
                f"regions {text[:60]!r} is no file, and {part[:60]!r} neither a region, as in chr20:1,001-1,200, nor a "
                f"contig: {error}"
            ) from None
        yield name, 0, genome.contigs[name]


def _merge(spans: Iterable[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    starts, ends = np.array(merged, np.int64).T
    return starts, ends
