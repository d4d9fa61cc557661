"""GC content, overall and in every window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.data.codes import encode
from zoo.errors import ConfigError
from zoo_design.constraints.constraint import Constraint
from zoo_design.starts import Start


@dataclass(frozen=True)
class GC(Constraint):
    """low, high: fractions, both allowed.  window: bp of every window that must keep them; None for the whole."""

    low: float
    high: float
    window: int | None = None

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        fraction = _fractions((codes == 1) | (codes == 2), self.window)
        return np.asarray(((fraction >= self.low) & (fraction <= self.high)).all(1))

    def specifications(self, start: Start) -> list:
        from dnachisel import EnforceGCContent

        return [EnforceGCContent(mini=self.low, maxi=self.high, window=self.window)]

    def check(self, length: int) -> None:
        if self.window is not None and not 1 <= self.window <= length:
            raise ConfigError(f"constraint {self.word}: a window of {self.window} bp does not fit {length:,} bp")
        size = self.window or length
        if np.floor(self.high * size + 1e-9) < np.ceil(self.low * size - 1e-9):
            raise ConfigError(
                f"constraint {self.word}: no number of G and C in {size:,} bp lies between the bounds: widen them"
            )

    def impossible(self, start: Start, fixed: np.ndarray) -> str | None:
        codes = encode(start.sequence)
        gc = (codes == 1) | (codes == 2)
        least = _fractions((gc & fixed)[None], self.window)[0]
        most = _fractions((gc | ~fixed)[None], self.window)[0]
        broken = np.flatnonzero((most < self.low) | (least > self.high))
        if not len(broken):
            return None
        at = int(broken[0])
        where = f"bases {at + 1}-{at + self.window}" if self.window else "the sequence"
        return (
            f"{where} of {start.name!r} can have {100 * least[at]:.0f} to {100 * most[at]:.0f} % GC while the "
            f"protected bases stay: protect fewer, or widen {self.word}"
        )


def _fractions(gc: np.ndarray, window: int | None) -> np.ndarray:
    """(N, L) bool -> (N, windows) float64, by the division that DNA Chisel makes, so that bounds are met alike."""
    if window is None:
        return gc.sum(1, keepdims=True) / gc.shape[1]
    total = np.concatenate([np.zeros((len(gc), 1), np.int64), np.cumsum(gc, 1)], 1)
    return (total[:, window:] - total[:, :-window]) / window
