"""What weights remember."""

import json

import pytest

from zoo.errors import ContractError
from zoo.fields import ONE_HOT, Field, Grid
from zoo.spec import ModelSpec


def spec(**changes):
    return ModelSpec(
        **{
            "name": "m",
            "encoder": {"name": "motif_cnn", "filters": 8},
            "heads": {"binding": {"name": "scalar", "tasks": ["CTCF"]}},
            "input_length": 200,
            "inputs": {"one_hot": ONE_HOT},
            "outputs": {"binding": (Field("CT", channels=("CTCF",)), Grid(0, 10, 20))},
            "activation": {"binding": "sigmoid"},
            "metrics": ({"metric": "AUROC", "value": 0.9, "n": 10},),
            **changes,
        }
    )


def test_a_spec_survives_json():
    assert ModelSpec.from_json(spec().to_json()) == spec()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": {"_target_": "os.system"}}, "names no component"),
        ({"encoder": {"name": "a", "_target_": "os.system"}}, "class path"),
        ({"heads": {"h": "scalar"}}, "names no component"),
        ({"input_length": "many"}, "number of bp"),
        ({"n_encoding": "guess"}, "n_encoding"),
        ({"activation": {"h": "eval"}}, "activation"),
        ({"members": 10**9}, "members"),
    ],
)
def test_a_spec_that_cannot_be_is_refused(change, message):
    plain = {**json.loads(spec().to_json()), **change}
    with pytest.raises(ContractError, match=message):
        ModelSpec.from_json(json.dumps(plain))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "colour": 3}', "[" * 99999]
)
def test_text_that_is_no_spec_is_refused(text):
    with pytest.raises(ContractError):
        ModelSpec.from_json(text)
