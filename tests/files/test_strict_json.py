"""JSON and YAML that somebody else wrote."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.files.strict_json import MOST_LEVELS, parse_json
from zoo.files.strict_yaml import parse_yaml

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda x: st.lists(x, max_size=3) | st.dictionaries(TEXT, x, max_size=3),
    max_leaves=10,
)


@given(PLAIN)
def test_plain_values_come_back(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 1}', "'a' stands twice"),
        ('[{"b": {"c": 1, "d": 2, "c": 3}}]', "'c' stands twice"),
        ("[NaN]", "not finite"),
        ("-Infinity", "not finite"),
        ("1e999", "not finite"),
        ('"\\ud800"', "a character that is none"),
        ('{"\\u0000": 1}', "a character that is none"),
        ("[" * 500_000, "deeper than"),
        ('{"a":' * 500_000, "deeper than"),
        ("[" * (MOST_LEVELS + 2) + "]" * (MOST_LEVELS + 2), "deeper than"),
        ("9" * 10_000, "digits"),
        ("", "Expecting value"),
    ],
)
def test_what_is_ambiguous_or_no_json_is_a_value_error(text, message):
    with pytest.raises(ValueError, match=message):
        parse_json(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_values_or_a_value_error(raw):
    for parse in (parse_json, parse_yaml):
        try:
            parse(raw)
        except ValueError:
            pass


def test_nesting_up_to_the_limit_is_read():
    assert parse_json("[" * MOST_LEVELS + "]" * MOST_LEVELS)


TIMES_NINE = [f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
BOMB = "\n".join(["a: &a [x,x,x,x,x,x,x,x,x]", *TIMES_NINE])


@pytest.mark.parametrize(
    "raw",
    [
        b"a: 1\na: 2",
        b"m: {x: 1, y: 2, x: 3}",
        b"[" * 500_000,
        b"{a: " * 300_000,
        b"a: [",
        b"\xff\xfe\x00",
        b"? [a]\n: b",
    ],
    ids=["twice", "twice within", "deep", "deep mappings", "cut", "bytes", "list as key"],
)  # fmt: skip
def test_yaml_that_is_ambiguous_or_none_is_a_value_error(raw):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_yaml(raw)


def test_yaml_is_texts_and_follows_no_tag():
    assert parse_yaml(b"a: 012\nb: !!python/object/apply:os.system [ls]\nc: yes") == {
        "a": "012",
        "b": ["ls"],
        "c": "yes",
    }


def test_a_bomb_of_aliases_takes_no_time():
    begun = time.monotonic()
    assert len(parse_yaml(BOMB.encode())) == 9
    assert time.monotonic() - begun < 1
