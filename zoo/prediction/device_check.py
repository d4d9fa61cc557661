"""The same rows by the model where it runs and by a copy on the CPU in float64: drift and NaN that nobody would notice.

model -> reference_model -> both predict the same rows -> DeviceComparison -> a line, or a refusal beyond the tolerance
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.prediction.predict import Predictions

TOLERANCE = 1e-4
"""The most that a number may differ from float64 on the CPU, times max(1, |number|)."""


@dataclass(frozen=True)
class DeviceComparison:
    """How far a device's numbers are from the CPU's in float64.

    worst: the largest difference over max(1, |number|), of `column` in the `row`-th of the rows compared, from 1.
    missing, missing_there: how many of the numbers are NaN on the device, and in float64.
    one_sided: how many are NaN in one of the two alone.
    """

    device: str
    rows: int
    worst: float
    row: int
    column: str
    missing: int
    missing_there: int
    one_sided: int

    @property
    def sentence(self) -> str:
        """One line for the terminal and the log."""
        at = f" ({self.column}, row {self.row:,} of them)" if self.rows else ""
        return (
            f"{self.rows:,} rows in float32 on {self.device} and in float64 on the CPU: largest difference "
            f"{self.worst:.2g}{at}, {self.missing:,} and {self.missing_there:,} numbers are NaN"
        )

    def require_agreement(self) -> None:
        """Raise DataError where numbers differ beyond the tolerance, or are NaN on one side alone."""
        if self.one_sided or not self.worst <= TOLERANCE:
            raise DataError(
                f"{self.sentence}; beyond {TOLERANCE:.0e} x max(1, |number|) nothing is written: use --device cpu, and "
                "`zoo check --all-published` to see which devices agree"
            )


def reference_model(model: Model) -> Model:
    """A copy on the CPU whose weights are float64."""
    twin = copy.deepcopy(model).to("cpu").double()
    twin.source, twin.revision = getattr(model, "source", None), getattr(model, "revision", None)
    return twin.eval()


def spread_rows(n: int, count: int) -> np.ndarray:
    """`count` of n row numbers, evenly from the first to the last; all where there are no more.

    >>> spread_rows(10, 3).tolist(), spread_rows(2, 3).tolist()
    ([0, 4, 9], [0, 1])
    """
    return np.unique(np.linspace(0, n - 1, min(n, count)).astype(np.int64)) if n else np.zeros(0, np.int64)


def compare_numbers(device: str, values: np.ndarray, reference: np.ndarray, columns: Sequence[str]) -> DeviceComparison:
    """values, reference: (N, columns), NaN where there is no number."""
    lacking, there = np.isnan(values), np.isnan(reference)
    difference = np.abs(values.astype(np.float64) - reference) / np.maximum(1, np.abs(reference))
    difference = np.where(np.isnan(difference), -1.0, difference)
    at = np.unravel_index(difference.argmax(), difference.shape) if difference.size else (0, 0)
    worst = max(0.0, float(difference[at])) if difference.size else 0.0
    missing = int(lacking.sum()), int(there.sum()), int((lacking != there).sum())
    return DeviceComparison(device, len(values), worst, int(at[0]) + 1, columns[int(at[1])], *missing)


def compare_predictions(model: Model, predict: Callable[[Model], Predictions]) -> DeviceComparison:
    """Rows that get a number on either side, as `predict` makes them of a model."""
    numbers, columns = [], []
    for network in (model, reference_model(model)):
        predictions = predict(network)
        at = predictions.columns.index("status")
        columns = predictions.columns[at + 1 :]
        rows = [(row[at] in ("ok", "not_finite"), row[at + 1 :]) for row in predictions.rows]
        numbers.append(np.array([values for counted, values in rows if counted], float).reshape(-1, len(columns)))
    return compare_numbers(str(model.device), *numbers, columns)
