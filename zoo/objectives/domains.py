"""The domains that a term makes alike: their names, and the domain of every example of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from zoo.errors import ContractError


def domain_names(domains: Sequence[str], term: str) -> tuple[str, ...]:
    """Names of the domains; ContractError where there are fewer than two."""
    if len(domains) < 2:
        raise ContractError(
            f"{term} has {len(domains)} domains, which leave nothing to make alike: give two or more "
            "(data.cohort.domain, data.domains), or drop the term"
        )
    return tuple(domains)


def domain_of(batch: Mapping[str, Tensor], term: str) -> Tensor:
    """(N,) ids, below 0 where unknown; ContractError for a batch without them."""
    if "domain" not in batch:
        raise ContractError(
            f"the batch has no 'domain' (N,), which {term} needs: choose a data source with domains "
            "(data.cohort.domain, data.domains)"
        )
    return batch["domain"]
