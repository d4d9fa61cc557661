"""MEME minimal motif format: https://meme-suite.org/meme/doc/meme-format.html

    MEME version 4                                      may be missing in files of strangers
    ALPHABET= ACGT                                      likewise; RNA's U reads as T
    Background letter frequencies                       likewise
    A 0.25 C 0.25 G 0.25 T 0.25
    MOTIF MA0139.2 CTCF                                 identifier, and a name that may be missing
    letter-probability matrix: alength= 4 w= 2 nsites= 20 E= 0     every key may be missing
    0.1 0.7 0.1 0.1                                     one row a position, A C G T
    0.9 0.0 0.1 0.0

The same keywords are found in the full text output of MEME and STREME.  Log-odds matrices are passed over, since they
say nothing of the number of sites.  What had to be guessed or mended is told in `MemeFile.notes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from zoo.data.motifs import UNIFORM, Motif
from zoo.errors import DataError
from zoo.files.compressed import read_chunks
from zoo.files.tables import atomic_path

__all__ = ["MemeFile", "label", "read_meme", "write_meme"]

DEFAULT_SITES = 20
"""What the format takes where `nsites` is missing."""

_MAX_BYTES = 1 << 27
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
    background: frequencies of A C G T; uniform where the file says nothing.
    strands: "+ -" or "+", "" where the file says nothing.
    notes: what was mended or passed over, one sentence each.
    """

    motifs: list[Motif]
    background: tuple[float, ...] = UNIFORM
    strands: str = ""
    notes: list[str] = field(default_factory=list)


def label(motif: Motif) -> str:
    """Identifier and name, as a MOTIF line has them.

    >>> label(Motif("CTCF", "MA0139.2", [[1], [0], [0], [0]])), label(Motif("f1", "f1", [[1], [0], [0], [0]]))
    ('MA0139.2 CTCF', 'f1')
    """
    return motif.id if motif.name in ("", motif.id) else f"{motif.id} {motif.name}"


def read_meme(path: str | Path) -> MemeFile:
    """Read a MEME file, plain or gzip; keywords in upper or lower case, LF or CRLF.

    A column may miss one by 0.05 (it is normalised, with a note past 0.001); a matrix of whole numbers is read as
    counts, with a note.  Raises DataError naming file and line for anything else that is no motif over A C G T,
    for two motifs with one name, and for a file without any motif.
    """
    return _Reader(path).read()


def write_meme(
    path: str | Path, motifs: Sequence[Motif], background: Sequence[float] = UNIFORM, strands: str = "+ -"
) -> None:
    """Write motifs; `-` is the terminal.

    nsites is the largest column sum, rounded.  Blanks in identifiers and names become "_", since a blank ends them.
    Raises DataError for two motifs with one name.
    """
    seen: set[str] = set()
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", f"strands: {strands}", "", "Background letter frequencies"]
    lines += [" ".join(f"{b} {f:.6g}" for b, f in zip("ACGT", background, strict=True)), ""]
    for motif in motifs:
        name = label(Motif(_word(motif.name), _word(motif.id) or _word(motif.name), motif.counts))
        if not name:
            raise DataError(f"motif {len(seen) + 1} has no name: give it one before {path} is written")
        if name in seen:
            raise DataError(f"two motifs are called {name!r}: give each a name of its own before {path} is written")
        seen.add(name)
        sums = motif.counts.sum(0)
        lines.append(f"MOTIF {name}")
        lines.append(f"letter-probability matrix: alength= 4 w= {len(motif)} nsites= {max(1, round(sums.max()))} E= 0")
        lines += [" ".join(f"{p:.9f}" for p in column) for column in (motif.counts / sums).T]
        lines.append("")
    text = "\n".join(lines)
    if str(path) == "-":
        print(text)
        return
    with atomic_path(path) as temporary:
        if str(path).endswith(".gz"):
            import gzip

            temporary.write_bytes(gzip.compress(text.encode()))
        else:
            temporary.write_text(text, encoding="utf-8", newline="\n")


@dataclass
class _Open:
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
        self.open: _Open | None = None
        self.rows: list[list[float]] | None = None
        self.matrix: dict[str, str] = {}
        self.matrix_line = 0
        self.log_odds = False
        self.normalised = self.counted = self.unsized = 0
        self.skipped: list[str] = []

    def read(self) -> MemeFile:
        lines = list(_lines(self.path))
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
                elif found := _CORE_SYMBOL.match(line):
                    alphabet |= {c.upper() for c in found.groups() if c}
                continue
            if background is not None and line and self._frequencies(line, number, background):
                background = None if len(background) == 8 else background
                continue
            if found := motif.match(line):
                # MEME's own text output goes on with `width = 8 sites = 10`.
                self._begin(re.split(r"\swidth\s*=", found[1])[0].split(), number)
            elif lower.startswith("letter-probability matrix") or lower.startswith("log-odds matrix"):
                self._matrix(line, number, log_odds=lower.startswith("log-odds"))
            elif (numbers := _numbers(line)) is not None:
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
        return self._finished()

    def _begin(self, words: list[str], number: int) -> None:
        self._close()
        if not words:
            self._fail(number, "a MOTIF without a name", "write an identifier behind MOTIF")
        if len(self.motifs) >= _MAX_MOTIFS:
            self._fail(number, f"more than {_MAX_MOTIFS:,} motifs", "split the file")
        self.open = _Open(words[0], words[1] if len(words) > 1 else words[0], number)

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
        rows, self.rows = self.rows, None
        if rows is None:
            return
        motif = self.open
        if self.log_odds:
            motif.skipped = True
            return
        width = self._whole("w", self.matrix_line, len(rows))
        if not rows or len(rows) != width:
            self._fail(self.matrix_line, f"{len(rows)} rows below w= {width}", "give one row a position")
        values = np.array(rows).T
        self._keep(Motif(motif.name, motif.id, self._counts(values)), motif)

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

    def _keep(self, motif: Motif, opened: _Open) -> None:
        name = label(motif)
        if name in self.motifs:
            self._fail(
                opened.line,
                f"motif {name!r} again, after line {self.motifs[name][1]}",
                "give each motif a name of its own",
            )
        self.motifs[name] = motif, opened.line
        opened.done = True

    def _close(self) -> None:
        """The end of a motif."""
        self._end()
        opened, self.open = self.open, None
        if opened is None or opened.done:
            return
        if not opened.skipped:
            self._fail(opened.line, f"motif {opened.id!r} has no matrix", "give its letter-probability matrix")
        self.skipped.append(opened.id)

    def _finished(self) -> MemeFile:
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
        found = line.split()
        if len(found) % 2 or len(words) + len(found) > 8 or found[0].upper() not in ("A", "C", "G", "T", "U"):
            if words:
                self._fail(number, "the background frequencies are cut off", "give A, C, G and T")
            return False
        words += found
        if len(words) < 8:
            return True
        table = {k.upper().replace("U", "T"): _number(v) for k, v in zip(words[::2], words[1::2], strict=True)}
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
        value = _number(text)
        if value is None or not 0 <= value < 1e12:
            self._fail(number, f"{key}= {text[:20]}", "it must be a number of sites")
        return value or None

    def _fail(self, number: int, what: str, remedy: str) -> NoReturn:
        raise DataError(f"{self.path} line {number}: {what}: {remedy}")


def _lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(number, line without blanks around it); the whole text is bounded, a gzip bomb ends here."""
    parts, size = [], 0
    for chunk in read_chunks(path):
        size += len(chunk)
        if size > _MAX_BYTES:
            raise DataError(f"{path} unpacks to more than {_MAX_BYTES >> 20} MB, no set of motifs: split the file")
        parts.append(chunk)
    raw = b"".join(parts).removeprefix(b"\xef\xbb\xbf")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path} line {line} is no UTF-8 text: give a motif file in MEME format") from error
    if "\0" in text:
        raise DataError(f"{path} holds a zero byte: it is binary or UTF-16, save it as plain text")
    return ((number, line.strip()) for number, line in enumerate(text.split("\n"), 1))


def _numbers(line: str) -> list[float] | None:
    """The numbers of a row; None for a line that is something else, or empty."""
    if not line or line[0] not in "0123456789.+-nNiI":
        return None
    found = [_number(word) for word in line.split()]
    return None if None in found else found


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _word(text: str) -> str:
    """A name without blanks; one that is missing stays so."""
    return "_".join(text.split())
