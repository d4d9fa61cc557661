"""Part of section `performance`: may the model's probabilities be read as such, at which prevalence, and the curve.

metrics with an ECE, the card's record of the calibration -> a sentence     predictions and labels -> reliability curve
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.evaluation.comparison import number
from zoo.evaluation.reliability import ReliabilityCurve, reliability_curve
from zoo.hub.calibration import calibration_of, calibration_sentence
from zoo.pictures.curves import draw_reliability
from zoo.report.section import Picture, Subject, Text

TOLERATED = 0.05
"""Largest ECE with which a probability is still what it says."""


def reliability(subject: Subject, rows: Sequence[Mapping[str, Any]], head: str, task: str) -> Iterator[Text]:
    """A sentence on a head of probabilities, with what the card records; nothing for other heads.

    rows: cleaned metrics, of which the model's ECE of this task is taken.
    """
    recorded = calibration_of(subject.model.spec, head, task)
    if recorded is None:
        return
    own = [
        row
        for row in rows
        if (row["metric"], row["head"], row["task"], row["stratum"], row["baseline"])
        == ("ece", head, task, "all", False)
        and row["value"] is not None
    ]
    answer, why, tone = _verdict(own[0]) if own else ("Unknown", "no ECE of this task is at hand", "unsure")
    record = f"The card says of {calibration_sentence(recorded)}."
    yield Text(f"May its probabilities be read as such? {answer}: {why}. {record}", tone)


def _verdict(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Answer, reason and tone.  The interval begins at 0 where a calibrated model could have such an ECE by chance."""
    words = f"on {row['n']:,} {row['split'] or 'recorded'} examples they are off by {number(row)} in the mean (ECE)"
    positive = row["n_positive"]
    share = f" (prevalence {positive / row['n']:.3g})" if positive is not None and row["n"] else ""
    if row["low"] is None or row["high"] is None:
        return "Unsure", f"{words}, without an interval", "unsure"
    if row["high"] <= TOLERATED:
        what = "positives are" if positive is not None else "the classes are"
        return "Yes", f"{words}, but only where {what} as frequent as in these data{share}", "good"
    if row["low"] >= TOLERATED:
        return "No", f"{words}: they rank the examples, and are no frequencies", "bad"
    return "Unsure", f"{words}: these examples are too few, or the fault too small, to tell", "unsure"


def reliability_picture(subject: Subject, head: str, task: str, truth: np.ndarray, prediction: np.ndarray) -> Picture:
    """truth (n,) 0 or 1, prediction (n,) probabilities: the curve, and in grey that of the model as it was trained."""
    curve = reliability_curve(truth, prediction)
    recorded = calibration_of(subject.model.spec, head, task) or {"reason": ""}
    before = None
    if "reason" not in recorded:
        before = reliability_curve(truth, _unscaled(prediction, recorded["scale"], recorded["shift"]))
    points = "; ".join(
        f"predicted {p:.2f}, observed {o:.2f} [{low:.2f}, {high:.2f}], n = {n:,}" for n, p, o, low, high in _rows(curve)
    )
    grey = " Grey: as the model was before its calibration." if before else ""
    least, most = curve.n.min(), curve.n.max()
    size = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return Picture(
        draw_reliability(curve, before),
        f"Reliability curve of the model on the test split: {points}.",
        "Reliability: of the examples of a bin, the share that is positive (up) against the mean predicted probability "
        f"(right); on the dotted line they agree. {len(curve.n)} bins of {size} examples, with 95 % intervals.{grey}",
    )


def _rows(curve: ReliabilityCurve) -> Iterator[tuple]:
    yield from zip(curve.n, curve.predicted, curve.observed, curve.low, curve.high, strict=True)


def _unscaled(p: np.ndarray, scale: float, shift: float) -> np.ndarray:
    """Probabilities before a scale and a shift of the logit."""
    p = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    return 1 / (1 + np.exp(-np.clip((np.log(p / (1 - p)) - shift) / scale, -700, 700)))
