"""Regions in every form choose the same records."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.errors import ZooError
from zoo.variants.region_filter import RegionFilter

LENGTHS = {"chr1": 5000, "20": 3000, "HLA-A*01:01": 50}


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("regions") / "g.fa"
    path.write_text("".join(f">{name}\n{decode(rng.integers(0, 4, n))}\n" for name, n in LENGTHS.items()))
    return Genome(path)


def merged(source, genome, notes=None):
    filtered = RegionFilter(source, genome, [] if notes is None else notes)
    return {name: list(zip(*(x.tolist() for x in spans), strict=True)) for name, spans in filtered.merged.items()}


TYPED = {
    "chr1:1,001-1,200": {"chr1": [(1000, 1200)]},
    "1:7": {"chr1": [(6, 7)]},
    "chr1:1,001-1,200,chr20:5-9": {"chr1": [(1000, 1200)], "20": [(4, 9)]},
    "20:1-5,1:7-9,1:1,009-1,010": {"20": [(0, 5)], "chr1": [(6, 9), (1008, 1010)]},
    "chr1:1-2 chr1:3-4; 20": {"chr1": [(0, 4)], "20": [(0, 3000)]},
    "chr1,20": {"chr1": [(0, 5000)], "20": [(0, 3000)]},
    "HLA-A*01:01": {"HLA-A*01:01": [(0, 50)]},
    "HLA-A*01:01:5-9": {"HLA-A*01:01": [(4, 9)]},
}


@pytest.mark.parametrize("text", TYPED)
def test_typed_regions_count_from_1(genome, text):
    assert merged(text, genome) == TYPED[text]
    assert merged([text], genome) == TYPED[text]


FILES = {
    "bed": "track name=x\nbrowser hide\n# c\nchr1\t1000\t1200\n20\t4\t9\n",
    "bed with other columns": "chr1 1000 1200 gene exon why\n20 4 9 gene exon why\n",
    "bed12": "chr1\t1000\t1200\tn\t0\t+\t1000\t1200\t0\t1\t200,\t0,\n20\t4\t9\tn\t0\t+\t4\t9\t0\t1\t5,\t0,\n",
    "picard": "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:5000\nchr1\t1001\t1200\t+\ta\n20\t5\t9\t-\tb\n",
    "regions": "chr1:1,001-1,200\n20:5-9\n",
    "narrowPeak": "chr1\t1000\t1200\tn\t0\t.\t5\t3\t2\t7\n20\t4\t9\tn\t0\t.\t5\t3\t2\t1\n",
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_of_regions(tmp_path, genome, kind, pack):
    path = tmp_path / "regions.txt"
    path.write_bytes(pack(FILES[kind].encode()))
    notes = []
    assert merged(path, genome, notes) == {"chr1": [(1000, 1200)], "20": [(4, 9)]}
    assert len(notes) == (kind in ("picard", "regions"))
    assert merged([str(path), "chr1:1201-1210"], genome) == {"chr1": [(1000, 1210)], "20": [(4, 9)]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.bed", "regions 'none.bed' is no file, and 'none.bed' neither a region"),
        ("chr1:9-5", "the first position is after the last"),
        ("chr1:0-5", "positions count from 1"),
        ("chr1:1,00-5", "does not read chrom:first-last"),
        ("chr9", "nor a contig: genome 'g' has no contig 'chr9'"),
    ],
)
def test_other_texts_are_refused(genome, text, message):
    with pytest.raises(ZooError) as error:
        merged(text, genome)
    assert message in str(error.value)


def test_a_bad_line_is_named_with_a_remedy_that_there_is(tmp_path, genome):
    (tmp_path / "x.bed").write_text("chr1\t5\t9\nchr1\t9\t5\n")
    with pytest.raises(ZooError, match=r"x.bed line 2: start 9 is after end 5: swap them or drop the line$"):
        merged(tmp_path / "x.bed", genome)


spans = st.tuples(st.sampled_from(["chr1", "20"]), st.integers(0, 2900), st.integers(1, 90))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(spans, min_size=1, max_size=9))
def test_every_form_of_the_same_regions_is_equal(tmp_path, genome, rows):
    regions = [(chrom, start, start + size) for chrom, start, size in rows]
    expected = merged(regions, genome)
    assert merged(",".join(format_region(*r) for r in regions), genome) == expected
    forms = {
        "x.bed": "".join(f"{c}\t{a}\t{b}\n" for c, a, b in regions),
        "x.interval_list": "@HD\tVN:1.6\n" + "".join(f"{c}\t{a + 1}\t{b}\t+\tn\n" for c, a, b in regions),
        "x.list": "".join(f"{format_region(*r)}\n" for r in regions),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        assert merged(tmp_path / name, genome) == expected
