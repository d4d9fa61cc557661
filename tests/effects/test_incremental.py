"""Incremental inference gives what full inference gives, whatever a model is made of."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo.data.edits import Edits
from zoo.effects.engine import incremental as incremental_module
from zoo.effects.engine import references as engine_module
from zoo.effects.engine.backends import Compiled, Eager
from zoo.effects.engine.incremental import Incremental
from zoo.errors import ContractError

spec = importlib.util.spec_from_file_location("effects_networks", Path(__file__).with_name("networks.py"))
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)

NETWORKS = module.networks()
FULL_FROM = {
    "transformer": "multi_head_attention_forward",
    "recurrent": "lstm",
    "squeeze and excitation": "mul",
    "padding": "logsumexp",
    "circular": "pad",
    "instance norm": "instance_norm",
    "group norm": "group_norm",
    "upsampling": "interpolate",
}
"""From which call on a network is computed in full; the others are carried to the end."""


def make(network, **options):
    net, length = NETWORKS[network] if isinstance(network, str) else network
    return Incremental(net, lambda inputs: net(inputs["one_hot"]), {"one_hot": (4, length)}, **options)


def by_full_inference(engine, codes, edits):
    """What each mutant's own prediction differs by from its reference's."""
    mutants = edits.apply(codes, engine.length)
    return engine.full(mutants) - engine.full(codes[edits.row, : engine.length])


def some_edits(length):
    mutants = [
        [(3, 1, "A")],
        [(0, 1, "C"), (length - 1, 1, "G")],
        [],
        [(5, 1, "T"), (9, 2, "CA")],
        [(0, 2, ""), (5, 0, "GG")],
        [(length // 2, 3, "")],
        [(length - 4, 0, "ACG")],
        [(0, 0, "ACGT")],
        [(length // 3, 4, "NNNN")],
    ]
    return Edits.sets(mutants, rows=[i % 3 for i in range(len(mutants))])


def test_no_network_is_left_out():
    assert len(NETWORKS) == 25
    assert set(FULL_FROM) < set(NETWORKS)


@pytest.mark.parametrize("backend", [Compiled(), Eager()], ids=["compiled", "eager"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_substitution_and_edit_has_the_effect_of_full_inference(name, backend, draw):
    engine = make(name, backend=backend, dtype=torch.float64)
    first = engine.plan.first_full
    assert (first.name if first else None) == FULL_FROM.get(name)
    assert not engine.plan.failures
    codes = draw(3, engine.length + 5, letters=5)
    largest = 0.0
    for edits in (Edits.substitutions(codes[:, : engine.length]), some_edits(engine.length)):
        found, truth = engine.effects(codes, edits), by_full_inference(engine, codes, edits)
        torch.testing.assert_close(found, truth, rtol=0, atol=1e-10)
        largest = max(largest, float(truth.abs().max()))
    assert largest > 1e-3


@pytest.mark.parametrize("name", NETWORKS)
def test_float32_is_no_further_from_the_truth_than_full_inference_in_float32(name, draw):
    engine = make(name, backend=Compiled())
    codes = draw(1, engine.length)
    edits = Edits.substitutions(codes)
    truth = by_full_inference(make(name, dtype=torch.float64), codes, edits)
    plain = (by_full_inference(engine, codes, edits).double() - truth).abs()
    ours = (engine.effects(codes, edits).double() - truth).abs()
    assert ours.max() <= 1.5 * plain.max() + 1e-9
    assert ours.max() < 1e-3 * truth.abs().max()


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.integers(1, 6),
    dilation=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 6),
    groups=st.sampled_from([1, 2]),
    pool=st.sampled_from([None, (nn.MaxPool1d, 3, 2), (nn.AvgPool1d, 4, 3), (nn.MaxPool1d, 2, 2)]),
    crop=st.integers(0, 8),
    seed=st.integers(0, 3),
)
def test_any_convolution_and_pool(kernel, dilation, stride, padding, groups, pool, crop, seed):
    torch.manual_seed(seed)
    layers = [
        nn.Conv1d(4, 4, kernel, stride=stride, padding=padding, dilation=dilation, groups=groups),
        nn.Tanh(),
        *([pool[0](pool[1], pool[2])] if pool else []),
        nn.Conv1d(4, 2, 3, padding=1),
        nn.ReLU(),
    ]
    body = nn.Sequential(*layers).eval()
    length = 61

    def run(inputs):
        x = body(inputs["one_hot"])
        return x[:, :, min(crop, x.shape[2] - 1) :]

    codes = np.random.default_rng(seed).integers(0, 4, (2, length)).astype(np.uint8)
    edits = Edits.substitutions(codes)
    for backend in (Compiled(), Eager()):
        engine = Incremental(body, run, {"one_hot": (4, length)}, backend=backend, dtype=torch.float64)
        assert engine.plan.first_full is None
        torch.testing.assert_close(
            engine.effects(codes, edits), by_full_inference(engine, codes, edits), rtol=0, atol=1e-10
        )


def test_mutants_of_many_references_come_back_in_their_order(draw):
    engine = make("residual")
    codes = draw(7, engine.length)
    edits = Edits.substitutions(codes, 20, 40)
    mixed = edits[np.random.default_rng(0).permutation(len(edits))]
    torch.testing.assert_close(engine.effects(codes, mixed), by_full_inference(engine, codes, mixed), rtol=0, atol=1e-6)


def test_what_the_output_does_not_follow_is_not_computed(draw):
    engine = make("residual")
    last = max(i for i, o in engine.plan.operations.items() if o.layout is not None)
    assert engine.plan.needed[last] == (0, 74)  # positions 7 to 81 of 90, counted behind the crop
    codes = draw(1, engine.length)
    windows = engine.plan.spans(Edits.substitutions(codes).span(engine.length))
    assert windows[last].high.max() <= 74


def test_rebasing_onto_an_accepted_edit_is_starting_from_the_mutant(draw):
    engine = make("basset")
    codes = draw(2, engine.length)
    accepted = Edits.sets([[(30, 1, "ACGT"[(codes[1, 30] + 1) % 4])]], rows=[1])
    moved = engine.at(codes).rebase(accepted)
    changed = codes.copy()
    changed[1] = accepted.apply(codes)[0]
    assert not np.array_equal(changed, codes)
    edits = Edits.substitutions(changed, 25, 35)
    torch.testing.assert_close(moved.output, engine.full(changed), rtol=0, atol=1e-6)
    torch.testing.assert_close(moved.effects(edits), engine.effects(changed, edits), rtol=0, atol=1e-6)


def test_batches_shrink_with_the_memory_that_is_left(draw, monkeypatch):
    codes = draw(3, 90)
    edits = Edits.substitutions(codes)
    engine, sizes = make("residual"), []
    run = engine_module.At.batch

    def counting(at, part, *rest):
        sizes.append(len(part))
        return run(at, part, *rest)

    monkeypatch.setattr(engine_module.At, "batch", counting)
    roomy = engine.effects(codes, edits)
    assert max(sizes) > 50
    sizes.clear()
    monkeypatch.setattr(engine_module, "available_bytes", lambda device: 100_000)
    torch.testing.assert_close(engine.effects(codes, edits), roomy, rtol=0, atol=1e-7)
    assert max(sizes) < 25
    assert sum(sizes) == len(edits)


def test_effects_that_do_not_fit_are_refused_before_they_are_made(draw, monkeypatch):
    engine = make("views")
    codes = draw(1, engine.length)
    monkeypatch.setattr(incremental_module, "available_bytes", lambda device: 500)
    with pytest.raises(ContractError, match=r"effects of 300 mutants on 2 numbers are 0.0 GB .* ask for fewer mutants"):
        engine.effects(codes, Edits.substitutions(codes))


def test_two_threads_give_what_one_gives(draw, monkeypatch):
    engine = make("residual")
    codes = draw(3, engine.length)
    edits = Edits.substitutions(codes)
    monkeypatch.setattr(engine_module, "CACHE_FLOATS", 20_000)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = engine.effects(codes, edits)
        torch.set_num_threads(2)
        done = []
        both = engine.effects(codes, edits, progress=done.append)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(alone, both, rtol=0, atol=1e-7)
    assert sum(done) == len(edits)
    assert len(done) > 4


def test_the_model_is_left_as_it_was(draw):
    net, length = NETWORKS["basset"]
    net.train()
    try:
        weights = dict(net.named_parameters())
        engine = make("basset")
        codes = draw(1, length)
        engine.effects(codes, Edits.substitutions(codes, 3, 9))
        assert engine.check.checked == 2
        assert all(part.training for part in net.modules())
        assert all(weights[k] is x and x.requires_grad and x.dtype == torch.float32 for k, x in net.named_parameters())
        assert not any("forward" in part.__dict__ or part._forward_hooks for part in net.modules())
    finally:
        net.eval()


def test_a_model_of_half_precision_is_followed_in_float32(draw):
    net = nn.Sequential(nn.Conv1d(4, 3, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()).to(torch.bfloat16).eval()
    engine = make((net, 30))
    codes = draw(1, 30)
    edits = Edits.substitutions(codes)
    found = engine.effects(codes, edits)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, by_full_inference(engine, codes, edits), rtol=0, atol=1e-6)
    assert net[0].weight.dtype == torch.bfloat16


def test_no_edits_have_no_effects(draw):
    engine = make("views")
    codes = draw(2, engine.length)
    assert engine.effects(codes, Edits.sets([])).shape == (0, 2)


def test_an_overflow_is_computed_again_in_full():
    """The softmax of an attention pool is carried against the reference's maximum; far above it, exp overflows."""

    class Sharp(nn.Module):
        def __init__(self):
            super().__init__()
            from zoo.layers.attention_pooling import AttentionPooling

            self.pool = AttentionPooling(4)
            with torch.no_grad():
                self.pool.score.weight[:] = torch.tensor([0.0, 0, 0, 300])[None, :, None]

        def forward(self, x):
            return self.pool(x)

    net = Sharp().eval()
    engine = make((net, 20), dtype=torch.float32)
    codes = np.zeros((1, 20), np.uint8)
    edits = Edits.substitutions(codes)
    found = engine.effects(codes, edits)
    assert engine.counts.overflowed == 20
    torch.testing.assert_close(found, by_full_inference(engine, codes, edits))
    assert found.abs().max() > 0.9


@pytest.mark.gpu
def test_a_gpu_gives_what_the_cpu_gives(draw):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    for name in NETWORKS:
        net, length = NETWORKS[name]
        codes = draw(2, length)
        edits = Edits.substitutions(codes)
        here = make(name, dtype=torch.float64).effects(codes, edits)
        try:
            there = make((net.cuda(), length), dtype=torch.float64).effects(codes, edits).cpu()
        finally:
            net.cpu()
        torch.testing.assert_close(here, there, rtol=0, atol=1e-9)
