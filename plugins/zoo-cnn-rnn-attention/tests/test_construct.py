"""The encoder for constructs keeps the contract, fits every head, and its attention can be read."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from zoo.errors import ConfigError, ContractError
from zoo.layers.one_hot import one_hot
from zoo.model import Ensemble, Model, build
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.testing import check_encoder, failures
from zoo_cnn_rnn_attention.attention_picture import draw_attention
from zoo_cnn_rnn_attention.attention_section import mean_distance
from zoo_cnn_rnn_attention.attention_weights import AttentionWeights, attention_weights
from zoo_cnn_rnn_attention.construct import ConstructCNNRNN
from zoo_cnn_rnn_attention.position import ByPosition
from zoo_cnn_rnn_attention.self_attention import SelfAttention

DISTAL_PAIR = Path(__file__).parents[3] / "benchmarks" / "distal_pair.py"
SMALL = {"filters": 8, "hidden": 4, "heads": 2}


def make_model(length: int = 64, encoder: str = "construct_cnn_rnn", head: dict | None = None, **arguments) -> Model:
    known = registry()
    if encoder == "construct_cnn_rnn":
        arguments = SMALL | arguments
    resolved = {"name": encoder, **known.resolve("encoder", encoder, arguments)}
    built = known.build("encoder", encoder, arguments)
    run = {"in_channels": built.out_channels, "resolution": built.grid(length).bin_size, "tasks": ["leaf", "root"]}
    head = head or {"name": "scalar"}
    resolved_head = known.resolve("head", head["name"], {k: v for k, v in head.items() if k != "name"}, run)
    return build(ModelSpec("small", resolved, {"activity": {"name": head["name"], **resolved_head}}, length))


def make_codes(n: int = 3, length: int = 64, seed: int = 0) -> torch.Tensor:
    return torch.randint(4, (n, length), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


@pytest.mark.parametrize(
    "arguments",
    [
        {"pooling": "attention", "cell": "lstm"},
        {"pooling": "max_mean", "pool": 5},
        {"hidden": 0, "layers": 2},
        {"heads": 0},
        {"pool": 1, "position": False},
    ],
    ids=str,
)
def test_other_shapes_keep_the_contract_too(arguments):
    for tied in (False, True):
        assert failures(check_encoder(lambda tied=tied: ConstructCNNRNN(**SMALL | arguments, tied=tied))) == []


def test_scalar_multi_output_and_profile_heads_fit():
    codes = {"codes": make_codes(length=63)}
    for pooling in ("none", "attention", "max_mean"):
        assert make_model(63, pooling=pooling)(codes)["activity"].shape == (3, 2)
    profile = make_model(63, head={"name": "profile", "bin_size": 1}, pool=1)
    assert profile(codes)["activity"].shape == (3, 2, 63)
    with pytest.raises(ConfigError, match="an encoder that pools less"):
        make_model(63, head={"name": "profile", "bin_size": 1}, pool=1, pooling="max_mean")


def test_what_cannot_be_built_is_refused_with_the_remedy():
    for arguments, words in (
        ({"width": 14}, "width 14"),
        ({"pooling": "maxmean"}, "max_mean"),
        ({"hidden": 0, "heads": 0, "position": False}, "residual_cnn"),
        ({"hidden": 5, "heads": 4}, "a divisor of 10"),
    ):
        with pytest.raises(ConfigError, match=words):
            ConstructCNNRNN(**arguments)
    with pytest.raises(ContractError, match="use 64 bp"):
        ConstructCNNRNN(**SMALL, tied=True).grid(65)
    inputs = {"one_hot": one_hot(make_codes())}
    with pytest.raises(ContractError, match="heads=4"):
        ConstructCNNRNN(**SMALL | {"heads": 0}).attention_weights(inputs)
    with pytest.raises(ContractError, match="pooling=attention"):
        ConstructCNNRNN(**SMALL).pooling_weights(inputs)


def test_a_new_encoder_does_not_know_its_place_before_it_has_learnt_it():
    layer, x = ByPosition(6, bin_size=4), torch.randn(2, 6, 10)
    torch.testing.assert_close(layer(x, 40), x)
    torch.nn.init.normal_(layer.of_place.weight)
    layer.requires_grad_(False)
    same = torch.ones(1, 6, 10)
    assert float(layer(same, 40).std(2).min()) > 0.1
    # the last position knows the end: it is read alike in longer constructs only from that side
    assert not torch.allclose(layer(same, 40)[:, :, 0], layer(torch.ones(1, 6, 20), 80)[:, :, 0])


def test_attention_reaches_over_the_whole_sequence_and_knows_distances():
    torch.manual_seed(0)
    layer = SelfAttention(8, heads=2, bin_size=4).requires_grad_(False)
    torch.nn.init.zeros_(layer.query.weight)
    torch.nn.init.zeros_(layer.query.bias)
    x = torch.zeros(1, 8, 30)  # nothing but the distance tells positions apart
    weights = layer.weights(x)
    assert weights.shape == (1, 2, 30, 30)
    torch.testing.assert_close(weights.sum(3), torch.ones(1, 2, 30))
    ratio = weights[:, :, 1:, 1:] / weights[:, :, :-1, :-1]  # one score a distance, divided by the sum of its row
    torch.testing.assert_close(ratio, ratio[..., :1].expand_as(ratio), rtol=1e-3, atol=1e-3)
    assert float(weights.std(3).min()) > 1e-4


def test_weights_come_with_the_coordinates_of_the_positions():
    model = make_model(63, pooling="attention")
    weights = attention_weights(model, {"codes": make_codes(length=63)})
    assert weights.between.shape == (3, 2, 16, 16)
    assert weights.pooled.shape == (3, 1, 16)
    np.testing.assert_allclose(weights.between.sum(3), 1, rtol=1e-5)
    np.testing.assert_allclose(weights.pooled.sum(2), 1, rtol=1e-5)
    np.testing.assert_array_equal(weights.places, 2 + 4 * np.arange(16))
    assert [weights.position(base) for base in (0, 3, 4, 62)] == [0, 0, 1, 15]
    with pytest.raises(ContractError, match="base 64"):
        weights.position(64)


def test_both_strands_of_a_tied_encoder_look_at_the_same_bases():
    model = make_model(tied=True)
    codes = make_codes()
    here = attention_weights(model, {"codes": codes}).between
    there = attention_weights(model, {"codes": (3 - codes).flip(1)}).between
    assert here.shape == (3, 4, 16, 16)
    np.testing.assert_allclose(here, there[:, [2, 3, 0, 1], ::-1, ::-1], rtol=1e-4, atol=1e-6)


def test_weights_of_an_ensemble_are_those_of_its_members():
    first, second = make_model(), make_model()
    both = attention_weights(Ensemble(first.spec, [first, second]), {"codes": make_codes()})
    np.testing.assert_array_equal(both.between[:, 2:], attention_weights(second, {"codes": make_codes()}).between)


def test_the_pooling_weights_of_the_other_encoder_are_read_too():
    weights = attention_weights(make_model(encoder="cnn_rnn_attention"), {"codes": make_codes()})
    assert weights.between.shape == (3, 0, 16, 16)
    assert weights.pooled.shape == (3, 4, 16)
    for model, words in ((make_model(encoder="motif_cnn"), "construct_cnn_rnn"), (make_model(heads=0), "heads=4")):
        with pytest.raises(ContractError, match=words):
            attention_weights(model, {"codes": make_codes()})


def test_the_picture_shows_who_looks_at_whom():
    between = np.full((2, 1, 5, 5), 0.2, np.float32)
    between[0, 0, 1] = [0, 0, 0, 1, 0]
    weights = AttentionWeights(between, np.zeros((2, 0, 5), np.float32), 4 * (np.arange(5) + 0.5), 4)
    square = draw_attention(weights, row=0).axes[0].images[0].get_array()
    assert np.unravel_index(square.argmax(), square.shape) == (1, 3)
    assert float(square.max()) == 5
    assert draw_attention(weights).axes[0].get_title() == "mean of 2 sequences"
    far = AttentionWeights(between[:1], weights.pooled[:1], weights.places, 4)
    even = np.abs(np.subtract.outer(far.places, far.places)).mean(1)
    assert mean_distance(far) == pytest.approx((even.sum() - even[1] + 8) / 5)


def test_a_report_shows_where_the_model_looks():
    from zoo.report.parts import prepare
    from zoo.report.section import Subject
    from zoo_cnn_rnn_attention.attention_section import self_attention

    def subject(model):
        made = Subject.__new__(Subject)
        made.model, made.codes, made.origin, made.results = model, make_codes().numpy(), "random", {}
        return made

    asked = subject(make_model(pooling="attention"))
    section = self_attention(asked)
    assert section is not None
    assert [part["kind"] for part in prepare(section)] == ["text", "text", "pictures", "table"]
    assert asked.results["self_attention"]["n"] == 3
    assert 0 < asked.results["self_attention"]["apart"] < 64
    assert self_attention(subject(make_model(heads=0))) is None
    assert self_attention(subject(make_model(encoder="motif_cnn"))) is None
    pooling = self_attention(subject(make_model(encoder="cnn_rnn_attention")))
    assert pooling is not None
    assert [part["kind"] for part in prepare(pooling)] == ["text", "pictures"]


@pytest.mark.slow
def test_sites_that_work_together_60_to_120_bp_apart_look_at_each_other(tmp_path):
    pairs = runpy.run_path(str(DISTAL_PAIR))
    model, source = pairs["train_on_pairs"](tmp_path / "construct", 0, [])
    sites, validation = pairs["Sites"](source, "test"), pairs["Sites"](source, "validation")
    head = pairs["attention_by_head"](model, validation).argmax()
    assert pairs["attention_by_head"](model, sites)[head] > 0.5  # 0.3 by chance
    assert pairs["attribution_at_partner"](model, sites) > 0.6
    # Convolutions with more weights have an R2 below 0 here: benchmarks/distal_pair.py.
    assert pairs["interaction"](model, sites) > 0.5
