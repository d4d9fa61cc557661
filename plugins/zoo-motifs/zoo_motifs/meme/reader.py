"""A file in MEME's motif format, line by line -> MotifFile; what had to be mended or left out is in its notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo_motifs.meme.text import Lines, parse_number, parse_numbers, read_motif_lines
from zoo_motifs.motif_collection import MAX_WIDTH, TOLERANCE, BadMotif, MotifCollection, MotifFile

_PAIR = re.compile(r"([a-z]+)\s*=\s*(\S+)", re.IGNORECASE)
_CORE_SYMBOL = re.compile(r'^([A-Za-z])(?:\s+"[^"]*")?(?:\s+[0-9A-Fa-f]{6})?(?:\s*~\s*([A-Za-z])\b.*)?$')
_MOTIF = re.compile(r"MOTIF\b")


def read_meme(path: str | Path) -> MotifFile:
    """Read a MEME file, plain or gzip; keywords in upper or lower case, LF or CRLF.

    A column may miss one by 0.05 (it is normalised, with a note past 0.001); a matrix of whole numbers is read as
    counts, with a note.  A motif without a matrix, or with one that is none, is left out, with a note that names it
    and its line.  Raises DataError naming file and line for another alphabet or background, and for a file of which
    no motif can be read.
    """
    return parse_meme(path, read_motif_lines(path))


def parse_meme(path: str | Path, lines: Lines) -> MotifFile:
    """`read_meme` of lines that were read; path: for messages."""
    return _Reader(path).read(lines)


def is_meme(lines: Lines) -> bool:
    """Whether a line says MEME version, MOTIF or letter-probability matrix."""
    return any(
        re.match(r"meme version|motif\s|(letter-probability|log-odds) matrix", t, re.IGNORECASE) for _, t in lines
    )


@dataclass
class _OpenMotif:
    """The motif that is being read.  broken: nothing more of it is read."""

    id: str
    name: str
    line: int
    done: bool = False
    skipped: bool = False
    broken: bool = False
    counts: np.ndarray | None = None


class _Reader:
    """One pass over the lines; `rows` is not None inside a matrix."""

    def __init__(self, path: str | Path):
        self.path = path
        self.collection = MotifCollection(path, "MEME")
        self.background: tuple[float, ...] | None = None
        self.strands = ""
        self.open: _OpenMotif | None = None
        self.rows: list[list[float]] | None = None
        self.matrix: dict[str, str] = {}
        self.matrix_line = 0
        self.log_odds = False
        self.log_odds_alone: list[str] = []
        self.alphabet: set[str] | None = None
        self.frequencies: list[str] | None = None

    def read(self, lines: Lines) -> MotifFile:
        upper = any(_MOTIF.match(line) for _, line in lines)
        motif = re.compile(r"MOTIF\b(.*)" if upper else r"motif\b(.*)", 0 if upper else re.IGNORECASE)
        if not any(line.lower().startswith("meme version") for _, line in lines):
            self.collection.notes.append("it has no line 'MEME version'")
        for number, line in lines:
            if self.alphabet is not None:
                if line.lower().startswith("end alphabet"):
                    self._alphabet("".join(self.alphabet), number)
                    self.alphabet = None
                elif symbol := _CORE_SYMBOL.match(line):
                    self.alphabet |= {c.upper() for c in symbol.groups() if c}
                continue
            if self.frequencies is not None and line and self._frequencies(line, number, self.frequencies):
                self.frequencies = None if len(self.frequencies) == 8 else self.frequencies
                continue
            if header := motif.match(line):
                # MEME's own text output goes on with `width = 8 sites = 10`.
                self._close()
                self._begin(re.split(r"\swidth\s*=", header[1])[0].split(), number)
                continue
            try:
                self._line(line, number)
            except BadMotif as bad:
                self._drop(bad)
        self._close()
        if self.frequencies:
            self.collection.fail(lines[-1][0], "the background frequencies are cut off", "give A, C, G and T")
        return self._finish()

    def _line(self, line: str, number: int) -> None:
        lower = line.lower()
        if lower.startswith("letter-probability matrix") or lower.startswith("log-odds matrix"):
            self._matrix(line, number, log_odds=lower.startswith("log-odds"))
        elif (numbers := parse_numbers(line)) is not None:
            self._row(numbers, number)
        elif line:
            self._end()
            if lower.startswith("alphabet=") or lower.startswith("alphabet ="):
                self._alphabet(line.partition("=")[2].strip(), number)
            elif re.match(r"alphabet\b", lower) and self.open is None:
                self.alphabet = set()
            elif lower.startswith("strands:"):
                self.strands = " ".join(line[8:].split())
            elif lower.startswith("background letter frequencies"):
                self.frequencies = []

    def _begin(self, words: list[str], number: int) -> None:
        self.open = _OpenMotif(words[0] if words else "", words[1] if len(words) > 1 else "", number)
        if not words:
            self._drop(BadMotif(number, "a MOTIF without a name", "write an identifier behind MOTIF"))

    def _drop(self, bad: BadMotif) -> None:
        """Leave the open motif out, or a matrix without one."""
        opened = self.open = self.open or _OpenMotif("", "", bad.line)
        if not opened.broken:
            self.collection.skip(opened.id, opened.name, bad)
        opened.broken, self.rows = True, None

    def _matrix(self, line: str, number: int, log_odds: bool) -> None:
        self._end()
        if self.open is None:
            raise BadMotif(number, "a matrix without a MOTIF line before it", "name the motif in a line MOTIF")
        if self.open.done and not log_odds:
            raise BadMotif(number, f"a second letter-probability matrix of motif {self.open.id!r}", "name each matrix")
        self.matrix = {k.lower(): v for k, v in _PAIR.findall(line.partition(":")[2])}
        if not log_odds and self._whole("alength", number, 4) != 4:
            raise BadMotif(number, f"alength= {self.matrix['alength']}", "only four columns, A C G T, are read")
        if not log_odds and not 1 <= self._whole("w", number, 1) <= MAX_WIDTH:
            raise BadMotif(number, f"w= {self.matrix['w']}", f"a motif has 1 to {MAX_WIDTH:,} positions")
        self.rows, self.matrix_line, self.log_odds = [], number, log_odds

    def _row(self, numbers: list[float], number: int) -> None:
        if self.rows is None:
            if len(numbers) == 4:
                raise BadMotif(number, "a row of numbers outside a matrix", "put it below a letter-probability line")
            return
        if self.log_odds:
            return
        if len(numbers) != 4:
            raise BadMotif(number, f"{len(numbers)} number(s) in a row", "give four, for A C G T")
        if not all(0 <= x < 1e12 for x in numbers):
            raise BadMotif(number, f"the row {' '.join(map(str, numbers))}", "probabilities lie between 0 and 1")
        if len(self.rows) >= self._whole("w", self.matrix_line, MAX_WIDTH):
            raise BadMotif(number, f"more rows than w= {self.matrix.get('w', MAX_WIDTH)}", "correct w or drop the row")
        self.rows.append(numbers)

    def _end(self) -> None:
        """The end of a matrix."""
        rows, self.rows, motif = self.rows, None, self.open
        if rows is None or motif is None:
            return
        if self.log_odds:
            motif.skipped = True
            return
        width = self._whole("w", self.matrix_line, len(rows))
        if not rows or len(rows) != width:
            raise BadMotif(self.matrix_line, f"{len(rows)} rows below w= {width}", "give one row a position")
        sites = self._real("nsites", self.matrix_line)
        motif.counts = self.collection.counts(np.array(rows).T, self.matrix_line + 1, sites)
        motif.done = True

    def _close(self) -> None:
        """The end of a motif."""
        try:
            self._end()
        except BadMotif as bad:
            self._drop(bad)
        opened, self.open = self.open, None
        if opened is None or opened.broken:
            return
        if opened.counts is not None:
            self.collection.add(opened.id, opened.name, opened.line, opened.counts)
        elif opened.skipped:
            self.log_odds_alone.append(opened.id)
        else:
            bad = BadMotif(opened.line, f"motif {opened.id!r} has no matrix", "give its letter-probability matrix")
            self.collection.skip(opened.id, opened.name, bad)

    def _finish(self) -> MotifFile:
        collection = self.collection
        if not collection.motifs and not collection.skipped:
            raise DataError(
                f"{self.path} holds no letter-probability matrix: give a file in MEME's motif format, with a line "
                "MOTIF and a line 'letter-probability matrix:' for each motif"
            )
        if self.log_odds_alone:
            names = ", ".join(self.log_odds_alone[:5])
            collection.notes.append(f"motifs with log-odds alone are left out: {names}")
        return collection.finish(self.background, self.strands)

    def _alphabet(self, letters: str, number: int) -> None:
        plain = letters.upper().replace("U", "T").strip("\"'")
        if "".join(sorted(plain)) != "ACGT" and plain not in ("DNA", "RNA"):
            self.collection.fail(number, f"the alphabet {letters[:40]!r}", "only motifs over A C G T are read")
        if "U" in letters.upper() or plain == "RNA":
            self.collection.notes.append("U is read as T")

    def _frequencies(self, line: str, number: int, words: list[str]) -> bool:
        """Take `A 0.3 C 0.2 ...`, on one line or several; False where the line is something else."""
        pairs = line.split()
        if len(pairs) % 2 or len(words) + len(pairs) > 8 or pairs[0].upper() not in ("A", "C", "G", "T", "U"):
            if words:
                self.collection.fail(number, "the background frequencies are cut off", "give A, C, G and T")
            return False
        words += pairs
        if len(words) < 8:
            return True
        table = {k.upper().replace("U", "T"): parse_number(v) for k, v in zip(words[::2], words[1::2], strict=True)}
        values = [table.get(base) for base in "ACGT"]
        if any(v is None or not 0 < v < 1 for v in values) or abs(sum(values) - 1) > TOLERANCE:
            self.collection.fail(
                number, f"the background {' '.join(words)[:60]!r}", "give four frequencies that sum to 1"
            )
        self.background = tuple(v / sum(values) for v in values)
        return True

    def _whole(self, key: str, number: int, missing: int) -> int:
        text = self.matrix.get(key)
        if text is None:
            return missing
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            raise BadMotif(number, f"{key}= {text[:20]}", "it must be a whole number")
        return int(text)

    def _real(self, key: str, number: int) -> float | None:
        """A number above 0; None where it is missing or 0, as some programs write what they do not know."""
        text = self.matrix.get(key)
        if text is None:
            return None
        value = parse_number(text)
        if value is None or not 0 <= value < 1e12:
            raise BadMotif(number, f"{key}= {text[:20]}", "it must be a number of sites")
        return value or None
