"""`NearestFeature`: which genes a stretch lies in, the feature nearest to it, and how far that is.

Features -> a sorted index of each contig -> (gene, feature, feature_id, distance) of a stretch
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.features.features import GENE, KINDS, TRANSCRIPT, Features

COLUMNS = ("gene", "feature", "feature_id", "distance")


@dataclass(frozen=True)
class Nearest:
    """gene: names, commas between; feature: one of KINDS, or intron; distance: bp; all None on a contig without any."""

    gene: str | None = None
    feature: str | None = None
    feature_id: str | None = None
    distance: int | None = None

    @property
    def cells(self) -> list[str | int | None]:
        """Of COLUMNS."""
        return [self.gene, self.feature, self.feature_id, self.distance]


class NearestFeature:
    """The features of a genome's contigs, by place.

    notes: what a user should know: contigs that the genome lacks, features beyond a contig's end.
    Raises GenomeMismatch where the genome has no contig of the features.
    """

    def __init__(self, features: Features, genome: Genome):
        self.features, self.genome, self.notes = features, genome, []
        self._names: dict[str, str] = {}
        self._contigs: dict[str, _Contig] = {}
        rows: dict[str, list[np.ndarray]] = {}
        for number, name in enumerate(features.contigs):
            rows.setdefault(self._name(name), []).append(np.flatnonzero(features.contig == number))
        for name, parts in rows.items():
            own = np.concatenate(parts)
            self._contigs[name] = _Contig(features, own[np.lexsort((own, features.end[own], features.start[own]))])
        self._compare()
        self._has_parts = np.zeros(len(features.genes) + 1, np.bool_)
        self._has_parts[features.gene[features.kind < TRANSCRIPT]] = True
        self._has_parts[-1] = False

    def __call__(self, contig: str, start: int, end: int) -> Nearest:
        """What lies nearest to the bases [start, end) of a contig; of an insertion before base `start`, end is start.

        A feature that has one of the bases is at distance 0, an adjacent one at 1; upstream of it, on its own strand,
        is negative.  Of equally near ones the most specific kind counts, then the first.  Their genes are all named,
        that of the feature first.
        """
        index = self._contigs.get(self._name(contig))
        if index is None:
            return Nearest()
        rows, gap = index.nearest(start, end)
        of, first = self.features, int(rows[0])
        names = dict.fromkeys(of.genes[g] for g in of.gene[rows].tolist() if g >= 0)
        strand = int(of.strand[first]) or 1
        sign = strand if start >= of.end[first] else -strand  # behind it, or before it
        kind = KINDS[of.kind[first]]
        if gap == 0 and of.kind[first] in (TRANSCRIPT, GENE) and self._has_parts[of.gene[first]]:
            kind = "intron"
        name = of.ids[of.id[first]] if of.id[first] >= 0 else None
        return Nearest(",".join(names) or None, kind, name, sign * int(gap))

    def _name(self, contig: str) -> str:
        """The genome's name of a contig; its own where the genome has none."""
        if contig not in self._names:
            try:
                self._names[contig] = self.genome.resolve(contig)
            except GenomeMismatch:
                self._names[contig] = contig
        return self._names[contig]

    def _compare(self) -> None:
        """Against the genome: names, and lengths."""
        known = [name for name in self._contigs if name in self.genome.contigs]
        if not known:
            raise GenomeMismatch(
                f"{self.features.path} is of another assembly than genome {self.genome.name!r}: it names the contigs "
                f"{', '.join(list(self._contigs)[:4])}, the genome has {', '.join(list(self.genome.contigs)[:4])}"
            )
        beyond = [name for name in known if self._contigs[name].furthest[-1] > self.genome.contigs[name]]
        if beyond:
            self.notes.append(
                f"{self.features.path} has features beyond the end of {', '.join(beyond[:4])}: "
                f"is it of the assembly of genome {self.genome.name!r}?"
            )


class _Contig:
    """Features of one contig, sorted by start and end."""

    def __init__(self, features: Features, rows: np.ndarray):
        self.rows, self.kind = rows, features.kind[rows]
        self.start, self.end = features.start[rows], features.end[rows]
        self.furthest = np.maximum.accumulate(self.end)
        self.by_end = np.argsort(self.end, kind="stable")
        self.ends = self.end[self.by_end]

    def nearest(self, start: int, end: int) -> tuple[np.ndarray, int]:
        """Rows of the features that are nearest to [start, end), most specific first, and bp to them."""
        first, last = np.searchsorted(self.furthest, start, "right"), np.searchsorted(self.start, end, "left")
        inside = first + np.flatnonzero(self.end[first:last] > start)
        if len(inside):
            return self._sorted(inside), 0
        before, behind = np.searchsorted(self.ends, start, "right"), int(last)
        gaps = []
        if before:
            same = np.searchsorted(self.ends, self.ends[before - 1], "left")
            gaps.append((start - int(self.ends[before - 1]) + 1, self.by_end[same:before]))
        if behind < len(self.start):
            same = np.searchsorted(self.start, self.start[behind], "right")
            gaps.append((int(self.start[behind]) - end + 1, np.arange(behind, same)))
        gap = min(g for g, _ in gaps)
        return self._sorted(np.concatenate([r for g, r in gaps if g == gap])), gap

    def _sorted(self, chosen: np.ndarray) -> np.ndarray:
        chosen = np.sort(chosen)
        return self.rows[chosen[np.argsort(self.kind[chosen], kind="stable")]]
