"""The network of SpliceAI as an encoder and a head, and CI-SpliceAI beside what its original predicts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.data.edits import Edits
from zoo.effects.engine.incremental import incremental
from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.model import build
from zoo.outputs import Output
from zoo.testing import check_encoder, failures
from zoo_splice.networks.probabilities import BaseProbabilities
from zoo_splice.networks.residual import SpliceResidual
from zoo_splice.networks.specification import ENCODER, SOFTMAX, golden_codes, splice_spec

SMALL = {"channels": 6, "kernels": [3, 5], "dilations": [1, 3], "blocks": 2}
REACH = 2 * (2 * 1 + 4 * 3)


def test_ci_spliceai_predicts_what_the_original_does_in_tensorflow():
    """The numbers are those of cispliceai 1.2.2: benchmarks/splice_ports.py --peer on `golden_codes(10101)`."""
    stored = json.loads(Path(__file__).with_name("ci_spliceai_golden.json").read_text())
    original, first = np.array(stored["probabilities"]), stored["first_base"]
    with torch.no_grad():
        batch = {key: torch.from_numpy(x) for key, x in golden_codes(10_101).items()}
        ours = zoo.load("ci-spliceai").predict(batch)["splice"].numpy()
    assert ours.shape == (2, 3, 101)
    assert np.abs(ours[:, :, first : first + original.shape[2]] - original).max() < 1e-6
    assert original[1, 2].max() > 0.99  # a donor, without which equality would mean little
    assert np.allclose(ours.sum(1), 1, atol=1e-6)


def test_its_card_names_licence_and_authors():
    spec = zoo.load("ci-spliceai").spec
    assert (spec.licence, spec.members, spec.input_length) == ("CC-BY-4.0", 5, 11_000)
    assert "Strauch" in spec.citation
    assert "cispliceai 1.2.2" in spec.data["source"]


def test_the_defaults_are_spliceai_10k():
    encoder = SpliceResidual()
    assert encoder.receptive_field == 10_001
    head = BaseProbabilities(in_channels=32)
    assert sum(p.numel() for part in (encoder, head) for p in part.parameters()) == 696_739  # as Keras counts


@pytest.mark.parametrize("changes", [{}, {"slope": 0.1}, {"towers": 3}])
def test_rims_that_are_left_out_change_no_number(changes):
    torch.manual_seed(0)
    padded = SpliceResidual(**SMALL, **changes).eval()
    lean = SpliceResidual(**SMALL, **changes, padded=False).eval()
    lean.load_state_dict(padded.state_dict())
    x = {"one_hot": torch.randn(2, 4, 90)}
    assert lean.reach == REACH
    assert lean.grid(90) == Grid(REACH, 1, 90 - 2 * REACH) == padded.grid(90).crop(REACH, REACH)
    assert torch.allclose(lean(x), padded(x)[:, :, REACH:-REACH], atol=1e-6)
    with pytest.raises(ContractError, match="use at least 57 bp"):
        lean.grid(56)


def test_the_encoder_keeps_the_contract_without_its_rims():
    assert failures(check_encoder(lambda: SpliceResidual(**SMALL, padded=False, towers=2, slope=0.1))) == []


def test_an_ensemble_answers_with_the_mean_of_probabilities_and_mutants_are_carried_to_the_end():
    torch.manual_seed(0)
    spec = splice_spec("small", ENCODER | SMALL, SOFTMAX | {"in_channels": 6}, members=2).replace(input_length=100)
    model = build(spec).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    codes = torch.randint(0, 5, (3, 100), dtype=torch.uint8)
    with torch.no_grad():
        single = [member.predict({"codes": codes})["splice"] for member in model.members]
        assert torch.allclose(model.predict({"codes": codes})["splice"], (single[0] + single[1]) / 2)
        assert (single[0] - single[1]).abs().max() > 0.1
    engine = incremental(model, Output.parse("donor@-2..3:max, acceptor:mean", model.spec), dtype=torch.float64)
    edits = Edits.substitutions(codes.numpy())[::10]
    mutated = engine.full(edits.apply(codes.numpy())) - engine.full(codes.numpy())[torch.from_numpy(edits.row)]
    assert (engine.effects(codes.numpy(), edits) - mutated).abs().max() < 1e-12
    assert engine.plan.first_full is None
    assert mutated.abs().max() > 0.01


def test_a_window_of_any_length_and_a_saved_folder(tmp_path):
    spec = splice_spec("small", ENCODER | SMALL, SOFTMAX | {"in_channels": 6})
    save_bundle(build(spec).eval(), tmp_path / "small", golden_codes(spec.input_length))
    model = load_bundle(tmp_path / "small")
    codes = torch.randint(0, 4, (1, 2000), dtype=torch.uint8)
    with torch.no_grad():
        whole = model.predict({"codes": codes})["splice"]
        part = model.predict({"codes": codes[:, 100:400]})["splice"]
    assert whole.shape == (1, 3, 2000 - 2 * REACH)
    assert torch.allclose(whole[:, :, 100 : 400 - 2 * REACH], part, atol=1e-6)


def test_sizes_that_make_no_network_are_refused():
    for changes in ({"kernels": [4]}, {"kernels": [3, 3]}, {"blocks": 0}, {"towers": 0}, {"dilations": [10**6]}):
        with pytest.raises(ConfigError, match="splice_residual"):
            SpliceResidual(**{"kernels": [3], "dilations": [1], **changes})
    with pytest.raises(ConfigError, match="softmax or sigmoid"):
        BaseProbabilities(in_channels=2, activation="relu")
