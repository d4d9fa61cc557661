"""The recurrent network keeps the contract, and its attention can be read."""

import runpy
from pathlib import Path

import pytest
import torch

from zoo.errors import ConfigError, ContractError
from zoo.testing import check_encoder, check_plugin, failures
from zoo_cnn_rnn_attention.encoder import CNNRNNAttention

FOLDER = Path(__file__).parents[1]


def test_the_plugin_keeps_its_promises():
    checks = check_plugin("zoo-cnn-rnn-attention")
    assert len(checks) > 50
    assert failures(checks) == []


@pytest.mark.parametrize("arguments", [{"cell": "lstm"}, {"heads": 1, "pool": 1}, {"pool": 5, "heads": 3}])
def test_other_shapes_keep_the_contract_too(arguments):
    small = {"filters": 6, "hidden": 3, "width": 5, **arguments}
    for tied in (False, True):
        assert failures(check_encoder(lambda tied=tied: CNNRNNAttention(**small, tied=tied))) == []


def test_attention_weights_sum_to_one_over_the_positions():
    encoder = CNNRNNAttention(filters=8, heads=3).eval()
    weights = encoder.attention_weights({"one_hot": torch.randn(2, 4, 102)})
    assert weights.shape == (2, 3, 26)
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 3))


def test_a_last_shorter_bin_is_not_lost():
    encoder = CNNRNNAttention(filters=8, pool=4).eval()
    x = torch.zeros(1, 4, 102)
    changed = x.clone()
    changed[0, :, 101] = 1
    assert not torch.equal(encoder({"one_hot": x}), encoder({"one_hot": changed}))


def test_a_pool_that_bins_the_strands_apart_is_refused_with_the_window_that_fits():
    assert CNNRNNAttention(pool=4).grid(102).bin_size == 102
    with pytest.raises(ContractError, match="use 100 bp"):
        CNNRNNAttention(pool=4, tied=True).grid(102)
    with pytest.raises(ConfigError, match="gru or lstm"):
        CNNRNNAttention(cell="rnn")
    with pytest.raises(ConfigError, match="width 20"):
        CNNRNNAttention(width=20)


def test_attention_lies_on_the_planted_motif():
    example = runpy.run_path(str(FOLDER / "examples" / "where_it_looks.py"))
    assert example["share_at_the_motif"]() > 0.4
