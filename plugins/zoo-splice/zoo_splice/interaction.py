"""How much of a planted interaction a model has learnt: what it says of both elements beyond the two alone.

rows with both -> each element replaced by its shuffled letters, and both -> f(both) - f(one) - f(other) + f(none)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import encode
from zoo.errors import DataError
from zoo_splice.simulated_exons import SimulatedExons, shuffled

if TYPE_CHECKING:
    from zoo.model import Model


@dataclass(frozen=True)
class LearntInteraction:
    """predicted, planted: (n,) of the rows that hold both elements.  r2 with its 95 % interval, rows resampled."""

    predicted: np.ndarray
    planted: np.ndarray
    r2: float
    low: float
    high: float

    @property
    def n(self) -> int:
        """Rows."""
        return len(self.planted)


def learnt_interaction(
    predict: Callable[[np.ndarray], np.ndarray], source: SimulatedExons, split: str = "test", *, shuffles: int = 4,
    seed: int = 0,
) -> LearntInteraction:  # fmt: skip
    """Measure it on a split.

    predict: codes (N, L) -> (N,), see `predictor`.
    shuffles: orders of an element's letters, over which the row without it is averaged.
    """
    from zoo.evaluation.bootstrap import measure
    from zoo.evaluation.metrics import metrics_for

    truth = source.truth(split)
    rows = np.flatnonzero(truth["enhancer"] & truth["silencer"])
    if len(rows) < 2:
        raise DataError(f"{len(rows)} rows of the {split} split hold both elements: simulate more")
    codes, rng = source.examples(split).batch(rows)["codes"], np.random.default_rng(seed)
    both, interaction = predict(codes), np.zeros(len(rows))
    for _ in range(shuffles):
        without = [codes.copy(), codes.copy(), codes.copy()]
        for i, name in enumerate(("enhancer", "silencer")):
            site = encode(getattr(source.elements, name))
            at = truth[f"{name}_start"][rows][:, None] + np.arange(len(site))
            letters = shuffled(site, len(rows), rng)
            for variant in (without[i], without[2]):
                variant[np.arange(len(rows))[:, None], at] = letters
        one, other, none = map(predict, without)
        interaction += (both - one - other + none) / shuffles
    planted = truth["interaction"][rows]
    r2 = next(metric for metric in metrics_for(source.targets["inclusion"]) if metric.name == "r2")
    found = measure(r2, planted, interaction, n_bootstrap=1_000, seed=seed)
    low, high = (np.nan if x is None else x for x in (found.low, found.high))
    return LearntInteraction(interaction, planted, np.nan if found.value is None else found.value, low, high)


def predictor(model: Model, output: str | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """A function of codes that gives one output of a model."""
    from zoo.outputs import Output
    from zoo.prediction.predict import predict_codes

    selected = Output.one(output, model.spec)
    return lambda codes: np.asarray(predict_codes(model, codes, selected))[:, 0].astype(np.float64)


def additive_predictor(source: SimulatedExons) -> Callable[[np.ndarray], np.ndarray]:
    """The additive model fitted by least squares to the training split: a weight for either element."""
    examples = source.examples("train")
    batch = examples.batch(np.arange(len(examples)))
    design = np.column_stack([np.ones(len(examples)), source.holds(batch["codes"])])
    weights = np.linalg.lstsq(design, batch["target/inclusion"][:, 0].astype(np.float64), rcond=None)[0]
    return lambda codes: weights[0] + source.holds(codes) @ weights[1:]
