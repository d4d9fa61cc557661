"""The encoder with towers keeps the contract; what is missing or unknown is read as such; its attention can be read."""

import numpy as np
import pytest
import torch

from zoo.config import compose
from zoo.errors import ConfigError, ContractError
from zoo.fields import Field
from zoo.model import Ensemble, build
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.testing import check_encoder, check_plugin, failures
from zoo.testing.incremental import agrees
from zoo.training.plan import TrainingPlan
from zoo_multimodal.attention_weights import attention_weights
from zoo_multimodal.encoder import MultiModalTowers

SIGNAL = {"axes": "AT", "channels": ["atac", "dnase"], "bin_size": 16, "transform": "log1p"}
SMALL = {"channels": 8, "layers": 1, "heads": 2, "signal": SIGNAL, "contexts": ["K562", "HepG2", "liver"]}


def make_model(length=256, **arguments):
    torch.manual_seed(0)
    known = registry()
    encoder = {"name": "multi_modal", **known.resolve("encoder", "multi_modal", {**SMALL, **arguments})}
    head = known.resolve("head", "scalar", {}, {"in_channels": 16, "tasks": ["bound"]})
    return build(ModelSpec("towers", encoder, {"bound": {"name": "scalar", **head}}, length)).eval()


def make_batch(n=6, length=256, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "codes": torch.from_numpy(rng.integers(0, 4, (n, length)).astype(np.uint8)),
        "signal": torch.from_numpy(rng.normal(size=(n, 2, length // 16)).astype(np.float32)),
        "context": torch.from_numpy(rng.integers(0, 2, n)),
    }


def logit(model, batch):
    with torch.no_grad():
        return model(batch)["bound"]


def test_the_plugin_keeps_its_promises():
    checks = check_plugin("zoo-multimodal")
    assert len(checks) > 50
    assert failures(checks) == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"query": "positions"},
        {"query": "positions", "pool": 8, "signal": SIGNAL},
        {"signal": SIGNAL, "sequence_window": 64},
        {"contexts": ["a"], "pool": 1, "heads": 1, "layers": 0},
    ],
)
def test_other_shapes_keep_the_contract_too(arguments):
    assert failures(check_encoder(lambda: MultiModalTowers(channels=6, **arguments))) == []


@pytest.mark.parametrize("arguments", [{}, {"query": "positions"}, {"sequence_window": 128}])
def test_effects_of_mutations_are_exact_and_the_sequence_tower_is_carried(arguments):
    model = make_model(**arguments).double()
    told = agrees(model, lambda x: model(x)["bound"], dict(model.input_fields), 256)
    assert "in full from encoder (matmul) on" in told


@pytest.mark.parametrize("query", ["centre", "positions"])
def test_a_missing_track_says_nothing_whatever_its_values(query):
    model, batch = make_model(query=query), make_batch()
    without = {key: x for key, x in batch.items() if key != "signal"}
    flagged = {**batch, "present/signal": torch.zeros(6)}
    nonsense = {**flagged, "signal": torch.full_like(batch["signal"], torch.nan)}
    assert torch.equal(logit(model, without), logit(model, flagged))
    assert torch.equal(logit(model, without), logit(model, nonsense))
    assert not torch.equal(logit(model, without), logit(model, {**batch, "signal": torch.zeros_like(batch["signal"])}))
    weights = attention_weights(model, flagged)
    assert not weights.signal.any()
    np.testing.assert_allclose(weights.sequence.sum(2), 1, rtol=1e-5)


def test_one_of_two_tracks_may_be_missing():
    model, batch = make_model(), make_batch()
    flags = torch.tensor([1.0, 0.0]).expand(6, 2)
    changed = batch["signal"].clone()
    changed[:, 1] += 3
    one = logit(model, {**batch, "present/signal": flags})
    assert torch.equal(one, logit(model, {**batch, "signal": changed, "present/signal": flags}))
    assert not torch.equal(one, logit(model, batch))
    changed[:, 0] += 3
    assert not torch.equal(one, logit(model, {**batch, "signal": changed, "present/signal": flags}))


def test_a_context_that_was_never_trained_is_read_as_unknown():
    model, batch = make_model(), make_batch()
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        model(batch)["bound"].square().sum().backward()
        optimizer.step()
    model.eval()
    first, never, outside = (logit(model, {**batch, "context": torch.full((6,), i)}) for i in (0, 2, -1))
    missing = logit(model, {**batch, "present/context": torch.zeros(6)})
    assert torch.equal(never, outside)
    assert torch.equal(never, missing)
    assert torch.equal(never, logit(model, {key: x for key, x in batch.items() if key != "context"}))
    assert torch.equal(never, logit(model, {**batch, "context": torch.full((6,), 7)}))
    assert not torch.allclose(never, first)


def test_training_withholds_tracks_and_contexts_and_prediction_does_not():
    model, batch = make_model(modality_dropout=0.5), make_batch(64)
    encoder, inputs = model.encoder, model.prepare(batch)
    assert encoder._present(inputs, "signal", 2).all()
    encoder.train()
    kept = encoder._present(inputs, "signal", 2).float().mean(0)
    assert ((kept > 0.2) & (kept < 0.8)).all()
    assert 0.2 < float(encoder._present(inputs, "context", 1).float().mean()) < 0.8


def test_signal_is_read_further_out_than_the_sequence():
    model, batch = make_model(sequence_window=64), make_batch()
    here = logit(model, batch)
    codes, signal = batch["codes"].clone(), batch["signal"].clone()
    codes[:, :90] = (codes[:, :90] + 1) % 4
    assert torch.equal(here, logit(model, {**batch, "codes": codes}))
    codes[:, 100] = (codes[:, 100] + 1) % 4
    assert not torch.equal(here, logit(model, {**batch, "codes": codes}))
    signal[:, :, 0] += 1
    assert not torch.equal(here, logit(model, {**batch, "signal": signal}))


def test_weights_come_with_the_coordinates_of_what_they_lie_on():
    model, batch = make_model(sequence_window=128), make_batch()
    weights = attention_weights(model, batch)
    assert weights.sequence.shape == (6, 2, 32)
    assert weights.signal.shape == (6, 2, 2, 16)
    assert weights.tracks == ("atac", "dnase")
    np.testing.assert_allclose(weights.sequence.sum(2) + weights.signal.sum((2, 3)), 1, rtol=1e-5)
    np.testing.assert_array_equal(weights.sequence_distance, -62 + 4 * np.arange(32))
    np.testing.assert_array_equal(weights.signal_distance, -120 + 16 * np.arange(16))


def test_a_variant_off_the_centre_can_be_the_query():
    model, batch = make_model(query="positions"), make_batch()
    at = attention_weights(model, batch, at=200)
    np.testing.assert_array_equal(at.sequence_distance, 4 * np.arange(64) + 2 - 202)
    assert not np.allclose(at.signal, attention_weights(model, batch).signal)
    with pytest.raises(ConfigError, match="0 to 255"):
        attention_weights(model, batch, at=256)
    with pytest.raises(ConfigError, match=r"encoder\.query=positions"):
        attention_weights(make_model(), batch, at=200)


def test_weights_of_an_ensemble_are_those_of_its_members():
    first, second = make_model(), make_model(dropout=0.0)
    with torch.no_grad():
        second.encoder.query.bias += 1
    both = attention_weights(Ensemble(first.spec, [first, second]), make_batch())
    assert both.sequence.shape[1] == 4
    np.testing.assert_array_equal(both.signal[:, 2:], attention_weights(second, make_batch()).signal)


def test_another_encoder_has_no_such_weights():
    known = registry()
    encoder = {"name": "motif_cnn", **known.resolve("encoder", "motif_cnn", {})}
    head = known.resolve("head", "scalar", {}, {"in_channels": 32, "tasks": ["bound"]})
    model = build(ModelSpec("other", encoder, {"bound": {"name": "scalar", **head}}, 100))
    with pytest.raises(ContractError, match="use multi_modal"):
        attention_weights(model, {"codes": torch.zeros(1, 100, dtype=torch.uint8)})


def test_the_data_tell_the_encoder_which_tracks_and_contexts_it_reads():
    plan = TrainingPlan.of(compose(["experiment=simulated_multimodal", "data.n_train=20", "data.n_test=20"]))
    field = plan.model.input_fields["signal"]
    assert field == Field("AT", ("accessibility",), unit="counts", bin_size=16, required=False, transform="log1p")
    assert plan.model.input_fields["context"].vocabulary == ("first", "second", "third")
    assert plan.arguments["encoder"]["signal"].filled_by == "tracks of the data"
    assert type(plan.model.spec).from_json(plan.model.spec.to_json()).inputs["signal"] == field


def test_windows_and_arguments_that_do_not_fit_are_refused_with_the_remedy():
    with pytest.raises(ContractError, match="use 248 bp"):
        MultiModalTowers(pool=8).grid(250)
    with pytest.raises(ContractError, match="use 240 bp"):
        MultiModalTowers(signal=SIGNAL, pool=1).grid(250)
    with pytest.raises(ConfigError, match="must be odd"):
        MultiModalTowers(first_width=4)
    with pytest.raises(ConfigError, match="names no tracks"):
        MultiModalTowers(signal={"bin_size": 16})
    with pytest.raises(ConfigError, match="centre or positions"):
        MultiModalTowers(query="left")
