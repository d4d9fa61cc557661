"""Planted variances of part, context, interaction and noise come back from unbalanced libraries."""

import numpy as np
import pytest

from zoo.errors import DataError
from zoo_constructs.context.variance_partition import partition_variance


def planted(values, variance):
    return (values - values.mean()) / values.std(ddof=1) * variance**0.5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_share_is_recovered_within_5_percent(seed):
    rng = np.random.default_rng(seed)
    part, context = np.divmod(rng.choice(60 * 50, 1_500, replace=False, p=rng.dirichlet(np.ones(3_000))), 50)
    y = planted(rng.normal(size=60), 0.5)[part] + planted(rng.normal(size=50), 0.2)[context]
    y += planted(rng.normal(size=1_500), 0.2)
    replicates = y[:, None] + rng.normal(0, 0.3**0.5, (1_500, 3))
    noise = replicates.var(1, ddof=1) / 3
    shares = partition_variance(replicates.mean(1), part, context, noise).shares
    for name, share in {"part": 0.5, "context": 0.2, "interaction": 0.2, "noise": 0.1}.items():
        assert shares[name] == pytest.approx(share, abs=0.05), name


def test_contexts_that_never_recur_are_refused():
    with pytest.raises(DataError, match="share a context alone"):
        partition_variance(np.arange(6.0), np.array([0, 0, 1, 1, 2, 2]), np.arange(6))
