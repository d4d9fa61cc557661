"""An empty figure, and texts of strangers made safe to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.errors import need

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BASELINE", "MODEL", "blank", "drawn_text"]

MODEL, BASELINE = "#0b5cad", "#6b6b6b"
"""Colours of a model and of what it is compared with."""

_LONGEST = 60


def blank(width: float, height: float, dpi: float = 130, layout: str | None = "constrained") -> Figure:
    """A figure of so many inches with a canvas of its own."""
    need("a picture", "matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=dpi, layout=layout)
    FigureCanvasAgg(figure)
    return figure


def drawn_text(text: Any, longest: int = _LONGEST) -> str:
    r"""A stranger's text on one line, cut, and with dollars that begin no formula.

    >>> print(drawn_text("a $\\frac$ b"))
    a \$\frac\$ b
    """
    line = "".join(c if c.isprintable() else " " for c in " ".join(str(text)[: 4 * longest].split()))
    cut = line if len(line) <= longest else line[: longest - 1] + "…"
    return cut.replace("$", r"\$")
