"""Rows of tables of variants as a VCF would write them.

a row and its TableLayout -> Record; - for no letters, and one word for a variant, are written out from the genome
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from zoo.data.genome import Genome
from zoo.errors import ConfigError
from zoo.variants.notation import Change, parse_variant, written_out
from zoo.variants.records import site_record
from zoo.variants.table_columns import TableLayout, table_rows, whole_position
from zoo.variants.variants import Record


def table_records(path: str | Path, layout: TableLayout, start: int, genome: Genome) -> Iterator[Record]:
    """Records of a table from number `start` on; the genome has the letters that are not written."""
    for record, (line, text) in enumerate(islice(table_rows(path, layout.header), start, None), start):
        cells = layout.cells(text)
        if "variant" in layout.columns:
            yield _noted_variant(record, line, cells, layout, genome)
        else:
            yield _row(record, line, cells, layout, genome)


def notation_record(record: int, line: int, text: str, genome: Genome, name: str = ".") -> Record:
    """The record of a variant in one word; its text is the id where it says more than contig, position, REF and ALT.

    Raises ConfigError as `parse_variant` does.
    """
    variant = parse_variant(text)
    if isinstance(variant, Change):
        chrom, pos, ref, alt = written_out(variant, genome)
        name = text.strip() if name == "." else name
    else:
        chrom, pos, ref, alt = variant
    return site_record(record, line, [chrom, str(pos + 1), name, ref, alt], 5, 5)


def _noted_variant(record: int, line: int, cells: list[str], layout: TableLayout, genome: Genome) -> Record:
    at = layout.columns["variant"]
    text = cells[at] if at < len(cells) else ""
    name = cells[layout.columns["id"]] if len(cells) > layout.columns.get("id", 1 << 30) else "."
    try:
        if len(cells) != layout.width:
            raise ConfigError(f"{len(cells)} columns where the header has {layout.width}")
        return notation_record(record, line, text, genome, name or ".")
    except ConfigError as error:
        why = f"line {line}: {text[:60]!r} is not read: {error}".replace(";", ",")
        return record, line, ".", -1, name or ".", ".", ".", why


def _row(record: int, line: int, cells: list[str], layout: TableLayout, genome: Genome) -> Record:
    columns = layout.columns
    get = {role: cells[i] if i < len(cells) else "" for role, i in columns.items()}
    pos = whole_position(get["pos"], layout.separator)
    if layout.from_zero and pos.isdigit():
        pos = str(int(pos) + 1)
    chosen = [get["chrom"], pos, get.get("id", ".") or ".", get["ref"], get["alt"]]
    site = site_record(record, line, chosen, len(cells), layout.width)
    if site[7]:
        return site
    why = ""
    if get.get("strand") in ("-", "-1", "minus"):
        why = f"line {line} is of strand {get['strand']}: write the letters of the forward strand"
    elif "-" in get["alt"] and get["alt"] != "-":
        why = f"line {line}: one of several ALT is -: write each on a line of its own"
    else:
        try:
            change = _change(get, int(pos) - 1, layout)
        except ConfigError as error:
            why = f"line {line}: {error}"
        else:
            if change is None:
                return site
            name = site[4] if site[4] != "." else ":".join((get["chrom"], get["pos"], get["ref"], get["alt"]))
            chrom, at, ref, alt = written_out(change, genome)
            return record, line, chrom, at, name, ref, alt, ""
    return *site[:7], why.replace(";", ",")


def _change(get: dict[str, str], start: int, layout: TableLayout) -> Change | None:
    """The change of a row with - for no letters, start counted from 0; None for other rows.

    Raises ConfigError where start and end do not go with REF, or do not say where an insertion is.
    """
    ref, alt = get["ref"], get["alt"]
    end = whole_position(get.get("end", ""), layout.separator)
    if ref == alt == "-":
        raise ConfigError("REF and ALT are both -")
    if ref == "-":
        return Change(get["chrom"], *[_insertion_point(start, end, layout)] * 2, "", alt)
    last = start + len(ref)
    if layout.checked and end != str(last) and alt[:1] != "<":
        raise ConfigError(f"END {end[:20]!r} does not go with START {get['pos'][:20]} and a REF of {len(ref)} bp")
    return Change(get["chrom"], start, last, ref, "") if alt == "-" else None


def _insertion_point(start: int, end: str, layout: TableLayout) -> int:
    """How many bases of the contig lie before the insertion; start: from 0, of the row.

    START = END (ANNOVAR) and END = START + 1 (MAF) say: after START; END = START - 1 (VEP) says: before START.
    """
    if not layout.checked and not end:
        raise ConfigError("REF is -, and no column `end` says on which side of POS it goes: write the base before it")
    if not end.isdigit():
        raise ConfigError(f"REF is -, and END {end[:20]!r} is no whole number")
    if layout.from_zero:
        if int(end) != start:
            raise ConfigError(f"REF is -, and END {end} is not START {start}")
        return start
    if int(end) in (start + 1, start + 2):
        return start + 1
    if int(end) == start:
        return start
    raise ConfigError(f"REF is -, and END {end} is no neighbour of START {start + 1}")
