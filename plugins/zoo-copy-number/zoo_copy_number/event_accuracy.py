"""Recall of planted events and precision of calls, by length.

    called copies (n,) ── runs of one direction ──> calls ──┐
    events of a simulation ────────────────────────────────┴─> counts (direction, length, 4) ── table ──> rows

A direction is a deletion or a duplication, fewer or more copies than expected; the number of copies is not evaluated.

Recall     an event is found when at least half of its usable bins are called in its direction, by however many calls.
Precision  a call is a longest run of usable bins of one direction on one contig; bins without a call do not break it.
           It is true when one event of its direction shares with it at least half of the bins of both, so an event
           that was broken into pieces is found, yet most of its pieces are false.
No call    NaN.  "missed": such bins count as not called, so no-calls cost recall.  "excluded": they leave the count,
           and so do events of which they are more than half.
Lengths    in usable bins, each to the nearest of `CLASSES` on a log scale: an event by its own, a call by its own.
           Recall and precision of a length are therefore shares of different things, and F1 joins them.

Bins that are masked or expect no copies are left out throughout.  Intervals are percentiles of a bootstrap over
samples, since events of one sample share its noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zoo.errors import ConfigError, DataError

CLASSES = (3, 5, 10, 30, 100, 300)
"""Usable bins; the last holds all that is longer."""

COUNTS = ("events found", "events", "true calls", "calls")

_EDGES = np.sqrt(np.array(CLASSES[:-1]) * np.array(CLASSES[1:]))


@dataclass(frozen=True)
class MetricInterval:
    """A metric and the ends of its interval; NaN where there is nothing to count."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})" if np.isfinite(self.value) else "-"


@dataclass(frozen=True)
class LengthAccuracy:
    """Accuracy at one length of CLASSES, None for all lengths; `events` and `calls` are their numbers."""

    length: int | None
    events: int
    calls: int
    recall: MetricInterval
    precision: MetricInterval
    f1: MetricInterval


def count(
    copies: np.ndarray,
    expected: np.ndarray,
    contig: np.ndarray,
    usable: np.ndarray,
    events: np.ndarray,
    *,
    no_call: Literal["missed", "excluded"] = "missed",
) -> np.ndarray:
    """(2, len(CLASSES), 4) int64 of one sample: deletions and duplications by length, in the order of `COUNTS`.

    copies: (n,) called copies of each bin, NaN for no call.  expected: (n,) copies of a normal cell.
    contig: (n,) index of the contig, never decreasing.  usable: (n,) bool.
    events: table with `start` and `end`, indices of bins, half-open, apart from each other, and `copies`.
    """
    if no_call not in ("missed", "excluded"):
        raise ConfigError(f"no_call is {no_call!r}: choose missed or excluded")
    lengths = {len(a) for a in (copies, expected, contig, usable)}
    if len(lengths) > 1 or (len(events) and events["end"].max() > len(copies)):
        raise DataError(f"copies, expected, contig, usable and events have {sorted(lengths)} bins: give equal numbers")
    out = np.zeros((2, len(CLASSES), 4), np.int64)
    usable = usable & (expected > 0)
    known = usable & ~np.isnan(copies)
    state = np.zeros(len(copies), np.int8)
    state[known] = np.sign(copies[known] - expected[known])

    # Events, and which of them a bin belongs to.
    owner = np.full(len(copies), -1)
    direction = np.zeros(len(events), np.int8)
    for i, event in enumerate(events):
        owner[event["start"] : event["end"]] = i
        direction[i] = np.sign(int(event["copies"]) - int(expected[event["start"]]))
    size = np.bincount(owner[usable & (owner >= 0)], minlength=len(events))
    called = np.bincount(owner[known & (owner >= 0)], minlength=len(events))
    right = known & (owner >= 0)
    right[right] = state[right] == direction[owner[right]]
    hits = np.bincount(owner[right], minlength=len(events))
    counted, base = size > 0, size
    if no_call == "excluded":
        counted, base = (size > 0) & (2 * called >= size), called
    for hit, event_size, way in zip((2 * hits >= base)[counted], size[counted], direction[counted], strict=True):
        out[int(way > 0), _class(event_size), :2] += (int(hit), 1)

    # Calls, and the event of their direction that shares most with each.
    at = np.flatnonzero(known)
    first, last = find_runs(state[at], contig[at])
    kept = state[at][first] != 0 if len(first) else np.zeros(0, bool)
    for a, b in zip(first[kept], last[kept], strict=True):
        inside = at[a:b]
        shared = np.bincount(owner[inside][right[inside]], minlength=1)
        best = int(np.argmax(shared))
        true = 2 * shared[best] >= b - a and len(events) > 0 and 2 * shared[best] >= base[best]
        out[int(state[at[a]] > 0), _class(b - a), 2:] += (int(true and shared[best] > 0), 1)
    return out


def summarise_counts(counts: np.ndarray) -> dict[str, np.ndarray]:
    """recall, precision and f1, each (...), of counts (..., 4); NaN where nothing is there to count.

    F1 is 0 where there are events and no true call.
    """
    found, events, true, calls = np.moveaxis(np.asarray(counts, float), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = found / events, true / calls
        f1 = 2 * recall * precision / (recall + precision)
    f1 = np.where((events > 0) & ((true == 0) | (found == 0)), 0.0, f1)
    return {"recall": recall, "precision": precision, "f1": np.where(events > 0, f1, np.nan)}


def table(
    counts: Sequence[np.ndarray] | np.ndarray,
    *,
    direction: Literal["DEL", "DUP"] | None = None,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> list[LengthAccuracy]:
    """Rows by length, and one of all, pooled over samples.

    counts: (S, 2, len(CLASSES), 4), what `count` gave for each of S samples.
    direction: one of them, both by default.  draws, level, seed: of the bootstrap.

    Raises DataError without samples.
    """
    each = np.asarray(counts)
    if not len(each):
        raise DataError("there are no samples to score: give at least one")
    one = each.sum(1) if direction is None else each[:, ("DEL", "DUP").index(direction)]
    counts = np.concatenate([one, one.sum(1, keepdims=True)], 1)
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), draws)
    drawn = summarise_counts(np.tensordot(weights, counts, 1))
    pooled = counts.sum(0)
    value, rows = summarise_counts(pooled), []
    for k, length in enumerate([*CLASSES, None]):
        figures = {m: measure_interval(value[m][k], drawn[m][:, k], level) for m in ("recall", "precision", "f1")}
        rows.append(LengthAccuracy(length, int(pooled[k, 1]), int(pooled[k, 3]), **figures))
    return rows


def find_runs(state: np.ndarray, contig: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First bin, and the bin after the last, of every run of one state on one contig."""
    if not len(state):
        return np.zeros(0, int), np.zeros(0, int)
    edge = np.flatnonzero((np.diff(state) != 0) | (np.diff(contig) != 0)) + 1
    return np.append(0, edge), np.append(edge, len(state))


def _class(bins: int) -> int:
    return int(np.searchsorted(_EDGES, bins))


def measure_interval(value: float, drawn: np.ndarray, level: float = 0.95) -> MetricInterval:
    """Percentiles of the finite ones of bootstrapped values; NaN where there are none."""
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return MetricInterval(float("nan"), float("nan"), float("nan"))
    return MetricInterval(float(value), *map(float, np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])))
