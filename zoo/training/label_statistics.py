"""The labels of one target over the splits: how many, how large, of which class; and equal sequences that disagree.

labels (N, *axes) of a batch, NaN where missing -> LabelStatistics.add -> low, high, n by column
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.source import SPLITS
from zoo.fields import Field

_MOST_NAMES = 8


class LabelStatistics:
    """Figures of the columns (channels) of a target; class ids are one column.

    low, high: (splits, C) smallest and largest label, inf and -inf where there is none.
    n, zeros, ones: (splits, C) labels that are there, and those of exactly 0 and 1.
    of_class: (splits, K) labels of each class id.
    missing, fractions, signs: (C,) labels that are missing, that are no whole numbers, that are -1 or 1.
    """

    def __init__(self, field: Field):
        self.field = field
        self.is_class = field.values == "class"
        self.columns = ("",) if self.is_class or not field.channels else field.channels
        shape = (len(SPLITS), len(self.columns))
        self.low, self.high = np.full(shape, np.inf), np.full(shape, -np.inf)
        self.n, self.zeros, self.ones = (np.zeros(shape, np.int64) for _ in range(3))
        self.of_class = np.zeros((len(SPLITS), len(field.vocabulary) if self.is_class else 0), np.int64)
        self.missing, self.fractions, self.signs = (np.zeros(shape[1], np.int64) for _ in range(3))

    def add(self, split: str, labels: np.ndarray) -> None:
        """labels: (N, *axes) of one batch, NaN (an id below 0) where missing."""
        s, y = SPLITS.index(split), np.asarray(labels)
        axis = None if self.is_class else self.field.channel_axis
        y = y.reshape(1, -1) if axis is None else np.moveaxis(y, axis, 0).reshape(y.shape[axis], -1)
        known = y >= 0 if self.is_class else ~np.isnan(y)
        self.low[s] = np.minimum(self.low[s], np.where(known, y, np.inf).min(1, initial=np.inf))
        self.high[s] = np.maximum(self.high[s], np.where(known, y, -np.inf).max(1, initial=-np.inf))
        self.n[s] += known.sum(1)
        self.zeros[s] += (y == 0).sum(1)
        self.ones[s] += (y == 1).sum(1)
        if self.is_class:
            ids = y[known].astype(np.int64)
            ids = ids[ids < self.of_class.shape[1]]  # a larger one is refused by the objective
            self.of_class[s] += np.bincount(ids, minlength=self.of_class.shape[1])
        self.missing += (~known).sum(1)
        self.fractions += (known & (y != np.round(y))).sum(1)
        self.signs += (np.abs(y) == 1).sum(1)

    @property
    def is_binary(self) -> np.ndarray:
        """(C,) bool: every label is 0 or 1, and both are there."""
        ones, zeros = self.ones.sum(0), self.zeros.sum(0)
        return (ones > 0) & (zeros > 0) & (ones + zeros == self.n.sum(0))

    def constant(self, split: str) -> np.ndarray:
        """(C,) bool: the labels of a split that are there are all alike; False where there is none."""
        s = SPLITS.index(split)
        return (self.n[s] > 0) & (self.low[s] == self.high[s])

    def describe(self) -> str:
        """One line: what each column holds, or the range over many of them."""
        if len(self.columns) <= _MOST_NAMES:
            return "; ".join(self._column(c) for c in range(len(self.columns)))
        names = f"{len(self.columns)} columns, {self.columns[0]} to {self.columns[-1]}"
        if self.is_binary.all():
            share = self.ones.sum(0) / np.maximum(self.n.sum(0), 1)
            return f"{names}: {share.min():.2g} to {share.max():.2g} of the labels are 1"
        return f"{names}: {self.low.min():.4g} to {self.high.max():.4g}"

    def _column(self, c: int) -> str:
        n = int(self.n[:, c].sum())
        if not n:
            text = "no label"
        elif self.is_class:
            text = f"ids {self.low.min():.0f} to {self.high.max():.0f} of {len(self.field.vocabulary)} classes"
        elif self.is_binary[c]:
            text = f"{int(self.ones[:, c].sum()):,} of {n:,} labels are 1, the others 0"
        else:
            text = f"{self.low[:, c].min():.4g} to {self.high[:, c].max():.4g}"
        missing = f", {int(self.missing[c]):,} missing" if self.missing[c] else ""
        return f"{self.columns[c]}: {text}{missing}" if self.columns[c] else text + missing


def disagreements(keys: np.ndarray, labels: np.ndarray) -> tuple[int, np.ndarray]:
    """Equal sequences that have different labels of a column: how many sequences, and (2,) rows of the first such two.

    keys: (n,) that equal sequences share.  labels: (n, C), NaN where missing.

    >>> disagreements(np.array([5, 7, 5, 7]), np.array([[0.0], [1], [1], [1]]))
    (1, array([0, 2]))
    """
    _, group = np.unique(keys, return_inverse=True)
    clash, pair = np.zeros(group.max(initial=-1) + 1, bool), np.empty(0, np.int64)
    for y in labels.T:
        rows = np.flatnonzero(~np.isnan(y))
        low, high = np.full(len(clash), np.inf), np.full(len(clash), -np.inf)
        np.minimum.at(low, group[rows], y[rows])
        np.maximum.at(high, group[rows], y[rows])
        here = low < high
        if here.any() and not len(pair):
            member = rows[group[rows] == np.flatnonzero(here)[0]]
            pair = np.array([member[0], next(m for m in member if y[m] != y[member[0]])])
        clash |= here
    return int(clash.sum()), pair


def listed(names: Sequence[str], most: int = 5) -> str:
    """The names, the first few where they are many."""
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
