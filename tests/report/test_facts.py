"""The card in words: what is known is said, what is missing is said to be missing."""

from hypothesis import given
from hypothesis import strategies as st

from zoo.report.facts import facts
from zoo.report.section import Subject, Table, Text


def told(section):
    return " ".join(p.text for p in section.parts if isinstance(p, Text))


def table(section, first):
    return next(p for p in section.parts if isinstance(p, Table) and p.columns[0] == first)


def test_a_card_with_everything_is_told_in_words(plain, model):
    spec = {
        "description": "Does CTCF bind?",
        "licence": "MIT",
        "citation": "Nobody 2020",
        "genome": {"name": "hg19", "files": ["chr20.fa.gz", "chrX.fa.gz"]},
        "data": {
            "source": "peaks",
            "files": [{"file": "peaks.bed"}],
            "negatives": {"how": "windows of the same GC content"},
            "n": {"train": {"positives": 1166, "negatives": 5830}, "test": {"positives": 3, "negatives": 4}},
        },
        "splits": {"train": ["chr20:0-45000000"], "test": ["chrX:0-70000000"]},
        "audit": {"clean": True},
        "training": {"epochs": 5, "best_epoch": 3, "device": "CPU, 2 threads", "strand": "tied"},
    }
    section = facts(plain(model(**spec)))
    assert section.parts[0].text == "Does CTCF bind?"
    assert "Data: peaks, from peaks.bed. Genome: hg19 (chr20.fa.gz, chrX.fa.gz)." in told(section)
    assert "Negative examples: windows of the same GC content." in told(section)
    assert table(section, "split").rows == [
        ["train", "chr20:0-45000000", "1,166 positives, 5,830 negatives"],
        ["test", "chrX:0-70000000", "3 positives, 4 negatives"],
    ]
    rows = dict(table(section, "").rows)
    assert (rows["licence"], rows["cite"]) == ("MIT", "Nobody 2020")
    assert rows["trained"] == "5 epochs, the best was 3 on CPU, 2 threads; strand: tied"
    assert section.parts[-1].tone == "good"


def test_what_a_card_lacks_is_said(plain):
    section = facts(plain())
    rows = dict(table(section, "").rows)
    assert (rows["licence"], rows["cite"]) == ("not stated", "not stated")
    assert "holds no description" in told(section)
    assert "says nothing of the data" in told(section)
    assert "no audit of the splits" in told(section)
    assert {p.tone for p in section.parts[2:]} == {"unsure"}


def test_splits_that_share_sequence_are_told_with_their_numbers(plain, model):
    between = {"train / test": {"overlapping_intervals": 1200, "duplicates": 0, "reverse_complement_duplicates": 3}}
    found = facts(plain(model(audit={"clean": False, "between": between}))).parts[-1]
    assert found.tone == "bad"
    assert "train / test: 1,200 overlapping intervals, 3 equal sequences on the other strand" in found.text


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["name", "files", "negatives", "n", "source", "licence", "clean", "between", "train", "epochs"])


@given(st.dictionaries(KEYS, JUNK), st.dictionaries(KEYS, JUNK), st.dictionaries(KEYS, JUNK))
def test_no_card_of_a_stranger_breaks_the_section(data, splits, audit):
    section = facts(_subject({"data": data, "splits": splits, "audit": audit, "genome": data, "training": data}))
    assert all(isinstance(p.text, str) for p in section.parts if isinstance(p, Text))
    assert not any(p.tone == "good" for p in section.parts if isinstance(p, Text) and audit.get("clean") is not True)


def _subject(changes):
    """Only the spec is read: no network is built for each example."""
    from types import SimpleNamespace

    import numpy as np

    from zoo.spec import ModelSpec

    spec = ModelSpec("x", {"name": "a"}, {"binding": {"name": "b"}}, 200, **changes)
    return Subject("x", SimpleNamespace(spec=spec), None, np.zeros((1, 200), np.uint8), "")
