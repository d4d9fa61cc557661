"""One step's gradient does not depend on how the batch is cut, over micro-batches or processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from zoo.interfaces import Objective
from zoo.training.loss import Term
from zoo.training.module import micro_batch_rows
from zoo.training.plan import TrainingPlan
from zoo.training.schedule import rate_factor
from zoo.training.settings import TrainerSettings

STEP = Path(__file__).with_name("one_step.py")

CONFIG = {
    "seed": 0,
    "strand": "none",
    "encoder": {"name": "dilated_cnn", "channels": 8, "layers": 1},
    "head": {"name": "scalar"},
    "heads": {"profile": {"name": "profile"}},
    "objective": {"name": "squared_error"},
    "objectives": {"profile": {"name": "poisson", "coefficient": 0.5}},
}


def gradients(config, source, micro_batch, change=None, batch_size=50, parts_of_batch=1):
    """The gradient of the first batch, straight from the step's own functions."""
    torch.manual_seed(0)
    plan = TrainingPlan.of(config, source)
    if change:
        change(plan.loss)
    module = plan.module(TrainerSettings(micro_batch=micro_batch, batch_size=batch_size))
    module._trainer = type("Alone", (), {"world_size": 1})()
    batch = next(iter(module.train_loader))
    cuts = [{k: v[i::parts_of_batch] for k, v in batch.items()} for i in range(parts_of_batch)]
    weights = module._weights_of_all_rows(cuts)
    parts = module._accumulate_gradients(cuts, weights)
    return {n: p.grad.clone() for n, p in plan.model.named_parameters()}, parts


@pytest.mark.parametrize(("micro_batch", "parts_of_batch"), [(1, 1), (3, 1), (7, 1), (32, 1), (50, 2), (4, 3)])
def test_micro_batches_and_batches_of_several_lengths_give_the_gradient_of_the_whole(tiny, micro_batch, parts_of_batch):
    pytest.importorskip("zoo_dilated_cnn")
    source = tiny()
    whole, parts = gradients(CONFIG, source, 50)
    cut, cut_parts = gradients(CONFIG, source, micro_batch, parts_of_batch=parts_of_batch)
    assert set(parts) == set(cut_parts) == {"profile", "scalar"}
    for part, value in parts.items():
        torch.testing.assert_close(cut_parts[part], value, atol=1e-6, rtol=1e-5)
    for name, gradient in whole.items():
        assert gradient.abs().max() > 1e-4, name
        torch.testing.assert_close(cut[name], gradient, atol=1e-6, rtol=1e-5)


def test_labels_that_are_masked_do_not_dilute_the_others(tiny):
    """The mean of micro-batch means is another number: the masks differ from micro-batch to micro-batch."""
    pytest.importorskip("zoo_dilated_cnn")
    source = tiny()
    batch = source.examples("train").batch(range(50))
    _, parts = gradients(CONFIG, source, 1)
    torch.manual_seed(0)
    model = TrainingPlan.of(CONFIG, source).model
    x = model({"codes": torch.from_numpy(batch["codes"])})["scalar"]
    y, weight = torch.from_numpy(batch["target/scalar"]), torch.from_numpy(batch["weight/scalar"])
    expected = ((x - y).square() * weight).sum() / weight.sum()
    torch.testing.assert_close(parts["scalar"], expected.detach(), rtol=1e-4, atol=1e-6)


class Spread(Objective):
    """The variance of a head's predictions: no sum over examples."""

    additive = False

    def weights(self, batch):
        return {"spread": torch.ones(())}

    def forward(self, prediction, batch, embedding):
        return {"spread": (prediction["scalar"].var(0).sum(), torch.ones(()))}


def test_a_term_that_is_no_sum_over_examples_forbids_micro_batches(tiny):
    pytest.importorskip("zoo_dilated_cnn")
    source = tiny()

    def add(terms):
        terms.terms["spread"] = Term(Spread(), 1.0, "scalar")

    whole, parts = gradients(CONFIG, source, 50, add)
    cut, cut_parts = gradients(CONFIG, source, 3, add)
    assert "spread" in parts
    assert torch.equal(parts["spread"], cut_parts["spread"])
    for name, gradient in whole.items():
        assert torch.equal(cut[name], gradient)


def test_micro_batches_of_a_long_window_are_small_and_those_of_a_batch_norm_whole(tiny):
    source = tiny()
    pytest.importorskip("zoo_dilated_cnn")
    model = TrainingPlan.of({**CONFIG, "encoder": {"name": "dilated_cnn"}}, source).model
    assert micro_batch_rows(model, 64, 2114, on_cpu=True) == 4
    assert micro_batch_rows(model, 64, 200, on_cpu=True) == 32
    assert micro_batch_rows(model, 64, 2114, on_cpu=False) == 64
    assert micro_batch_rows(model, 64, 2114, on_cpu=True, additive=False) == 64
    model.encoder.norm = torch.nn.BatchNorm1d(4)
    assert micro_batch_rows(model, 64, 2114, on_cpu=True) == 64


def test_learning_rate_warms_up_falls_and_is_halved():
    assert [rate_factor("constant", s, 100, warmup=4) for s in range(6)] == [0.25, 0.5, 0.75, 1, 1, 1]
    cosine = [rate_factor("cosine", s, 100) for s in range(101)]
    assert cosine[0] == 1
    assert cosine[100] == 0
    assert cosine == sorted(cosine, reverse=True)
    assert rate_factor("plateau", 7, 100, reductions=2) == 0.25


@pytest.mark.slow
def test_two_processes_give_the_gradient_and_the_validation_loss_of_one(tmp_path):
    pytest.importorskip("zoo_dilated_cnn")
    alone = steps(tmp_path / "alone.json", 1)
    both = steps(tmp_path / "both.json", 2)
    assert len(alone["parts"]) == len(both["parts"]) == 4
    for step in range(4):
        assert alone["parts"][step].keys() == both["parts"][step].keys() == {"profile", "scalar", "penalty"}
        for part, value in alone["parts"][step].items():
            assert both["parts"][step][part] == pytest.approx(value, rel=1e-5), (step, part)
        for name, gradient in alone["gradients"][step].items():
            wanted, got = torch.tensor(gradient), torch.tensor(both["gradients"][step][name])
            torch.testing.assert_close(got, wanted, atol=1e-6, rtol=1e-4, msg=f"step {step}, {name}: {got} {wanted}")
    assert all(torch.tensor(x).abs().max() > 1e-6 for x in alone["gradients"][0].values())
    assert alone["validation"].keys() == both["validation"].keys()
    for name, value in alone["validation"].items():
        assert both["validation"][name] == pytest.approx(value, rel=1e-5), name


def steps(out, world):
    """Run `one_step.py` in `world` real processes that talk over gloo."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    common = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    processes = [
        subprocess.Popen(
            [sys.executable, str(STEP), str(out), str(world)], env={**common, "LOCAL_RANK": str(rank), "NODE_RANK": "0"}
        )
        for rank in range(world)
    ]
    assert [p.wait(timeout=120) for p in processes] == [0] * world
    return json.loads(out.read_text())
