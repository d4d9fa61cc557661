"""Sources as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import HubError
from zoo.hub.sources import is_source, parse_place, parse_source


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hf://genomics/ctcf-v1.2", ("hf", "genomics", "ctcf-v1.2", None)),
        ("hf://Genomics/CTCF@0123abc", ("hf", "Genomics", "CTCF", "0123abc")),
        ("file:///shared/zoo/ctcf", ("file", "/shared/zoo", "ctcf", None)),
        ("file:///at@work/zoo/ctcf@main", ("file", "/at@work/zoo", "ctcf", "main")),
        ("pkg://zoo_dilated_cnn/weights/ctcf@ab12", ("pkg", "zoo_dilated_cnn", "weights/ctcf", "ab12")),
        ("dist://their-weights/theirs/a.h5@ab12", ("dist", "their-weights", "theirs/a.h5", "ab12")),
        ("./run", ("path", "", "run", None)),
        ("/models/a@b", ("path", "", "/models/a@b", None)),
    ],
)
def test_a_source_is_read_into_its_parts(text, parts):
    source = parse_source(text)
    assert (source.scheme, source.place, source.name, source.revision) == parts
    if source.scheme != "path":
        assert str(source) == text


@pytest.mark.parametrize(
    "text",
    [
        "ctcf", "http://example.org/ctcf", "hf://ctcf", "hf://a/b/c", "hf://../ctcf", "hf://a/..", "hf://a--b/c",
        "hf://a/b@", "hf://a/b@x/y", "hf://a/b@../x", "file://shared/ctcf", "file:///shared/../ctcf", "file:///shared/CTCF",
        "file:///shared/.ctcf", "file:///", "file:///ctcf", "file:///a%2e/ctcf", "pkg://os.path/../x", "pkg:///x", "pkg://1a/x",
        "pkg://zoo", "dist://zoo", "dist://a/../x", "dist://../x", "dist:///x", "dist://a/.x", "dist://a-/x",
        "pkg://zoo/a\\b", "", "./a\0b",
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_one_sentence(text):
    with pytest.raises(HubError) as caught:
        parse_source(text)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=40))
def test_no_source_leaves_its_place(text):
    try:
        source = parse_source(text)
    except HubError:
        return
    if source.scheme != "path":
        assert "/" not in source.slug
        assert ".." not in source.place.split("/") + source.name.split("/")
        assert str(parse_source(str(source))) == str(source)


def test_a_path_is_told_from_a_name():
    assert is_source("./ctcf")
    assert is_source("~/ctcf")
    assert is_source("runs/ctcf")
    assert not is_source("ctcf")


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("hf://genomics", "hf://genomics/ctcf"),
        ("hf://genomics/ctcf", "hf://genomics/ctcf"),
        ("file:///shared/zoo/", "file:///shared/zoo/ctcf"),
        ("/shared/zoo", "file:///shared/zoo/ctcf"),
    ],
)
def test_a_place_and_a_name_make_a_source(place, source):
    assert str(parse_place(place, "ctcf")) == source


@pytest.mark.parametrize(
    ("place", "name"), [("pkg://zoo", "x"), ("hf://", "x"), ("hf://a", "Big"), ("hf://a", "a/b"), ("hf://a@main", "x")]
)
def test_nothing_is_published_elsewhere(place, name):
    with pytest.raises(HubError):
        parse_place(place, name)
