"""XLSX of rows, for a person who looks: numbers as numbers, every text as text, the comments on a second sheet.

A text is never a formula, whoever wrote it, and never a date: `=1+1`, MARCH1 and 1-2 stay what they are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo.files.patient_file import PatientFile

LONGEST, WIDEST = 1_048_576, 16_384
"""Rows and columns that a sheet can have (ECMA-376; Excel's limits)."""

_LONGEST_TEXT = 32_767
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class SheetRows:
    """Rows -> the first sheet, with a header row that stays in view; an empty cell is a missing value.

    name: what the file is called in the end.
    Raises DataError for a row more than a sheet can have.
    """

    def __init__(self, path: Path, name: str, columns: Sequence[str], comments: Mapping[str, Any]):
        from openpyxl import Workbook

        if len(columns) > WIDEST:
            raise ConfigError(f"{name} would have {len(columns):,} columns, a sheet holds {WIDEST:,}: write .tsv")
        self.path, self.name, self.rows = path, name, 0
        self.book = Workbook(write_only=True)
        self.sheet = self.book.create_sheet("table")
        self.sheet.freeze_panes = "A2"
        self.sheet.append([self._cell(c, bold=True) for c in columns])
        self.about = self.book.create_sheet("about")
        for key, value in comments.items():
            self.about.append([self._cell(str(key), bold=True), self._cell(str(value))])

    def row(self, values: Sequence[Any]) -> None:
        """One value a column, None where it is missing."""
        self.rows += 1
        if self.rows >= LONGEST:
            raise DataError(
                f"{self.name} cannot hold more than {LONGEST - 1:,} rows below its header, which is all that a "
                "spreadsheet has: write .tsv.gz or .parquet"
            )
        self.sheet.append([self._cell(v) for v in values])

    def close(self, whole: bool) -> None:
        """Write the file; not whole: let go of it."""
        if not whole:
            for sheet in (self.sheet, self.about):
                with suppress(Exception):
                    sheet.close()
            return
        with PatientFile(self.path) as file:
            self.book.save(file)

    def _cell(self, value: Any, bold: bool = False) -> Any:
        """A number as it is, whatever else as a cell of text."""
        if value is None:
            return None
        if isinstance(value, np.generic):
            value = float(str(value)) if isinstance(value, np.floating) else value.item()
        # A spreadsheet counts in doubles and knows no infinity.
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
            return value
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font

        text = _shown(str(value))
        cell = WriteOnlyCell(self.sheet)
        cell._value, cell.data_type = text, "s"
        if text.startswith(_FORMULA):
            cell.quotePrefix = True
        if bold:
            cell.font = Font(bold=True)
        return cell


def read_about(path: str | Path) -> dict[str, str]:
    """The second sheet; {} in a file that has none, ValueError in one that is no spreadsheet."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True)
    except (BadZipFile, KeyError) as error:
        raise ValueError(f"{path} is no spreadsheet") from error
    try:
        rows = book["about"].iter_rows(values_only=True) if "about" in book.sheetnames else ()
        return {str(row[0]): str(row[1]) for row in rows if len(row) > 1}
    finally:
        book.close()


def _shown(text: str) -> str:
    """What a cell can hold: no control characters, and a mark where it is too long."""
    text = _FORBIDDEN.sub("\ufffd", text)
    if len(text) <= _LONGEST_TEXT:
        return text
    mark = f"... [{len(text):,} characters]"
    return text[: _LONGEST_TEXT - len(mark)] + mark
