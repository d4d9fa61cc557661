"""Columns of a table of variants: how they are called, what separates them, and from where positions count.

the first line of a file -> TableLayout; chrom pos ref alt, Chr Start End Ref Alt (ANNOVAR), MAF, one column of words
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from zoo.errors import ConfigError
from zoo.variants.notation import KNOWN, is_notation
from zoo.variants.records import read_text

FORMATS = (
    "VCF, BCF, a table with the columns chrom, pos, ref and alt (also ANNOVAR's and MAF's), or a column `variant` of "
    f"words such as {KNOWN}"
)
"""What is read, for messages."""

NAMES = {
    "chrom": ("chrom", "chr", "chromosome", "contig", "seqname", "seqnames", "seqid", "chromosomename", "chrname"),
    "pos": (
        "positionvcf",
        "pos",
        "position",
        "pos(1based)",
        "bp",
        "basepairlocation",
        "startposition",
        "start",
        "chromstart",
    ),
    "end": ("end", "endposition", "stop", "chromend"),
    "id": ("id", "rsid", "rsids", "snp", "snpid", "variantid", "gnomadid", "markername", "dbsnprs"),
    "ref": ("referenceallelevcf", "ref", "reference", "refallele", "referenceallele"),
    "alt": ("alternateallelevcf", "alt", "alternate", "altallele", "alternateallele", "tumorseqallele2", "alternative"),
    "strand": ("strand",),
    "variant": ("variant", "variantid", "hgvsg", "hgvsgenomic", "hgvs", "spdi", "gnomadid"),
}
"""What a column holds, and how it is called, the surest name first: lower case, without blanks, dots, - and _."""

NEEDED = ("chrom", "pos", "ref", "alt")
_STARTS = {"startposition", "start", "chromstart"}
_SAMPLE = 2000
_ALLELE = re.compile("[ACGTNacgtn]+|-")


@dataclass(frozen=True)
class TableLayout:
    """How the rows of a table are read.

    header: number of its line, 0 where there is none.  separator: a blank stands for any number of blanks.
    columns: what -> index.  width: columns in all; without a header those that are read, whatever follows.
    checked: start and end must go with the length of REF.  from_zero: start counts from 0, as BED does.
    """

    header: int
    separator: str
    columns: dict[str, int]
    width: int
    checked: bool = False
    from_zero: bool = False

    def cells(self, text: str) -> list[str]:
        cells = split_row(text, self.separator)
        return cells if self.header else cells[: self.width]


def split_row(text: str, separator: str) -> list[str]:
    """The cells of a row, without blanks around them; quotes count where commas or semicolons separate."""
    if separator == " ":
        return text.split()
    if separator == "\t":
        return [cell.strip().strip('"') for cell in text.split("\t")]
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=separator), [])]
    except csv.Error:  # a cell of more than 128 kB
        return text.split(separator)


def _separators(text: str) -> tuple[str, ...]:
    return ("\t",) if "\t" in text else (",", ";", " ")


def find_layout(path: Path, text: str, line: int, notes: list[str]) -> TableLayout | None:
    """How to read a table by its first line; None where that names no variant.  What was taken goes to `notes`."""
    if is_notation(text):
        notes.append("no header: every line is read as one variant")
        return TableLayout(0, " ", {"variant": 0}, 1)
    for separator in _separators(text):
        cells = split_row(text, separator)
        columns = _columns(cells)
        if all(role in columns for role in NEEDED):
            columns = {role: i for role, i in columns.items() if role != "variant"}
            return _noted(path, TableLayout(line, separator, columns, len(cells)), cells, notes)
        if "variant" in columns:
            columns = {role: i for role, i in columns.items() if role in ("variant", "id")}
            notes.append(f"its variants are read from the column {cells[columns['variant']]!r}")
            return TableLayout(line, separator, columns, len(cells))
    return _without_header(path, text, notes)


def describe_missing(text: str) -> str:
    """What a header line lacks, with the nearest of its columns; "" where it names none of what is needed."""
    by_separator = {s: _columns(split_row(text, s)) for s in _separators(text)}
    separator = max(by_separator, key=lambda s: len(by_separator[s].keys() & set(NEEDED)))
    columns, cells = by_separator[separator], split_row(text, separator)
    missing = [role for role in NEEDED if role not in columns]
    if len(missing) in (0, len(NEEDED)):
        return ""
    unused = {_key(c): c for i, c in enumerate(cells) if i not in columns.values()}
    near = []
    for role in missing:
        close = [m for name in NAMES[role] for m in get_close_matches(name, unused, n=1, cutoff=0.6)]
        close += [key for name in NAMES[role] if len(name) > 2 for key in unused if name in key]
        near.append(f"{role} (the nearest is {unused[close[0]]!r})" if close else role)
    effect = {"effectallele", "a1", "allele1"} & unused.keys()
    advice = "; which allele is the genome's, an effect allele does not say: --fix-swapped finds it" if effect else ""
    return f"no column for {' and '.join(near)} among {', '.join(cells)[:200]}{advice}"


def _columns(cells: list[str]) -> dict[str, int]:
    """What -> index of its column, the surest name of each."""
    keys = [_key(c) for c in cells]
    return {role: keys.index(n) for role, names in NAMES.items() if (n := next((n for n in names if n in keys), None))}


def _key(name: str) -> str:
    return re.sub(r"[\s._\-]", "", name.strip().strip('"').removeprefix("#").strip()).lower()


def _noted(path: Path, layout: TableLayout, cells: list[str], notes: list[str]) -> TableLayout:
    """The layout with what its rows say of start and end."""
    keys = [_key(c) for c in cells]
    used = layout.columns
    twice = [cells[i] for role, i in used.items() if role in NEEDED and keys.count(keys[i]) > 1]
    if twice:
        raise ConfigError(f"{path} line {layout.header} has two columns {twice[0]!r}: leave one out")
    named_start = keys[used["pos"]] in _STARTS
    checked = named_start and "end" in used
    from_zero = keys[used["pos"]] == "chromstart"
    if checked:
        one, zero = _fits(path, layout)
        from_zero = zero > one or (from_zero and zero >= one)
    layout = TableLayout(layout.header, layout.separator, used, layout.width, checked, from_zero)
    plain = all(keys[i] == role for role, i in used.items() if role in NEEDED)
    if not plain:
        taken = ", ".join(f"{role} is {cells[i].removeprefix('#')}" for role, i in used.items())
        notes.append(f"read as a table of variants: {taken}; positions count from {0 if from_zero else 1}")
    return layout


def _fits(path: Path, layout: TableLayout) -> tuple[int, int]:
    """How many of the first rows have an end as if start counted from 1, and as if it counted from 0."""
    one = zero = 0
    for _, text in islice(table_rows(path, layout.header), _SAMPLE):
        cells = layout.cells(text)
        if len(cells) != layout.width:
            continue
        start, end = (whole_position(cells[layout.columns[c]], layout.separator) for c in ("pos", "end"))
        ref = cells[layout.columns["ref"]]
        if start.isdigit() and end.isdigit() and ref != "-":
            one += int(end) - int(start) + 1 == len(ref)
            zero += int(end) - int(start) == len(ref)
    return one, zero


def _without_header(path: Path, text: str, notes: list[str]) -> TableLayout | None:
    """ANNOVAR's input has no header: chrom, start, end, REF and ALT, whatever follows."""
    separator = "\t" if "\t" in text else " "
    cells = split_row(text, separator)
    if len(cells) < 5 or not (cells[1].isdigit() and cells[2].isdigit()):
        return None
    if not all(_ALLELE.fullmatch(c) for c in cells[3:5]):
        return None
    columns = {"chrom": 0, "pos": 1, "end": 2, "ref": 3, "alt": 4}
    layout = TableLayout(0, separator, columns, len(columns), checked=True)
    one, zero = _fits(path, layout)
    if not one and (zero or cells[3] != "-"):
        return None
    notes.append("no header: its first columns are read as those of ANNOVAR, Chr, Start, End, Ref, Alt, from 1")
    return layout


def table_rows(path: str | Path, header: int) -> Iterator[tuple[int, str]]:
    """(line number, text) of the rows below the header line; without one, of all lines that are no comments."""
    comment = "##" if header else "#"
    for number, text in read_text(path):
        if number > header and text.strip() and not text.startswith(comment):
            yield number, text.removesuffix("\n")


def whole_position(text: str, separator: str) -> str:
    """1,007 and 1007.0 without what a spreadsheet added; others as they are, also where they may mean two things."""
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", text) and separator != ";":
        return text.replace(",", "")
    if re.fullmatch(r"[0-9]+\.0{1,2}|[0-9]{4,}\.0+", text):
        return text.partition(".")[0]
    return text
