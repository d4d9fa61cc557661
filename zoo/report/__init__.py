"""One HTML file that tells a biologist what a model is, how good it is, and what it has learnt.

open_subject("ctcf-motif-cnn") -> Subject -> write_report(subject, "report.html")
"""

from __future__ import annotations

from typing import Any

__all__ = ["open_subject", "write_report"]

_MODULES = {"open_subject": "zoo.report.subject", "write_report": "zoo.report.writer"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'zoo.report' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
