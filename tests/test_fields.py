"""Flips, grids and their promises."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import ContractError
from zoo.fields import CODES, ONE_HOT, Field, Grid
from zoo.layers.one_hot import one_hot

FIELDS = {
    "scalar": (Field("C", channels=("a", "b")), (3, 2)),
    "stranded scalar": (Field("C", channels=("plus", "minus"), rc=(1, 0)), (3, 2)),
    "profile": (Field("CT", channels=("a", "b")), (3, 2, 7)),
    "stranded profile": (Field("CT", channels=("plus", "minus"), rc=(1, 0)), (3, 2, 7)),
    "class scores": (Field("KT", vocabulary=("exon", "intron"), values="class"), (3, 2, 7)),
    "contact map": (Field("CTT", channels=("hic",)), (3, 1, 5, 5)),
    "one-hot": (ONE_HOT, (3, 4, 9)),
}


@pytest.mark.parametrize("name", FIELDS)
def test_flipping_twice_gives_the_tensor_back(name):
    field, shape = FIELDS[name]
    x = torch.randn(shape)
    assert torch.equal(field.flip(field.flip(x)), x)


@pytest.mark.parametrize("name", [n for n in FIELDS if n != "scalar"])
def test_flipping_changes_everything_but_an_unstranded_scalar(name):
    field, shape = FIELDS[name]
    x = torch.randn(shape)
    assert not torch.equal(field.flip(x), x)


def test_flip_of_codes_is_the_reverse_complement_and_agrees_with_one_hot():
    codes = torch.tensor([[0, 0, 1, 4, 2]], dtype=torch.uint8)
    assert CODES.flip(codes).tolist() == [[1, 4, 2, 3, 3]]
    assert CODES.flip(codes).dtype == torch.uint8
    assert torch.equal(ONE_HOT.flip(one_hot(codes)), one_hot(CODES.flip(codes)))


def test_flip_of_class_ids_leaves_missing_labels_alone():
    field = Field("T", vocabulary=("donor", "acceptor", "other"), rc=(1, 0, 2), values="class")
    assert field.flip(torch.tensor([[0, -100, 2, 1]])).tolist() == [[0, 2, -100, 1]]


def test_flip_of_a_contact_map_reverses_both_axes():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    assert torch.equal(Field("CTT").flip(x)[0, 0], torch.tensor([[8.0, 7, 6], [5, 4, 3], [2, 1, 0]]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"axes": "CK"},
        {"axes": "C", "channels": ("a", "b"), "rc": (0, 0)},
        {"axes": "C", "channels": ("a", "b"), "rc": (0,)},
        {"axes": "C", "channels": ("a", "b", "c"), "rc": (1, 2, 0)},
        {"axes": "C", "values": "colour"},
    ],
)
def test_a_field_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ContractError):
        Field(**wrong)


def test_a_tensor_of_other_axes_is_refused():
    with pytest.raises(ContractError, match="axes NCT"):
        Field("CT").flip(torch.zeros(2, 3))


@given(
    st.builds(
        Field,
        axes=st.sampled_from(["C", "CT", "CTT", "T", ""]),
        unit=st.text(max_size=5),
        bin_size=st.integers(1, 1000),
        required=st.booleans(),
        values=st.sampled_from(["real", "count", "binary", "class"]),
        vocabulary=st.lists(st.text(min_size=1, max_size=3), max_size=3),
    )
)
def test_every_field_survives_json(field):
    assert Field.from_dict(field.to_dict()) == field


def test_an_unknown_key_of_a_stored_field_is_refused():
    with pytest.raises(ContractError, match="colour"):
        Field.from_dict({"axes": "C", "colour": 1})


@given(st.integers(0, 50), st.integers(1, 16), st.integers(3, 100), st.integers(0, 1), st.integers(0, 1))
def test_cropping_moves_both_ends_by_whole_positions(offset, bin_size, length, left, right):
    grid = Grid(offset, bin_size, length)
    cropped = grid.crop(left, right)
    assert (cropped.offset, cropped.end) == (offset + left * bin_size, grid.end - right * bin_size)


def test_pooling_keeps_the_span_and_needs_a_divisor():
    assert Grid(3, 2, 12).pool(4) == Grid(3, 8, 3)
    with pytest.raises(ContractError, match="not divisible"):
        Grid(0, 1, 10).pool(4)
