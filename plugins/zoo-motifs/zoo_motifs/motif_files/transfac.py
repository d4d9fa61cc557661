"""TRANSFAC's format, as TRANSFAC, JASPAR, RSAT and STAMP write it: records of two-letter codes that end with //.

AC  MA0004.1            identifier; without it ID, else DE
ID  Arnt                name; NA where there is one
P0      A   C   G   T   PO in old files
01      4  16   0   0   N
//
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from zoo_motifs.meme.text import Lines, parse_number
from zoo_motifs.motif_collection import MAX_WIDTH, BadMotif, MotifCollection, MotifFile

_CODE = re.compile(r"([A-Z][A-Z0])(?:\s+(.*))?")
_BEGINS = re.compile(r"(AC|ID|DE)\s")
_ROW = re.compile(r"(\d{1,4})\s+(.*)")


def is_transfac(lines: Lines) -> bool:
    """Whether a line says P0 or PO and the letters, or the records are told apart by XX or //."""
    texts = [text for _, text in lines]
    if any(re.match(r"P[0O]\s+\S", text) for text in texts):
        return True
    return any(text in ("XX", "//") for text in texts) and any(re.match(r"(AC|ID|DE|NA)\s", text) for text in texts)


def parse_transfac(path: str | Path, lines: Lines) -> MotifFile:
    """The motifs of lines that were read; path: for messages."""
    collection = MotifCollection(path, "TRANSFAC")
    record = _Record()
    for number, text in [*lines, (len(lines) + 1, "//")]:
        if text.startswith("//"):
            record.close(collection)
            record = _Record()
        elif text:
            if record.rows and _BEGINS.match(text):  # STAMP ends its records with XX alone
                record.close(collection)
                record = _Record()
            record.line = record.line or number
            try:
                record.take(text, number)
            except BadMotif as bad:
                record.bad = record.bad or bad
    collection.notes.append("it is read as TRANSFAC's format")
    return collection.finish()


class _Record:
    """What stands before one //."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.letters, self.rows = "ACGT", []
        self.line = self.first = self.last = 0
        self.bad: BadMotif | None = None

    def take(self, text: str, number: int) -> None:
        """One line."""
        if row := _ROW.fullmatch(text):
            numbers = [parse_number(word) for word in row[2].split()[:4]]
            if len(numbers) < 4 or any(x is None or not 0 <= x < 1e12 for x in numbers):
                raise BadMotif(number, f"the row {text[:40]!r}", "give a number from 0 on for each of A C G T")
            if len(self.rows) >= MAX_WIDTH:
                raise BadMotif(number, f"more than {MAX_WIDTH:,} positions", "is it a motif?")
            if self.rows and int(row[1]) != self.last + 1:
                raise BadMotif(number, f"position {row[1]} after {self.last}", "complete the matrix")
            self.first, self.last = self.first or number, int(row[1])
            self.rows.append(numbers)
        elif code := _CODE.fullmatch(text):
            if code[1] in ("P0", "PO"):
                self._header(code[2] or "", number)
            elif code[1] != "XX" and code[2]:
                self.fields.setdefault(code[1], code[2].strip())
        elif self.rows:
            raise BadMotif(number, f"the line {text[:40]!r}", "a matrix has numbered rows")

    def _header(self, text: str, number: int) -> None:
        letters = "".join(text.split()).upper().replace("U", "T")
        if sorted(letters) != list("ACGT"):
            raise BadMotif(number, f"the letters {text[:60]!r}", "only motifs over A C G T are read")
        if self.rows:
            raise BadMotif(number, "a second matrix in one record", "end each record with //")
        self.letters = letters

    def close(self, collection: MotifCollection) -> None:
        """The end of the record."""
        described = (self.fields.get("DE") or "").split(None, 1)
        names = [self.fields.get("AC"), self.fields.get("ID"), *described[:1]]
        id = next((name for name in names if name), "")
        name = self.fields.get("NA") or self.fields.get("ID") or " ".join(described[1:])
        if not id and not self.rows and not self.bad:
            return  # the version of the table
        id = id or f"line_{self.line}"
        try:
            if self.bad:
                raise self.bad
            if not self.rows:
                raise BadMotif(self.line, f"motif {id!r} has no matrix", "give its rows below P0 A C G T")
            values = np.array(self.rows, np.float64).T[[self.letters.index(base) for base in "ACGT"]]
            counts = collection.counts(values, self.first, None)
            collection.add(id, name, self.line, counts)
        except BadMotif as bad:
            collection.skip(id, name, bad)
