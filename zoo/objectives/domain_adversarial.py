"""Features that do not tell the domain: a discriminator behind a gradient reversal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from zoo.interfaces import Objective
from zoo.layers.gradient_reversal import GradientReversal
from zoo.layers.pooling import pool_positions, pooled_channels
from zoo.objectives.domains import domain_names, domain_of
from zoo.objectives.label_classes import label_classes


class DomainAdversarial(Objective):
    """Cross-entropy of a discriminator that names the domain (species, laboratory, batch, cell type) of an example.

    The discriminator learns to tell the domains, the encoder to hide them (Ganin et al. 2016).  Its own
    weights train beside the model's and are not published.  The batch holds `domain` (N,), ids; an id below
    0 is unknown and has weight 0.

    embedding (N, D, T) -> pooled over T (N, F) -> reversed gradient [-> with the label] -> hidden layer -> domains

    head: whose labels `conditional` reads.
    domains: names of the domains.
    hidden: units of the discriminator's hidden layer.
    strength: how much the encoder is pushed, against the discriminator's own gradient.  A schedule may raise it from 0:
        `schedules.objectives.<term>.strength=ramp` is the published one, 2 / (1 + exp(-10 p)) - 1.
    pool: the features that are to hide the domain, those that the head reads: max_mean, mean or max.
    conditional: give the discriminator the label too, as features for each class apart (the product of features and
        classes, Long et al. 2018), so that domains become alike within each class.  Where domains differ in their share
        of positives, hiding the domain as a whole would hide the label too.  With several tasks the labels stand beside
        the features instead.  An example without any label has weight 0.
    tasks, classes: of the head, for `conditional`.

    Differs from the original in that the discriminator learns with the run's optimiser, whose steps (Adam) do not grow
    with the term's coefficient: `coefficient` times `strength` says how much the encoder is pushed.
    """

    part = "domain_adversarial"
    target_range = None  # it fits no target

    def __init__(
        self,
        *,
        in_channels: int,
        head: str = "output",
        domains: Sequence[str] = ("a", "b"),
        hidden: int = 64,
        strength: float = 1.0,
        pool: str = "max_mean",
        conditional: bool = False,
        tasks: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ):
        super().__init__()
        self.domains, self.head, self.pool, self.conditional = domain_names(domains, self.part), head, pool, conditional
        features = pooled_channels(in_channels, pool, "domain_adversarial")
        self._classes = len(classes) if classes else 2
        self._tasks = 1 if classes else len(tasks or ("output",))
        if conditional:
            several = self._tasks > 1
            features = features + 2 * self._tasks if several else (features + 1) * self._classes
        layers = [nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, len(domains))]
        self.discriminator = nn.Sequential(GradientReversal(strength), *layers)

    @property
    def strength(self) -> float:
        """How much the encoder is pushed; a schedule may change it from step to step."""
        return cast(GradientReversal, self.discriminator[0]).strength

    @strength.setter
    def strength(self, value: float) -> None:
        self.discriminator[0].strength = value

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: the number of examples of a known domain (and label, where it is conditional)."""
        return {self.part: self._known(batch).sum()}

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction, batch, embedding (N, D, T) -> {part: (sum (), weight ())}."""
        known = self._known(batch)
        features = pool_positions(embedding.float(), self.pool)
        if self.conditional:
            features = self._with_labels(features, label_classes(batch, self.head, self.part))
        logits = self.discriminator(features)
        loss = functional.cross_entropy(logits, batch["domain"].clamp(min=0).long(), reduction="none")
        return {self.part: ((loss * known).sum(), known.sum())}

    def _with_labels(self, features: Tensor, classes: Tensor) -> Tensor:
        """features (N, F), classes (N, C) -> (N, (F + 1) K) for one task of K classes, (N, F + 2 C) for several."""
        known = (classes >= 0).unsqueeze(2)
        one_hot = functional.one_hot(classes.clamp(min=0), self._classes) * known
        if self._tasks > 1:
            return torch.cat([features, one_hot.flatten(1).to(features)], 1)
        ones = features.new_ones(len(features), 1)
        with_one = torch.cat([features, ones], 1)
        return (with_one.unsqueeze(1) * one_hot[:, 0].unsqueeze(2).to(features)).flatten(1)

    def _known(self, batch: Mapping[str, Tensor]) -> Tensor:
        known = domain_of(batch, self.part) >= 0
        if self.conditional:
            known = known & (label_classes(batch, self.head, self.part) >= 0).any(1)
        return known.float()
