"""Parts of a section made ready for the page: texts cut, numbers rounded, pictures turned into PNG.

    Section -> [{"kind": "text" | "table" | "pictures", ...}]

Everything here is plain text and numbers: what is HTML is written by the page's template alone, which escapes it.
"""

from __future__ import annotations

import base64
import io
import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.report.section import Picture, Table, Text

if TYPE_CHECKING:
    from zoo.report.section import Section

__all__ = ["LONGEST_CELL", "LONGEST_TEXT", "MARKS", "MOST_ROWS", "cut", "prepare"]

LONGEST_TEXT, LONGEST_CELL, MOST_ROWS, MOST_COLUMNS = 4_000, 400, 300, 40
DPI = 160
CSS_INCH = 96
WIDE = 640
"""CSS pixels from which a picture is scrolled on a narrow screen instead of being shrunk."""

MARKS = {"good": ("✓", "good:"), "bad": ("✗", "bad:"), "unsure": ("?", "uncertain:")}
"""A sign and a word for each tone: colour alone says nothing to some."""


@dataclass(frozen=True)
class _Image:
    source: str
    alt: str
    caption: str
    width: int

    @property
    def wide(self) -> bool:
        return self.width >= WIDE


def prepare(section: Section) -> list[dict[str, Any]]:
    """Texts, tables and groups of pictures; small pictures that follow each other stand side by side.

    Raises TypeError for a part of another kind, and whatever drawing a picture raises.
    """
    parts: list[dict[str, Any]] = []
    for part in section.parts:
        if isinstance(part, Text):
            parts.append(
                {
                    "kind": "text",
                    "text": part.text,
                    "tone": part.tone if part.tone in MARKS else "",
                    "mark": MARKS.get(part.tone),
                }
            )
        elif isinstance(part, Table):
            parts.append({"kind": "table", **_table(part)})
        elif not isinstance(part, Picture):
            raise TypeError(f"a part of a section is Text, Picture or Table, not {type(part).__name__}")
        else:
            image = _image(part)
            last: dict[str, Any] = parts[-1] if parts else {"kind": ""}
            if last["kind"] == "pictures" and not image.wide and not last["wide"]:
                last["images"].append(image)
            else:
                parts.append({"kind": "pictures", "images": [image], "wide": image.wide})
    return parts


def _table(table: Table) -> dict[str, Any]:
    columns = list(table.columns)[:MOST_COLUMNS]
    rows = [[_cell(cell) for cell in list(row)[: len(columns)]] for row in list(table.rows)[:MOST_ROWS]]
    left_out = len(table.rows) - len(rows)
    more = f" {left_out:,} more rows are not shown." if left_out > 0 else ""
    return {
        "columns": columns,
        "rows": rows,
        "caption": f"{cut(table.caption, LONGEST_TEXT)}{more}",
        "headed": any(columns),
        "numeric": [all(row[i]["numeric"] for row in rows if i < len(row)) for i in range(len(columns))],
    }


def _cell(value: Any) -> dict[str, Any]:
    if isinstance(value, Picture):
        return {"image": _image(value), "text": "", "numeric": False}
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return {"image": None, "text": "-", "numeric": True}
    if isinstance(value, bool):
        return {"image": None, "text": "yes" if value else "no", "numeric": False}
    if isinstance(value, numbers.Integral):
        return {"image": None, "text": f"{int(value):,}", "numeric": True}
    if isinstance(value, numbers.Real):
        return {"image": None, "text": f"{float(value):.4g}", "numeric": True}
    return {"image": None, "text": cut(value, LONGEST_CELL), "numeric": False}


def _image(picture: Picture) -> _Image:
    """PNG at more dots than CSS pixels, so that it stays sharp on paper and on a phone."""
    file = io.BytesIO()
    picture.figure.savefig(file, format="png", dpi=DPI, facecolor="white")
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    return _Image(source, picture.alt, picture.caption, round(picture.figure.get_figwidth() * CSS_INCH))


def cut(text: Any, longest: int = LONGEST_TEXT) -> str:
    """Text without control characters, and not longer than `longest`."""
    plain = "".join(c if c.isprintable() or c == "\n" else " " for c in str(text)[: longest + 1])
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
