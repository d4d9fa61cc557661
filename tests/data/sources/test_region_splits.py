"""Splits by the places that headers say."""

import numpy as np
import pytest

from zoo.data.sources.fasta import Fasta
from zoo.data.sources.region_splits import fractions_or_regions
from zoo.data.splits import Fractions
from zoo.errors import ConfigError, DataError

REGIONS = {"validation": ["chr10"], "test": ["8", "chr9:0-500"]}


@pytest.fixture
def files(tmp_path):
    """files(headers) -> positives and negatives of random letters, a header each."""
    rng = np.random.default_rng(0)

    def write(headers, letters=()):
        rows = [*letters, *("".join(rng.choice(list("ACGT"), 40)) for _ in headers[len(letters) :])]
        paths = {"positives": tmp_path / "p.fa", "negatives": tmp_path / "n.fa"}
        for i, path in enumerate(paths.values()):
            pairs = list(zip(headers, rows, strict=True))[i::2]
            path.write_text("".join(f">{h}\n{x}\n" for h, x in pairs))
        return {k: str(path) for k, path in paths.items()}

    return write


def headers_of(n=10):
    return [f"{c}:{100 * i}-{100 * i + 40}" for c in ("chr1", "chr8", "chr9", "chr10", "chrX") for i in range(n)]


def names(source, split):
    examples = source.examples(split)
    return list(examples.identity(np.arange(len(examples)))["name"])


def test_contigs_and_regions_decide_and_the_rest_trains(files):
    source = Fasta(**files(headers_of()), splits=REGIONS)
    assert {n.split(":")[0] for n in names(source, "train")} == {"chr1", "chrX"}
    assert {n.split(":")[0] for n in names(source, "validation")} == {"chr10"}
    test = names(source, "test")
    assert sorted(n for n in test if n.startswith("chr9")) == [f"chr9:{100 * i}-{100 * i + 40}" for i in range(5)]
    assert len([n for n in test if n.startswith("chr8")]) == 10
    assert source.describe()["dropped"] == {"in_no_split": 5}
    assert source.describe()["splits"] == {"train": ["the rest"], "validation": ["chr10"], "test": ["8", "chr9:0-500"]}
    assert source.describe()["audit"]["clean"]


def test_a_sequence_of_two_contigs_is_in_the_later_split_alone(files):
    letters = ["ACGGTCATTGACCATGGATTCAGACCATTGGATCCATTAC"] * 2
    headers = ["chr1:5000-5040", "ignored", *headers_of()]
    paths = files(headers, letters)
    with open(paths["positives"], "a") as file:
        file.write(f">chr8:7000-7040\n{letters[0]}\n")
    with open(paths["negatives"]) as file:
        rest = file.read().split(">")
    with open(paths["negatives"], "w") as file:
        file.write(">".join(part for part in rest if not part.startswith("ignored")))
    source = Fasta(**paths, splits=REGIONS)
    assert "chr8:7000-7040" in names(source, "test")
    assert "chr1:5000-5040" not in names(source, "train")
    assert source.describe()["dropped"]["in_a_later_split"] == 1
    assert source.describe()["audit"]["clean"]


def test_headers_without_a_place_are_refused(files):
    with pytest.raises(ConfigError, match=r"1 of 51 sequences have no place .*such as 'nowhere' \(line"):
        Fasta(**files([*headers_of(), "nowhere"]), splits=REGIONS)


def test_a_contig_that_no_header_names_is_told(files):
    source = Fasta(**files(headers_of()), splits={"validation": ["chr10", "chr11"], "test": ["chr8"]})
    assert source.notes == ["no sequence is on 'chr11', which data.splits.validation names"]
    with pytest.raises(DataError, match="no sequence is left for test"):
        Fasta(**files(headers_of()), splits={"validation": ["chr10"], "test": ["chr7"]})


def test_shares_and_regions_are_not_mixed(files):
    with pytest.raises(ConfigError, match=r"data\.splits\.test=0\.1 is a share .*'data\.splits\.test=\[chr8\]'"):
        Fasta(**files(headers_of()), splits={"train": None, "validation": ["chr10"], "test": 0.1})
    with pytest.raises(ConfigError, match="overlaps one of another split"):
        Fasta(**files(headers_of()), splits={"validation": ["chr10"], "test": ["chr10:0-500"]})
    assert fractions_or_regions({"train": None, "test": 0.2}, False) == Fractions(test=0.2)
    with pytest.raises(ConfigError, match="leave one of them out"):
        fractions_or_regions(REGIONS, True)


def test_shuffles_follow_their_positive(files):
    paths = files(headers_of(20))
    source = Fasta(positives=paths["positives"], negatives="shuffled", splits=REGIONS)
    for split in ("train", "validation", "test"):
        parents = [n.split(" shuffle ")[0] for n in names(source, split)]
        assert all(parents.count(name) == 2 for name in parents)
    assert len(names(source, "validation")) == 20
