"""How well a split of some size can measure: expected half-widths of 95 % intervals, and sentences on small splits.

labels of each split -> AUROC (Hanley and McNeil 1982), Pearson's r (Fisher 1915) or accuracy -> warnings
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from zoo.data.source import SPLITS
from zoo.training.label_statistics import LabelStatistics, listed

WIDEST = {"test": 0.05, "validation": 0.10}
"""Half-width from which a split is called small."""
FEWEST_POSITIVES = 50
_AUROC, _R, _ACCURACY = 0.8, 0.6, 0.8
_Z = 1.96


def auroc_half_width(positives: np.ndarray | int, negatives: np.ndarray | int, auroc: float = _AUROC) -> np.ndarray:
    """Of a 95 % interval of an AUROC, by the formula of Hanley and McNeil (1982).

    >>> float(auroc_half_width(500, 500).round(3))
    0.027
    """
    p, q = np.maximum(positives, 1), np.maximum(negatives, 1)
    both_positive, both_negative = auroc / (2 - auroc), 2 * auroc**2 / (1 + auroc)
    variance = auroc * (1 - auroc) + (p - 1) * (both_positive - auroc**2) + (q - 1) * (both_negative - auroc**2)
    return _Z * np.sqrt(variance / (p * q))


def pearson_half_width(n: np.ndarray | int, r: float = _R) -> np.ndarray:
    """Of a 95 % interval of Pearson's r: half of its width, by Fisher's transformation; 1 below 4 examples.

    >>> float(pearson_half_width(100).round(2))
    0.13
    """
    step = _Z / np.sqrt(np.maximum(np.asarray(n) - 3, 1))
    width = (np.tanh(np.arctanh(r) + step) - np.tanh(np.arctanh(r) - step)) / 2
    return np.where(np.asarray(n) < 4, 1.0, width)


def small_splits(statistics: Mapping[str, LabelStatistics], n: Mapping[str, int]) -> Iterator[str]:
    """A warning for each target that a split can hardly be learned from, chosen by, or judged by.

    n: examples of every split; one without any is somebody else's to tell.
    """
    for name, labels in statistics.items():
        if labels.is_binary.any() and n["train"]:
            ones = labels.ones[0]
            few = labels.is_binary & (ones < FEWEST_POSITIVES)
            if few.any() and not labels.field.position_axes:
                yield (
                    f"warning: only {ones[few].min():,} positive examples of {_names(name, labels, few)} are in train: "
                    "a network learns little from so few; compare it with the baselines, or start from init=MODEL"
                )
        for split in ("validation", "test"):
            if n[split]:
                yield from _wide(name, labels, split, n[split])


def _wide(name: str, labels: LabelStatistics, split: str, examples: int) -> Iterator[str]:
    """A warning where the interval of the target's metric is too wide on a split."""
    widths, measure, size = _half_widths(labels, split, examples)
    wide = widths > WIDEST[split]
    if not wide.any():
        return
    worst = int(np.argmax(np.where(wide, widths, 0)))
    purpose = "choose an epoch by" if split == "validation" else "tell models apart"
    yield (
        f"warning: {split} is small to {purpose}: with {size(worst)} of {_names(name, labels, wide)} {measure} is "
        f"known to +/- {widths[worst]:.2f} (95 %)"
    )


def _half_widths(labels: LabelStatistics, split: str, examples: int):
    """(C,) half-widths, 0 where a column has no metric; the metric in words; a function that says a column's size."""
    s = SPLITS.index(split)
    if labels.field.position_axes:
        widths = np.full(len(labels.columns), pearson_half_width(examples))
        return widths, f"a correlation of {_R} over examples", lambda c: f"{examples:,} examples"
    if labels.is_class:
        n = labels.n[s]
        widths = np.where(n > 0, _Z * np.sqrt(_ACCURACY * (1 - _ACCURACY) / np.maximum(n, 1)), 0)
        return widths, f"an accuracy of {_ACCURACY}", lambda c: f"{n[c]:,} examples"
    if labels.is_binary.any():
        ones, zeros = labels.ones[s], labels.zeros[s]
        measured = labels.is_binary & (ones > 0) & (zeros > 0)
        widths = np.where(measured, auroc_half_width(ones, zeros), 0)
        return widths, f"an AUROC of {_AUROC}", lambda c: f"{ones[c]:,} positive and {zeros[c]:,} negative examples"
    n = labels.n[s]
    widths = np.where(n > 0, pearson_half_width(n), 0)
    return widths, f"a correlation of {_R}", lambda c: f"{n[c]:,} examples"


def _names(target: str, labels: LabelStatistics, columns: np.ndarray) -> str:
    return listed([column or target for column, one in zip(labels.columns, columns, strict=True) if one], most=3)
