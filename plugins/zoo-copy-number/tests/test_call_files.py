"""Calls as VCF, BED and SEG: every coordinate comes back, by our reading and by htslib's."""

import gzip
import math
import shutil
import subprocess
from itertools import pairwise

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError
from zoo_copy_number.calls import Calls, CnvCall
from zoo_copy_number.writers import write_bed, write_calls, write_seg, write_vcf

SIZES = {"chr2": 10_000, "chr10": 50_000}


def some_calls():
    return Calls(
        "NA12878",
        list(SIZES),
        [
            CnvCall("chr10", 1_000, 3_000, 3, "DUP", 20.5, 2, 0.55),
            CnvCall("chr2", 0, 1_000, 1, "DEL", 43.21, 4, -1.02),
            CnvCall("chr2", 2_000, 5_000, None, "NO-CALL"),
            CnvCall("chr2", 6_000, 9_000, 0, "DEL", 99, 3, -8),
            CnvCall("chr2", 9_000, 10_000, 2, "NEUTRAL", 30, 4, 0.01),
        ],
        SIZES,
        {"genome": "hg38"},
    )


def read_back(path):
    """(contig, start, end, copy number, filter, alternate) of every record, 0-based half-open."""
    with pysam.VariantFile(str(path)) as file:
        return [
            (
                r.chrom,
                r.stop - abs(r.info["SVLEN"][0]) + r.info.get("CIPOS", (0, 0))[0],
                r.stop,
                r.samples[0]["CN"],
                list(r.filter),
                r.alts[0],
            )
            for r in file
        ]


def test_a_vcf_says_what_was_called(tmp_path):
    assert write_vcf(tmp_path / "a.vcf", some_calls()) == 4
    text = (tmp_path / "a.vcf").read_text()
    lines = [x for x in text.splitlines() if not x.startswith("#")]
    assert lines[0].split("\t") == [
        *("chr2", "1", "DEL_1", "N", "<DEL>", "43.21", "PASS"),
        "END=1000;SVTYPE=DEL;SVLEN=-999;CIPOS=-1,0;IMPRECISE;NBINS=4;LOG2=-1.02;EXPECTED=2",
        *("GT:CN:CNQ", "0/1:1:43.21"),
    ]
    assert text.startswith("##fileformat=VCFv4.3\n")
    assert "##contig=<ID=chr2,length=10000>" in text
    assert "##zoo_genome=hg38" in text
    assert read_back(tmp_path / "a.vcf") == [
        ("chr2", 0, 1_000, 1, ["PASS"], "<DEL>"),
        ("chr2", 2_000, 5_000, None, ["NOCALL"], "<CNV>"),
        ("chr2", 6_000, 9_000, 0, ["PASS"], "<DEL>"),
        ("chr10", 1_000, 3_000, 3, ["PASS"], "<DUP>"),
    ]
    assert write_vcf(tmp_path / "b.vcf", some_calls(), neutral=True) == 5


def test_a_packed_vcf_is_found_by_its_index(tmp_path):
    path = tmp_path / "a.vcf.gz"
    (tmp_path / "a.vcf.gz.csi").write_text("of an older file")
    write_vcf(path, some_calls())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.vcf.gz", "a.vcf.gz.tbi"]
    with pysam.VariantFile(str(path)) as file:
        assert [r.id for r in file.fetch("chr2", 8_500, 8_600)] == ["DEL_2"]
        assert [r.id for r in file.fetch("chr2", 0, 1)] == ["DEL_1"]
        assert [r.id for r in file.fetch("chr10")] == ["DUP_1"]


def test_a_long_contig_gets_an_index_that_holds_it(tmp_path):
    path = tmp_path / "a.vcf.gz"
    far = CnvCall("c1", 600_000_000, 600_001_000, 1, "DEL", 9, 1)
    write_vcf(path, Calls("s", ["c1"], [far], {"c1": 700_000_000}))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.vcf.gz", "a.vcf.gz.csi"]
    with pysam.VariantFile(str(path)) as file:
        assert [r.pos for r in file.fetch("c1", 600_000_500, 600_000_501)] == [600_000_000]


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
def test_bcftools_reads_it_without_a_word(tmp_path):
    for name in ("a.vcf", "a.vcf.gz"):
        write_vcf(tmp_path / name, some_calls())
        done = subprocess.run(["bcftools", "view", "-H", tmp_path / name], capture_output=True, text=True, check=True)
        assert done.stdout.count("\n") == 4
        assert done.stderr == ""


@pytest.mark.parametrize(
    ("copies", "expected", "state", "genotype"),
    [
        (1, 2, "DEL", "0/1"),
        (0, 2, "DEL", "1/1"),
        (3, 2, "DUP", "0/1"),
        (4, 2, "DUP", "./."),
        (0, 1, "DEL", "1"),
        (2, 1, "DUP", "1"),
        (5, 1, "DUP", "1"),
        (1, 0, "DUP", "."),
        (None, 2, "NO-CALL", "./."),
        (None, 1, "NO-CALL", "."),
        (2, 2, "NEUTRAL", "0/0"),
        (1, 3, "DEL", "0/1/1"),
    ],
)
def test_genotypes_say_as_much_as_the_copy_number_tells(tmp_path, copies, expected, state, genotype):
    call = CnvCall("c1", 10, 20, copies, state, 9, 1, expected=expected)
    write_vcf(tmp_path / "a.vcf", Calls("s", ["c1"], [call]), neutral=True)
    assert (tmp_path / "a.vcf").read_text().splitlines()[-1].split("\t")[-1].split(":")[0] == genotype


@st.composite
def call_sets(draw):
    calls = []
    for contig, size in SIZES.items():
        cuts = draw(st.lists(st.integers(0, size), min_size=2, max_size=9, unique=True).map(sorted))
        for a, b in pairwise(cuts):
            expected = draw(st.integers(0, 3))
            copies = draw(st.none() | st.integers(0, 6))
            state = (
                "NO-CALL"
                if copies is None
                else ("DEL", "NEUTRAL", "DUP")[1 + (copies > expected) - (copies < expected)]
            )
            quality = draw(st.floats(0, 999) | st.just(math.nan))
            calls.append(CnvCall(contig, a, b, copies, state, quality, draw(st.integers(0, 99)), 0.5, expected))
    return Calls("s", list(SIZES), draw(st.permutations(calls)), SIZES)


@settings(deadline=None)
@given(call_sets())
def test_coordinates_and_copy_numbers_come_back_from_every_format(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("calls")
    truth = [(c.contig, c.start, c.end, c.copy_number) for c in calls]
    for name in ("a.vcf", "a.vcf.gz"):
        write_vcf(folder / name, calls, neutral=True)
        assert [r[:4] for r in read_back(folder / name)] == truth
    write_bed(folder / "a.bed", calls, neutral=True)
    rows = [x.split("\t") for x in (folder / "a.bed").read_text().splitlines() if not x.startswith("#")]
    assert [(r[0], int(r[1]), int(r[2])) for r in rows] == [t[:3] for t in truth]
    assert all(0 <= int(r[4]) <= 1000 for r in rows)
    write_seg(folder / "a.seg", calls)
    rows = [x.split("\t") for x in (folder / "a.seg").read_text().splitlines()[1:]]
    assert [(r[1], int(r[2]) - 1, int(r[3])) for r in rows] == [t[:3] for t in truth]


def test_bases_before_the_segments_come_from_the_genome(tmp_path):
    (tmp_path / "g.fa").write_text(">2\nACGTRACGT\n")
    calls = Calls("s", ["chr2"], [CnvCall("chr2", s, s + 3, 1, "DEL", 9, 1) for s in (0, 2, 5)])
    write_vcf(tmp_path / "a.vcf", calls, genome=Genome(tmp_path / "g.fa"))
    with pysam.VariantFile(str(tmp_path / "a.vcf")) as file:
        assert [(r.pos, r.ref) for r in file] == [(1, "A"), (2, "C"), (5, "N")]


def test_bed_and_seg_hold_what_viewers_expect(tmp_path):
    assert write_calls(tmp_path / "a.bed", some_calls()) == 4
    assert (tmp_path / "a.bed").read_text().splitlines() == [
        "#sample=NA12878",
        "#genome=hg38",
        "chr2\t0\t1000\tDEL:1\t43",
        "chr2\t2000\t5000\tNO-CALL\t0",
        "chr2\t6000\t9000\tDEL:0\t99",
        "chr10\t1000\t3000\tDUP:3\t20",
    ]
    assert write_calls(tmp_path / "a.seg.gz", some_calls()) == 4
    with gzip.open(tmp_path / "a.seg.gz", "rt") as file:
        assert file.read().splitlines()[:2] == [
            "ID\tchrom\tloc.start\tloc.end\tnum.mark\tseg.mean",
            "NA12878\tchr2\t1\t1000\t4\t-1.02",
        ]


def test_calls_without_any_segment_make_whole_files(tmp_path):
    none = Calls("s", ["c1"], [], {"c1": 9})
    for name in ("a.vcf", "a.vcf.gz", "a.bed", "a.seg"):
        assert write_calls(tmp_path / name, none) == 0
    assert read_back(tmp_path / "a.vcf.gz") == []


def test_nothing_is_left_where_writing_failed(tmp_path):
    bad = Calls("s", ["c<1>"], [CnvCall("c<1>", 0, 9, 1, "DEL", 9, 1)])
    for name in ("a.vcf", "a.vcf.gz"):
        with pytest.raises(DataError, match="'c<1>' has a character that VCF forbids"):
            write_vcf(tmp_path / name, bad)
    with pytest.raises(DataError, match="no segment of s has a log2"):
        write_seg(tmp_path / "a.seg", bad)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"ends with none of .vcf"):
        write_calls(tmp_path / "a.bcf", bad)
    with pytest.raises(DataError, match="does not exist"):
        write_calls(tmp_path / "no" / "a.vcf", some_calls())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"end": 5}, "is empty"),
        ({"start": -1}, "begins before its contig"),
        ({"state": "LOSS"}, "'LOSS': choose from DEL, DUP"),
        ({"copy_number": 3}, "is DEL at copy number 3 of 2, which is DUP"),
        ({"copy_number": None}, "which is NO-CALL"),
        ({"copy_number": -1}, "no number may be negative"),
        ({"quality": -1}, "phred goes from 0 up"),
        ({"quality": math.inf}, "cap it"),
        ({"log2": -math.inf}, "log2 ratio -inf: cap it"),
    ],
)
def test_a_call_that_contradicts_itself_is_refused(wrong, message):
    fields = {"contig": "c1", "start": 5, "end": 9, "copy_number": 1, "state": "DEL", "quality": 9}
    with pytest.raises(DataError, match=message):
        CnvCall(**{**fields, **wrong})


def test_calls_outside_their_contigs_are_refused():
    call = CnvCall("c1", 5, 9, 1, "DEL", 9)
    with pytest.raises(DataError, match="'c1', which is none of its contigs"):
        Calls("s", ["c2"], [call])
    with pytest.raises(DataError, match="ends at 9, c1 has 8 bp"):
        Calls("s", ["c1"], [call], {"c1": 8})


def test_calls_are_sorted_in_the_order_of_the_contigs():
    assert [c.contig for c in some_calls()] == ["chr2"] * 4 + ["chr10"]
    assert [c.start for c in some_calls().of("DEL")] == [0, 6_000]
