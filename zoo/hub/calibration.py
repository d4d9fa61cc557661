"""Whether a model's probabilities are calibrated, in words, from the rows of its spec, which may be a stranger's.

spec.training["calibration"] -> calibration_rows -> calibration_words
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

MOST_TASKS = 8
_NUMBERS = ("scale", "shift", "ece_before", "ece_after")
_LONGEST = 200
_NOTHING = "nothing of it is recorded"


def calibration_rows(spec: ModelSpec) -> list[dict[str, Any]]:
    """A row a task, or a head, of probabilities.

    Each has head and task, and either scale, shift, ece_before, ece_after, n, split and prevalence (None for
    classes, which have one each), or reason: why it is not calibrated.
    """
    stored = spec.training.get("calibration") if isinstance(spec.training, Mapping) else None
    stored = [row for row in stored if isinstance(row, Mapping)] if isinstance(stored, list | tuple) else []
    rows: list[dict[str, Any]] = []
    for head, activation in spec.activation.items():
        if activation in ("sigmoid", "softmax"):
            own = [_clean(row, head) for row in stored if row.get("head") == head]
            rows += own or [{"head": head, "task": "", "reason": _NOTHING}]
    return rows


def calibration_of(spec: ModelSpec, head: str, task: str) -> dict[str, Any] | None:
    """The row of one task; None where its head predicts no probabilities."""
    rows = [row for row in calibration_rows(spec) if row["head"] == head]
    return next((row for row in rows if row["task"] in ("", task)), {**rows[0], "reason": _NOTHING} if rows else None)


def calibration_words(spec: ModelSpec) -> list[str]:
    """A sentence a task, or one a head where tasks are many; none for a model without probabilities."""
    rows, sentences = calibration_rows(spec), []
    for head in dict.fromkeys(row["head"] for row in rows):
        own = [row for row in rows if row["head"] == head]
        sentences += [calibration_sentence(row) for row in own] if len(own) <= MOST_TASKS else [_summary(head, own)]
    return sentences


def calibration_sentence(row: Mapping[str, Any]) -> str:
    """A row of `calibration_rows` in words, its name first."""
    name = printable("/".join(filter(None, (row["head"], row["task"]))))
    if "reason" in row:
        return f"{name}: not calibrated: {row['reason']}"
    prevalence = row["prevalence"]
    to = "the classes' shares there" if prevalence is None else f"a prevalence of {prevalence:.3g}"
    return (
        f"{name}: calibrated on {row['split']}, n = {int(row['n']):,}, to {to}: scale {row['scale']:.3g}, "
        f"shift {row['shift']:.3g}, ECE there {row['ece_before']:.3f} before and {row['ece_after']:.3f} after"
    )


def _clean(row: Mapping[str, Any], head: str) -> dict[str, Any]:
    name = {"head": head, "task": printable(row.get("task") or "")[:_LONGEST]}
    if "reason" in row:
        return name | {"reason": printable(row["reason"])[:_LONGEST]}
    numbers = {key: row.get(key) for key in (*_NUMBERS, "n")}
    if not all(_is_number(x) for x in numbers.values()) or not (numbers["scale"] or 0) > 0:
        return name | {"reason": _NOTHING}
    prevalence = row.get("prevalence")
    split = printable(row.get("split") or "")[:_LONGEST]
    return name | numbers | {"split": split, "prevalence": prevalence if _is_number(prevalence) else None}


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and abs(x) < 1e12


def _summary(head: str, rows: list[dict[str, Any]]) -> str:
    done = [row for row in rows if "reason" not in row]
    text = f"{printable(head)}: {len(done):,} of {len(rows):,} tasks are calibrated"
    if done:
        before, after = (median(row[key] for row in done) for key in ("ece_before", "ece_after"))
        shares = [row["prevalence"] for row in done if row["prevalence"] is not None]
        to = f", each to its own prevalence ({min(shares):.3g} to {max(shares):.3g})" if shares else ""
        text += f" on {done[0]['split']}{to}: ECE there {before:.3f} before and {after:.3f} after (medians)"
    reasons = list(dict.fromkeys(row["reason"] for row in rows if "reason" in row))
    return text + (f"; not calibrated: {'; '.join(reasons[:3])}" if reasons else "")
