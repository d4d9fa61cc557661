"""A prediction should not follow a confounder: squared correlation with GC content, mappability or depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from zoo.errors import ConfigError, ContractError, did_you_mean
from zoo.interfaces import Objective
from zoo.layers.pooling import pool_positions, pooled_channels
from zoo.objectives.label_classes import has_positions, known_labels, label_classes

_LEAST = 3
"""Examples below which a correlation says nothing."""
_SOFTNESS = 0.1
"""Standard deviations within which the soft rank cannot tell two values apart."""


class ConfounderPenalty(Objective):
    """Mean squared correlation between a head's outputs (or the features) and covariates of the batch.

    The batch holds `covariates` (N, n); an example with a NaN among them is left out.  Predictions with positions are
    averaged over them first.  A correlation is no sum over examples, so gradients cannot be accumulated over
    micro-batches, and several processes look at all their predictions together.  Larger batches estimate it better: by
    chance alone the square is 1 / (n - 1).

    head: name of the head.
    within: label, the default, takes the correlation within each class of each task's labels by itself (for measured
        values and profiles: of what the label does not explain linearly, in both).  Where positives are richer in GC, a
        good prediction has to follow GC over all rows, since it follows the label; what it must not do is to follow GC
        among positives, or among negatives.  Examples without the label are left out.  none takes all rows together,
        and so punishes the label's own relation to the covariate.
    of: prediction, or features, the embedding pooled over positions, each of its channels.
    method: linear (Pearson), or rank (Spearman: ranks of the covariate, soft ranks of the prediction, the sum of
        sigmoids of its scaled differences from all others, so that there is a gradient).
    pool: of the features: max_mean, mean or max.
    covariates: names of the batch's columns.
    only: those of them that count; null for all.
    values: of the target: binary, class, real or count.
    """

    additive = False
    part = "confounder_penalty"
    target_range = None  # it fits no target

    def __init__(
        self,
        *,
        head: str = "output",
        within: str = "label",
        of: str = "prediction",
        method: str = "linear",
        pool: str = "max_mean",
        covariates: Sequence[str] | None = None,
        only: Sequence[str] | str | None = None,
        values: str = "binary",
    ):
        super().__init__()
        for name, value, choices in (
            ("within", within, ("label", "none")),
            ("of", of, ("prediction", "features")),
            ("method", method, ("linear", "rank")),
        ):
            if value not in choices:
                raise ConfigError(f"{name} {value!r} of confounder_penalty is not known" + did_you_mean(value, choices))
        pooled_channels(1, pool, "confounder_penalty")
        self.head, self.within, self.of, self.method, self.pool, self.values = head, within, of, method, pool, values
        self.columns = _columns(covariates, [only] if isinstance(only, str) else only)

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: the number of examples that are looked at, over all classes and tasks; 0 below three in each."""
        n = sum(len(rows) for rows, _ in self._groups(batch))
        return {self.part: batch["covariates"].new_tensor(n, dtype=torch.float32)}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, C, ...)}, batch, embedding (N, D, T) -> {part: (sum (), weight ())}."""
        x = self._responses(prediction, embedding)
        covariates = self._covariates(batch)
        by_class = self._has_classes(batch)
        labels = None if by_class or self.within == "none" else known_labels(batch, self.head, self.part)
        total = x.sum() * 0
        for rows, task in self._groups(batch):
            mine = x[rows] if task is None or self.of == "features" or self.values == "class" else x[rows, task, None]
            z = covariates[rows]
            if labels is not None and task is not None:
                y = labels[rows, task, None]
                mine, z = _unexplained(mine, y), _unexplained(z, y)
            if self.method == "rank":
                mine, z = soft_ranks(mine), _ranks(z)
            correlation = _standard(mine).T @ _standard(z)
            total = total + correlation.square().mean() * len(rows)
        return {self.part: (total, self.weights(batch)[self.part])}

    def _has_classes(self, batch: Mapping[str, Tensor]) -> bool:
        return self.values == "class" or (self.values == "binary" and not has_positions(batch, self.head))

    def _responses(self, prediction: Mapping[str, Tensor], embedding: Tensor) -> Tensor:
        """(N, C) float: what is not to follow the covariates."""
        if self.of == "features":
            return pool_positions(embedding.float(), self.pool)
        if self.head not in prediction:
            raise ContractError(f"the model has no head {self.head!r}; it has {', '.join(prediction)}")
        x = prediction[self.head].float()
        return x.flatten(2).mean(2) if x.dim() > 2 else x

    def _groups(self, batch: Mapping[str, Tensor]) -> Iterator[tuple[Tensor, int | None]]:
        """(rows, task) of every group within which the correlation is taken; task None for all outputs together."""
        usable = ~self._covariates(batch).isnan().any(1)
        groups: list[tuple[Tensor, int | None]] = [(usable, None)]
        if self.within == "label" and self._has_classes(batch):
            classes = label_classes(batch, self.head, self.part)
            known = [(i, task, k) for i, task in enumerate(classes.T) for k in task.unique().tolist() if k >= 0]
            groups = [(usable & (task == k), i) for i, task, k in known]
        elif self.within == "label":
            known_of = ~known_labels(batch, self.head, self.part).isnan()
            groups = [(usable & known_of[:, i], i) for i in range(known_of.shape[1])]
        for member, task in groups:
            rows = torch.nonzero(member).squeeze(1)
            if len(rows) >= _LEAST:
                yield rows, task

    def _covariates(self, batch: Mapping[str, Tensor]) -> Tensor:
        if "covariates" not in batch:
            raise ContractError(
                "the batch has no 'covariates' (N, n), which confounder_penalty needs: choose a data source with them "
                "(data.cohort.covariates=[gc])"
            )
        values = batch["covariates"].float()
        return values if self.columns is None else values[:, self.columns]


def soft_ranks(x: Tensor) -> Tensor:
    """x: (n, c) -> (n, c) float: the sum over all rows of sigmoid((x - x_j) / (0.1 sd)); near 0.5 to n - 0.5."""
    scale = _SOFTNESS * x.detach().std(0, unbiased=False).clamp(min=1e-12)
    return torch.sigmoid((x.unsqueeze(1) - x.unsqueeze(0)) / scale).sum(1)


def _columns(names: Sequence[str] | None, only: Sequence[str] | None) -> list[int] | None:
    if only is None:
        return None
    names = list(names or ())
    for name in only:
        if name not in names:
            raise ConfigError(f"confounder_penalty: the data have no covariate {name!r}" + did_you_mean(name, names))
    return [names.index(name) for name in only]


def _ranks(x: Tensor) -> Tensor:
    """x: (n, c) -> (n, c) ranks from 1, the mean rank for ties."""
    less = (x.unsqueeze(0) < x.unsqueeze(1)).sum(1)
    equal = (x.unsqueeze(0) == x.unsqueeze(1)).sum(1)
    return less + (equal + 1) / 2


def _unexplained(x: Tensor, y: Tensor) -> Tensor:
    """x: (n, c) less its least-squares line on y (n, 1)."""
    y = y - y.mean(0)
    return x - x.mean(0) - y @ (y.T @ x) / y.square().sum().clamp(min=1e-12)


def _standard(x: Tensor) -> Tensor:
    """(n, c) to columns of mean 0 and length 1; a constant column becomes 0."""
    x = x - x.mean(0)
    return x / (x.square().sum(0) + 1e-12).sqrt()
