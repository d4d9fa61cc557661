"""A figure as a file: PNG, SVG, PDF, or one HTML page with its numbers below it, by the end of the name."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.files.atomic import atomic_path
from zoo.files.endings import PICTURES as _PICTURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (*_PICTURES, ".html")


def save_figure(path: str | Path, figure: Figure) -> None:
    """Write it as .png, .svg or .pdf; raises DataError where the file cannot be written."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix[1:].lower())


def save_picture(path: str, figure: Figure, title: str, alt: str, numbers: Mapping[str, Any]) -> None:
    """Write it beside its name and move it into place.

    title, alt, numbers: of the HTML page, its picture and its table; a stranger's text is escaped.
    """
    kind = path.lower().rsplit(".", 1)[1]
    with atomic_path(path) as temporary:
        if kind != "html":
            figure.savefig(temporary, format=kind)
            return
        held = io.BytesIO()
        figure.savefig(held, format="png")
        temporary.write_text(_page(title, alt, held.getvalue(), numbers), encoding="utf-8")


def _page(title: str, alt: str, png: bytes, numbers: Mapping[str, Any]) -> str:
    name = html.escape(title)
    rows = "".join(f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in numbers.items())
    picture = base64.b64encode(png).decode()
    style = (
        "body{font:16px system-ui;margin:2em;max-width:90em}img{max-width:100%}th{text-align:left;padding-right:1em}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{name}</title><style>{style}</style><h1>{name}</h1>"
        f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{picture}">'
        f"<table>{rows}</table></html>\n"
    )
