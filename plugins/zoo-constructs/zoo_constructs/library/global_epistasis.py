"""What a network of constructs must beat: additive and pairwise effects of bases or parts behind one monotone curve.

design matrix (n, F), activities (n,) -> latent additive (or pairwise) trait -> sigmoid -> prediction

Much of what looks like interaction in a library is one non-linear curve between an additive trait and what is measured:
global epistasis (Otwinowski, McCandlish and Plotkin 2018, PNAS 115:E7550).  A network that is not better than this has
found no interaction.  The trait is fitted by ridge regression, or with all pairs by kernel ridge regression, and the
curve by least squares, in turn (Gauss-Newton); strength of the ridge and number of turns are chosen on validation rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Trait = Callable[[Any], np.ndarray]
Curve = Callable[[np.ndarray], np.ndarray]

_RIDGES = (1e-3, 1e-2, 1e-1, 1e0, 1e1)
_TURNS = 4
_FLATTEST = 0.05
MOST_ROWS = 3_000
"""Rows that the pairwise fit takes, whose kernel has a number for each two of them."""


@dataclass(frozen=True)
class GlobalEpistasis:
    """The fit of a baseline, as `zoo.evaluation.baselines.Baseline.fit` is called.

    pairs: of features, all of them by a quadratic kernel, beside the features themselves.
    seed: of the rows that a pairwise fit takes where there are more than `MOST_ROWS`.
    """

    pairs: bool = False
    seed: int = 0

    def __call__(
        self,
        values: str,
        train: Any,
        target: np.ndarray,
        validation: Any,
        validation_target: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> tuple[Callable[[Any], np.ndarray], str, int | None] | None:
        """train, validation: (n, F) sparse -> prediction of such features, a note, rows it is fitted to; None where all
        activities are alike."""
        if train is None or len(target) < 3 or np.ptp(target) == 0:
            return None
        rows = np.arange(len(target))
        if self.pairs and len(rows) > MOST_ROWS:
            rows = np.sort(np.random.default_rng(self.seed).choice(len(rows), MOST_ROWS, replace=False))
        weight = np.ones(len(target)) if weight is None else weight
        middle, scale = float(np.average(target, weights=weight)), float(target.std())
        y, w = (target[rows] - middle) / scale, weight[rows] / weight[rows].mean()
        check = None if validation is None or not len(validation_target) else (validation_target - middle) / scale
        design = Kernel(train[rows]) if self.pairs else Linear(train[rows])
        trait, curve, turns = _fit(design, y, w, None if check is None else validation, check)

        def predict(features: Any) -> np.ndarray:
            return middle + scale * curve(trait(features))

        note = f"{'all pairs ' if self.pairs else ''}behind {'a sigmoid' if turns else 'a straight line'}"
        return predict, note, len(rows) if len(rows) < len(target) else None


class Linear:
    """Ridge regression on features (n, F), whose strength is in units of the mean squared length of a row."""

    def __init__(self, rows: Any):
        self.rows = rows
        self.unit = float(_lengths(rows, np.asarray(rows.mean(0)).ravel()).mean())

    def fit(self, response: np.ndarray, weight: np.ndarray, ridge: float) -> Trait:
        """response, weight: (n,) -> the trait of any such features."""
        from sklearn.linear_model import Ridge

        return Ridge(alpha=ridge * self.unit).fit(self.rows, response, sample_weight=weight).predict


class Kernel:
    """Kernel ridge regression on features and all their pairs.

    Likeness of rows is s + s ** 2, s = x . y of centred features in units of its mean for x = y.  s ** 2 is the
    likeness in all pairs of features, whose number never shows.
    """

    def __init__(self, rows: Any):
        self.rows = rows
        self.mean = np.asarray(rows.mean(0)).ravel()
        self.unit = max(float(_lengths(rows, self.mean).mean()), 1e-12)
        self.own = self.like(rows)

    def like(self, others: Any) -> np.ndarray:
        """others: (m, F) sparse -> (m, n)."""
        like = np.asarray((others @ self.rows.T).todense(), np.float64)
        like += self.mean @ self.mean - (others @ self.mean)[:, None] - (self.rows @ self.mean)[None]
        like /= self.unit
        return like + like**2

    def fit(self, response: np.ndarray, weight: np.ndarray, ridge: float) -> Trait:
        """response, weight: (n,) -> the trait of any such features; the intercept is not shrunk."""
        from scipy.linalg import cho_factor, cho_solve

        n = len(response)
        system = self.own.copy()
        system[np.arange(n), np.arange(n)] += ridge / np.maximum(weight, 1e-6)
        ones, solved = np.ones(n), cho_solve(cho_factor(system, overwrite_a=True), np.stack([response, np.ones(n)], 1))
        intercept = ones @ solved[:, 0] / (ones @ solved[:, 1])
        coefficients = solved[:, 0] - intercept * solved[:, 1]
        return lambda features: self.like(features) @ coefficients + intercept


def _lengths(rows: Any, mean: np.ndarray) -> np.ndarray:
    """(n,) squared length of every row less the mean."""
    return np.asarray(rows.multiply(rows).sum(1)).ravel() - 2 * (rows @ mean) + mean @ mean


def _fit(
    design: Linear | Kernel, y: np.ndarray, weight: np.ndarray, check: Any, check_target: np.ndarray | None
) -> tuple[Trait, Curve, int]:
    """The trait, the curve, and the turns of Gauss-Newton that led to them.

    check: features of validation rows, whose squared error decides; without them the last turn of one ridge is kept.
    """
    best: tuple[Trait, Curve, int] | None = None
    lowest = np.inf
    for ridge in _RIDGES if check is not None else (1e-1,):
        response, w, curve = y, weight, None
        for turn in range(_TURNS):
            trait = design.fit(response, w, ridge)
            latent = trait(design.rows)
            sigmoid = fit_sigmoid(latent, y, weight, curve)
            shape = sigmoid if turn else _straight
            if shape is not None:
                loss = -turn if check_target is None else float(np.mean((shape(trait(check)) - check_target) ** 2))
                if loss < lowest:
                    best, lowest = (trait, shape, turn), loss
            if sigmoid is None:
                break
            slope = np.maximum(sigmoid.slope(latent), _FLATTEST * sigmoid.slope(latent).max())
            response, w = latent + (y - sigmoid(latent)) / slope, weight * slope**2
            curve = sigmoid
    assert best is not None, "the straight line of the first ridge is always there"
    return best


@dataclass(frozen=True)
class Sigmoid:
    """low + height / (1 + exp(-rate (x - middle))), rising."""

    low: float
    height: float
    rate: float
    middle: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        return self.low + self.height * expit(self.rate * (x - self.middle))

    def slope(self, x: np.ndarray) -> np.ndarray:
        """Derivative at x."""
        from scipy.special import expit

        s = expit(self.rate * (x - self.middle))
        return self.height * self.rate * s * (1 - s)


def _straight(x: np.ndarray) -> np.ndarray:
    return x


def fit_sigmoid(latent: np.ndarray, y: np.ndarray, weight: np.ndarray, start: Sigmoid | None = None) -> Sigmoid | None:
    """The rising sigmoid that is nearest in weighted squares, None where none converges."""
    from scipy.optimize import curve_fit

    spread = max(float(latent.std()), 1e-9)
    low, high = np.percentile(y, [1, 99])
    first = (low, max(high - low, 1e-6), 2 / spread, float(np.median(latent)))
    if start is not None:
        first = (start.low, start.height, start.rate, start.middle)
    bounds = (
        [-np.inf, 1e-9, 1e-3 / spread, latent.min() - 5 * spread],
        [np.inf, np.inf, 50 / spread, latent.max() + 5 * spread],
    )
    first = tuple(np.clip(first, bounds[0], bounds[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            best, _ = curve_fit(
                lambda x, *p: Sigmoid(*p)(x),
                latent,
                y,
                p0=first,
                bounds=bounds,
                sigma=1 / np.sqrt(weight + 1e-12),
                max_nfev=200,
            )
    except (RuntimeError, ValueError):
        return None
    return Sigmoid(*map(float, best)) if np.isfinite(best).all() else None
