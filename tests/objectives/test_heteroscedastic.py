"""The Gaussian likelihood with the noise of replicates: its formula, what it learns, and where it pays."""

import math

import numpy as np
import pytest
import torch

import zoo
from zoo.config import compose
from zoo.data.sources.mixture import Mixture
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError, ContractError
from zoo.evaluation.model_comparison import compare_models
from zoo.fields import Field
from zoo.objectives.heteroscedastic import Heteroscedastic
from zoo.training.augment import augment, batch_fields
from zoo.training.loader import REVERSE
from zoo.training.plan import TrainingPlan
from zoo.training.run import train

NAN = float("nan")


def loss(objective: Heteroscedastic, x, y, variance=None):
    batch = {"target/output": y} | ({} if variance is None else {"variance/output": variance})
    ((total, weight),) = objective({"output": x}, batch, torch.zeros(len(x), 2, 1)).values()
    return total, weight


def test_it_is_the_likelihood_of_gaussian_noise_of_the_stated_and_the_residual_variance():
    objective = Heteroscedastic(tasks=["a", "b"], sd=[1.0, 2.0]).requires_grad_(False)
    objective.log_residual.copy_(torch.tensor([0.3, -1.0]))
    objective.log_unknown.copy_(torch.tensor([0.1, 0.7]))
    x, y = torch.randn(3, 2), torch.randn(3, 2)
    y[2, 0] = NAN
    variance = torch.tensor([[0.5, 0.0], [NAN, 3.0], [1.0, NAN]])
    unit = torch.tensor([1.0, 4.0])
    residual, unknown = (unit * (torch.tensor(x).exp() + 1e-4) for x in ([0.3, -1.0], [0.1, 0.7]))
    noise = torch.where(variance.isnan(), unknown, variance + residual)
    likelihood = torch.distributions.Normal(x, noise.sqrt(), validate_args=False).log_prob(y)[~y.isnan()]
    total, weight = loss(objective, x, y, variance)
    torch.testing.assert_close(total, -likelihood.sum() - 5 * math.log(2 * math.pi) / 2)
    assert float(weight) == 5
    assert objective.activation == "identity"


def test_noisy_labels_pull_less():
    x, y = torch.zeros(2, 1, requires_grad=True), torch.ones(2, 1)
    loss(Heteroscedastic(), x, y, torch.tensor([[0.0], [9.0]]))[0].backward()
    assert x.grad is not None
    assert float(x.grad[0] / x.grad[1]) == pytest.approx(10, rel=1e-3)


@pytest.mark.parametrize("stated", [True, False])
def test_the_learned_variance_becomes_what_the_stated_one_leaves(stated):
    torch.manual_seed(0)
    sd = torch.rand(4_000, 1) * 2
    y = 10 * (torch.randn(4_000, 1) * sd + 0.7 * torch.randn(4_000, 1))
    objective = Heteroscedastic(sd=[float(y.std())])
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
    for _ in range(150):
        total, weight = loss(objective, torch.zeros_like(y), y, (10 * sd).square() if stated else None)
        optimizer.zero_grad()
        (total / weight).backward()
        optimizer.step()
    number = objective.log_residual if stated else objective.log_unknown
    variance = float(objective.label_variance * number.detach().exp())
    assert variance == pytest.approx(49 if stated else float(y.square().mean()), rel=0.1)


def test_what_cannot_be_a_variance_is_refused():
    x, y = torch.zeros(2, 1), torch.ones(2, 1)
    with pytest.raises(ContractError, match="holds -1"):
        loss(Heteroscedastic(), x, y, torch.tensor([[NAN], [-1.0]]))
    with pytest.raises(ConfigError, match="one number above 0"):
        Heteroscedastic(tasks=["a", "b"], sd=[1.0])
    with pytest.raises(ConfigError, match="task_weights=size"):
        Heteroscedastic(task_weights="uncertainty")  # type: ignore[arg-type]


def test_a_profile_has_one_residual_variance_a_track():
    objective, x = Heteroscedastic(tasks=["a", "b"], sd=[1.0, 3.0]), torch.zeros(4, 2, 5)
    total, weight = loss(objective, x, torch.ones(4, 2, 5), torch.full((4, 1, 5), NAN))
    unit = torch.tensor([1.0, 9.0]) * (1 + 1e-4)
    torch.testing.assert_close(total, 20 * (0.5 / unit + 0.5 * unit.log()).sum())
    assert float(weight) == 40


def test_the_run_tells_it_the_spread_of_the_labels():
    plan = TrainingPlan.of(compose(["experiment=simulated_replicates", "data.n_train=50", "data.n_test=20"]))
    objective = plan.loss.terms["activity"].objective
    assert isinstance(objective, Heteroscedastic)
    labels = plan.source.examples("train").batch(np.arange(50))["target/activity"]
    assert float(objective.label_variance.sqrt()) == pytest.approx(float(labels.std()), rel=1e-4)


def test_variances_turn_with_the_strand_of_their_labels():
    fields = batch_fields({}, {"reads": Field("CT", ("plus", "minus"), rc=(1, 0))})
    variance = torch.rand(2, 2, 6)
    batch = {"variance/reads": variance, REVERSE: torch.tensor([True, False])}
    turned = augment(batch, fields)["variance/reads"]
    torch.testing.assert_close(turned[0], variance[0].flip(0, 1))
    torch.testing.assert_close(turned[1], variance[1])


def test_a_source_of_a_mixture_without_variances_does_not_know_them():
    shared = {"name": "simulated", "targets": ["activity"], "n_train": 20, "n_validation": 8, "n_test": 8, "length": 60}
    mixture = Mixture(sources={"measured": {**shared, "noise": {"replicates": 3}}, "other": {**shared, "seed": 1}})
    batch = mixture.examples("train").batch(np.arange(40))
    assert np.isfinite(batch["variance/activity"]).sum() == 20
    assert batch["variance/activity"].shape == batch["target/activity"].shape


def test_replicates_of_unequal_quality_show_their_variance_and_test_rows_are_clean():
    noise = {"replicates": 4, "qualities": [0.1, 5.0]}
    source = Simulated(targets=["activity"], n_train=4_000, n_test=50, noise=noise)
    clean = Simulated(targets=["activity"], n_train=4_000, n_test=50, noise={"activity": 0.0})
    batch, truth = (s.examples("train").batch(np.arange(4_000)) for s in (source, clean))
    error = batch["target/activity"] - truth["target/activity"]
    noisy = batch["variance/activity"] > 0.05  # but for one in a thousand, whose measurements lie close by chance
    assert 0.45 < noisy.mean() < 0.55
    assert np.median(np.abs(error[~noisy])) == pytest.approx(0.6745 * 0.1 / 2, rel=0.1)
    assert error[noisy].std() == pytest.approx(5 / 2, rel=0.1)
    assert batch["variance/activity"][noisy].mean() == pytest.approx(25 / 4, rel=0.1)
    test, same = (s.examples("test").batch(np.arange(50)) for s in (source, clean))
    np.testing.assert_array_equal(test["target/activity"], same["target/activity"])
    assert np.isnan(test["variance/activity"]).all()
    with pytest.raises(ConfigError, match="replicates is 1"):
        Simulated(noise={"replicates": 1})


@pytest.mark.slow
def test_where_noise_differs_it_predicts_clean_rows_better_than_squared_error(tmp_path):
    models = {}
    for objective in ("heteroscedastic", "squared_error"):
        words = ["experiment=simulated_replicates", f"objective={objective}", "evaluation.bootstrap=20"]
        models[objective] = train(compose([*words, f"output_dir={tmp_path}/{objective}"])).model_folder
    better, other = (zoo.load(str(folder)) for folder in models.values())
    source = TrainingPlan.of(compose(["experiment=simulated_replicates"])).source
    (row,) = [r for r in compare_models(better, {"other": other}, source).rows if r["metric"] == "pearson"]
    assert row["low"] > 0, row
    assert row["value"] > 0.5
