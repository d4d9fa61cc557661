"""`Preprocess`: every step from contacts to log(observed / expected), as values of a configuration.

    contacts -> diagonals kept -> observed / expected -> log -> clip -> fill -> smooth -> (T, T) float32

The steps are applied in this order and no other; `describe` lists all of them for the model card.  Akita's steps
(Fudenberg et al. 2020, doi:10.1038/s41592-020-0958-x) are observed / expected, log, clipping to [-2, 2], interpolation
and a Gaussian: whoever leaves one out cannot reproduce its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.expected import expand_expected, pool_expected
from zoo_hic.maps import ContactMap, bins_apart, check_square


@dataclass(frozen=True)
class Preprocess:
    """Steps from contacts to targets; all defaults are part of what a model was trained on.

    balance: weights that the contacts were multiplied by; "none" for raw counts.
    first_diagonal: pairs fewer bins apart are unknown (self-ligation and undigested ends lie there).
    last_diagonal: pairs more bins apart are unknown; None keeps all.
    expected: mean by diagonal of the contig itself, or of all contigs together.
    expected_pairs: diagonals with fewer known pairs are pooled (`expected.smooth_far`); 0 pools none.
    log: base of the logarithm.
    pseudocount: p of log((O/E + p) / (1 + p)), in units of the expected contacts, so that O/E = 1 stays 0.  With 0,
        pairs without a contact are unknown, which leaves only the well-observed ones: not for sparse maps.
    clip: values beyond +-clip (in logs) are set to it; None for none.
    fill: unknown pairs are set to the mean of the known ones at most so many bins away in either direction; pairs
        without any stay unknown.  0 for none.
    smooth: sigma of a Gaussian, in bins, over known values; unknown ones stay so.  0 for none.
    """

    balance: str = "weight"
    first_diagonal: int = 2
    last_diagonal: int | None = None
    expected: Literal["contig", "genome"] = "contig"
    expected_pairs: int = 30
    log: Literal["e", "2", "10"] = "e"
    pseudocount: float = 0.1
    clip: float | None = 2.0
    fill: int = 0
    smooth: float = 0.0

    def __post_init__(self) -> None:
        for name in ("first_diagonal", "expected_pairs", "fill"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigError(f"{name} {value!r} must be a whole number from 0 on")
        last = self.last_diagonal
        if last is not None and (isinstance(last, bool) or not isinstance(last, int) or last < self.first_diagonal):
            raise ConfigError(
                f"last_diagonal {last!r} must be a whole number from first_diagonal {self.first_diagonal} on, or null"
            )
        for name, choices in (("expected", ("contig", "genome")), ("log", ("e", "2", "10"))):
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name} {getattr(self, name)!r} must be one of {', '.join(choices)}")
        for name, value in (("pseudocount", self.pseudocount), ("smooth", self.smooth)):
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} {value!r} must be 0 or more")
        if self.clip is not None and not self.clip > 0:
            raise ConfigError(f"clip {self.clip!r} must be more than 0, or null for none")
        if not self.balance:
            raise ConfigError('balance is empty: name the weights, such as weight, or "none" for raw contacts')

    def expect(self, squares: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Expected contacts by diagonal, (T,) or longer, for each contig of {contig: (T, T) contacts}."""
        if self.expected == "genome":
            pooled = pool_expected(squares.values(), min_pairs=self.expected_pairs)
            return dict.fromkeys(squares, pooled)
        return {c: pool_expected([s], min_pairs=self.expected_pairs) for c, s in squares.items()}

    def apply(self, square: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """log(observed / expected): (T, T) float32, symmetric, NaN where unknown.

        square: (T, T) contacts, NaN where masked.  expected: (T,) or longer, by diagonal.
        Turning the contig round turns the result round.  Raises ConfigError where `expected` is too short.
        """
        square = check_square(square)
        kept = self._kept(len(square))
        means = expand_expected(expected, len(square))
        ratio = np.divide(square, means, out=np.full(square.shape, np.nan), where=kept & (means > 0))
        value = self._log(ratio)
        if self.clip is not None:
            value = np.clip(value, -self.clip, self.clip)
        if self.fill:
            value = _fill(value, self.fill)
        if self.smooth:
            value = _smooth(value, self.smooth)
        value = np.where(kept, (value + value.T) / 2, np.nan)  # the two axes round differently
        return value.astype(np.float32)

    def of_map(self, contacts: ContactMap, contigs: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """All steps for whole contigs of a map: {contig: (T, T) float32}.

        contigs: those wanted; "genome" pools the expected of these.
        Raises ConfigError where the map was read with other weights than `balance`.
        """
        read = contacts.origin.get("balance", self.balance)
        if read != self.balance:
            raise ConfigError(
                f"map {contacts.name!r} was read with balance={read}, the preprocessing says {self.balance}: "
                "make them agree"
            )
        wanted = list(contacts.contigs if contigs is None else contigs)
        squares = {c: contacts.square(c, balanced=self.balance != "none") for c in wanted}
        means = self.expect(squares)
        return {c: self.apply(s, means[c]) for c, s in squares.items()}

    def describe(self) -> dict[str, Any]:
        """For the model card: every value, and the steps in their order; plain JSON."""
        last = "" if self.last_diagonal is None else f" or more than {self.last_diagonal}"
        where = "the contig" if self.expected == "contig" else "all contigs"
        pooled = f", pooled where fewer than {self.expected_pairs} pairs are known" if self.expected_pairs else ""
        steps = [
            "raw contacts" if self.balance == "none" else f"contacts balanced with {self.balance}",
            f"pairs fewer than {self.first_diagonal}{last} bins apart left out",
            f"divided by the mean of their diagonal over {where}{pooled}",
            f"log base {self.log} of (O/E + {self.pseudocount:g}) / (1 + {self.pseudocount:g})",
            "not clipped" if self.clip is None else f"clipped to +-{self.clip:g}",
            f"unknown pairs filled from up to {self.fill} bins away" if self.fill else "unknown pairs left unknown",
            f"smoothed with a Gaussian of sigma {self.smooth:g} bins" if self.smooth else "not smoothed",
        ]
        return {**asdict(self), "order": [f"{i}. {step}" for i, step in enumerate(steps, 1)]}

    def _kept(self, bins: int) -> np.ndarray:
        distance = bins_apart(bins)
        kept = distance >= self.first_diagonal
        return kept if self.last_diagonal is None else kept & (distance <= self.last_diagonal)

    def _log(self, ratio: np.ndarray) -> np.ndarray:
        shifted = (ratio + self.pseudocount) / (1 + self.pseudocount)
        base = math.e if self.log == "e" else float(self.log)
        value = np.log(shifted, out=np.full(ratio.shape, np.nan), where=shifted > 0)
        return value / math.log(base)


def _fill(value: np.ndarray, reach: int) -> np.ndarray:
    """Unknown values as the mean of known ones in the square of 2 reach + 1 bins around them."""
    from scipy.ndimage import uniform_filter

    width = 2 * reach + 1
    mean, share = _mean_of_known(value, uniform_filter, width)
    some = share * width**2 > 0.5  # of one pair: the filter rounds
    return np.where(np.isfinite(value) | ~some, value, mean)


def _smooth(value: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian mean of the known values; unknown ones have no weight and stay unknown."""
    from scipy.ndimage import gaussian_filter

    return np.where(np.isfinite(value), _mean_of_known(value, gaussian_filter, sigma)[0], np.nan)


def _mean_of_known(value: np.ndarray, smooth: Callable, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Local mean of the known values by a filter of scipy, and its weight of known values."""
    known = np.isfinite(value)
    total, share = (smooth(m, width, mode="constant") for m in (np.where(known, value, 0.0), known.astype(np.float64)))
    return np.divide(total, share, out=np.full(value.shape, np.nan), where=share > 0), share
