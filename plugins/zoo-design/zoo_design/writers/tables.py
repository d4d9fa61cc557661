"""Designs as a table: a row a design; .csv with commas, otherwise as every table of zoo.

designs -> name, status, start_value, value, ..., start, sequence
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.files.atomic import atomic_path
from zoo.files.tables import MISSING, read_table, write_table
from zoo_design.design import Design
from zoo_design.writers.fields import TEXTS, decode_text, encode_text, from_texts, to_texts

OWN = ("name", *TEXTS, "start", "sequence")


def write_designs_table(
    path: str | Path, designs: Sequence[Design], header: Mapping[str, Any], extra: Mapping[str, Any]
) -> None:
    """extra: further columns, {name: (N,)}; those that a design has itself are not written twice."""
    further = {key: column for key, column in extra.items() if key not in OWN}
    columns = ["name", "status", "start_value", "value", *further, *TEXTS[3:], "start", "sequence"]
    rows = []
    for row, design in enumerate(designs):
        texts: dict[str, Any] = {**to_texts(design), "start": design.start, "sequence": design.sequence}
        texts |= {"name": encode_text(design.name), **{key: column[row] for key, column in further.items()}}
        rows.append([texts[column] for column in columns])
    if str(path).lower().endswith(".csv"):
        _write_csv(Path(path), columns, rows, header)
    else:
        write_table(path, columns, rows, header)


def read_designs_table(path: Path) -> tuple[list[Design], dict[str, str]]:
    """Designs and comments of a .csv, .tsv or .tsv.gz."""
    header, rows = _read_csv(path) if path.name.lower().endswith(".csv") else read_table(path)
    designs = []
    for number, row in enumerate(rows, 1):
        if absent := [key for key in OWN if key not in row]:
            raise DataError(f"{path} has no column {absent[0]!r}: name a table that zoo design wrote")
        designs.append(from_texts(decode_text(row["name"]), row["sequence"], row["start"], row, f"{path} row {number}"))
    return designs, header


def _write_csv(path: Path, columns: list[str], rows: list[list[Any]], header: Mapping[str, Any]) -> None:
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"##{key}={' '.join(str(value).splitlines())}\n" for key, value in header.items())
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([[MISSING if v is None or v != v else v for v in row] for row in rows])


def _read_csv(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    header: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        place = file.tell()
        while (line := file.readline()).startswith("##"):
            key, _, value = line[2:].rstrip("\n").partition("=")
            header[key] = value
            place = file.tell()
        file.seek(place)
        reader = csv.reader(file)
        columns = next(reader, [])
        rows = []
        for cells in reader:
            if len(cells) != len(columns):
                raise DataError(
                    f"{path} line {reader.line_num} below its comments has {len(cells)} cells, not {len(columns)}"
                )
            rows.append(dict(zip(columns, cells, strict=True)))
    return header, rows
