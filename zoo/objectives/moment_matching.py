"""Features of like mean and covariance in every domain, without a discriminator (CORAL and its kin)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from zoo.interfaces import Objective
from zoo.layers.pooling import pool_positions, pooled_channels
from zoo.objectives.domains import domain_names, domain_of
from zoo.objectives.label_classes import label_classes


class MomentMatching(Objective):
    """Squared distance between the moments of two domains' features, the mean over all pairs of domains.

    embedding (N, D, T) -> pooled over T (N, F) -> each feature to mean 0 and sd 1 over all domains
        -> mean: squared difference of the domains' means, per feature
        -> covariance: squared difference of their second moments, per pair of features

    Second moments are those about the common mean, so that both parts are 0 only where means and covariances are alike.
    After CORAL (Sun & Saenko 2016), from which it differs in that features are scaled, so that the encoder cannot
    please it by making them small; in that means are matched too; and in that the estimates are unbiased
    (U-statistics): two small samples of one distribution differ, and the encoder is not asked to mend that.  A part may
    so be a little below 0.

    The batch holds `domain` (N,), ids; an id below 0 is unknown and left out.  Distances are no sums over examples: the
    gradient needs the whole batch, of all processes.

    head: whose labels `conditional` reads.
    domains: names of the domains.
    pool: the features that are to be alike, those that the head reads: max_mean, mean or max.
    conditional: within each class of the label, for every task, instead of over all rows.
    mean, covariance: factors of the two parts; with covariance=0 it is not computed.
    """

    additive = False
    parts = ("mean", "covariance")
    target_range = None  # it fits no target

    def __init__(
        self,
        *,
        in_channels: int,
        head: str = "output",
        domains: Sequence[str] = ("a", "b"),
        pool: str = "max_mean",
        conditional: bool = False,
        mean: float = 1.0,
        covariance: float = 1.0,
    ):
        super().__init__()
        pooled_channels(in_channels, pool, "moment_matching")
        self.domains = domain_names(domains, "moment_matching")
        self.head, self.pool, self.conditional = head, pool, conditional
        self.mean, self.covariance = mean, covariance

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: examples that are compared; 0 where no two domains have two examples each."""
        n = float(sum(len(r) for rows in self._groups(batch) for r in rows))
        return dict.fromkeys(self.parts, batch["domain"].new_tensor(n, dtype=torch.float32))

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction, batch, embedding (N, D, T) -> {mean, covariance: (sum (), weight ())}."""
        features = pool_positions(embedding.float(), self.pool)
        means = covariances = features.sum() * 0
        for rows in self._groups(batch):
            n = sum(map(len, rows))
            mean, covariance = moment_distances([features[r] for r in rows], bool(self.covariance))
            means, covariances = means + n * self.mean * mean, covariances + n * self.covariance * covariance
        weights = self.weights(batch)
        return {"mean": (means, weights["mean"]), "covariance": (covariances, weights["covariance"])}

    def _groups(self, batch: Mapping[str, Tensor]) -> Iterator[list[Tensor]]:
        """Rows of every domain that has two or more, for each group of examples that is compared."""
        domain = domain_of(batch, "moment_matching")
        members = [torch.ones_like(domain, dtype=torch.bool)]
        if self.conditional:
            classes = label_classes(batch, self.head, "moment_matching")
            members = [task == k for task in classes.T for k in task.unique().tolist() if k >= 0]
        for member in members:
            rows = [torch.nonzero(member & (domain == d)).squeeze(1) for d in range(len(self.domains))]
            rows = [r for r in rows if len(r) > 1]
            if len(rows) > 1:
                yield rows


def moment_distances(domains: Sequence[Tensor], covariance: bool = True) -> tuple[Tensor, Tensor]:
    """Unbiased squared distances of means and of second moments, the mean over pairs of domains.

    domains: (n_i, F) features of each, n_i > 1.  Returns the distance of means divided by F, and that of second moments
    (0 without `covariance`) divided by F squared, of features that are scaled over all rows.
    """
    every = torch.cat(list(domains))
    centre, spread = every.mean(0), (every.var(0, unbiased=False) + 1e-5).sqrt()
    scaled = [(x - centre) / spread for x in domains]
    pairs, width = list(combinations(range(len(scaled)), 2)), every.shape[1]
    grams = {(i, j): scaled[i] @ scaled[j].T for i, j in [*pairs, *((i, i) for i in range(len(scaled)))]}
    distances = []
    for power in (1, 2) if covariance else (1,):
        own = [_off_diagonal_mean(grams[i, i] ** power) for i in range(len(scaled))]
        between = [own[i] + own[j] - 2 * (grams[i, j] ** power).mean() for i, j in pairs]
        distances.append(torch.stack(between).mean() / width**power)
    return distances[0], distances[-1] if covariance else distances[0] * 0


def _off_diagonal_mean(gram: Tensor) -> Tensor:
    n = len(gram)
    return (gram.sum() - gram.diagonal().sum()) / (n * (n - 1))
