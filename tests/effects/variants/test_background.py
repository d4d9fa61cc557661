"""A score's quantile is its place among scores that mean nothing."""

import numpy as np
import pytest

import zoo
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.effects.variants.background import Background, of_shuffles, of_variants
from zoo.effects.variants.scorer import Scorer
from zoo.errors import ConfigError, DataError
from zoo.variants.files import read_variants

AT = 1000


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    codes = np.random.default_rng(3).integers(0, 4, 6000).astype(np.uint8)
    codes[AT : AT + 19] = encode("TGGCCACCAGGGGGCGCTA")
    folder = tmp_path_factory.mktemp("background")
    letters = decode(codes)
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    other = dict(zip("ACGT", "CGTA", strict=True))
    lines = [f"chr1\t{p + 1}\t{letters[p]}\t{other[letters[p]]}\n" for p in range(2000, 5000, 50)]
    (folder / "common.tsv").write_text("chrom\tpos\tref\talt\n" + "".join(lines))
    genome = Genome(folder / "g.fa")
    scorer = Scorer(zoo.load("ctcf-motif-cnn"), genome, output="CTCF:raw")
    variants = [f"chr1:{p + 1}:{letters[p]}>{other[letters[p]]}" for p in (AT + 10, 1500)]
    return folder, genome, scorer, variants


def test_the_share_counts_those_that_are_no_larger():
    null = Background({"y": np.array([0.1, 0.2, 0.3, 0.4])}, "four")
    scores = np.array([[0.25], [-0.4], [0.05], [np.nan]])
    assert null.quantiles(["y"], scores)[:3, 0].tolist() == [0.5, 1.0, 0.0]
    assert np.isnan(null.quantiles(["y"], scores)[3, 0])


@pytest.mark.parametrize("given", ["common.tsv", 100])
def test_a_broken_site_stands_out_and_a_distant_base_does_not(case, given):
    folder, genome, _, variants = case
    background = folder / given if isinstance(given, str) else given
    frame = zoo.score_variants(
        "ctcf-motif-cnn", variants, fasta=genome, output="CTCF:raw", background=background, seed=2
    )
    assert list(frame.columns)[6:8] == ["CTCF:raw", "CTCF:raw.quantile"]
    assert frame["CTCF:raw.quantile"][0] > 0.95
    assert frame["CTCF:raw.quantile"][1] < 0.95
    assert f"n = {60 if isinstance(given, str) else 100}" in frame.attrs["background"]


def test_shuffles_keep_the_variant_and_depend_on_the_seed(case):
    _, genome, scorer, variants = case
    first, again, other = (of_shuffles(scorer, read_variants(variants, genome), 40, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first.values["CTCF:raw"], again.values["CTCF:raw"])
    assert not np.array_equal(first.values["CTCF:raw"], other.values["CTCF:raw"])
    assert (np.diff(first.values["CTCF:raw"]) >= 0).all()
    assert "40 dinucleotide shuffles around 2 substitutions" in first.description


def test_a_background_of_too_few_is_refused(case):
    _, genome, scorer, variants = case
    with pytest.raises(ConfigError, match="has 2 scores of CTCF:raw: give at least 20"):
        of_variants(scorer, read_variants(variants, genome))
    with pytest.raises(DataError, match="no substitution to shuffle around"):
        of_shuffles(scorer, read_variants(["chr9:4:A>C"], genome), 50)
