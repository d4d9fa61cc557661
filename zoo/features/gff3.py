"""Which gene a line of GFF3 belongs to: exon -> Parent -> Parent -> gene, in whatever order the lines come."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import numpy as np

from zoo.features.features import GENE, TRANSCRIPT, FeatureTable

_ID, _PARENT, _NAME, _TRANSCRIPT, _GENE = (
    re.compile(rb"(?:^|;)\s*%s=([^;]*)" % key) for key in (b"ID", b"Parent", b"Name", b"transcript_id", b"gene_id")
)
_PREFIX = re.compile(rb"^(?:gene|transcript|rna)[:-]")
_DEEPEST = 10


class Family:
    """The lines of one file, of which `finish` knows the genes."""

    def __init__(self, table: FeatureTable):
        self.table = table
        self._above: dict[bytes, bytes] = {}
        self._names: dict[bytes, bytes] = {}
        self._ids: dict[bytes, bytes] = {}

    def add(self, contig: bytes, start: int, end: int, strand: int, kind: int | None, attributes: bytes) -> None:
        """One line; of a kind that is passed over (None) only its parent is kept.  For each parent one feature."""
        own, parents = _value(_ID, attributes), _value(_PARENT, attributes)
        above = parents.split(b",")
        if own and kind in (None, GENE, TRANSCRIPT):
            self._above.setdefault(own, above[0])
            if kind is not None:
                self._names.setdefault(own, unquote_to_bytes(_value(_NAME, attributes) or _PREFIX.sub(b"", own)))
                name = _value(_GENE if kind == GENE else _TRANSCRIPT, attributes)
                self._ids.setdefault(own, name or _PREFIX.sub(b"", own))
        if kind is None:
            return
        for parent in [own or parents] if kind in (GENE, TRANSCRIPT) else above:
            number = self.table.ids.number(parent or own)
            self.table.add(contig, start, end, strand, kind, -1, number)

    def finish(self) -> None:
        """Give every feature its gene, and identifiers without their prefixes."""
        table, genes = self.table, []
        for number, key in enumerate(table.ids.numbers):
            top = self._top(key)
            genes.append(table.genes.number(top))
            table.genes.shown[genes[-1]] = self._names.get(top) or _PREFIX.sub(b"", top)
            table.ids.shown[number] = self._ids.get(key) or _PREFIX.sub(b"", key)
        rows = table.rows
        rows[:, 5] = np.array([*genes, -1], np.int64)[rows[:, 6]]

    def _top(self, key: bytes) -> bytes:
        """The feature above all others."""
        for _ in range(_DEEPEST):
            above = self._above.get(key)
            if not above:
                return key
            key = above
        return key


def _value(key: re.Pattern[bytes], attributes: bytes) -> bytes:
    match = key.search(attributes)
    return match[1].strip() if match else b""
