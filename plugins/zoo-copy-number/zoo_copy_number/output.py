"""A sample's calls and its picture, by the end of a file's name."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.tables import atomic_path
from zoo_copy_number.bins import Bins

if TYPE_CHECKING:
    from zoo_copy_number.calling import Called

__all__ = ["check_name", "write"]

TABLES = (".vcf", ".vcf.gz", ".bed", ".bed.gz", ".seg", ".seg.gz")
PICTURES = (".png", ".svg", ".pdf", ".html")


def check_name(out: str) -> None:
    """Raises ConfigError for a name that says nothing of its kind."""
    if not out.lower().endswith(TABLES + PICTURES):
        raise ConfigError(f"{out!r} does not say which file to write: end it in {', '.join(TABLES + PICTURES)}")


def write(out: str, bins: Bins, called: Called, comments: Mapping[str, str]) -> None:
    """Calls as VCF, BED or SEG; the picture as PNG, SVG, PDF, or HTML with the figures below it."""
    check_name(out)
    if out.lower().endswith(TABLES):
        from zoo_copy_number.writers import write_calls

        write_calls(out, replace(called.calls, comments={**called.calls.comments, **comments}))
        return
    from zoo_copy_number.picture import draw_genome

    figure = draw_genome(bins, called)
    kind = out.lower().rsplit(".", 1)[1]
    with atomic_path(out) as temporary:
        if kind != "html":
            figure.savefig(temporary, format=kind)
            return
        held = io.BytesIO()
        figure.savefig(held, format="png")
        temporary.write_text(_page(bins.sample, held.getvalue(), comments), encoding="utf-8")


def _page(sample: str, png: bytes, comments: Mapping[str, str]) -> str:
    name = html.escape(sample)
    rows = "".join(
        f"<tr><th>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>" for k, v in comments.items()
    )
    picture = base64.b64encode(png).decode()
    style = (
        "body{font:16px system-ui;margin:2em;max-width:90em}img{max-width:100%}th{text-align:left;padding-right:1em}"
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{name}</title><style>{style}</style><h1>{name}</h1>"
        f'<img alt="Corrected log2 depth of {name} along the genome" src="data:image/png;base64,{picture}">'
        f"<table>{rows}</table></html>\n"
    )
