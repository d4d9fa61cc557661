"""Negatives made of positives: shuffles that keep neighbouring pairs, and stay on their positive's side."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode, encode
from zoo.data.sequences import Sequences, canonical_hash
from zoo.data.sources.fasta import Fasta
from zoo.data.sources.sequence_negatives import shuffled_negatives
from zoo.errors import ConfigError, DataError, GenomeMismatch

LETTERS = st.text("ACGTN", min_size=1, max_size=60)


def shuffle(texts, per_positive=1, seed=0):
    """{letters of a positive: letters of its shuffles}."""
    positives = Sequences.from_letters(texts)
    hashes = np.array([canonical_hash(positives[i][None])[0][0] for i in range(len(positives))])
    shuffles, parents = shuffled_negatives(positives, hashes, set(hashes.tolist()), per_positive, seed)
    children = {text: [] for text in texts}
    for i, parent in enumerate(parents):
        children[texts[parent]].append(decode(shuffles[i]))
    return children


def pairs(text):
    return Counter(pairwise(text))


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(LETTERS, min_size=1, max_size=6, unique=True), n=st.integers(1, 3), seed=st.integers(0, 9))
def test_a_shuffle_has_the_pairs_of_its_positive_and_is_no_positive(texts, n, seed):
    children = shuffle(texts, n, seed)
    positives = {int(canonical_hash(encode(text)[None])[0][0]) for text in texts}
    for text, shuffles in children.items():
        keys = [int(canonical_hash(encode(s)[None])[0][0]) for s in shuffles]
        assert len(set(keys)) == len(keys) <= n
        assert not positives & set(keys)
        for s in shuffles:
            assert pairs(s) == pairs(text)
            assert [i for i, letter in enumerate(s) if letter == "N"] == [i for i, x in enumerate(text) if x == "N"]


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text("ACGT", min_size=30, max_size=60), min_size=2, max_size=6, unique=True), data=st.data())
def test_shuffles_depend_on_seed_and_letters_alone(texts, data):
    order = data.draw(st.permutations(texts))
    hashes = [canonical_hash(encode(text)[None])[0][0] for text in texts]
    if len(set(hashes)) == len(texts):
        assert shuffle(texts) == shuffle(order)
    one = texts[0]
    assert shuffle(texts)[one] == shuffle([one])[one] or len(shuffle([one], 2)[one]) < 2


def test_another_seed_shuffles_otherwise():
    text = "ACGGTCATTGACCATGGATTCAGACCATTGGA"
    assert shuffle([text], seed=0) != shuffle([text], seed=1)


@pytest.mark.parametrize("text", ["A", "AC", "AAAAAAAAAA", "ACACACACAC", "NNNNN", "ANCNGNT"])
def test_what_no_shuffle_changes_has_none(text):
    assert shuffle([text], 3)[text] == []


def put(path, letters, headers=None):
    headers = headers or [f"{path.stem}{i}" for i in range(len(letters))]
    path.write_text("".join(f">{h}\n{s}\n" for h, s in zip(headers, letters, strict=True)))
    return str(path)


@pytest.fixture
def bound():
    rng = np.random.default_rng(0)
    return ["".join(rng.choice(list("ACGT"), rng.choice([40, 50]))) for _ in range(200)]


def by_split(source):
    """{split: [(name, label, letters)]}."""
    rows = {}
    for split in ("train", "validation", "test"):
        examples = source.examples(split)
        names = examples.identity(np.arange(len(examples)))["name"]
        batches = [examples.batch(np.array([i])) for i in range(len(examples))]
        rows[split] = [
            (str(name), int(b["target/binding"][0, 0]), decode(b["codes"][0]))
            for name, b in zip(names, batches, strict=True)
        ]
    return rows


@pytest.mark.parametrize("per_positive", [1, 3])
def test_a_shuffle_is_in_the_split_of_its_positive(tmp_path, bound, per_positive):
    negatives = {"how": "shuffled", "per_positive": per_positive} if per_positive > 1 else "shuffled"
    source = Fasta(positives=put(tmp_path / "p.fa", [*bound, bound[0]]), negatives=negatives)
    rows = by_split(source)
    for listed in rows.values():
        positives = {name: text for name, label, text in listed if label}
        shuffles = [(name.split(" shuffle ")[0], text) for name, label, text in listed if not label]
        assert len(shuffles) == per_positive * len(positives) > 0
        assert all(pairs(text) == pairs(positives[name]) for name, text in shuffles)
    card = source.describe()
    assert card["audit"]["clean"]
    assert card["dropped"] == {"duplicates": 1}
    assert card["negatives"]["how"] == f"dinucleotide shuffles, {per_positive} of every positive"
    assert source.notes == [f"negatives: {card['negatives']['how']}"]


def test_a_positive_that_cannot_be_shuffled_is_left_out_and_counted(tmp_path, bound):
    source = Fasta(positives=put(tmp_path / "p.fa", ["A" * 40, *bound, "ACACACACAC"]), negatives="shuffled")
    assert source.describe()["dropped"] == {"positives_that_no_shuffle_changes": 2}
    assert sum(len(rows) for rows in by_split(source).values()) == 400
    with pytest.raises(DataError, match="no shuffle changes any sequence"):
        Fasta(positives=put(tmp_path / "q.fa", ["A" * 40, "C" * 30]), negatives="shuffled")


def test_the_order_of_the_file_changes_nothing(tmp_path, bound):
    sources = [
        Fasta(positives=put(tmp_path / f"{i}.fa", order), negatives="shuffled", seed=3)
        for i, order in enumerate((bound, bound[::-1]))
    ]
    first, second = ({k: sorted(row[1:] for row in v) for k, v in by_split(s).items()} for s in sources)
    assert first == second


def test_a_posted_test_set_of_positives_is_shuffled_too_and_one_with_negatives_is_not(tmp_path, bound):
    files = {
        "positives": put(tmp_path / "p.fa", bound[:150]),
        "test_positives": put(tmp_path / "t.fa", [*bound[150:170], bound[0]]),
    }
    source = Fasta(**files, negatives="shuffled")
    assert source.describe()["n"]["test"] == {"positives": 21, "negatives": 21}
    assert source.describe()["dropped"] == {"in_or_overlapping_test": 2}
    assert source.describe()["audit"]["clean"]
    source = Fasta(**files, negatives="shuffled", test_negatives=put(tmp_path / "n.fa", bound[170:180]))
    assert source.describe()["n"]["test"] == {"positives": 21, "negatives": 10}
    headers = [f"s{i}; class:{i % 2}" for i in range(20)]
    files["test_positives"] = put(tmp_path / "h.fa", bound[150:170], headers)
    assert Fasta(**files, negatives="shuffled").describe()["n"]["test"] == {"positives": 10, "negatives": 10}


def test_negatives_that_are_there_already_are_not_made(tmp_path, bound):
    path = put(tmp_path / "p.fa", bound, [f"s{i}; class:{i % 2}" for i in range(200)])
    with pytest.raises(ConfigError, match=r"holds negatives, `class:0` in its headers.*leave data\.negatives out"):
        Fasta(positives=path, negatives="shuffled")
    assert Fasta(positives=path).describe()["negatives"] == {"how": "as given with the positives"}
    with pytest.raises(ConfigError, match="did you mean"):
        Fasta(positives=path, negatives={"how": "shuffeld"})
    with pytest.raises(ConfigError, match="per_positive 0 must be at least 1"):
        Fasta(positives=path, negatives={"per_positive": 0})


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """Two contigs of AT- and GC-rich blocks, as a file and as letters."""
    rng = np.random.default_rng(2)
    letters = {}
    for name in ("1", "2"):
        blocks = [
            rng.choice(list("ACGT"), 500, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]) for gc in [0.3, 0.7] * 40
        ]
        letters[name] = "".join(np.concatenate(blocks))
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text("".join(f">{name}\n{text}\n" for name, text in letters.items()))
    return {"name": "small", "fasta": str(path)}, letters


@pytest.fixture
def sites(genome):
    """(headers, letters) of GC-rich positives on both contigs, called chr1 and chr2."""
    places = [(c, 1000 * i + 600, 60 if i % 2 else 80) for i in range(35) for c in ("1", "2")]
    headers = [f"chr{c}:{start}-{start + length}" for c, start, length in places]
    return headers, [genome[1][c][start : start + length] for c, start, length in places]


def test_windows_of_the_genome_match_in_length_and_gc_and_keep_away(tmp_path, genome, sites):
    headers, letters = sites
    negatives = {"how": "genome", "per_positive": 1, "min_distance": 50}
    source = Fasta(positives=put(tmp_path / "p.fa", letters, headers), negatives=negatives, genome=genome[0])
    card = source.describe()
    assert card["audit"]["clean"]
    assert "windows of the genome" in card["negatives"]["how"]
    assert card["genome"]["name"] == "small"
    for length in (60, 80):
        report = card["negatives"][f"all_{length}"]
        assert abs(report["auroc_of_gc"] - 0.5) < 0.05
    rows = [row for listed in by_split(source).values() for row in listed]
    assert sorted(len(x) for _, label, x in rows if label) == sorted(len(x) for _, label, x in rows if not label)
    taken = [(name.split(":")[0], *map(int, name.split(":")[1].split("-"))) for name in headers]
    for name, label, text in rows:
        if not label:
            chrom, (start, end) = name.split(":")[0], map(int, name.split(":")[1].split("-"))
            assert genome[1][chrom.removeprefix("chr")][start:end] == text
            assert all(c != chrom or end + 50 <= s or e + 50 <= start for c, s, e in taken)


def test_windows_of_a_split_by_region_are_from_its_contigs(tmp_path, genome, sites):
    headers, letters = sites
    source = Fasta(
        positives=put(tmp_path / "p.fa", letters, headers),
        negatives={"how": "genome", "min_distance": 50},
        genome=genome[0],
        splits={"train": ["1"], "validation": ["2:0-20000"], "test": ["2:20000-"]},
    )
    assert source.describe()["audit"]["clean"]
    for split, contig in (("train", "chr1"), ("validation", "chr2"), ("test", "chr2")):
        names = [name for name, _, _ in by_split(source)[split]]
        assert {name.split(":")[0] for name in names} == {contig}
        starts = [int(name.split(":")[1].split("-")[0]) for name in names]
        assert split == "train" or all((start >= 20_000) == (split == "test") for start in starts)
    n = source.describe()["n"]
    assert all(n[split]["positives"] == n[split]["negatives"] for split in n)


def test_positives_without_a_place_are_told_and_those_of_another_genome_refused(tmp_path, genome, sites):
    headers, letters = sites
    path = put(tmp_path / "p.fa", [*letters, "ACGTNACGTA"])
    source = Fasta(positives=path, negatives="genome", genome=genome[0])
    assert "70 of 70 positives have no place on genome 'small'" in source.notes[1]
    assert source.dropped["positives_with_n"] == 1
    shifted = [headers[-1], *headers[:-1]]
    shifted = [f"{h.split(':')[0]}:0-{len(x)}" for h, x in zip(shifted, letters, strict=True)]
    with pytest.raises(GenomeMismatch, match=r"70 of 70 positives .* use the genome that they were cut from"):
        Fasta(positives=put(tmp_path / "q.fa", letters, shifted), negatives="genome", genome=genome[0])
    with pytest.raises(ConfigError, match="no genome is given"):
        Fasta(positives=path, negatives="genome")
