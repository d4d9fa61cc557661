"""A scale and a shift of a logit that make its probabilities fit labels (Platt 1999; Guo et al. 2017 for classes).

logits (n,), labels 0 or 1 (n,) -> scale > 0, shift     sigmoid(scale * logit + shift)
logits (n, K), class ids (n,)   -> scale > 0            softmax(scale * logits), 1 / scale being the temperature

The scale is above 0, so that no two examples change their order.  The shift is fitted where the labels ask for it
(a likelihood-ratio test at 5 %): without need it costs more, by its own noise, than it mends.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_BOUND = 5.0
"""Largest |log(scale)|; a fit that comes there has found no scale."""

_CHI_SQUARED = 3.84
"""95th percentile for one degree of freedom."""


def fit_scale_and_shift(logit: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[float, float] | None:
    """Maximum likelihood of one task; None where rising logits do not go with rising labels.

    logit: (n,) before the sigmoid; label: (n,) 0 or 1, both there; weight: (n,) above 0.
    Labels count as (n1 + 1) / (n1 + 2) and 1 / (n0 + 2), as Platt has it, so that classes which do not overlap have
    a finite scale.
    """
    z, y = logit.astype(np.float64), label.astype(np.float64)
    w = weight / weight.mean()
    positives, negatives = (w * y).sum(), (w * (1 - y)).sum()
    smooth = np.where(y > 0.5, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(log_scale: float, shift: float = 0.0) -> tuple[float, np.ndarray]:
        scaled = np.exp(log_scale) * z
        x = scaled + shift
        gap = w * (np.exp(-np.logaddexp(0, -x)) - smooth)
        value = (w * (np.logaddexp(0, x) - smooth * x)).sum()
        return value / len(z), np.array([(gap * scaled).sum(), gap.sum()]) / len(z)

    alone, both = _minimum(loss, 1), _minimum(loss, 2)
    shifted = 2 * len(z) * (loss(*alone)[0] - loss(*both)[0]) > _CHI_SQUARED
    log_scale, shift = both if shifted else (alone[0], 0.0)
    return None if abs(log_scale) > _BOUND - 1e-3 else (float(np.exp(log_scale)), float(shift))


def fit_temperature(logits: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float | None:
    """The scale of all classes' logits by maximum likelihood; None where there is none.

    logits: (n, K) before the softmax; label: (n,) ids; weight: (n,) above 0.
    """
    z = logits.astype(np.float64)
    z = z - z.max(1, keepdims=True)
    own = z[np.arange(len(z)), label]
    w = weight / weight.mean()

    def loss(log_scale: float) -> tuple[float, np.ndarray]:
        scale = np.exp(log_scale)
        power = np.exp(scale * z)
        total = power.sum(1)
        slope = scale * ((power * z).sum(1) / total - own)
        return float((w * (np.log(total) - scale * own)).mean()), np.array([(w * slope).mean()])

    (log_scale,) = _minimum(loss, 1)
    return None if abs(log_scale) > _BOUND - 1e-3 else float(np.exp(log_scale))


def _minimum(loss: Callable[..., tuple[float, np.ndarray]], parameters: int) -> np.ndarray:
    """Of log(scale), and of the shift where there are two."""
    from scipy.optimize import minimize

    def of(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = loss(*x)
        return value, slope[:parameters]

    bounds = [(-_BOUND, _BOUND), (None, None)][:parameters]
    options = {"ftol": 1e-14, "gtol": 1e-10, "maxiter": 500}
    return minimize(of, np.zeros(parameters), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
