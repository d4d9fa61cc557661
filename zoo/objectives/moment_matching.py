"""Features of like mean and covariance in every domain, without a discriminator (CORAL and its kin)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

from zoo.errors import ConfigError, ContractError
from zoo.interfaces import Objective
from zoo.layers.pooling import pool_positions, pooled_channels
from zoo.objectives.label_classes import label_classes

_MOST_GROUPS = 8
"""Groups of examples (classes times tasks) up to which second moments are remembered."""


class MomentMatching(Objective):
    """Squared distance between the moments of two domains' features, the mean over all pairs of domains.

    embedding (N, D, T) -> pooled over T (N, F) -> each feature to mean 0 and sd 1 over all domains
        -> mean: squared difference of the domains' means, per feature
        -> covariance: squared difference of their second moments, per pair of features

    Second moments are those about the common mean, so that both parts are 0 only where means and covariances are alike.
    After CORAL (Sun & Saenko 2016), from which it differs in that features are scaled, so that the encoder cannot
    please it by making them small; in that means are matched too; and in that a batch is held against what earlier
    batches had.  A distance of moments is estimated as the product of the remembered difference (a running sum that
    keeps `memory` of itself a step) and the batch's own.  The two are independent, so that the estimate has no bias,
    and where domains are alike there is next to no gradient; the squared difference of two small samples of one
    distribution would push the encoder with its noise alone.  The first batch is held against itself, without its
    diagonal (U-statistics).

    The batch holds `domain` (N,), ids; an id below 0 is unknown and left out.  Distances are no sums over examples: the
    gradient needs the whole batch, of all processes.

    head: whose labels `conditional` reads.
    domains: names of the domains.
    pool: the features that are to be alike, those that the head reads: max_mean, mean or max.
    conditional: within each class of the label, for every task, instead of over all rows.
    mean, covariance: factors of the two parts; with covariance=0 it is not computed.
    memory: share of the running sums that a step keeps.
    tasks, classes: of the head, for `conditional`.
    """

    additive = False
    parts = ("mean", "covariance")
    target_range = None  # it fits no target
    sums: Tensor
    products: Tensor

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
        memory: float = 0.9,
        tasks: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ):
        super().__init__()
        if len(domains) < 2:
            raise ContractError(
                f"moment_matching has {len(domains)} domains, which leave nothing to match: give two or more "
                "(data.domain, data.domains), or drop the term"
            )
        if not 0 <= memory < 1:
            raise ConfigError(f"memory {memory} of moment_matching must be a share from 0 to below 1, such as 0.9")
        self.domains, self.head, self.pool, self.conditional = tuple(domains), head, pool, conditional
        self.mean, self.covariance, self.memory = mean, covariance, memory
        self._classes = len(classes) if classes else 2
        width = pooled_channels(in_channels, pool, "moment_matching")
        groups = self._classes * (1 if classes else len(tasks or ("output",))) if conditional else 1
        if covariance and groups > _MOST_GROUPS:
            raise ConfigError(
                f"moment_matching would remember the covariances of {groups} groups of examples, more than "
                f"{_MOST_GROUPS}: set covariance=0, or conditional=false"
            )
        # Of every group and domain: the number of rows, the sum of their features, and of products of features.
        self.register_buffer("sums", torch.zeros(groups, len(domains), 1 + width))
        self.register_buffer("products", torch.zeros(groups, len(domains), *(2 * [width if covariance else 0])))

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()}: examples that are compared; 0 where no two domains have two examples each."""
        n = sum(float(sum(map(len, rows.values()))) for _, rows in self._groups(batch))
        return dict.fromkeys(self.parts, batch["domain"].new_tensor(n, dtype=torch.float32))

    def forward(
        self, prediction: Mapping[str, Tensor], batch: Mapping[str, Tensor], embedding: Tensor
    ) -> dict[str, tuple[Tensor, Tensor]]:
        """prediction, batch, embedding (N, D, T) -> {mean, covariance: (sum (), weight ())}."""
        features = pool_positions(embedding.float(), self.pool)
        totals = [features.sum() * 0, features.sum() * 0]
        for group, rows in self._groups(batch):
            samples = {domain: features[r] for domain, r in rows.items()}
            n = sum(map(len, rows.values()))
            if all(self.sums[group, domain, 0] > 1 for domain in rows):
                distances = self._from_memory(group, samples)
            else:
                distances = moment_distances(list(samples.values()), bool(self.covariance))
            totals = [total + n * distance for total, distance in zip(totals, distances, strict=True)]
            if self.training:
                self._remember(group, samples)
        weights = self.weights(batch)
        factors = (self.mean, self.covariance)
        return {part: (f * x, weights[part]) for part, f, x in zip(self.parts, factors, totals, strict=True)}

    def _from_memory(self, group: int, samples: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
        """Distances of means and of second moments: (remembered difference) x (difference in this batch)."""
        domains = list(samples)
        sums = self.sums[group, domains]
        n, means = sums[:, :1], sums[:, 1:] / sums[:, :1]
        every = torch.cat(list(samples.values())).detach()
        centre, spread = sums[:, 1:].sum(0) / n.sum(), (every.var(0, unbiased=False) + 1e-5).sqrt()
        known = {d: (mean - centre) / spread for d, mean in zip(domains, means, strict=True)}
        scaled = {d: (x - centre) / spread for d, x in samples.items()}
        width, pairs = len(centre), list(combinations(domains, 2))
        mean = [2 * ((known[a] - known[b]) * (scaled[a].mean(0) - scaled[b].mean(0))).sum() for a, b in pairs]
        if not self.covariance:
            return torch.stack(mean).mean() / width, mean[0] * 0
        scale = spread[:, None] * spread
        products = self.products[group, domains] / n[:, :, None]
        raw = dict(zip(domains, means, strict=True))
        moments = {
            d: (p - centre[:, None] * raw[d] - raw[d][:, None] * centre + centre[:, None] * centre) / scale
            for d, p in zip(domains, products, strict=True)
        }
        here = {d: x.T @ x / len(x) for d, x in scaled.items()}
        second = [2 * ((moments[a] - moments[b]) * (here[a] - here[b])).sum() for a, b in pairs]
        return torch.stack(mean).mean() / width, torch.stack(second).mean() / width**2

    @torch.no_grad()
    def _remember(self, group: int, samples: Mapping[int, Tensor]) -> None:
        for domain, x in samples.items():
            new = torch.cat([x.new_tensor([len(x)]), x.sum(0)])
            self.sums[group, domain] = self.memory * self.sums[group, domain] + new
            if self.covariance:
                self.products[group, domain] = self.memory * self.products[group, domain] + x.T @ x

    def _groups(self, batch: Mapping[str, Tensor]) -> Iterator[tuple[int, dict[int, Tensor]]]:
        """Rows of every domain that has two or more, {domain: rows}, for each group of examples that is compared."""
        if "domain" not in batch:
            raise ContractError(
                "the batch has no 'domain' (N,), which moment_matching needs: choose a data source with domains"
            )
        domain = batch["domain"]
        members = [torch.ones_like(domain, dtype=torch.bool)]
        if self.conditional:
            classes = label_classes(batch, self.head, "moment_matching")
            members = [task == k for task in classes.T for k in range(self._classes)]
        for group, member in enumerate(members):
            rows = {d: torch.nonzero(member & (domain == d)).squeeze(1) for d in range(len(self.domains))}
            rows = {d: r for d, r in rows.items() if len(r) > 1}
            if len(rows) > 1:
                yield group, rows


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
