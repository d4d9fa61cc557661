"""`MotifFile`: what a file of motifs holds, whatever its format; and how one bad motif leaves the others alone.

each motif of a file -> MotifCollection.add, or .skip for one that cannot be read -> .finish -> MotifFile
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from zoo.data.motifs import UNIFORM, Motif
from zoo.errors import DataError

DEFAULT_SITES = 20
"""How many sites a matrix of probabilities is taken to be counted from, where its file does not say."""

TOLERANCE = 0.05
"""By how much the probabilities of a column may miss one: they are rounded, and then normalised."""

LEAST_COUNT = 1.5
"""The least sum of a column of counts that are not whole."""

MAX_MOTIFS = 100_000
MAX_WIDTH = 1_000
_EXACT = 1e-3
_LISTED = 10


@dataclass(frozen=True)
class SkippedMotif:
    """A motif that could not be read.  name: identifier and name.  line: in the file.  why: in words."""

    name: str
    line: int
    why: str


@dataclass(frozen=True)
class MotifFile:
    """What a file of motifs holds.

    motifs: `id` is the identifier, `name` the alternate name (the identifier again where there is none), and
        counts (4, W) are counts of A C G T, or probabilities times the number of sites.
    background: frequencies of A C G T; uniform where the file lacks them.
    strands: "+ -" or "+", "" where the file does not say.
    notes: what was mended or left out, one sentence each.
    skipped: the motifs that were left out.
    format: MEME, JASPAR, TRANSFAC, HOMER, HOCOMOCO, CisBP or plain.
    """

    motifs: list[Motif]
    background: tuple[float, ...] = UNIFORM
    strands: str = ""
    notes: list[str] = field(default_factory=list)
    skipped: list[SkippedMotif] = field(default_factory=list)
    format: str = "MEME"


class BadMotif(ValueError):
    """One motif cannot be read: the line, what stands there, and the remedy."""

    def __init__(self, line: int, what: str, remedy: str):
        super().__init__(f"{what}: {remedy}")
        self.line = line


class MotifCollection:
    """Motifs in the order of their file; `path` is for messages."""

    def __init__(self, path: str | Path, format: str):
        self.path, self.format = path, format
        self.motifs: dict[str, Motif] = {}
        self.notes: list[str] = []
        self.skipped: list[SkippedMotif] = []
        self.normalised = self.counted = self.unsized = self.log_odds = 0
        self._renamed: list[str] = []

    def add(self, id: str, name: str, line: int, counts: np.ndarray) -> None:
        """A motif of counts (4, W); one that is called like another before it gets a number behind its name."""
        if len(self.motifs) >= MAX_MOTIFS:
            self.fail(line, f"more than {MAX_MOTIFS:,} motifs", "split the file")
        own, number = id, 1
        while label_of(own, name) in self.motifs:
            number += 1
            own = f"{id}_{number}"
        if number > 1:
            self._renamed.append(f"{label_of(own, name)!r} of line {line}")
        self.motifs[label_of(own, name)] = Motif(own if name in ("", id) else name, own, counts)

    def skip(self, id: str, name: str, bad: BadMotif) -> None:
        """Leave a motif out, and say so."""
        if len(self.skipped) >= MAX_MOTIFS:
            self.fail(bad.line, f"more than {MAX_MOTIFS:,} motifs that cannot be read", "is it a file of motifs?")
        self.skipped.append(SkippedMotif(label_of(id, name) or f"line {bad.line}", bad.line, str(bad)))

    def counts(self, values: np.ndarray, line: int, sites: float | None) -> np.ndarray:
        """(4, W) numbers of a motif, counts or probabilities, as counts.

        line: of its first column.  sites: how many a matrix of probabilities stands for; None where that is not known.

        Numbers of which each column sums to one are probabilities; others are counts where all are whole or, but for
        MEME's format, which has probabilities, where each column sums to `LEAST_COUNT` or more.

        Raises BadMotif for a column that is empty, or of probabilities that do not sum to one.
        """
        sums = values.sum(0)
        if (sums <= 0).any():
            raise BadMotif(line, f"column {int((sums <= 0).argmax()) + 1} is empty", "every position needs a site")
        off = np.abs(sums - 1)
        counted = (values == np.rint(values)).all() or (self.format != "MEME" and sums.min() >= LEAST_COUNT)
        if off.max() > TOLERANCE and counted:
            self.counted += 1
            return values
        if off.max() > TOLERANCE:
            at = int(off.argmax())
            raise BadMotif(line + at, f"the column sums to {sums[at]:.6g}", "the four probabilities must sum to 1")
        self.normalised += bool(off.max() > _EXACT)
        self.unsized += sites is None
        return values / sums * (sites or DEFAULT_SITES)

    def finish(self, background: Sequence[float] | None = None, strands: str = "") -> MotifFile:
        """The file; DataError, with its line, where no motif could be read."""
        if not self.motifs:
            if self.skipped:
                first = self.skipped[0]
                more = f" ({len(self.skipped)} motifs cannot be read)" if len(self.skipped) > 1 else ""
                raise DataError(f"{self.path} line {first.line}: motif {first.name!r}: {first.why}{more}")
            raise DataError(f"{self.path} holds no motif: give a file with at least one matrix")
        self._count(self.normalised, "have columns that do not sum to one and were normalised")
        if self.format == "MEME":
            self._count(self.counted, "hold counts instead of probabilities and were read as counts")
        self._count(self.unsized, f"do not say nsites and are taken to be of {DEFAULT_SITES} sites")
        self._count(self.log_odds, "are log-odds over equal base frequencies and were turned back into probabilities")
        if self._renamed:
            more = ", ..." if len(self._renamed) > 5 else ""
            self.notes.append(f"motifs called like another one got a number: {', '.join(self._renamed[:5])}{more}")
        for one in self.skipped[:_LISTED]:
            self.notes.append(f"motif {one.name!r}, line {one.line}, is left out: {one.why}")
        if len(self.skipped) > _LISTED:
            self.notes.append(f"{len(self.skipped) - _LISTED} more motifs are left out")
        notes = [f"{self.path}: {note}" for note in self.notes]
        return MotifFile(
            [*self.motifs.values()], tuple(background or UNIFORM), strands, notes, self.skipped, self.format
        )

    def fail(self, line: int, what: str, remedy: str) -> NoReturn:
        """DataError of the whole file, with its line."""
        raise DataError(f"{self.path} line {line}: {what}: {remedy}")

    def _count(self, n: int, what: str) -> None:
        if n:
            self.notes.append(f"{n} of {len(self.motifs)} motifs {what}")


def label_of(id: str, name: str) -> str:
    """Identifier and name, the name left out where it says nothing more.

    >>> label_of("MA0139.2", "CTCF"), label_of("f1", "f1")
    ('MA0139.2 CTCF', 'f1')
    """
    return id if name in ("", id) else f"{id} {name}"
