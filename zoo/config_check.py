"""Does a configuration fit the constructors that it names?"""

from __future__ import annotations

from typing import Any

__all__ = ["SECTIONS", "check_config"]

SECTIONS = {"encoder": 0, "head": 0, "objective": 0, "interpreter": 0, "data": 0, "heads": 1, "objectives": 1}
"""Sections that hold constructor arguments, and how many names stand between section and argument."""


def check_config(config: dict[str, Any]) -> None:
    """Raises ConfigError for a value that the run could not use."""
