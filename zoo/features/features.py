"""`Features`: genes, transcripts, exons and the like in columns.

lines of GTF, GFF3 or BED -> FeatureTable (row by row) -> Features (sorted, each once)
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

KINDS = ("CDS", "five_prime_UTR", "three_prime_UTR", "UTR", "exon", "transcript", "gene", "interval")
"""What a feature is, the most specific first."""
CDS, FIVE_PRIME, THREE_PRIME, UTR, EXON, TRANSCRIPT, GENE, INTERVAL = range(len(KINDS))


@dataclass(frozen=True, eq=False)
class Features:
    """n features, sorted by contig, start, end and kind; each once for a gene, whatever number of transcripts has it.

    contig: (n,) place in `contigs`.  start, end: (n,) int64, 0-based half-open.  strand: (n,) 1, -1, or 0 for none.
    kind: (n,) place in KINDS.  gene: (n,) place in `genes`, -1 for none.
    id: (n,) place in `ids`: of its transcript, its gene, or the name in BED; -1 for none.
    contigs: names as in the file.  format: GTF, GFF3 or BED.
    """

    contig: np.ndarray
    start: np.ndarray
    end: np.ndarray
    strand: np.ndarray
    kind: np.ndarray
    gene: np.ndarray
    id: np.ndarray
    contigs: list[str]
    genes: list[str]
    ids: list[str]
    path: str = ""
    format: str = ""

    def __len__(self) -> int:
        return len(self.start)


@dataclass
class Names:
    """Keys to numbers, in the order in which they come first.  shown: what a number reads as, if not as its key."""

    numbers: dict[bytes, int] = field(default_factory=dict)
    shown: dict[int, bytes] = field(default_factory=dict)

    def number(self, key: bytes) -> int:
        """The number of a key; -1 for an empty one."""
        return self.numbers.setdefault(key, len(self.numbers)) if key else -1

    def texts(self) -> list[str]:
        """What all of them read as, by number."""
        texts = (self.shown.get(i, key) for i, key in enumerate(self.numbers))
        return [text.decode("utf-8", "backslashreplace") for text in texts]


class FeatureTable:
    """Features as they are read."""

    def __init__(self):
        self.contigs, self.genes, self.ids = Names(), Names(), Names()
        self._rows = array("q")
        self._has_transcripts, self._gene = False, -1
        self._of_gene: set[tuple] = set()

    def __len__(self) -> int:
        return len(self._rows) // 7

    @property
    def rows(self) -> np.ndarray:
        """(n, 7) int64, written through: contig, start, end, strand, kind, gene, id."""
        return np.frombuffer(self._rows, np.int64).reshape(-1, 7) if self._rows else np.zeros((0, 7), np.int64)

    def add(self, contig: bytes, start: int, end: int, strand: int, kind: int, gene: int, of: int) -> None:
        """One feature; positions 0-based half-open, gene and `of` as numbers of `genes` and `ids`."""
        number = self.contigs.number(contig)
        self._has_transcripts = self._has_transcripts or kind >= TRANSCRIPT
        if gene >= 0 and self._has_transcripts:  # else the exons of each transcript are needed for its ends
            if gene != self._gene:
                self._gene = gene
                self._of_gene.clear()
            key = (start, end, kind, number)
            if key in self._of_gene:
                return
            self._of_gene.add(key)
        self._rows.extend((number, start, end, strand, kind, gene, of))

    def features(self, path: str, format: str) -> Features:
        """All of them, sorted, each once."""
        rows = self.rows if self._has_transcripts else _with_transcripts(self.rows)
        keys = rows[:, [0, 1, 2, 4, 5]]
        order = np.lexsort(keys.T[::-1])
        keys = keys[order]
        first = np.append(True, (keys[1:] != keys[:-1]).any(1))[: len(order)]
        columns = np.ascontiguousarray(rows[order[first]].T)
        return Features(*columns, self.contigs.texts(), self.genes.texts(), self.ids.texts(), path, format)


def _with_transcripts(rows: np.ndarray) -> np.ndarray:
    """Of a file that has exons alone: a transcript from the first to the last of each, by contig and identifier."""
    named = rows[rows[:, 6] >= 0]
    _, first, row = np.unique(named[:, [0, 6]], axis=0, return_index=True, return_inverse=True)
    whole = named[first]
    np.minimum.at(whole[:, 1], row.reshape(-1), named[:, 1])
    np.maximum.at(whole[:, 2], row.reshape(-1), named[:, 2])
    whole[:, 4] = TRANSCRIPT
    return np.concatenate([rows, whole])
