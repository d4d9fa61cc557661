"""A prediction should not follow a confounder: squared correlation with GC content, mappability, batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from zoo.errors import ContractError
from zoo.interfaces import Objective


class ConfounderPenalty(Objective):
    """Mean squared Pearson correlation between a head's outputs and the covariates of the batch.

    The batch holds `covariates` (N, n); an example with a NaN among them is left out.  Predictions with
    positions are averaged over them first.  A correlation is no sum over examples, so gradients cannot be
    accumulated over micro-batches, and several processes look at all their predictions together.

    head: name of the head.
    """

    additive = False
    part = "confounder_penalty"
    target_range = None  # it reads no target

    def __init__(self, *, head: str = "output"):
        super().__init__()
        self.head = head

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: the number of examples with covariates; 0 where fewer than three have them."""
        return {self.part: _weight(self._usable(batch))}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction {head: (N, C, ...)}, batch, embedding -> {part: (sum (), weight ())}."""
        if self.head not in prediction:
            raise ContractError(f"the model has no head {self.head!r}; it has {', '.join(prediction)}")
        usable = self._usable(batch)
        weight = _weight(usable)
        x = prediction[self.head].float()
        x = x.flatten(2).mean(2) if x.dim() > 2 else x
        mask = usable.float().unsqueeze(1)
        covariates = torch.nan_to_num(batch["covariates"].float())
        squared = _standard(x, mask).T @ _standard(covariates, mask)
        return {self.part: (squared.square().mean() * weight, weight)}

    def _usable(self, batch: Mapping[str, Tensor]) -> Tensor:
        if "covariates" not in batch:
            raise ContractError(
                "the batch has no 'covariates' (N, n), which confounder_penalty needs: choose a data source with them"
            )
        return ~batch["covariates"].isnan().any(1)


def _weight(usable: Tensor) -> Tensor:
    n = usable.sum().float()
    return n * (n >= 3)


def _standard(x: Tensor, mask: Tensor) -> Tensor:
    """(N, c) to columns of mean 0 and length 1 over the masked rows; a constant column becomes 0."""
    n = mask.sum().clamp(min=1)
    x = (x - (x * mask).sum(0) / n) * mask
    return x / (x.square().sum(0) + 1e-12).sqrt()
