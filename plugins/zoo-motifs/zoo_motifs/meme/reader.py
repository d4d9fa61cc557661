"""A file in MEME's motif format, line by line -> MemeFile; what had to be mended is in its notes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from zoo.data.motifs import UNIFORM, Motif
from zoo.errors import DataError
from zoo_motifs.meme.text import parse_number, parse_numbers, read_meme_lines
from zoo_motifs.meme.writer import label

DEFAULT_SITES = 20
"""What the format takes where `nsites` is missing."""

_MAX_MOTIFS = 100_000
_MAX_WIDTH = 1_000
_EXACT, _TOLERANCE = 1e-3, 0.05
_PAIR = re.compile(r"([a-z]+)\s*=\s*(\S+)", re.IGNORECASE)
_CORE_SYMBOL = re.compile(r'^([A-Za-z])(?:\s+"[^"]*")?(?:\s+[0-9A-Fa-f]{6})?(?:\s*~\s*([A-Za-z])\b.*)?$')


@dataclass(frozen=True)
class MemeFile:
    """What a MEME file holds.

    motifs: `id` is the identifier, `name` the alternate name (the identifier again where there is none), and
        counts (4, W) are the probabilities times `nsites`.
    background: frequencies of A C G T; uniform where the file lacks them.
    strands: "+ -" or "+", "" where the file lacks the line.
    notes: what was mended or passed over, one sentence each.
    """

    motifs: list[Motif]
    background: tuple[float, ...] = UNIFORM
    strands: str = ""
    notes: list[str] = field(default_factory=list)


def read_meme(path: str | Path) -> MemeFile:
    """Read a MEME file, plain or gzip; keywords in upper or lower case, LF or CRLF.

    A column may miss one by 0.05 (it is normalised, with a note past 0.001); a matrix of whole numbers is read as
    counts, with a note.  Raises DataError naming file and line for anything else that is no motif over A C G T,
    for two motifs with one name, and for a file without any motif.
    """
    return _Reader(path).read()


@dataclass
class _OpenMotif:
    """The motif that is being read."""

    id: str
    name: str
    line: int
    done: bool = False
    skipped: bool = False


class _Reader:
    """One pass over the lines; `rows` is not None inside a matrix."""

    def __init__(self, path: str | Path):
        self.path = path
        self.motifs: dict[str, tuple[Motif, int]] = {}
        self.notes: list[str] = []
        self.background: tuple[float, ...] | None = None
        self.strands = ""
        self.open: _OpenMotif | None = None
        self.rows: list[list[float]] | None = None
        self.matrix: dict[str, str] = {}
        self.matrix_line = 0
        self.log_odds = False
        self.normalised = self.counted = self.unsized = 0
        self.skipped: list[str] = []

    def read(self) -> MemeFile:
        lines = read_meme_lines(self.path)
        upper = any(re.match(r"MOTIF\b", line) for _, line in lines)
        motif = re.compile(r"MOTIF\b(.*)" if upper else r"motif\b(.*)", 0 if upper else re.IGNORECASE)
        if not any(line.lower().startswith("meme version") for _, line in lines):
            self.notes.append("it has no line 'MEME version'")
        alphabet: set[str] | None = None
        background: list[str] | None = None
        for number, line in lines:
            lower = line.lower()
            if alphabet is not None:
                if lower.startswith("end alphabet"):
                    self._alphabet("".join(alphabet), number)
                    alphabet = None
                elif symbol := _CORE_SYMBOL.match(line):
                    alphabet |= {c.upper() for c in symbol.groups() if c}
                continue
            if background is not None and line and self._frequencies(line, number, background):
                background = None if len(background) == 8 else background
                continue
            if header := motif.match(line):
                # MEME's own text output goes on with `width = 8 sites = 10`.
                self._begin(re.split(r"\swidth\s*=", header[1])[0].split(), number)
            elif lower.startswith("letter-probability matrix") or lower.startswith("log-odds matrix"):
                self._matrix(line, number, log_odds=lower.startswith("log-odds"))
            elif (numbers := parse_numbers(line)) is not None:
                self._row(numbers, number)
            elif line:
                self._end()
                if lower.startswith("alphabet=") or lower.startswith("alphabet ="):
                    self._alphabet(line.partition("=")[2].strip(), number)
                elif re.match(r"alphabet\b", lower) and self.open is None:
                    alphabet = set()
                elif lower.startswith("strands:"):
                    self.strands = " ".join(line[8:].split())
                elif lower.startswith("background letter frequencies"):
                    background = []
        self._close()
        if background:
            self._fail(lines[-1][0], "the background frequencies are cut off", "give A, C, G and T")
        return self._finish()

    def _begin(self, words: list[str], number: int) -> None:
        self._close()
        if not words:
            self._fail(number, "a MOTIF without a name", "write an identifier behind MOTIF")
        if len(self.motifs) >= _MAX_MOTIFS:
            self._fail(number, f"more than {_MAX_MOTIFS:,} motifs", "split the file")
        self.open = _OpenMotif(words[0], words[1] if len(words) > 1 else words[0], number)

    def _matrix(self, line: str, number: int, log_odds: bool) -> None:
        self._end()
        if self.open is None:
            self._fail(number, "a matrix without a MOTIF line before it", "name the motif in a line MOTIF")
        if self.open.done and not log_odds:
            self._fail(number, f"a second letter-probability matrix of motif {self.open.id!r}", "name each matrix")
        self.matrix = {k.lower(): v for k, v in _PAIR.findall(line.partition(":")[2])}
        if not log_odds and self._whole("alength", number, 4) != 4:
            self._fail(number, f"alength= {self.matrix['alength']}", "only matrices of four columns, A C G T, are read")
        if not log_odds and not 1 <= self._whole("w", number, 1) <= _MAX_WIDTH:
            self._fail(number, f"w= {self.matrix['w']}", f"a motif has 1 to {_MAX_WIDTH:,} positions")
        self.rows, self.matrix_line, self.log_odds = [], number, log_odds

    def _row(self, numbers: list[float], number: int) -> None:
        if self.rows is None:
            if len(numbers) == 4:
                self._fail(number, "a row of numbers outside a matrix", "put it below a letter-probability line")
            return
        if self.log_odds:
            return
        if len(numbers) != 4:
            self._fail(number, f"{len(numbers)} number(s) in a row", "give four, for A C G T")
        if not all(0 <= x < 1e12 for x in numbers):
            self._fail(number, f"the row {' '.join(map(str, numbers))}", "probabilities lie between 0 and 1")
        if len(self.rows) >= self._whole("w", self.matrix_line, _MAX_WIDTH):
            self._fail(number, f"more rows than w= {self.matrix.get('w', _MAX_WIDTH)}", "correct w or drop the row")
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
            self._fail(self.matrix_line, f"{len(rows)} rows below w= {width}", "give one row a position")
        values = np.array(rows).T
        found = Motif(motif.name, motif.id, self._counts(values))
        if (name := label(found)) in self.motifs:
            again = f"motif {name!r} again, after line {self.motifs[name][1]}"
            self._fail(motif.line, again, "give each motif a name of its own")
        self.motifs[name] = found, motif.line
        motif.done = True

    def _counts(self, values: np.ndarray) -> np.ndarray:
        """(4, W) as the rows hold it -> counts."""
        sums = values.sum(0)
        off = np.abs(sums - 1)
        where = self.matrix_line + 1 + int(off.argmax())
        if (values == np.rint(values)).all() and off.max() > _TOLERANCE:
            if (sums == 0).any():
                self._fail(self.matrix_line, "a column without any count", "every position needs a site")
            self.counted += 1
            return values
        if off.max() > _TOLERANCE:
            self._fail(where, f"the column sums to {sums[off.argmax()]:.6g}", "the four probabilities must sum to 1")
        self.normalised += bool(off.max() > _EXACT)
        sites = self._real("nsites", self.matrix_line)
        self.unsized += sites is None
        return values / sums * (sites or DEFAULT_SITES)

    def _close(self) -> None:
        """The end of a motif."""
        self._end()
        opened, self.open = self.open, None
        if opened is None or opened.done:
            return
        if not opened.skipped:
            self._fail(opened.line, f"motif {opened.id!r} has no matrix", "give its letter-probability matrix")
        self.skipped.append(opened.id)

    def _finish(self) -> MemeFile:
        if not self.motifs:
            raise DataError(
                f"{self.path} holds no letter-probability matrix: give a file in MEME's motif format, with a line "
                "MOTIF and a line 'letter-probability matrix:' for each motif"
            )
        self._count(self.normalised, "have columns that do not sum to one and were normalised")
        self._count(self.counted, "hold counts instead of probabilities and were read as counts")
        self._count(self.unsized, f"do not say nsites and are taken to be of {DEFAULT_SITES} sites")
        if self.skipped:
            self.notes.append(f"motifs with log-odds alone are left out: {', '.join(self.skipped[:5])}")
        notes = [f"{self.path}: {note}" for note in self.notes]
        return MemeFile([m for m, _ in self.motifs.values()], self.background or UNIFORM, self.strands, notes)

    def _count(self, n: int, what: str) -> None:
        if n:
            self.notes.append(f"{n} of {len(self.motifs)} motifs {what}")

    def _alphabet(self, letters: str, number: int) -> None:
        plain = letters.upper().replace("U", "T").strip("\"'")
        if "".join(sorted(plain)) != "ACGT" and plain not in ("DNA", "RNA"):
            self._fail(number, f"the alphabet {letters[:40]!r}", "only motifs over A C G T are read")
        if "U" in letters.upper():
            self.notes.append("U is read as T")

    def _frequencies(self, line: str, number: int, words: list[str]) -> bool:
        """Take `A 0.3 C 0.2 ...`, on one line or several; False where the line is something else."""
        pairs = line.split()
        if len(pairs) % 2 or len(words) + len(pairs) > 8 or pairs[0].upper() not in ("A", "C", "G", "T", "U"):
            if words:
                self._fail(number, "the background frequencies are cut off", "give A, C, G and T")
            return False
        words += pairs
        if len(words) < 8:
            return True
        table = {k.upper().replace("U", "T"): parse_number(v) for k, v in zip(words[::2], words[1::2], strict=True)}
        values = [table.get(base) for base in "ACGT"]
        if any(v is None or not 0 < v < 1 for v in values) or abs(sum(values) - 1) > _TOLERANCE:
            self._fail(number, f"the background {' '.join(words)[:60]!r}", "give four frequencies that sum to 1")
        self.background = tuple(v / sum(values) for v in values)
        return True

    def _whole(self, key: str, number: int, missing: int) -> int:
        text = self.matrix.get(key)
        if text is None:
            return missing
        if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
            self._fail(number, f"{key}= {text[:20]}", "it must be a whole number")
        return int(text)

    def _real(self, key: str, number: int) -> float | None:
        """A number above 0; None where it is missing or 0, as some programs write what they do not know."""
        text = self.matrix.get(key)
        if text is None:
            return None
        value = parse_number(text)
        if value is None or not 0 <= value < 1e12:
            self._fail(number, f"{key}= {text[:20]}", "it must be a number of sites")
        return value or None

    def _fail(self, number: int, what: str, remedy: str) -> NoReturn:
        raise DataError(f"{self.path} line {number}: {what}: {remedy}")
