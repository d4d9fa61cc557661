"""Terms that make features alike in all domains, and predictions blind to covariates, do so and nothing else."""

import pytest
import torch

from zoo.errors import ConfigError, ContractError
from zoo.interfaces import total
from zoo.layers.pooling import pool_positions
from zoo.objectives.confounder_penalty import ConfounderPenalty, soft_ranks
from zoo.objectives.domain_adversarial import DomainAdversarial
from zoo.objectives.moment_matching import MomentMatching, moment_distances

NAN = float("nan")


def value(objective, x, batch, embedding=None):
    embedding = torch.zeros(len(x), 2, 1) if embedding is None else embedding
    parts = objective({"output": x}, batch, embedding)
    weights = objective.weights(batch)
    assert {k: float(w) for k, (_, w) in parts.items()} == {k: float(w) for k, w in weights.items()}
    return total(parts)


def correlation(x, y):
    return torch.corrcoef(torch.stack([x, y]))[0, 1]


def test_pools_are_those_of_the_head():
    x = torch.randn(2, 3, 5)
    torch.testing.assert_close(pool_positions(x, "max_mean"), torch.cat([x.amax(2), x.mean(2)], 1))
    torch.testing.assert_close(pool_positions(x, "mean"), x.mean(2))


def test_the_penalty_looks_within_each_class():
    torch.manual_seed(0)
    y, gc = (torch.arange(80) % 2).float(), torch.randn(80)
    x = 3 * y + torch.randn(80)
    gc = gc + 2 * y  # positives are richer: over all rows the prediction follows GC, within the classes it does not
    batch = {"target/output": y[:, None], "covariates": gc[:, None]}
    squares = [correlation(x[y == k], gc[y == k]).square() for k in (0, 1)]
    torch.testing.assert_close(value(ConfounderPenalty(), x[:, None], batch), sum(squares) / 2)
    assert value(ConfounderPenalty(within="none"), x[:, None], batch) > 0.3
    assert value(ConfounderPenalty(), x[:, None], batch) < 0.1


def test_opposite_signs_in_the_two_classes_do_not_cancel():
    y, gc = (torch.arange(80) % 2).float(), torch.linspace(-1, 1, 80)
    x = gc * (2 * y - 1)
    batch = {"target/output": y[:, None], "covariates": gc[:, None]}
    torch.testing.assert_close(value(ConfounderPenalty(), x[:, None], batch), torch.tensor(1.0), rtol=1e-3, atol=1e-3)


def test_beside_a_measured_label_what_it_explains_is_taken_out_of_both():
    torch.manual_seed(1)
    y, noise = torch.randn(200), torch.randn(200)
    x, gc = 2 * y + 0.1 * torch.randn(200), y + noise
    batch = {"target/output": y[:, None], "covariates": gc[:, None]}
    assert value(ConfounderPenalty(values="real"), x[:, None], batch) < 0.05
    assert value(ConfounderPenalty(values="real"), (x + noise)[:, None], batch) > 0.9


def test_each_task_is_judged_by_its_own_label_and_rows_without_it_are_left_out():
    torch.manual_seed(2)
    y = torch.randint(2, (60, 2)).float()
    y[:20, 1] = NAN
    x, gc = torch.randn(60, 2), torch.randn(60, 1)
    batch = {"target/output": y, "covariates": gc}
    whole = ConfounderPenalty()({"output": x}, batch, torch.zeros(60, 1, 1))["confounder_penalty"]
    assert float(whole[1]) == 60 + 40
    parts = [
        correlation(x[rows, c], gc[rows, 0]).square() * rows.sum()
        for c in (0, 1)
        for k in (0, 1)
        for rows in [y[:, c] == k]
    ]
    torch.testing.assert_close(whole[0], sum(parts))


def test_ranks_see_what_a_line_does_not_and_have_a_gradient():
    gc = torch.linspace(0, 1, 60)
    x = torch.exp(12 * gc)
    batch = {"target/output": torch.zeros(60, 1), "covariates": gc[:, None]}
    linear, rank = (value(ConfounderPenalty(method=m), x[:, None], batch) for m in ("linear", "rank"))
    assert linear < 0.7 < rank
    leaf = torch.randn(60, 1, requires_grad=True)
    value(ConfounderPenalty(method="rank"), leaf, batch).backward()
    assert (leaf.grad != 0).all()
    assert soft_ranks(torch.tensor([[0.0], [10.0], [20.0]])).flatten().tolist() == pytest.approx(
        [0.5, 1.5, 2.5], abs=1e-3
    )


def test_features_can_be_punished_in_place_of_predictions():
    torch.manual_seed(3)
    gc = torch.randn(50)
    embedding = torch.stack([gc, torch.randn(50)], 1)[:, :, None]
    batch = {"target/output": torch.zeros(50, 1), "covariates": gc[:, None]}
    expected = (1 + correlation(embedding[:, 1, 0], gc).square()) / 2
    found = value(ConfounderPenalty(of="features", pool="mean"), torch.zeros(50, 1), batch, embedding)
    torch.testing.assert_close(found, expected)


def test_named_covariates_alone_count():
    torch.manual_seed(4)
    gc, depth, x = torch.randn(50, 1), torch.randn(50, 1), torch.randn(50, 1)
    names = ["gc", "depth"]
    both = {"target/output": torch.zeros(50, 1), "covariates": torch.cat([gc, depth], 1)}
    alone = {"target/output": torch.zeros(50, 1), "covariates": depth}
    only = value(ConfounderPenalty(covariates=names, only=["depth"]), x, both)
    torch.testing.assert_close(only, value(ConfounderPenalty(), x, alone))
    with pytest.raises(ConfigError, match="no covariate 'dept': did you mean 'depth'"):
        ConfounderPenalty(covariates=names, only=["dept"])


def test_labels_by_position_have_no_class_and_the_remedy_is_named():
    batch = {"target/output": torch.zeros(4, 5, dtype=torch.long), "domain": torch.arange(4) % 2}
    with pytest.raises(ContractError, match="given by position"):
        DomainAdversarial(in_channels=2, conditional=True).weights(batch)


def test_a_conditional_discriminator_sees_a_sign_that_flips_with_the_label():
    torch.manual_seed(0)
    domain, label = torch.arange(256) % 2, (torch.arange(256) // 2) % 2
    sign = (2.0 * domain - 1) * (2.0 * label - 1)
    embedding = torch.stack([sign + 0.3 * torch.randn(256), torch.randn(256)], 1)[:, :, None]
    batch = {"domain": domain, "target/output": label[:, None].float()}
    losses = {}
    for conditional in (False, True):
        torch.manual_seed(0)
        objective = DomainAdversarial(in_channels=2, hidden=8, pool="mean", conditional=conditional, tasks=["one"])
        optimizer = torch.optim.Adam(objective.parameters(), lr=2e-2)
        for _ in range(80):
            loss = value(objective, torch.zeros(256, 1), batch, embedding)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[conditional] = float(loss.detach())
    assert losses[True] < 0.2
    assert losses[False] > 0.6


def test_moments_of_one_distribution_have_no_distance_and_a_shift_has_its_own():
    torch.manual_seed(0)
    alike = [moment_distances([torch.randn(40, 6), torch.randn(40, 6)]) for _ in range(300)]
    for i in (0, 1):
        mean = torch.stack([d[i] for d in alike]).mean()
        assert abs(float(mean)) < 0.004  # the biased estimate of the means would be 0.05
    shifted = torch.stack([moment_distances([torch.randn(40, 6), torch.randn(40, 6) + 1.0])[0] for _ in range(50)])
    assert float(shifted.mean()) == pytest.approx(1 / 1.25, abs=0.05)  # sd of the mixture: sqrt(1 + 1 / 4)
    correlated = torch.randn(200, 2)
    mixed = torch.stack([correlated[:, 0], correlated[:, 0] + 0.1 * correlated[:, 1]], 1)
    mean, second = moment_distances([torch.randn(200, 2), mixed])
    assert abs(float(mean)) < 0.05 < float(second)


@pytest.mark.parametrize("conditional", [False, True])
def test_matching_makes_means_and_covariances_alike(conditional):
    torch.manual_seed(0)
    domain, label = torch.arange(300) % 3, (torch.arange(300) // 3) % 2
    fixed = torch.randn(300, 2)
    shift = torch.zeros(3, 2, 2, requires_grad=True)
    start = torch.tensor([[[0.0, 0.0]] * 2, [[1.0, 0.0]] * 2, [[0.0, -1.0], [0.0, 1.0]]])
    objective = MomentMatching(in_channels=2, domains=["a", "b", "c"], pool="mean", conditional=conditional)
    optimizer = torch.optim.Adam([shift], lr=0.05)
    batch = {"domain": domain, "target/output": label[:, None].float()}
    for _ in range(150):
        features = fixed + (start + shift)[domain, label]
        loss = value(objective.train(), torch.zeros(300, 1), batch, features[:, :, None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        x = fixed + (start + shift)[domain, label]
    by_class = [x[(domain == d) & (label == k)].mean(0) for d in range(3) for k in (0, 1)]
    spread = max(float((by_class[i] - by_class[i % 2]).abs().max()) for i in range(6))
    assert spread < 0.35 if conditional else spread > 0.5
    overall = torch.stack([x[domain == d].mean(0) for d in range(3)])
    assert (overall - overall.mean(0)).abs().max() < 0.25


def test_one_domain_is_refused_and_a_batch_of_one_weighs_nothing():
    for objective in (DomainAdversarial, MomentMatching):
        with pytest.raises(ContractError, match="has 1 domains, which leave nothing"):
            objective(in_channels=2, domains=["lab"])
    only = {"domain": torch.zeros(6, dtype=torch.long)}
    parts = MomentMatching(in_channels=2)({"output": torch.zeros(6, 1)}, only, torch.randn(6, 2, 3))
    assert all(float(s) == 0 and float(w) == 0 for s, w in parts.values())
