"""Overrides that hold a condition need no further quotes, and all others are left as they are."""

import pytest

from zoo.composition.overrides import quote_conditions
from zoo.config import compose


@pytest.mark.parametrize(
    ("override", "where"),
    [
        ("data.where=cell=K562", "cell=K562"),
        ("data.where=cell=K562|li*", "cell=K562|li*"),
        ("data.where=[cell=K562, batch=1]", ["cell=K562", "batch=1"]),
        ("data.where=['cell=K562']", ["cell=K562"]),
        ('data.where="cell=K562"', "cell=K562"),
    ],
)
def test_a_condition_is_a_text(override, where):
    assert compose(["data=assays", override])["data"]["where"] == where


@pytest.mark.parametrize("override", ["seed=1", "a.b=[1,2]", "a={b: c=d}", "a='b=c'", "a=", "+a=b", "~a", "a=b c=d"])
def test_what_is_no_condition_is_left_alone(override):
    assert quote_conditions([override]) == [override]
    assert quote_conditions(None) == []
