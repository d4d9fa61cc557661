"""Motifs as a header and rows of numbers: JASPAR, HOMER, HOCOMOCO, CisBP, and a bare matrix.

    >MA0004.1 Arnt            >AHR_HUMAN.H11MO.0.B      Pos  A    C    G    T        4  19   0
    A [  4 19  0 ]            40.5  18.2  56.4  38.7    1    0.1  0.7  0.1  0.1     16   0  20
    C [ 16  0 20 ]            10.8  11.8  34.6  96.5    2    0.9  0.0  0.1  0.0      0   1   0
    ...                       ...                       ...                         ...

Rows are bases where they are labelled so, or where there are four of another width than four; positions where a line
says A C G T, or where each has four numbers and there are not four of them.  Four rows of four numbers are what the
other motifs of the file are, else what their sums say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo_motifs.meme.text import Lines, parse_number, parse_numbers
from zoo_motifs.motif_collection import MAX_WIDTH, TOLERANCE, BadMotif, MotifCollection, MotifFile

_LABELLED = re.compile(r"([ACGTUacgtu])\s*[:|]?\s*\[?\s*([^\[\]]*?)\s*\]?")
_LETTERS = re.compile(r"(?:(pos)\s+)?([A-Za-z](?:\s+[A-Za-z]){2,})", re.IGNORECASE)
_CISBP = re.compile(r"(TF[ _]Name|TF_ID|TF_Species|TF|Gene|Motif_ID|Motif|Family_Name|Family|Species)\s+(\S.*)")


@dataclass
class _Block:
    """A header and the rows below it.

    letters: the bases of the columns, where a line says them.  indexed: whether a row begins with its number.
    rna: whether it says U.  labelled: {base: numbers}.  rows: line and numbers of every row without a label.
    bad: what is wrong with it.
    """

    id: str
    name: str
    line: int
    homer: bool = False
    letters: str = ""
    indexed: bool = False
    rna: bool = False
    labelled: dict[str, list[float]] = field(default_factory=dict)
    rows: list[tuple[int, list[float]]] = field(default_factory=list)
    bad: BadMotif | None = None

    @property
    def orientation(self) -> str:
        """What a row is: base or position; "" where that cannot be told."""
        if self.labelled:
            return "base"
        fours = all(len(numbers) == 4 for _, numbers in self.rows)
        if self.letters or self.homer or (fours and len(self.rows) != 4):
            return "position"
        return "" if fours else "base"


def parse_blocks(path: str | Path, lines: Lines) -> MotifFile:
    """The motifs of lines that were read; path: for messages, and the name of a matrix without one."""
    blocks = _split(Path(path), lines)
    known = {b.orientation for b in blocks if not b.bad} - {""}
    usual = known.pop() if len(known) == 1 else ""
    collection = MotifCollection(path, _name_format(blocks, usual))
    for block in blocks:
        try:
            if block.bad:
                raise block.bad
            values, line = _matrix(block, usual)
            if (values < 0).any():
                values = _from_log_odds(values, line)
                collection.log_odds += 1
            counts = collection.counts(values, line, None)
            collection.add(block.id, block.name, block.line, counts)
        except BadMotif as bad:
            collection.skip(block.id, block.name, bad)
    what = "a bare matrix" if collection.format == "plain" else f"{collection.format}'s format"
    collection.notes.append(f"it is read as {what}")
    if any(b.rna for b in blocks):
        collection.notes.append("U is read as T")
    return collection.finish()


def _split(path: Path, lines: Lines) -> list[_Block]:
    blocks: list[_Block] = []
    stem = path.name.partition(".")[0] or "motif"
    for number, text in lines:
        if not text or text.startswith("#"):
            continue
        opened = blocks[-1] if blocks else None
        letters, described = _LETTERS.fullmatch(text), _CISBP.fullmatch(text)
        if text.startswith(">"):
            blocks.append(_header(text[1:], number, f"{stem}_{len(blocks) + 1}"))
        elif described or letters:
            if opened is None or opened.letters or opened.rows or opened.labelled:
                opened = _Block(stem if not blocks else f"{stem}_{len(blocks) + 1}", "", number)
                blocks.append(opened)
            if letters:
                _take_letters(opened, letters, number)
            elif described and described[1].startswith("Motif"):
                opened.id = described[2]
            elif described and described[1] in ("TF Name", "TF_Name"):
                opened.name = described[2]
        else:
            if opened is None:
                opened = _Block(stem, "", number)
                blocks.append(opened)
            _take_row(opened, text, number, path, named=bool(blocks[0].line != number or len(blocks) > 1))
    return blocks


def _header(text: str, number: int, otherwise: str) -> _Block:
    """A block by what stands behind its >."""
    cells = [cell.strip() for cell in text.split("\t")]
    if len(cells) > 2 and cells[1] and parse_number(cells[2]) is not None:
        return _Block(cells[1].partition(",BestGuess")[0], "", number, homer=True)
    words = text.split(None, 1)
    return _Block(words[0] if words else otherwise, words[1].strip() if len(words) > 1 else "", number)


def _take_letters(block: _Block, letters: re.Match, number: int) -> None:
    bases = "".join(letters[2].split()).upper()
    block.rna |= "U" in bases
    bases = bases.replace("U", "T")
    if sorted(bases) != list("ACGT"):
        block.bad = block.bad or BadMotif(number, f"the letters {letters[2][:60]!r}", "only A C G T are read")
        bases = "ACGT"
    block.letters, block.indexed = bases, letters[1] is not None


def _take_row(block: _Block, text: str, number: int, path: Path, named: bool) -> None:
    label = _LABELLED.fullmatch(text)
    numbers = parse_numbers(label[2] if label else text)
    if label and numbers is None and not label[2].strip():
        numbers = []
    if numbers is None:
        if not named:
            raise DataError(f"{path} line {number} is {text[:40]!r}, no row of numbers: is it a file of motifs?")
        block.bad = block.bad or BadMotif(number, f"the line {text[:40]!r}", "a matrix has rows of numbers")
    elif label:
        block.rna |= label[1] in "Uu"
        base = label[1].upper().replace("U", "T")
        if base in block.labelled:
            block.bad = block.bad or BadMotif(number, f"a second row {base}", "begin each motif with > and its name")
        block.labelled[base] = numbers
    else:
        block.rows.append((number, numbers))
    if any(not (x == -np.inf or abs(x) < 1e12) for x in numbers or ()):
        block.bad = block.bad or BadMotif(number, f"the row {text[:40]!r}", "give counts or probabilities")
    if len(block.rows) > MAX_WIDTH or len(numbers or ()) > MAX_WIDTH:
        block.bad = block.bad or BadMotif(number, f"more than {MAX_WIDTH:,} positions", "is it a motif?")
        block.rows.clear()


def _matrix(block: _Block, usual: str) -> tuple[np.ndarray, int]:
    """(4, W) numbers in the order A C G T, and the line of the first row; BadMotif where there is none."""
    if block.labelled:
        widths = {len(numbers) for numbers in block.labelled.values()}
        if block.rows or len(block.labelled) < 4 or len(widths) > 1 or widths == {0}:
            sizes = ", ".join(f"{base} {len(numbers)}" for base, numbers in block.labelled.items())
            raise BadMotif(block.line, f"rows of {sizes} numbers", "give A, C, G and T alike")
        values, line = np.array([block.labelled[base] for base in "ACGT"]), block.line + 1
    elif not block.rows:
        raise BadMotif(block.line, f"motif {block.id!r} has no matrix", "give its rows")
    else:
        line, rows = block.rows[0][0], [numbers[block.indexed :] for _, numbers in block.rows]
        if block.indexed and [numbers[:1] for _, numbers in block.rows] != [[i] for i in range(1, len(rows) + 1)]:
            raise BadMotif(line, "positions that do not count 1, 2, 3 ...", "complete the matrix")
        widths = {len(numbers) for numbers in rows}
        orientation = block.orientation or usual or _told_by_sums(rows, block.line)
        if (
            len(widths) > 1
            or (orientation == "position" and widths != {4})
            or (orientation == "base" and len(rows) != 4)
        ):
            shape = f"{len(rows)} rows of {' or '.join(map(str, sorted(widths)))} numbers"
            raise BadMotif(block.line, shape, "give four rows, for A C G T, or four numbers a row")
        values = np.array(rows)
        if orientation == "position":
            values = values[:, [(block.letters or "ACGT").index(base) for base in "ACGT"]].T
    return values, line


def _told_by_sums(rows: list[list[float]], line: int) -> str:
    """What the rows of four rows of four numbers are: positions sum to the same, and so do bases' columns."""
    values = np.array(rows)
    even = {"position": values.sum(1), "base": values.sum(0)} if np.isfinite(values).all() else {}
    fits = [name for name, sums in even.items() if np.ptp(sums) <= TOLERANCE * max(np.abs(sums).max(), 1e-12)]
    if len(fits) != 1:
        raise BadMotif(line, "four rows of four numbers, bases or positions", "label the rows A, C, G and T")
    return fits[0]


def _from_log_odds(values: np.ndarray, line: int) -> np.ndarray:
    """Probabilities (4, W) of log-odds over equal base frequencies; BadMotif for others."""
    with np.errstate(over="ignore"):
        for p in (np.exp(values) / 4, np.exp2(values) / 4):
            if np.abs(p.sum(0) - 1).max() <= TOLERANCE / 5:
                return p / p.sum(0)
    raise BadMotif(
        line, "numbers below 0, log-odds whose background is not known", "give counts or probabilities (.pcm, .pfm)"
    )


def _name_format(blocks: list[_Block], usual: str) -> str:
    if any(b.homer for b in blocks):
        return "HOMER"
    if any(b.indexed for b in blocks):
        return "CisBP"
    if any(b.labelled for b in blocks) or usual == "base":
        return "JASPAR"
    return "HOCOMOCO" if len(blocks) > 1 or (blocks and not blocks[0].letters) else "plain"
