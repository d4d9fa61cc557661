"""Tasks count by their labels, all alike, or as a learned variance says; a missing label counts for nothing."""

import pytest
import torch
from torch.nn import functional

from zoo.errors import ConfigError
from zoo.interfaces import total
from zoo.objectives.cross_entropy import CrossEntropy
from zoo.objectives.poisson import Poisson
from zoo.objectives.squared_error import SquaredError

NAN = float("nan")
TASKS = ["often", "rare"]
X = torch.tensor([[0.3, 9.0], [2.0, -1.0], [0.1, 0.7], [-1.0, 5.0]])
Y = torch.tensor([[1.0, NAN], [0.0, 1.0], [1.0, 0.0], [0.0, NAN]])
SIZES = [4.0, 2.0]


def loss_of(objective, x=X, y=Y, **further):
    return total(objective({"output": x}, {"target/output": y, **further}, torch.zeros(len(x), 2, 1)))


def by_task(x=X, y=Y):
    """Mean loss of each task over the labels that are there."""
    each = functional.binary_cross_entropy_with_logits(x, y.nan_to_num(), reduction="none")
    return torch.stack([each[~y[:, c].isnan(), c].mean() for c in range(y.shape[1])])


def test_by_size_every_label_counts_alike():
    expected = (4 * by_task()[0] + 2 * by_task()[1]) / 6
    torch.testing.assert_close(loss_of(CrossEntropy(tasks=TASKS, task_sizes=SIZES)), expected)


def test_uniform_is_the_mean_over_tasks_of_their_mean_losses():
    objective = CrossEntropy(tasks=TASKS, task_weights="uniform", task_sizes=SIZES)
    torch.testing.assert_close(loss_of(objective), by_task().mean())


def test_a_missing_label_changes_neither_the_loss_nor_the_gradient_whatever_stands_there():
    objective = CrossEntropy(tasks=TASKS, task_weights="uncertainty", task_sizes=SIZES, positive_weight=3.0)
    filled = Y.clone()
    filled[Y.isnan()] = 1.0
    weight = (~Y.isnan()).float()
    results = []
    for y, further in ((Y, {}), (filled, {"weight/output": weight})):
        x = X.clone().requires_grad_()
        loss = loss_of(objective, x, y, **further)
        loss.backward()
        results.append((loss.detach(), x.grad))
        assert (x.grad[Y.isnan()] == 0).all()
    torch.testing.assert_close(results[0], results[1])


def test_a_learned_variance_comes_to_twice_the_loss_and_the_validated_loss_has_none():
    objective = CrossEntropy(tasks=TASKS, task_weights="uncertainty", task_sizes=SIZES)
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
    for _ in range(600):
        optimizer.zero_grad()
        loss_of(objective).backward()
        optimizer.step()
    learned = objective.task_weights.log_variance.detach().exp()
    torch.testing.assert_close(learned, 2 * by_task(), rtol=1e-3, atol=1e-3)
    objective.eval()
    torch.testing.assert_close(loss_of(objective), by_task().mean())


def test_the_variance_of_a_squared_error_is_that_of_the_noise():
    x, y = torch.zeros(4000, 2), torch.randn(4000, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1, 5])
    objective = SquaredError(tasks=TASKS, task_weights="uncertainty", task_sizes=[4000, 4000])
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
    for _ in range(800):
        optimizer.zero_grad()
        loss_of(objective, x, y).backward()
        optimizer.step()
    torch.testing.assert_close(objective.task_weights.log_variance.exp(), y.square().mean(0), rtol=1e-2, atol=1e-2)


def test_balanced_positives_weigh_as_much_as_negatives_in_every_task():
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, NAN]])
    objective = CrossEntropy(tasks=TASKS, task_sizes=[4.0, 3.0], task_positives=[1.0, 2.0], positive_weight="balanced")
    weight = objective.label_weights({"target/output": y})
    positive, negative = (weight * y.nan_to_num()).sum(0), (weight * (1 - y.nan_to_num())).sum(0)
    torch.testing.assert_close(positive, negative)
    assert weight[3, 1] == 0


def test_uniform_tasks_stay_uniform_when_positives_weigh_more():
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, NAN], [0.0, NAN]])
    objective = CrossEntropy(
        tasks=TASKS,
        task_weights="uniform",
        task_sizes=[4.0, 2.0],
        task_positives=[1.0, 1.0],
        positive_weight=5.0,
    )
    often, rare = objective.label_weights({"target/output": y}).sum(0)
    torch.testing.assert_close(often, rare)


def test_weights_of_tasks_run_along_the_channels_of_a_profile():
    x, y = torch.rand(3, 2, 5), torch.rand(3, 2, 5)
    y[1:, 1] = NAN
    objective = SquaredError(tasks=TASKS, task_weights="uniform", task_sizes=[15.0, 5.0])
    expected = ((x - y)[:, 0].square().mean() + (x - y)[0, 1].square().mean()) / 2
    torch.testing.assert_close(loss_of(objective, x, y), expected)


def test_a_task_without_labels_is_no_obstacle():
    y = torch.tensor([[1.0, NAN], [0.0, NAN]])
    objective = CrossEntropy(tasks=TASKS, task_weights="uniform", task_sizes=[2.0, 0.0])
    torch.testing.assert_close(loss_of(objective, X[:2], y), by_task(X[:2, :1], y[:, :1])[0])


def test_what_cannot_be_weighed_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match="did you mean 'uniform'"):
        CrossEntropy(task_weights="unifrom")
    with pytest.raises(ConfigError, match="set task_weights=uniform"):
        Poisson(task_weights="uncertainty")
    with pytest.raises(ConfigError, match="2 task_sizes for 1 tasks"):
        SquaredError(task_weights="uniform", task_sizes=[1.0, 2.0])
    with pytest.raises(ConfigError, match="or give a number"):
        CrossEntropy(positive_weight="balanced")
    with pytest.raises(ConfigError, match="a number above 0"):
        CrossEntropy(positive_weight=-1)
