"""The engine of a whole model: kept, made anew when it must be, and open to a plugin's rules."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.data.edits import Edits
from zoo.effects.engine.incremental import Incremental, incremental
from zoo.effects.engine.rules import layer
from zoo.effects.engine.rules.operation import rules
from zoo.interpreters.ism import ISM
from zoo.outputs import Output


@pytest.fixture(scope="module")
def model():
    return zoo.load("ctcf-motif-cnn")


@pytest.mark.parametrize("text", ["CTCF", "CTCF:raw", "CTCF_short:raw - 0.5*CTCF:raw", None])
def test_the_landscape_is_that_of_full_inference(model, text, draw):
    output = Output.parse(text, model.spec)
    codes = draw(2, model.spec.input_length)
    engine = incremental(model, output)
    assert engine.plan.first_full is None
    edits = Edits.substitutions(codes, 80, 120)
    found = engine.effects(codes, edits)
    truth = output.of(model.eval(), {"codes": torch.from_numpy(edits.apply(codes))}) - engine.full(codes)[edits.row]
    assert found.shape == (len(edits), len(output.names))
    torch.testing.assert_close(found, truth.detach(), rtol=0, atol=2e-6)


def test_every_shipped_model_is_carried_to_the_end(draw):
    names = [entry["name"] for entry in zoo.list_models()]
    assert {"ctcf-motif-cnn", "ctcf-dilated-cnn"} <= set(names)
    for name in ("ctcf-motif-cnn", "ctcf-dilated-cnn"):
        loaded = zoo.load(name)
        output = Output.parse("CTCF:raw", loaded.spec)
        engine = incremental(loaded, output, dtype=torch.float64)
        codes = draw(1, loaded.spec.input_length)
        assert engine.plan.first_full is None
        assert not engine.plan.failures
        edits = Edits.substitutions(codes)
        truth = engine.full(edits.apply(codes)) - engine.full(codes)
        found = engine.effects(codes, edits)
        torch.testing.assert_close(found, truth, rtol=0, atol=1e-10)
        top = [np.argsort(-x[:, 0].abs().numpy(), kind="stable")[:100] for x in (found, truth)]
        assert set(top[0]) == set(top[1])


def test_it_agrees_with_the_interpreter_that_runs_every_mutant(model, draw):
    output = Output.parse("CTCF:raw", model.spec)
    codes = draw(1, model.spec.input_length)
    slow = ISM().attribute(model, {"codes": torch.from_numpy(codes)}, output).values["one_hot"][0]
    edits = Edits.substitutions(codes)
    fast = torch.zeros_like(slow)
    fast[edits.alternate.astype(int), edits.position] = incremental(model, output).effects(codes, edits)[:, 0]
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-5)


def test_the_engine_is_kept_until_the_weights_change():
    model = zoo.load("ctcf-motif-cnn")
    output = Output.parse("CTCF:raw", model.spec)
    first = incremental(model, output)
    assert incremental(model, output) is first
    assert incremental(model, Output.parse("CTCF", model.spec)) is not first
    with torch.no_grad():
        next(model.parameters()).mul_(1.1)
    assert incremental(model, output) is not first


def test_a_plugin_adds_a_rule_for_its_layer(draw):
    class Swish(nn.Module):
        """Written so that nothing in it has a rule."""

        def forward(self, x):
            return torch.special.expit(x) * x

    net = nn.Sequential(nn.Conv1d(4, 3, 5), Swish(), nn.AdaptiveAvgPool1d(1), nn.Flatten()).eval()
    codes = draw(1, 30)
    edits = Edits.substitutions(codes)

    def engine():
        return Incremental(net, lambda i: net(i["one_hot"]), {"one_hot": (4, 30)}, dtype=torch.float64)

    before = engine()
    assert before.plan.first_full.layer == "1"
    slow = before.effects(codes, edits)
    try:
        layer(Swish)(lambda module, x: nn.functional.silu(x))
        after = engine()
    finally:
        del rules()[1][Swish]
    assert after.plan.first_full is None
    torch.testing.assert_close(after.effects(codes, edits), slow, rtol=0, atol=1e-12)


def test_rules_of_installed_plugins_are_found():
    from zoo.registry import registry

    assert set(registry().names("rule")) >= {"pointwise", "convolution", "pooling", "shape", "linear", "layers"}
    operations, layers = rules()
    assert {"conv1d", "relu", "max_pool1d", "linear", "batch_norm", "softmax", "cat", "getitem"} <= set(operations)
    assert {kind.__name__ for kind in layers} >= {"TiedConv1d", "TiedBatchNorm1d", "AttentionPooling"}
