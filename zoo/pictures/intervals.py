"""Estimates as dots with their intervals, one line each: a model beside its baselines.

model     |            --o--   0.897 [0.883, 0.909]
PWM       |       --o--        0.817 [0.799, 0.834]
GC        |  -o-  :            0.500 [0.475, 0.525]
                  chance
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.pictures.canvas import BASELINE, MODEL, blank, drawn_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, LINE, REST = 4.5, 0.3, 0.75


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, None where there is none.

    strong: what the picture is about.  chance: what would be reached by chance, as a grey mark.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    strong: bool = False
    chance: float | None = None


def draw_intervals(
    estimates: Sequence[Estimate],
    label: str,
    *,
    reference: tuple[float, str] | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Estimates from the top down in their order, with their numbers beside them.

    label: of the x axis.
    reference: (x, word) of a dotted line, such as (0.5, "chance").
    limits: (least, greatest) that the quantity can be; the axis does not leave them.
    """
    figure = blank(WIDTH, REST + LINE * len(estimates))
    axes = figure.add_subplot()
    for line, one in enumerate(estimates):
        colour = MODEL if one.strong else BASELINE
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [line, line], color=colour, linewidth=2.2, solid_capstyle="butt")
        if one.chance is not None:
            axes.plot([one.chance], [line], "|", color="0.45", markersize=11, markeredgewidth=2)
        axes.plot([one.value], [line], "o", color=colour, markersize=7 if one.strong else 5.5)
        axes.annotate(
            _numbers(one),
            (1.02, line),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=colour,
            weight="bold" if one.strong else "normal",
        )
    if reference is not None:
        axes.axvline(reference[0], color="0.45", linewidth=1, linestyle=":")
        axes.annotate(
            drawn_text(reference[1]),
            (reference[0], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color="0.35",
        )
    axes.set_yticks(range(len(estimates)), [_wrapped(one.name) for one in estimates], fontsize=8)
    for tick, one in zip(axes.get_yticklabels(), estimates, strict=True):
        tick.set(color=MODEL if one.strong else "0.2", weight="bold" if one.strong else "normal")
    axes.set_ylim(len(estimates) - 0.5, -0.6)
    axes.set_xlim(*_limits(estimates, reference, limits))
    axes.set_xlabel(drawn_text(label), fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _wrapped(name: str) -> str:
    """On two lines where it is long."""
    from textwrap import wrap

    return "\n".join(wrap(drawn_text(name, 44), 24, max_lines=2, placeholder="…"))


def _limits(
    estimates: Sequence[Estimate], reference: tuple[float, str] | None, limits: tuple[float, float] | None
) -> tuple[float, float]:
    seen = [x for one in estimates for x in (one.value, one.low, one.high, one.chance) if x is not None]
    seen += [] if reference is None else [reference[0]]
    low, high = min(seen), max(seen)
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
    low, high = low - margin, high + margin
    return (low, high) if limits is None else (max(low, limits[0] - margin / 2), min(high, limits[1] + margin / 2))


def _numbers(one: Estimate) -> str:
    if one.low is None or one.high is None:
        return f"{one.value:.3f}"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"
