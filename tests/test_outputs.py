"""The one selector of outputs."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ConfigError, ZooError
from zoo.fields import Field, Grid
from zoo.outputs import Output
from zoo.spec import ModelSpec

SPEC = ModelSpec(
    name="two-heads",
    encoder={"name": "x"},
    heads={"binding": {"name": "x"}, "atac": {"name": "x"}},
    input_length=100,
    outputs={
        "binding": (Field("C", channels=("CTCF", "PU.1")), None),
        "atac": (Field("CT", channels=("CTCF", "liver")), Grid(10, 5, 16)),
    },
)
PREDICTION = {"binding": torch.tensor([[1.0, 2.0], [3.0, 5.0]]), "atac": torch.arange(64.0).reshape(2, 2, 16)}


def select(text):
    return Output.parse(text, SPEC).select(PREDICTION)


def test_a_task_is_found_by_its_name():
    assert select("PU.1").tolist() == [[2.0], [5.0]]


def test_a_name_in_two_heads_must_say_which():
    with pytest.raises(ConfigError, match="binding/CTCF"):
        select("CTCF")
    assert select("binding/CTCF").tolist() == [[1.0], [3.0]]


@pytest.mark.parametrize(
    ("reduce", "expected"), [("sum", 376.0), ("mean", 23.5), ("max", 31.0), ("logsum", pytest.approx(5.9296, abs=1e-3))]
)
def test_a_profile_is_reduced_over_its_positions(reduce, expected):
    assert select(f"liver:{reduce}")[0, 0].item() == expected


def test_more_than_one_number_without_a_reduction_is_an_error():
    with pytest.raises(ConfigError, match=r"16 numbers.*liver:sum"):
        select("liver")


def test_positions_are_bp_from_the_middle_of_the_window():
    # bins start at 10 and are 5 bp: -10..10 is [40, 60), bins 6 to 9
    assert select("liver@-10..10:sum")[0, 0].item() == sum(range(16 + 6, 16 + 10))


def test_positions_outside_the_prediction_are_an_error_that_names_its_extent():
    with pytest.raises(ConfigError, match=r"-40\.\.40 in steps of 5"):
        select("liver@-50..-45:sum")


def test_a_linear_expression_is_parsed():
    assert select("PU.1 - 0.5*binding/CTCF").tolist() == [[1.5], [3.5]]
    assert select("-PU.1 + binding/CTCF").tolist() == [[-1.0], [-2.0]]


def test_several_outputs_keep_their_names():
    output = Output.parse("PU.1, liver:mean", SPEC)
    assert output.names == ("PU.1", "liver:mean")
    assert output.select(PREDICTION).shape == (2, 2)


def test_scalar_needs_one_output():
    with pytest.raises(ConfigError, match="one output is needed, not 2"):
        Output.parse("PU.1, liver:mean", SPEC).scalar(PREDICTION)
    assert Output.parse("PU.1", SPEC).scalar(PREDICTION).shape == (2,)


def test_nothing_said_selects_every_task():
    output = Output.parse(None, SPEC)
    assert output.names == ("binding/CTCF", "PU.1", "atac/CTCF:mean", "liver:mean")
    assert output.select(PREDICTION).shape == (2, 4)


def test_an_unknown_task_gets_a_suggestion():
    with pytest.raises(ConfigError, match="did you mean 'liver'"):
        select("livr:sum")


def test_raw_cannot_be_mixed():
    with pytest.raises(ConfigError, match="mixes :raw"):
        select("PU.1:raw, liver:mean")
    assert Output.parse("PU.1:raw", SPEC).raw


@given(st.text(max_size=40))
def test_no_text_is_run_as_code_or_breaks_the_parser(text):
    try:
        output = Output.parse(text, SPEC)
    except ZooError:
        return
    assert output.select(PREDICTION).shape[0] == 2


COHORT = SPEC.replace(
    outputs={"binding": (Field("C", channels=("CTCF_K562", "CTCF_liver", "REST_K562")), None)},
    data={"tasks": [{"name": n, "cell": n.split("_")[1]} for n in ("CTCF_K562", "CTCF_liver", "REST_K562")]},
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CTCF*", ("CTCF_K562", "CTCF_liver")),
        ("*:raw", ("CTCF_K562:raw", "CTCF_liver:raw", "REST_K562:raw")),
        ("binding/R*", ("REST_K562",)),
        ("????_liver", ("CTCF_liver",)),
        ("cell=K562", ("CTCF_K562", "REST_K562")),
        ("cell=li*|HepG2", ("CTCF_liver",)),
        ("CTCF*, REST_K562, *", ("CTCF_K562", "CTCF_liver", "REST_K562")),
        ("0.5*CTCF_K562, CTCF_K562 - 2*CTCF_liver", ("0.5*CTCF_K562", "CTCF_K562-2*CTCF_liver")),
    ],
)
def test_several_outputs_are_chosen_by_a_pattern_or_a_column(text, names):
    assert Output.parse(text, COHORT).names == names


def test_a_pattern_or_column_that_fits_nothing_says_what_there_is():
    with pytest.raises(ConfigError, match="no output of the model fits 'PU\\*': they are CTCF_K562, CTCF_liver, REST"):
        Output.parse("PU*", COHORT)
    with pytest.raises(ConfigError, match="no column 'cel': did you mean 'cell'"):
        Output.parse("cel=K562", COHORT)
    with pytest.raises(ConfigError, match="has cell=HepG2: choose from K562, liver"):
        Output.parse("cell=HepG2", COHORT)
    with pytest.raises(ConfigError, match="card has none"):
        Output.parse("cell=K562", SPEC)
    assert Output.parse("*:mean", SPEC.replace(outputs={"atac": SPEC.outputs["atac"]})).names == (
        "CTCF:mean",
        "liver:mean",
    )
    with pytest.raises(ConfigError, match="one output is needed, not 2"):
        Output.one("CTCF*", COHORT)
