"""What people type as a region, and what it means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.region import format_region, parse_region
from zoo.errors import ConfigError

CONTIGS = st.text(st.characters(codec="ascii", exclude_categories=["C", "Z"]), min_size=1)


@given(CONTIGS, st.integers(0, 3_000_000_000), st.integers(1, 10_000))
def test_a_region_that_was_written_reads_back(chrom, start, length):
    assert parse_region(format_region(chrom, start, start + length)) == (chrom, start, start + length)


@given(CONTIGS, st.integers(1, 3_000_000_000), st.integers(0, 10_000))
def test_commas_are_optional_and_both_ends_belong_to_the_region(chrom, first, more):
    assert parse_region(f"{chrom}:{first}-{first + more}") == (chrom, first - 1, first + more)


@given(st.text().filter(lambda text: ":" not in text) | st.from_regex(r"[a-z]*:[a-z]+", fullmatch=True))
def test_any_other_text_is_an_error_of_one_line(text):
    with pytest.raises(ConfigError) as found:
        parse_region(text)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chr20", "does not read chrom:first-last"),
        ("chr20:", "does not read"),
        (":1-2", "does not read"),
        ("chr20:a-b", "does not read"),
        ("chr20:1-", "does not read"),
        ("chr20:1-2-3", "does not read"),
        ("chr20:-5-10", "does not read"),
        ("chr20:1,00-2,00", "does not read"),
        ("chr20:1.5-2", "does not read"),
        ("chr20:1\N{EN DASH}200", "does not read"),
        ("chr20 1 200", "does not read"),
        ("chr20:\N{ARABIC-INDIC DIGIT THREE}", "does not read"),
        ("chr20:0-10", "count from 1"),
        ("chr20:20-10", "swap them"),
    ],
)
def test_a_broken_region_says_what_is_wrong(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_region(text)


def test_a_long_text_is_not_repeated_whole():
    with pytest.raises(ConfigError) as found:
        parse_region("ACGT" * 500)
    assert len(str(found.value)) < 200


def test_a_contig_may_have_colons_in_its_name():
    assert parse_region("HLA-A*01:01:01:01:11-20") == ("HLA-A*01:01:01:01", 10, 20)
