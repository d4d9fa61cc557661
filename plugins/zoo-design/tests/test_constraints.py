"""Constraints: the quick check equals DNA Chisel, words are read, what cannot be kept is named before the run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.codes import encode
from zoo.errors import ConfigError, DataError
from zoo_design.constraints.rules import Rules, require_possible
from zoo_design.constraints.words import read_constraints
from zoo_design.starts import Part, Start

LENGTH = 36
DNA = st.text("ACGT", min_size=LENGTH, max_size=LENGTH)
SIMPLE = st.text("AC", min_size=LENGTH, max_size=LENGTH)  # runs, repeats and extreme GC content are frequent
WORDS = st.one_of(
    st.sampled_from("avoid=BsaI avoid=EcoRI avoid=AvaII avoid=GCN avoid=ACA avoid=AAC,GT avoid=NNCAN".split()),
    st.integers(1, 6).map("homopolymer={}".format),
    st.integers(3, 8).map("repeats={}".format),
    st.integers(1, 20).map("distance={}".format),
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: f"gc={p[0]}-{p[0] + p[1]}%"),
    st.tuples(st.integers(0, 40), st.integers(10, 60), st.integers(4, LENGTH)).map(
        lambda p: f"gc={p[0]}-{p[0] + p[1]}%/{p[2]}"
    ),
    st.sampled_from(["protect=1-2", "protect=5", "protect=part", "codons=4-12", "codons=4-12:-", "codons=part"]),
)


def start(sequence, parts=((20, 26, "part", -1),)):
    return Start("s", sequence, tuple(Part(a, b, name, strand) for a, b, name, strand in parts))


def rules(words, *sequences, parts=((20, 26, "part", -1),)):
    return Rules(read_constraints(words), [start(s, parts) for s in sequences])


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=3), st.one_of(DNA, SIMPLE), st.one_of(DNA, SIMPLE), st.data())
def test_the_quick_check_equals_dna_chisel(words, origin, other, data):
    try:
        both = rules(words, other, origin)
    except ConfigError:
        return
    edits = data.draw(st.lists(st.tuples(st.integers(0, LENGTH - 1), st.sampled_from("ACGT")), max_size=6))
    near = list(origin)
    for at, letter in edits:
        near[at] = letter
    for sequence in (origin, "".join(near), other):
        found = all(kept for _, kept in both.judge(sequence, 1))
        assert both.keeps(encode(sequence)[None], np.array([1]))[0] == found, words


def test_each_constraint_is_seen_to_break_and_to_hold():
    cases = {
        "avoid=BsaI": ("A" * 10 + "GGTCTC" + "A" * 20, "A" * 36),
        "avoid=GGRCA": ("A" * 10 + "TGTCC" + "A" * 21, "A" * 10 + "GGTCA" + "A" * 21),  # the other strand has GGACA
        "gc=40-60%": ("A" * 36, "AC" * 18),
        "gc=40-60%/4": ("AAAACCCC" + "AC" * 14, "AC" * 18),
        "homopolymer=5": ("AC" * 15 + "G" * 6, "AC" * 15 + "GGGGGT"),
        "repeats=12": ("ACGTTGCATTCA" * 3, "ACGTTGCATTCAGGATCCTTAAGACCGTATACGTCA"),
    }
    for word, (bad, good) in cases.items():
        assert rules([word], bad).judge(bad, 0) == ((word, False),)
        assert rules([word], good).judge(good, 0) == ((word, True),)


def test_enzymes_are_found_on_the_other_strand():
    site = "A" * 12 + "GAGACC" + "A" * 18
    assert not rules(["avoid=BsaI"], site).keeps(encode(site)[None], np.array([0]))[0]


def test_codons_keep_the_protein_and_not_the_letters():
    origin = "ATGGCTTTA" + "C" * 27
    kept = rules(["codons=1-9"], origin)
    same, other = "ATGGCCCTG" + "C" * 27, "ATGGCTTTC" + "C" * 27
    assert kept.keeps(np.stack([encode(same), encode(other)]), np.zeros(2, int)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("words", "words_of_error"),
    [
        (["gc=60-40%"], "the lower one first"),
        (["gc=40"], "does not read low-high%"),
        (["gc=20-30%", "gc=40-60%"], "contradict each other"),
        (["avoid=BsaJX"], "did you mean 'Bsa"),
        (["avoid=NNN"], "forbids every sequence"),
        (["homopolymers=5"], "did you mean 'homopolymer'"),
        (["homopolymer=0"], "from 1 on"),
        (["repeats"], "does not read key=value"),
        (["protect=30-10"], "first before the last"),
        (["protect=30-90"], "which has 36 bp"),
        (["protect=partt"], "did you mean 'part'"),
        (["codons=1-10"], "multiple of 3"),
        (["repeats=2"], "only 10 differ"),
        (["gc=41-42%/3"], "widen them"),
        (["gc=40-60%/99"], "does not fit"),
    ],
)
def test_a_word_that_cannot_be_meant_is_one_sentence_with_a_remedy(words, words_of_error):
    with pytest.raises(ConfigError, match=r".") as error:
        rules(words, "ACGT" * 9)
    assert words_of_error in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "sequence", "reason"),
    [
        (["avoid=BsaI", "protect=11-16"], "A" * 10 + "GGTCTC" + "A" * 20, "hold a site of BsaI at 11-16"),
        (["avoid=BsaI", "protect=5-20"], "A" * 10 + "GAGACC" + "A" * 20, "hold a site of BsaI at 11-16"),
        (["homopolymer=5", "protect=1-6"], "A" * 6 + "C" * 30, "a run of 6 A at 1"),
        (["gc=50-60%", "protect=1-30"], "A" * 36, "0 to 17 % GC"),
        (["gc=40-60%/10", "protect=1-10"], "AC" * 13 + "A" * 10, None),
        (["gc=60-70%/10", "protect=1-10"], "AC" * 13 + "A" * 10, "bases 1-10"),
        (["repeats=6", "protect=1-12"], "ACGTTGACGTTG" + "A" * 24, "repeat ACGTTG at 1 and 7"),
        (["protect=1-36"], "A" * 36, "nothing is left to design"),
        (["avoid=BsaI", "protect=11-15"], "A" * 10 + "GGTCTC" + "A" * 20, None),
    ],
)
def test_what_cannot_be_kept_is_named_before_the_run(words, sequence, reason):
    if reason is None:
        assert require_possible(rules(words, sequence)) == [None]
        return
    with pytest.raises(ConfigError, match=r".") as error:
        require_possible(rules(words, sequence))
    assert reason in str(error.value)


def test_one_start_of_two_may_be_impossible():
    both = rules(["avoid=BsaI", "protect=11-16"], "A" * 10 + "GGTCTC" + "A" * 20, "AC" * 18)
    first, second = require_possible(both)
    assert "BsaI" in first
    assert second is None


def test_repair_keeps_everything_and_is_the_same_with_one_seed():
    origin = "GGTCTC" + "A" * 12 + "GGATCC" + "ACGTACGTACGT"
    mended = rules(["avoid=BsaI", "avoid=BamHI", "gc=40-60%", "protect=1-3", "homopolymer=5"], origin)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - what the repair borrows
    one = mended.repair(0, 1)
    assert one == mended.repair(0, 1)
    assert one[:3] == "GGT"
    assert all(kept for _, kept in mended.judge(one, 0))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


def test_a_start_that_cannot_be_repaired_has_none():
    assert rules(["gc=45-55%", "distance=2"], "A" * 36).repair(0, 0) is None


def test_a_file_of_constraints(tmp_path):
    path = tmp_path / "cloning.yaml"
    path.write_text("gc: [40-60%, 30-70%/12]\navoid: [BsaI, bsmbi]\nhomopolymer: 5\n")
    words = [one.word for one in read_constraints(["distance=3", "gc=40-60%"], path)]
    assert words == ["gc=40-60%", "gc=30-70%/12", "avoid=BsaI", "avoid=BsmBI", "homopolymer=5", "distance=3"]
    path.write_text("gc: {a: b}\n")
    with pytest.raises(DataError, match="needs a value"):
        read_constraints([], path)
    path.write_text("- gc\n")
    with pytest.raises(DataError, match="no mapping"):
        read_constraints([], path)
