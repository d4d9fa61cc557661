"""A subject's sections, one after the other, written as one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import EXTRAS, need
from zoo.files.atomic import atomic_path
from zoo.report.chapters import gather
from zoo.report.page import render
from zoo.report.summary import summary

if TYPE_CHECKING:
    from zoo.report.chapters import Chapter
    from zoo.report.section import Subject


def write_report(
    subject: Subject, path: str | Path, *, command: str = "", tell: Callable[[str], None] = lambda line: None
) -> list[Chapter]:
    """Write the report and return its chapters; those that failed say why.

    command: the command line that made it, for the footer.
    tell: called with a line for each section that fails.
    """
    need("a report", *EXTRAS["report"][1])
    chapters = []
    with atomic_path(path) as temporary:  # A place that cannot be written to is told before hours of work, not after.
        for chapter in gather(subject):
            chapters.append(chapter)
            if chapter.failure:
                tell(f"section {chapter.name} failed: {chapter.failure}")
        text = render(summary(subject), chapters, notes=subject.notes, command=command)
        temporary.write_text(text, encoding="utf-8")
    return chapters
