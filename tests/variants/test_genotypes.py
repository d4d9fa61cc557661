"""Genotypes: what the VCF says of sites, alleles, carriers and phase, however it is packed, or a clear refusal."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys

import numpy as np
import pysam
import pytest

from zoo.errors import DataError, GenomeMismatch
from zoo.files import compressed
from zoo.variants import vcf_lines
from zoo.variants.genotype_text import HAPLOID, HOMOZYGOUS, NO_SET, UNPHASED
from zoo.variants.genotypes import read_genotypes

ARRAYS = (
    "position site_first letters letters_first symbolic first allele phase missing_first missing ploidy_first "
    "ploidy_site ploidy"
).split()
HEAD = (
    '##fileformat=VCFv4.3\n##contig=<ID=c1,length=100000>\n##contig=<ID=c2,length=1000>\n##ALT=<ID=DEL,Description="d">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n##FORMAT=<ID=DP,Number=1,Type=Integer,Description="d">\n'
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="p">\n'
)
ROWS = [
    "c1 10 A C GT 0|1 1|1 0/1",
    "c1 12 AT A,ATT GT:DP:PS 1|2:7:10 0|0:7:. 1/2:7:10",
    "c1 12 A <DEL>,*,G GT:PS 1|0:10 2|3:55 .|1:.",
    "c1 40 g a GT .|. ./. 1/1",
    "c1 50 C G,T GT:PS:DP 0|2:0:9 .:.:. 1|0:2000000000:9",
    "c2 5 A C GT 1 0|1 0",
    "c2 9 A C DP 1 2 3",
    "c2 10 A C GT 1 1|0 1|0",
]


def vcf(path, rows=ROWS, samples=("x", "y", "z"), end="\n", head=HEAD):
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines = ["\t".join(columns)]
    for row in rows:
        chrom, pos, ref, alt, *calls = row.split()
        lines.append("\t".join([chrom, pos, ".", ref, alt, ".", ".", ".", *calls]))
    path.write_bytes((head.replace("\n", end) + "".join(line + end for line in lines)).encode())
    return path


def bgzf(path):
    packed = path.with_name(path.name + ".gz")
    pysam.tabix_compress(str(path), str(packed), force=True)
    return packed


def indexed(path):
    packed = bgzf(path)
    pysam.tabix_index(str(packed), preset="vcf", force=True)
    return packed


def bcf(path, index=False):
    out = path.with_suffix(".bcf")
    with pysam.VariantFile(str(path)) as source, pysam.VariantFile(str(out), "wb", header=source.header) as target:
        for record in source:
            target.write(record)
    if index:
        pysam.tabix_index(str(out), preset="bcf", csi=True, force=True)
    return out


def carried(store, sample, haplotype):
    h = 2 * store.sample_id(sample) + haplotype
    own = slice(store.first[h], store.first[h + 1])
    site = np.searchsorted(store.site_first, store.allele[own], side="right") - 1
    texts = [store.text(a) for a in store.allele[own]]
    return list(zip(store.position[site].tolist(), texts, store.phase[own].tolist(), strict=True))


def same(one, two):
    return one.samples == two.samples and all(np.array_equal(getattr(one, a), getattr(two, a)) for a in ARRAYS)


def test_sites_alleles_carriers_phase_and_phase_sets_are_those_of_the_file(tmp_path):
    store = read_genotypes(vcf(tmp_path / "v.vcf"), "c1")
    assert store.position.tolist() == [9, 11, 11, 39, 49]
    assert np.diff(store.site_first).tolist() == [2, 3, 4, 2, 3]
    assert [store.text(a) for a in range(9)] == ["A", "C", "AT", "A", "ATT", "A", "<DEL>", "*", "G"]
    assert store.codes[store.letters_first[9] : store.letters_first[11]].tolist() == [2, 0]
    assert [store.text(a) for a in np.flatnonzero(store.symbolic)] == ["<DEL>", "*"]
    assert carried(store, "x", 0) == [(11, "A", 10), (11, "<DEL>", 10)]
    assert carried(store, "x", 1) == [(9, "C", NO_SET), (11, "ATT", 10), (49, "T", 0)]
    assert carried(store, "y", 0) == [(9, "C", HOMOZYGOUS), (11, "*", 55)]
    assert carried(store, "y", 1) == [(9, "C", HOMOZYGOUS), (11, "G", 55)]
    assert carried(store, "z", 0) == [(11, "A", UNPHASED), (39, "a", HOMOZYGOUS), (49, "G", 2_000_000_000)]
    assert carried(store, "z", 1) == [
        (9, "C", UNPHASED),
        (11, "ATT", UNPHASED),
        (11, "<DEL>", NO_SET),
        (39, "a", HOMOZYGOUS),
    ]


def test_missing_genotypes_are_listed_and_read_as_reference(tmp_path):
    store = read_genotypes(vcf(tmp_path / "v.vcf"), "c1")
    assert store.missing_count.tolist() == [1, 2, 1]
    assert store.missing.tolist() == [3, 3, 4, 2]
    without = read_genotypes(tmp_path / "v.vcf", "c2")
    assert without.missing_count.tolist() == [1, 1, 1]
    assert without.missing.tolist() == [1, 1, 1]


def test_haploid_calls_have_one_haplotype_and_their_runs_are_kept(tmp_path):
    store = read_genotypes(vcf(tmp_path / "v.vcf"), "c2")
    assert carried(store, "x", 0) == [(4, "C", HAPLOID), (9, "C", HAPLOID)]
    assert carried(store, "x", 1) == []
    runs = [store.ploidy_first[i : i + 2].tolist() for i in range(3)]
    assert runs == [[0, 1], [1, 2], [2, 4]]
    assert store.ploidy.tolist() == [1, 2, 1, 2]
    assert store.ploidy_site.tolist() == [0, 0, 0, 2]


@pytest.mark.parametrize("contig", ["c1", "c2"])
def test_packing_index_and_line_ends_do_not_matter(tmp_path, contig):
    plain = vcf(tmp_path / "v.vcf")
    expected = read_genotypes(plain, contig)
    (tmp_path / "g.vcf.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert same(read_genotypes(tmp_path / "g.vcf.gz", contig), expected)
    assert same(read_genotypes(vcf(tmp_path / "crlf.vcf", end="\r\n"), contig), expected)
    assert same(read_genotypes(bgzf(plain), contig), expected)
    assert same(read_genotypes(indexed(plain), contig), expected)


@pytest.mark.parametrize("index", [False, True])
def test_bcf_reads_as_its_vcf(tmp_path, index):
    plain = vcf(tmp_path / "v.vcf", [r for r in ROWS if "55" not in r])
    assert same(read_genotypes(bcf(plain, index), "c1"), read_genotypes(plain, "c1"))


def test_a_leading_phase_mark_of_vcf_4_4_is_understood(tmp_path):
    store = read_genotypes(vcf(tmp_path / "v.vcf", ["c1 3 A C GT |0|1 /1/0 |1"]), "c1")
    assert (carried(store, "x", 1), carried(store, "y", 0)) == ([(2, "C", NO_SET)], [(2, "C", UNPHASED)])
    assert carried(store, "z", 0) == [(2, "C", HAPLOID)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_chunk_borders_never_show(tmp_path, monkeypatch, chunk):
    plain = vcf(tmp_path / "v.vcf")
    expected = read_genotypes(plain, "c1"), read_genotypes(plain, "c2")
    monkeypatch.setattr(vcf_lines, "read_chunks", lambda path, size=0: compressed.read_chunks(path, chunk))
    assert same(read_genotypes(plain, "c1"), expected[0])
    assert same(read_genotypes(plain, "c2"), expected[1])


def test_samples_come_in_the_order_asked_for(tmp_path):
    plain = vcf(tmp_path / "v.vcf")
    store = read_genotypes(plain, "c1", ["z", "x"])
    assert store.samples == ("z", "x")
    whole = read_genotypes(plain, "c1")
    assert all(carried(store, s, h) == carried(whole, s, h) for s in "zx" for h in (0, 1))
    assert read_genotypes(plain, "c1", "y").samples == ("y",)
    with pytest.raises(DataError, match="no sample 'w': choose from x, y, z"):
        read_genotypes(plain, "c1", "w")
    with pytest.raises(DataError, match="name one twice"):
        read_genotypes(plain, "c1", ["x", "x"])
    with pytest.raises(DataError, match="no genotype columns"):
        read_genotypes(vcf(tmp_path / "sites.vcf", [], samples=()), "c1")


def test_a_region_holds_its_records_and_those_that_overlap_them_further_left(tmp_path):
    rows = ["c1 5 A C GT 0|1", "c1 20 ACGTACGT A GT 0|1", "c1 26 GTAC G GT 0|1", "c1 29 C G GT 0|1", "c1 60 A C GT 0|1"]
    packed = indexed(vcf(tmp_path / "v.vcf", rows, "x"))
    assert read_genotypes(packed, "c1", start=28, end=40).position.tolist() == [19, 25, 28]
    assert read_genotypes(packed, "c1", start=40, end=50).position.tolist() == []
    assert read_genotypes(tmp_path / "v.vcf", "c1", start=28, end=40).position.tolist() == [4, 19, 25, 28]


def test_an_index_older_than_its_file_is_not_used(tmp_path):
    packed = indexed(vcf(tmp_path / "v.vcf", ["c1 5 A C GT 0|1"], "x"))
    longer = bgzf(vcf(tmp_path / "w.vcf", ["c1 5 A C GT 0|1", "c1 900 A C GT 0|1"], "x"))
    packed.write_bytes(longer.read_bytes())
    os.utime(packed.with_name("v.vcf.gz.tbi"), ns=(1, 1))
    assert read_genotypes(packed, "c1").position.tolist() == [4, 899]
    assert read_genotypes(packed, "c1", start=900, end=901).position.tolist() == [4, 899]


def test_a_region_must_run_forwards(tmp_path):
    packed = indexed(vcf(tmp_path / "v.vcf", ["c1 5 A C GT 0|1"], "x"))
    for start, end in [(-1, 5), (5, 4)]:
        with pytest.raises(DataError, match="must be 0 <= start <= end"):
            read_genotypes(packed, "c1", start=start, end=end)
    assert [len(read_genotypes(packed, "c1", start=p, end=p).position) for p in (0, 4, 9)] == [0, 0, 0]


def test_contigs_are_found_by_their_aliases_and_unknown_ones_are_refused(tmp_path):
    plain = vcf(tmp_path / "v.vcf")
    assert read_genotypes(plain, "chrc1".removeprefix("chr")).contig == "c1"
    numbered = vcf(tmp_path / "n.vcf", ["20 3 A C GT 0|1"], "x", head="##contig=<ID=20,length=9>\n##contig=<ID=21>\n")
    assert read_genotypes(numbered, "chr20").contig == "20"
    assert len(read_genotypes(numbered, "21").position) == 0
    assert len(read_genotypes(indexed(numbered), "21").position) == 0
    with pytest.raises(GenomeMismatch, match="no contig 'c9', its header begins with c1, c2"):
        read_genotypes(plain, "c9")
    bare = vcf(tmp_path / "b.vcf", ["20 3 A C GT 0|1"], "x", head="")
    assert len(read_genotypes(indexed(bare), "20").position) == 1
    with pytest.raises(GenomeMismatch, match="lists no contigs"):
        read_genotypes(bare, "21")


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 20])
def test_a_cut_text_file_is_refused(tmp_path, cut):
    plain = vcf(tmp_path / "v.vcf")
    plain.write_bytes(plain.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"cut off|no GT"):
        read_genotypes(plain, "c2")


def many(tmp_path):
    rng = np.random.default_rng(0)
    calls = rng.integers(0, 2, (30_000, 6))
    rows = [f"c1 {i + 1} A C GT {a}|{b} {c}|{d} {e}|{f}" for i, (a, b, c, d, e, f) in enumerate(calls.tolist())]
    return vcf(tmp_path / "v.vcf", rows)


@pytest.mark.parametrize("make", [bgzf, indexed, lambda p: bcf(p), lambda p: bcf(p, True)])
@pytest.mark.parametrize("keep", [0.5, 0.999])
def test_a_cut_packed_file_is_refused(tmp_path, make, keep):
    packed = make(many(tmp_path))
    whole = packed.read_bytes()
    packed.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match="cut off"):
        read_genotypes(packed, "c1")
    packed.write_bytes(whole[:-28])
    with pytest.raises(DataError, match="cut off"):
        read_genotypes(packed, "c1", start=1, end=5)


@pytest.mark.parametrize("make", [bgzf, indexed])
def test_a_damaged_block_is_refused(tmp_path, make):
    packed = make(many(tmp_path))
    whole = bytearray(packed.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 2] = bytes(255 - b for b in whole[middle : middle + 2])
    packed.write_bytes(whole)
    with pytest.raises(DataError, match="damaged"):
        read_genotypes(packed, "c1")


def test_a_phase_set_may_be_any_label(tmp_path):
    rows = [
        f"c1 {p} A C GT:PS 0|1:{x} 0|1:{y} 0|1:." for p, x, y in ((5, "PATMAT", 7), (9, "1_A_C", 7), (12, "PATMAT", 8))
    ]
    store = read_genotypes(vcf(tmp_path / "v.vcf", rows), "c1")
    one, other, again = store.phase[store.first[1] : store.first[2]].tolist()
    assert one == again != other
    assert min(one, other) >= 1 << 30
    assert store.phase[store.first[3] : store.first[4]].tolist() == [7, 7, 8]


@pytest.mark.parametrize(
    ("row", "reason", "position"),
    [
        ("c1 60 A C GT 0|1 0|1", "line 9 has fewer or more columns", 59),
        ("c1 60 A C GT 0|1 0|1 0|1 0|1", "fewer or more columns", 59),
        ("c1 zero A C GT 0|1 0|1 0|1", "no position of 1 or more", -1),
        ("c1 0 A C GT 0|1 0|1 0|1", "no position of 1 or more", -1),
        ("c1 38 A C GT 0|1 0|1 0|1", "comes after a greater position or before a smaller one: sort", 37),
        ("c1 60 A C GT 0|2 0|1 0|1", "allele that ALT does not list", 59),
        ("c1 60 A C GT 0|1 0 0|2", "allele that ALT does not list", 59),
        ("c1 60 A . GT 0|1 0|0 0|0", "allele that ALT does not list", 59),
        ("c1 60 A C GT 0|1|1 0|1 0|1", "more than two alleles", 59),
        ("c1 60 A C GT 0|x 0|1 0|1", "no GT", 59),
        ("c1 60 A C GT 0-1 0|1 0|1", "no GT", 59),
        ("c1 60 A C PS:GT 1:0|1 1:0|1 1:0|1", "must be the first", 59),
        ("c1 5000 A C GT 0|1 0|1 0|1", "beyond the end of its contig", 4999),
    ],
)
@pytest.mark.parametrize("place", [4, 5])
def test_a_malformed_record_is_left_out_with_its_reason(tmp_path, row, reason, position, place):
    rows = [*ROWS[:place], row, *ROWS[place:5]]
    if place == 4 and position in (59, 37):
        rows[place] = row.replace("c1 60", "c1 40").replace("c1 38", "c1 5")
        reason = reason.replace("line 9", "line 8")
    head = "##contig=<ID=c1>\n##contig=<ID=c2>\n"
    store = read_genotypes(vcf(tmp_path / "v.vcf", rows, head=head), "c1", length=1000)
    assert len(store.malformed) == 1
    assert reason in store.malformed[0]
    assert place == 4 or store.malformed_position.tolist() == [position]
    assert same(store, read_genotypes(vcf(tmp_path / "w.vcf", ROWS[:5], head=head), "c1"))


def test_a_file_of_which_most_records_cannot_be_read_is_refused(tmp_path):
    rows = [*ROWS[:2], *[f"c1 {p} A C PS:GT 1:0|1 1:0|1 1:0|1" for p in (60, 61, 62)]]
    with pytest.raises(DataError, match=r"line 11 has GT behind .* \(3 records cannot be read, 2 can\)"):
        read_genotypes(vcf(tmp_path / "v.vcf", rows), "c1")
    rows = ["c1 60 A C GT 0|1 0|1 0|1", *ROWS[:5], "c1 20 A C GT 0|1 0|1 0|1"]
    with pytest.raises(DataError, match=r"record c1:60 is out of order and comes .*: sort the file"):
        read_genotypes(vcf(tmp_path / "v.vcf", rows), "c1")


def test_alleles_that_are_neither_bases_nor_symbolic_are_not_applied(tmp_path):
    rows = ["c1 60 A C-,G,R GT 0|1 0|2 0|3", "c1 62 <X> C GT 0|1 0|1 0|1"]
    store = read_genotypes(vcf(tmp_path / "v.vcf", rows), "c1")
    assert [store.text(a) for a in np.flatnonzero(store.symbolic)] == ["C-", "R", "<X>"]


def test_a_few_records_of_another_contig_do_no_harm_and_two_pieces_are_refused(tmp_path):
    last = "c1 70 A C GT 0|1 0|1 0|1"
    store = read_genotypes(vcf(tmp_path / "v.vcf", [*ROWS, last]), "c1")
    assert store.position.tolist() == [9, 11, 11, 39, 49, 69]
    many = [f"c2 {p} A C GT 0|1 0|1 0|1" for p in range(20, 40)]
    with pytest.raises(DataError, match="comes behind records of another contig: sort"):
        read_genotypes(vcf(tmp_path / "v.vcf", [*ROWS, *many, last]), "c1")


def test_what_is_no_vcf_is_refused(tmp_path):
    (tmp_path / "x.txt").write_text("chr1\t5\n")
    with pytest.raises(DataError, match="no line that begins with #CHROM"):
        read_genotypes(tmp_path / "x.txt", "c1")
    with pytest.raises(DataError, match="does not exist"):
        read_genotypes(tmp_path / "absent.vcf", "c1")


def test_breakends_are_symbolic_and_a_site_without_alternate_is_kept(tmp_path):
    rows = ["c1 3 A A]c2:5],.A,A.,[c2:5[A GT 1|2", "c1 5 A . GT 0|0"]
    store = read_genotypes(vcf(tmp_path / "v.vcf", rows, "x"), "c1")
    assert store.symbolic.tolist() == [False, True, True, True, True, False]
    assert np.diff(store.site_first).tolist() == [5, 1]


def test_genotypes_need_no_torch(tmp_path):
    program = (
        "import sys; from zoo.variants.genotypes import read_genotypes; import zoo.variants.haplotypes\n"
        "read_genotypes(sys.argv[1], 'c1').carried; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(vcf(tmp_path / "v.vcf"))]).returncode == 0
