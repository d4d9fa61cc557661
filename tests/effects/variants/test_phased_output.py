"""`zoo score --phased`: its rows join with those of the plain table, in a table and in an annotated VCF."""

import numpy as np
import pysam
import pytest

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode
from zoo.effects.variants.haplotype_effects import EFFECTS
from zoo.effects.variants.job import score_haplotypes
from zoo.files.tables import read_table

LETTERS = decode(np.random.default_rng(4).integers(0, 4, 4000).astype(np.uint8))
OTHER = dict(zip("ACGT", "CGTA", strict=True))
HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID={},length=4000>\n"
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    '##FORMAT=<ID=PS,Number=1,Type=String,Description="phase set">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)


def alleles(p, n=1):
    return LETTERS[p], ",".join([OTHER[LETTERS[p]], OTHER[OTHER[LETTERS[p]]]][:n])


def records(chrom):
    rows = [(0, *alleles(0), "0|1"), (1000, *alleles(1000), "0|1"), (1010, *alleles(1010, 2), "1|2")]
    rows += [(1500, *alleles(1500), "0|0"), (1600, LETTERS[1600:1604], LETTERS[1600], "1|1")]
    rows += [(2000, *alleles(2000), "0/1"), (2500, *alleles(2500, 2), "0|5"), (3999, *alleles(3999), "0|1")]
    line = "{}\t{}\trs{}\t{}\t{}\t.\tPASS\tDP=3\tGT\t{}\n"
    return [line.format(chrom, p + 1, p, r, a, g) for p, r, a, g in rows]


@pytest.fixture(params=["chr1 in both", "1 in the FASTA", "lower case", "1 in the VCF"])
def files(request, tmp_path):
    own = "1" if request.param == "1 in the FASTA" else "chr1"
    written = "1" if request.param == "1 in the VCF" else "chr1"
    letters = LETTERS.lower() if request.param == "lower case" else LETTERS
    (tmp_path / "g.fa").write_text(f">{own}\n{letters}\n")
    (tmp_path / "v.vcf").write_text(HEADER.format(written) + "".join(records(written)))
    return tmp_path


IDENTITY = ["chrom", "pos", "id", "ref", "alt"]
NORMAL = ["norm_pos", "norm_ref", "norm_alt"]


def test_rows_with_and_without_phase_join(files):
    how = {"fasta": files / "g.fa", "output": "CTCF:raw"}
    plain = zoo.score_variants("ctcf-motif-cnn", files / "v.vcf", **how)
    phased = score_haplotypes("ctcf-motif-cnn", files / "v.vcf", **how)
    assert list(plain.columns[:6]) == list(phased.columns[:6]) == [*IDENTITY, "status"]
    assert list(plain.columns[-4:]) == list(phased.columns[-4:]) == [*NORMAL, "notes"]
    assert plain["status"].tolist() == ["out_of_bounds", *["ok"] * 8, "out_of_bounds"]
    assert phased["status"].tolist() == [
        "out_of_bounds", "ok", "ok", "ok", "ok", "ok", "unphased", "malformed", "malformed", "out_of_bounds"
    ]  # fmt: skip
    joined = phased.merge(plain, on=[*IDENTITY, *NORMAL], how="left", suffixes=("", "_plain"), validate="many_to_one")
    assert joined["status_plain"].notna().all()
    ok = joined[joined["status"] == "ok"]
    np.testing.assert_allclose(ok["CTCF:raw.single"].astype(float), ok["CTCF:raw"].astype(float), rtol=0, atol=2e-5)
    assert "5" in joined["notes"][7]


def test_scores_do_not_depend_on_how_contigs_and_letters_are_written(files):
    how = {"fasta": files / "g.fa", "output": "CTCF:raw"}
    phased = score_haplotypes("ctcf-motif-cnn", files / "v.vcf", **how)
    typed = [f"chr1:{p + 1}:{LETTERS[p]}>{OTHER[LETTERS[p]]}" for p in (1000, 1010)]
    (files / "u.fa").write_text(f">chr1\n{LETTERS}\n")
    alone = zoo.score_variants("ctcf-motif-cnn", typed, fasta=files / "u.fa", output="CTCF:raw")
    np.testing.assert_allclose(phased["CTCF:raw.single"][[1, 2]].astype(float), alone["CTCF:raw"], rtol=0, atol=2e-5)


@pytest.mark.parametrize("name", ["s.vcf", "s.vcf.gz", "s.bcf"])
def test_the_annotated_vcf_has_the_numbers_of_the_table_for_each_haplotype(tmp_path, name):
    (tmp_path / "g.fa").write_text(f">chr1\n{LETTERS}\n")
    (tmp_path / "v.vcf").write_text(HEADER.format("chr1") + "".join(records("chr1")))
    command = ["score", str(tmp_path / "v.vcf"), "--model", "ctcf-motif-cnn", "--fasta", str(tmp_path / "g.fa")]
    command += ["--output", "CTCF:raw", "--phased", "-o"]
    assert main([*command, str(tmp_path / name)]) == 0
    assert main([*command, str(tmp_path / "s.tsv")]) == 0
    _, rows = read_table(tmp_path / "s.tsv")
    with pysam.VariantFile(str(tmp_path / name)) as file, pysam.VariantFile(str(tmp_path / "v.vcf")) as before:
        written = list(file)
        assert [str(r).split("\t")[:7] for r in written] == [str(r).split("\t")[:7] for r in before]
    by_place = {(r.pos, alt): (r, i) for r in written for i, alt in enumerate(r.alts)}
    seen = 0
    for row in rows:
        record, i = by_place[int(row["pos"]), row["alt"]]
        for copy in (1, 2) if row["haplotype"] == "0" else (int(row["haplotype"]),):
            assert record.info[f"ZOO_hap{copy}_status"][i] == row["status"]
            for effect in EFFECTS if row["status"] == "ok" else ():
                value = record.info[f"ZOO_hap{copy}_CTCF_raw.{effect}"][i]
                assert value == pytest.approx(float(row[f"CTCF:raw.{effect}"]), rel=1e-5, abs=1e-6)
                seen += 1
    assert seen == 25
    assert written[1].info["ZOO_hap1_status"] == (".",)
    assert written[2].info["ZOO_hap1_status"] == ("ok", ".")
    assert written[2].info["ZOO_hap2_status"] == (".", "ok")
    assert not [key for key in written[3].info if key.startswith("ZOO")]


def test_regions_of_an_indexed_file_annotate_the_right_lines(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{LETTERS}\n")
    (tmp_path / "v.vcf").write_text(HEADER.format("chr1") + "".join(records("chr1")))
    pysam.tabix_index(str(tmp_path / "v.vcf"), preset="vcf", force=True, keep_original=True)
    (tmp_path / "r.bed").write_text("chr1\t1590\t1700\n")
    command = ["score", str(tmp_path / "v.vcf.gz"), "--model", "ctcf-motif-cnn", "--fasta", str(tmp_path / "g.fa")]
    command += ["--output", "CTCF:raw", "--phased", "--regions", str(tmp_path / "r.bed"), "-o", str(tmp_path / "s.vcf")]
    assert main(command) == 0
    with pysam.VariantFile(str(tmp_path / "s.vcf")) as file:
        statuses = {r.pos: r.info.get("ZOO_hap1_status") for r in file}
    assert {pos: status for pos, status in statuses.items() if status} == {1601: ("ok",)}
