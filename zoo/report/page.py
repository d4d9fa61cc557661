"""Chapters to one HTML file that needs nothing else: no script, no link out, every text escaped and bounded.

    Summary + Chapters -> page.html.jinja (autoescape) + page.css + pictures as base64 PNG -> str

All texts may be a stranger's.  Jinja escapes them, zoo.report.parts bounds them, and a Content-Security-Policy in the
file forbids scripts and requests even if something slipped through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.report.parts import LONGEST_CELL, MARKS, cut

if TYPE_CHECKING:
    from zoo.report.chapters import Chapter
    from zoo.report.summary import Summary


def render(
    summary: Summary,
    chapters: Sequence[Chapter],
    *,
    notes: Sequence[str] = (),
    command: str = "",
    made: datetime | None = None,
) -> str:
    """The whole file as text.

    notes: what the reader must know of how the report was made.
    command: the command line that made it.
    made: when; now by default.
    """
    from importlib.metadata import version

    used: set[str] = set()
    blocks = [
        {
            "id": _free(f"section-{_slug(chapter.name)}", used),
            "title": cut(chapter.title, LONGEST_CELL),
            "parts": chapter.parts,
            "failed": bool(chapter.failure),
        }
        for chapter in chapters
    ]
    return _template().render(
        summary=summary,
        facts=[
            {"fact": fact, "mark": MARKS.get(fact.tone, ("", "")), "tone": fact.tone if fact.tone in MARKS else ""}
            for fact in summary.facts
        ],
        blocks=blocks,
        notes=list(notes)[:20],
        command=command,
        version=version("zoo-core"),
        made=f"{made or datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        css=_css(),
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:60].strip("-") or "section"


def _free(name: str, used: set[str]) -> str:
    found, i = name, 2
    while found in used:
        found, i = f"{name}-{i}", i + 1
    used.add(found)
    return found


@lru_cache(maxsize=1)
def _template():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cut"] = cut
    return environment.get_template("page.html.jinja")


def _css():
    from markupsafe import Markup

    return Markup(Path(__file__).with_name("page.css").read_text(encoding="utf-8"))
