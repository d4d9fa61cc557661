"""The dilated network sees as far as its docstring says, and keeps the contract."""

import runpy
from pathlib import Path

import pytest
import torch

from zoo.errors import ConfigError, ContractError
from zoo.testing import check_encoder, check_plugin, failures
from zoo_dilated_cnn.encoder import DilatedCNN

FOLDER = Path(__file__).parents[1]


def test_the_plugin_keeps_its_promises():
    checks = check_plugin("zoo-dilated-cnn")
    assert len(checks) > 50
    assert failures(checks) == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, 1041),
        ({"first_width": 1, "first_dilation": 1, "layers": 14}, 32767),
        ({"first_width": 25, "layers": 9, "first_dilation": 2}, 25 + 2 * (2**10 - 2)),
        ({"kernel": 5, "layers": 3, "first_width": 7, "first_dilation": 1}, 35),
        ({"layers": 0}, 21),
    ],
)
def test_the_receptive_field_is_the_arithmetic_of_the_docstring(arguments, field):
    assert DilatedCNN(**arguments, channels=2).receptive_field == field


@pytest.mark.parametrize("arguments", [{"kernel": 5, "layers": 3}, {"layers": 0}, {"first_dilation": 3, "layers": 4}])
def test_other_shapes_keep_the_contract_too(arguments):
    for tied in (False, True):
        assert failures(check_encoder(lambda tied=tied: DilatedCNN(**arguments, channels=6, tied=tied))) == []


def test_weights_are_halved_when_strands_share_them():
    def count(**arguments):
        return sum(p.numel() for p in DilatedCNN(**arguments).parameters())

    assert count(tied=True) * 2 == count()


def test_every_base_keeps_its_position():
    encoder = DilatedCNN(channels=4, layers=2).eval()
    assert encoder({"one_hot": torch.zeros(2, 4, 77)}).shape == (2, 4, 77)
    assert encoder.grid(77).end == 77


def test_even_filters_and_absurd_depths_are_refused():
    with pytest.raises(ConfigError, match="kernel 4"):
        DilatedCNN(kernel=4)
    with pytest.raises(ConfigError, match="first_width 20"):
        DilatedCNN(first_width=20)
    with pytest.raises(ConfigError, match="0 to 24"):
        DilatedCNN(layers=40)
    with pytest.raises(ContractError, match="use 8"):
        DilatedCNN(channels=7, tied=True)


def test_the_example_runs(capsys):
    runpy.run_path(str(FOLDER / "examples" / "receptive_field.py"), run_name="__main__")
    assert capsys.readouterr().out.count("(ok)") == 4
