"""One measured promise, and how measurements become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Check:
    """What was promised, whether it holds (None where it could not be measured), and the figure.

    subject: what was looked at, as in "encoder/dilated_cnn".
    """

    name: str
    ok: bool | None
    detail: str = ""
    subject: str = ""

    @property
    def status(self) -> str:
        """ok, failed or skipped."""
        return {True: "ok", False: "failed", None: "skipped"}[self.ok]


class Refused(Exception):
    """The promise is broken; the message says how."""


class Unmeasured(Exception):
    """The promise could not be measured; the message says why."""


def measure(name: str, test: Callable[[], str | None]) -> Check:
    """Run one test: the text it returns is the detail; whatever it raises is a failure, not a crash."""
    try:
        return Check(name, True, test() or "")
    except Unmeasured as reason:
        return Check(name, None, str(reason))
    except Refused as reason:
        return Check(name, False, str(reason))
    except Exception as error:
        return Check(name, False, f"{type(error).__name__}: {_first_line(error)}")


def about(subject: str, checks: Iterable[Check]) -> list[Check]:
    """The checks with their subject named; a subject that is there already becomes the end of the new one."""
    return [replace(c, subject=f"{subject} {c.subject}".strip()) for c in checks]


def failures(checks: Iterable[Check]) -> list[Check]:
    """The broken promises."""
    return [check for check in checks if check.ok is False]


def _first_line(error: Any) -> str:
    return (str(error).strip().splitlines() or [""])[0]
