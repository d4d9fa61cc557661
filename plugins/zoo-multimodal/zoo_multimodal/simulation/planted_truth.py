"""How well a model reads what the simulated sources planted.

model, SimulatedCells -> accuracy in the cell that was never trained;  model, SimulatedDistantSignal -> where it looks
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from zoo.evaluation.metrics import auroc
from zoo.model import Model
from zoo.prediction.inference import inferring
from zoo_multimodal.attention_weights import attention_weights
from zoo_multimodal.simulation.cells import CELLS, SimulatedCells
from zoo_multimodal.simulation.distant_signal import SPREAD, SimulatedDistantSignal

_REACH = 4
"""Standard deviations of a peak that are taken out with it."""


def accuracy_in_unseen_cell(model: Model, source: SimulatedCells) -> dict[str, float]:
    """AUROC on the test windows in the third cell: {auroc, mean_of_trained, without_signal, n}.

    mean_of_trained: of the mean of what the model predicts for the same windows in the two cells that it was trained
    on, each with its own signal, which is all that a model bound to trained cells could say of a third.
    """
    batches = [_tensors(source.in_cell("test", cell)) for cell in CELLS]
    trained = (_predict(model, batches[0]) + _predict(model, batches[1])) / 2
    bound = batches[2]["target/bound"][:, 0].numpy() > 0
    missing = {key: x for key, x in batches[2].items() if key != "signal"}
    return {
        "auroc": _auroc(bound, _predict(model, batches[2])),
        "mean_of_trained": _auroc(bound, trained),
        "without_signal": _auroc(bound, _predict(model, missing)),
        "n": len(bound),
    }


def attention_at_peak(model: Model, source: SimulatedDistantSignal) -> dict[str, float]:
    """What the model makes of the peak that counts, on the test split: {auroc, top_decile, effect_removed, n_positive}.

    top_decile: share of the positives in which the weight of the peak's bin, the mean over the heads, is among the
        highest tenth of all positions of sequence and signal.
    effect_removed: how far the mean probability of the positives falls towards that of the rows which have the motif
        but no such peak, when the peak is replaced by the background's mean; 1 is all of it.
    """
    examples, truth = source.examples("test"), source.truth("test")
    batch = _tensors(examples.batch(np.arange(len(examples))))
    weights = attention_weights(model, batch)
    n = len(weights.sequence)
    everywhere = np.concatenate([weights.sequence, weights.signal.reshape(n, weights.signal.shape[1], -1)], 2).mean(1)
    bins = (truth["peak"] // weights.signal_bin).astype(np.int64)
    at_peak = everywhere[np.arange(n), weights.sequence.shape[2] + bins]
    bound = batch["target/bound"][:, 0].numpy() > 0
    places = (np.arange(weights.signal.shape[3]) + 0.5) * weights.signal_bin
    near = np.abs(places - truth["peak"][:, None]) <= _REACH * SPREAD
    removed = batch["signal"].masked_fill(torch.from_numpy(near).unsqueeze(1), float(np.log1p(0.5)))
    before, after = _predict(model, batch), _predict(model, {**batch, "signal": removed})
    without_peak = before[truth["holds"] & ~truth["far"]].mean()
    return {
        "auroc": _auroc(bound, before),
        "top_decile": float((at_peak >= np.quantile(everywhere, 0.9, axis=1))[bound].mean()),
        "effect_removed": float((before[bound] - after[bound]).mean() / (before[bound].mean() - without_peak)),
        "n_positive": int(bound.sum()),
    }


def _tensors(batch: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    return {key: torch.from_numpy(np.asarray(x)) for key, x in batch.items()}


def _predict(model: Model, batch: Mapping[str, Tensor]) -> np.ndarray:
    """(N,) probabilities."""
    with inferring(model):
        return model.predict({k: x.to(model.device) for k, x in batch.items()})["bound"][:, 0].cpu().numpy()


def _auroc(bound: np.ndarray, predicted: np.ndarray) -> float:
    return float(auroc(bound, predicted, np.ones((1, len(bound))))[0])
