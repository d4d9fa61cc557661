"""Run the registered sections over one subject; one that fails is a chapter that says so.

registry kind "section": facts, performance, filters, attribution, validation, then whatever plugins brought
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zoo.registry import registry
from zoo.report.parts import prepare
from zoo.report.section import Section, Subject, Text

ORDER = ("facts", "performance", "filters", "attribution", "validation")


@dataclass(frozen=True)
class Chapter:
    """One section as it came out: `parts` as zoo.report.parts makes them.  failure: why it did not, "" where it did."""

    name: str
    title: str
    parts: list[dict[str, Any]]
    failure: str = ""
    seconds: float = 0.0


def section_names() -> list[str]:
    """Of all registered sections, in the order of the report."""
    known = registry().names("section")
    return [name for name in ORDER if name in known] + [name for name in known if name not in ORDER]


def gather(subject: Subject) -> Iterator[Chapter]:
    """A chapter a section, as it is finished; sections with nothing to say are left out."""
    for name in section_names():
        began = time.perf_counter()
        try:
            section = registry().get("section", name)(subject)
            if section is None:
                continue
            if not isinstance(section, Section):
                raise TypeError(f"a section gives zoo.report.section.Section, not {type(section).__name__}")
            parts = prepare(section)
        except Exception as error:  # A plugin's mistake must neither cost the report nor be hidden.
            told = f"{type(error).__name__}: {error}"
            section = Section(f"Section {name}", [Text(f"This section failed and holds no result. {told}", "bad")])
            yield Chapter(name, section.title, prepare(section), told, time.perf_counter() - began)
            continue
        yield Chapter(name, section.title, parts, "", time.perf_counter() - began)
