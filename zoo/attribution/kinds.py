"""Kinds of attributions, brought to one before they are compared.

    effect       E[b] = f(base b here) - f(as it is)              0 at the reference base
    hypothetical H[b]: what base b would contribute                H[b] - H[reference] is an effect
    contribution C: what the base that is there contributes        nothing is known of the other three

    effects:   E, H[b] - H[reference]                              (N, 4, L)
    per base:  -mean(E), H[reference] - mean(H), C if centered      (N, L)

A gradient has a component that is equal for the four bases.  No substitution can show it, so it cancels from both
forms; raw input x gradient still holds it, and is refused (Majdandzic et al. 2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


def as_effects(values: np.ndarray | Tensor, kind: str, codes: np.ndarray) -> np.ndarray:
    """(N, 4, L) of any kind that knows all four bases -> effects of substitutions, 0 at the reference base.

    Where the reference is N, an effect is against the mean of the four.
    Raises ConfigError for contributions, which say nothing of the bases that are not there.
    """
    values = _numpy(values)
    if kind == "contribution":
        raise ConfigError(
            "contributions say nothing of the bases that are not there: take the hypothetical kind for effects"
        )
    if kind == "effect":
        return values
    return values - at_reference(values, codes)[:, None]


def per_base(values: np.ndarray | Tensor, kind: str, codes: np.ndarray, *, centered: bool = False) -> np.ndarray:
    """(N, 4, L) of any kind -> (N, L): the base that is there against the mean of the four.

    Raises ConfigError for contributions that are not centered.
    """
    values = _numpy(values)
    if kind == "effect":
        return -values.mean(1)
    if kind == "hypothetical":
        return at_reference(values, codes) - values.mean(1)
    if not centered:
        raise ConfigError(
            "raw contributions, such as input x gradient, hold a part that no substitution can show: "
            "set center=true, or take the hypothetical kind"
        )
    return values.sum(1)


def actual(values: np.ndarray | Tensor, kind: str, codes: np.ndarray) -> np.ndarray:
    """(N, 4, L) of any kind -> (N, 4, L): the contribution of the base that is there, 0 at the other three.

    Effects contribute minus their mean over the four letters.  Nothing is there at an N.
    """
    values = _numpy(values)
    if kind == "contribution":
        return values
    here = -values.mean(1) if kind == "effect" else at_reference(values, codes)
    return here[:, None] * (np.arange(4)[:, None] == codes[:, None])


def at_reference(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """values (N, 4, L) at the base that is there: (N, L); the mean of the four at an N."""
    known = codes < 4
    found = np.take_along_axis(values, np.where(known, codes, 0)[:, None].astype(np.int64), 1)[:, 0]
    return np.where(known, found, values.mean(1))


def _numpy(values: np.ndarray | Tensor) -> np.ndarray:
    return values if isinstance(values, np.ndarray) else values.detach().cpu().numpy()
