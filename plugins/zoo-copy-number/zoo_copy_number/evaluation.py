"""Accuracy of a model's calls on simulated samples of the frozen settings: rows for its card.

samples of a group ── call ──> events found and calls true, by length ──> F1 with interval
                       └─────> calls of quality 20 and more ──> share that is wrong, events of 10 bins that they hold
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.terminal.progress import counting
from zoo_copy_number.baselines import BASELINES, call_baseline, tune
from zoo_copy_number.calibration import count_events
from zoo_copy_number.caller import CalledSample, call_sample
from zoo_copy_number.event_accuracy import CLASSES, MetricInterval, measure_interval, table
from zoo_copy_number.simulation import SimulatedSample
from zoo_copy_number.source import make_sample

if TYPE_CHECKING:
    from zoo.model import Model

GROUPS = {
    "genome": ("genome", None),
    "exome, reference": ("exome", True),
    "panel, reference": ("panel", True),
    "exome": ("exome", False),
    "panel": ("panel", False),
}
"""Kind of sample, and whether it has a pooled reference."""

TRUSTED = 20.0
"""Quality from which one call in a hundred may be wrong."""

LONG = 10
"""Bins of the events that trusted calls have to cover."""


def simulate_group(group: str, n: int, bins: int, which: int) -> list[SimulatedSample]:
    """n samples of about `bins` bins; `which` and the group make their seeds."""
    kind, reference = GROUPS[group]
    at = list(GROUPS).index(group)
    return [make_sample(kind, bins, (which, at, i), reference=reference) for i in range(n)]


def count_trusted(called: CalledSample, sample: SimulatedSample) -> np.ndarray:
    """(4,) int64: trusted deletions and duplications, wrong ones among them, long events, covered ones among them.

    A call is wrong when fewer than half of its usable bins go its way in truth.  A long event has 10
    bins or more, and is covered when trusted calls of its direction cover at least half of its usable bins.
    """
    bins, usable = sample.bins, called.predicted.known & (sample.expected > 0)
    truth = np.sign(sample.copies.astype(int) - sample.expected)
    called_direction, wrong, calls = np.zeros(len(bins), int), 0, 0
    for call in called.calls.of("DEL", "DUP"):
        if call.quality < TRUSTED:
            continue
        code = list(bins.contigs).index(call.contig)
        here = (bins.contig == code) & (bins.start >= call.start) & (bins.end <= call.end) & usable
        if not here.any():
            continue
        way = -1 if call.state == "DEL" else 1
        called_direction[here] = way
        calls += 1
        wrong += (truth[here] == way).mean() < 0.5
    events = held = 0
    for event in sample.events:
        inside = np.zeros(len(bins), bool)
        inside[event["start"] : event["end"]] = True
        inside &= usable
        if inside.sum() >= LONG:
            events += 1
            held += (called_direction[inside] == truth[inside]).mean() >= 0.5
    return np.array([calls, wrong, events, held])


def reliability(
    each: Sequence[np.ndarray], draws: int = 1000, seed: int = 0
) -> tuple[MetricInterval, MetricInterval, int, int]:
    """(share of trusted calls that are wrong, share of long events covered, calls, events); intervals over samples."""
    counts = np.asarray(each)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), draws) @ counts
    total = counts.sum(0)
    wrong, covered = (
        measure_interval(
            total[part] / total[whole] if total[whole] else np.nan, drawn[:, part] / np.maximum(drawn[:, whole], 1)
        )
        for part, whole in ((1, 0), (3, 2))
    )
    return wrong, covered, int(total[0]), int(total[2])


def evaluate_group(
    model: Model, group: str, n: int, size: int, which: int, baselines: Sequence[str] = (), tuned_on: int = 16
) -> list[dict[str, Any]]:
    """Rows of a model, and of baselines tuned on other samples of the group, on n samples of it."""
    samples = simulate_group(group, n, size, which)
    counts, held = [], []
    with counting(n, label=f"evaluating {group}", unit="samples") as advance:
        for s in samples:
            called = call_sample(model, s.bins, sex="male" if s.male else "female")
            counts.append(count_events(called.copies, s))
            held.append(count_trusted(called, s))
            advance(1)
    rows = card_rows(model.spec.name, group, counts, held)
    for name in baselines:
        chosen, _ = tune(BASELINES[name](), simulate_group(group, tuned_on, size, which + 1000))
        rows += card_rows(name, group, [count_events(call_baseline(chosen, s.bins, s.expected), s) for s in samples])
    return rows


def card_rows(
    predictor: str, group: str, counts: Sequence[np.ndarray], held: Sequence[np.ndarray] | None = None
) -> list[dict[str, Any]]:
    """Metrics of one predictor on one group, as a model's card takes them.

    counts: of zoo_copy_number.event_accuracy.count.  held: of `count_trusted`; without it the predictor is a baseline.
    """

    def row(metric: str, value: MetricInterval, n: int, stratum: str, note: str = "") -> dict[str, Any]:
        about = {"predictor": predictor, "baseline": held is None, "head": "states", "task": "", "metric": metric}
        numbers = {**asdict(value), "n": n, "n_positive": None, "split": "test"}
        unit = "calls" if metric == "wrong_at_q20" else "events"
        return {**about, **numbers, "unit": unit, "stratum": stratum, "note": note}

    long = np.asarray(counts) * (np.array(CLASSES) >= LONG)[:, None]
    rows = [
        row("event_f1", r.f1, r.events, f"{group}, {r.length} bins" if r.length else group)
        for r in table(counts)
        if np.isfinite(r.f1.value)
    ]
    together = table(long)[-1]
    if np.isfinite(together.f1.value):
        rows.append(row("event_f1", together.f1, together.events, f"{group}, {LONG} bins and more"))
    if held is not None:
        wrong, kept, calls, events = reliability(held)
        rows.append(row("wrong_at_q20", wrong, calls, group, "share of calls of quality 20 or more"))
        rows.append(row("held_at_q20", kept, events, group, "events of 10 bins and more"))
    return [r for r in rows if r["n"]]
