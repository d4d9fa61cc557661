"""What the best epoch is chosen by: the validation loss, or a metric of `zoo evaluate` over the whole validation split.

predictions and labels, batch by batch -> joined over batches and processes -> mean of the metric over the tasks
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError, did_you_mean
from zoo.evaluation.bootstrap import measure
from zoo.evaluation.metrics import Metric, metrics_for
from zoo.evaluation.split_predictions import labels_of
from zoo.evaluation.tasks import is_labelled, tasks_of
from zoo.fields import Field
from zoo.model import activate
from zoo.spec import ModelSpec
from zoo.training.distributed import gather_arrays

LOSS = "loss"


class Monitor:
    """A metric, without an interval, as the mean over all tasks of all heads that have it.

    name: of a metric; targets: {head: field} of the data; spec: of the model.  key: of the value in the logs.
    A task without labels, or of one class alone, is left out.  Where predictions leave a task's metric undefined, as
    when all are equal, it counts as no agreement at all: 0, or 1 of a metric that is better when lower.
    Raises ConfigError for a metric that no head has.
    """

    def __init__(self, name: str, targets: Mapping[str, Field], spec: ModelSpec):
        self.name, self.key, self.spec = name, f"validation_{name}", spec
        self.targets = {head: field for head, field in targets.items() if head in spec.heads}
        known = {head: _metrics_of(field, spec.activation.get(head)) for head, field in self.targets.items()}
        self.metrics = {head: metrics[name] for head, metrics in known.items() if name in metrics}
        if not self.metrics:
            names = [LOSS, *dict.fromkeys(metric for metrics in known.values() for metric in metrics)]
            raise ConfigError(f"trainer.monitor is {name!r}, which no head has" + did_you_mean(name, names))
        self.lower_is_better = next(iter(self.metrics.values())).lower_is_better
        self.begin()

    def begin(self) -> None:
        """Forget the rows of the validation before."""
        self._rows: dict[str, list[Tensor]] = {}

    def add(self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> None:
        """prediction {head: (N, ...)} before the activation, and the batch with its labels."""
        activated = activate({head: prediction[head].detach() for head in self.metrics}, self.spec)
        for head in self.metrics:
            for key in (f"target/{head}", f"weight/{head}"):
                if key in batch:
                    self._rows.setdefault(key, []).append(batch[key].detach())
            self._rows.setdefault(f"prediction/{head}", []).append(activated[head].float())

    def value(self) -> float:
        """Over the rows of all processes; NaN where a prediction is not finite."""
        rows = gather_arrays({key: torch.cat(parts).cpu().numpy() for key, parts in self._rows.items()})
        self.begin()
        values, notes = [], []
        for head, metric in self.metrics.items():
            field = self.targets[head]
            labels = labels_of(rows, {head: field})[f"target/{head}"]
            for task, channel in tasks_of(field):
                of_task = [x if channel is None else x[:, channel] for x in (labels, rows[f"prediction/{head}"])]
                value, note = self._of_task(metric, field, *of_task)
                values += [] if value is None else [value]
                notes += [f"{task or head}: {note}"] if value is None else []
        if not values:
            raise ConfigError(
                f"trainer.monitor={self.name} has no value on the validation split ({'; '.join(notes[:3])}): "
                f"set trainer.monitor={LOSS}, or draw a larger split"
            )
        return float(np.mean(values))

    def _of_task(
        self, metric: Metric, field: Field, target: np.ndarray, prediction: np.ndarray
    ) -> tuple[float | None, str]:
        """(value, note) of one task; no value where the labels allow none."""
        at = np.flatnonzero(is_labelled(target, field))
        target, prediction = target[at], prediction[at]
        if not np.isfinite(prediction).all():
            return math.nan, ""
        measured = measure(metric, target, prediction, binary=field.values == "binary", n_bootstrap=0)
        if measured.value is not None:
            return measured.value, ""
        one_class = metric.two_classes and measured.n_positive in (0, measured.n)
        if not measured.n or one_class:
            return None, measured.note
        return float(metric.lower_is_better), ""


def _metrics_of(field: Field, activation: str | None) -> dict[str, Metric]:
    """{name: metric} of a target, of a head with this activation."""
    probabilities = activation in ("sigmoid", "softmax")
    return {m.name: m for m in metrics_for(field) if probabilities or not m.probability}


def make_monitor(name: str, targets: Mapping[str, Field], spec: ModelSpec) -> Monitor | None:
    """None for the loss."""
    return None if name == LOSS else Monitor(name, targets, spec)
