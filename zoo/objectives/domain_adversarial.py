"""Features that do not tell the domain: a discriminator behind a gradient reversal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from zoo.errors import ContractError
from zoo.interfaces import Objective
from zoo.layers.gradient_reversal import GradientReversal


class DomainAdversarial(Objective):
    """Cross-entropy of a discriminator that names the domain (species, laboratory, cell type) of an embedding.

    The discriminator learns to tell the domains, the encoder to hide them (Ganin et al. 2016).  Its own
    weights train beside the model's and are not published.  The batch holds `domain` (N,), ids; an id below
    0 is unknown and has weight 0.

    embedding (N, D, T) -> mean over T -> reversed gradient -> hidden layer -> domains.

    domains: names of the domains.
    hidden: units of the discriminator's hidden layer.
    strength: how much the encoder is pushed, against the discriminator's own gradient.
    """

    part = "domain_adversarial"
    target_range = None  # it reads no target

    def __init__(
        self, *, in_channels: int, domains: Sequence[str] = ("a", "b"), hidden: int = 64, strength: float = 1.0
    ):
        super().__init__()
        if len(domains) < 2:
            raise ContractError(f"{len(domains)} domains leave nothing to hide: give two or more, or drop the term")
        self.domains = tuple(domains)
        self.discriminator = nn.Sequential(
            GradientReversal(strength), nn.Linear(in_channels, hidden), nn.ReLU(), nn.Linear(hidden, len(domains))
        )

    @property
    def strength(self) -> float:
        """How much the encoder is pushed; a schedule may change it from step to step."""
        return cast(GradientReversal, self.discriminator[0]).strength

    @strength.setter
    def strength(self, value: float) -> None:
        self.discriminator[0].strength = value

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: the number of examples of a known domain."""
        return {self.part: (self._domain(batch) >= 0).sum().float()}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction, batch, embedding (N, D, T) -> {part: (sum (), weight ())}."""
        domain = self._domain(batch)
        known = (domain >= 0).float()
        logits = self.discriminator(embedding.float().mean(2))
        loss = functional.cross_entropy(logits, domain.clamp(min=0).long(), reduction="none")
        return {self.part: ((loss * known).sum(), known.sum())}

    def _domain(self, batch: Mapping[str, Tensor]) -> Tensor:
        if "domain" not in batch:
            raise ContractError(
                "the batch has no 'domain' (N,), which domain_adversarial needs: choose a data source with domains"
            )
        return batch["domain"]
