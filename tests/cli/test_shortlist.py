"""`zoo score` for one patient: chosen records, genes, several models, and the rows that matter most."""

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.data.codes import decode, encode
from zoo.files.tables import read_table

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=1,length=4000>\n##FILTER=<ID=q10,Description=\"low\">\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMUM\tKID\n"
)  # fmt: skip
GTF = (
    '1\tt\tgene\t901\t1100\t.\t-\t.\tgene_id "G1"; gene_name "SITE";\n'
    '1\tt\ttranscript\t901\t1100\t.\t-\t.\tgene_id "G1"; transcript_id "T1";\n'
    '1\tt\texon\t1001\t1019\t.\t-\t.\tgene_id "G1"; transcript_id "T1";\n'
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shortlist")
    codes = np.random.default_rng(0).integers(0, 4, 4000).astype(np.uint8)
    codes[1000:1019] = encode("TGGCCACCAGGGGGCGCTA")
    letters = decode(codes)
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    (folder / "genes.gtf").write_text(GTF)
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}

    def line(pos, alts, filters, mum, kid):
        ref = letters[pos - 1]
        one, two = other[ref], other[other[ref]]
        alt = {1: one, 2: f"{one},{two}", "del": "<DEL>", "none": "."}[alts]
        return f"1\t{pos}\trs{pos}\t{ref}\t{alt}\t50\t{filters}\tX=1\tGT:DP\t{mum}:3\t{kid}:4\n"

    (folder / "v.vcf").write_text(
        HEADER
        + line(51, 1, "PASS", "0/1", "0/1")  # off the contig
        + line(700, 1, "PASS", "0/0", "0/1")
        + line(1007, 1, "q10", "0/1", "1|1")
        + line(1009, 2, "PASS", "1/1", "0/2")
        + line(1011, 1, ".", "0/1", "0/0")
        + line(1013, 1, "PASS", "./.", "./1")
        + line(1500, "del", "PASS", "0/1", "0/1")
        + line(1501, 1, "PASS;q10", "0/1", "1")
        + line(1502, 1, "PASS", "0/1", "0/7")  # an allele that is not there
        + line(1503, 1, "PASS", "0/1", ".")
        + line(1504, "none", "PASS", "0/0", "0/0")
    )
    return folder


def score(files, *args, models=("ctcf-motif-cnn",), output="CTCF:raw", source="v.vcf"):
    named = [word for model in models for word in ("--model", model)]
    return main(
        ["score", str(files / source), *named, "--fasta", str(files / "g.fa"), "--output", output, *map(str, args)]
    )


def table(path):
    return read_table(path)[1]


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "s.tsv"
    assert score(files, "-o", out) == 0
    return table(out)


def test_filter_is_that_of_bcftools(files, tmp_path, capsys):
    assert score(files, "-o", tmp_path / "s.tsv", "--filter", "PASS") == 0
    assert [r["pos"] for r in table(tmp_path / "s.tsv")] == [
        "51", "700", "1009", "1009", "1013", "1500", "1501", "1502", "1503", "1504",
    ]  # fmt: skip
    assert capsys.readouterr().err.rstrip().endswith("; 2 of 11 records left out")
    assert score(files, "-o", tmp_path / "t.tsv", "--filter", ".,q10") == 0
    assert [r["pos"] for r in table(tmp_path / "t.tsv")] == ["1007", "1011", "1501"]
    assert read_table(tmp_path / "t.tsv")[0]["rows"] == "FILTER .,q10"
    assert score(files, "-o", tmp_path / "u.tsv", "--filter", "pass") == 1
    said = capsys.readouterr().err
    assert "no FILTER of the header is called 'pass': it knows PASS, q10" in said
    assert "the input is empty" in said
    assert "11 of 11 records left out" in said


def test_the_alleles_that_a_sample_carries(files, whole, tmp_path, capsys):
    assert score(files, "-o", tmp_path / "s.tsv", "--carried-by", "KID") == 0
    rows = table(tmp_path / "s.tsv")
    assert [(r["pos"], r["status"]) for r in rows] == [
        ("51", "out_of_bounds"), ("700", "ok"), ("1007", "ok"), ("1009", "ok"), ("1013", "ok"), ("1500", "symbolic"),
        ("1501", "ok"), ("1502", "malformed"),
    ]  # fmt: skip
    by_allele = {(r["pos"], r["alt"]): r["CTCF:raw"] for r in whole}
    second = [r["alt"] for r in whole if r["pos"] == "1009"][1]
    assert rows[3]["alt"] == second
    for row in rows:
        if row["status"] == "ok":
            assert float(row["CTCF:raw"]) == pytest.approx(float(by_allele[row["pos"], row["alt"]]), abs=1e-5)
    assert [r["notes"].split("genotype ")[-1] for r in rows[1:5]] == ["0/1", "1|1", "0/2", "./1"]
    assert "genotype '0/7' names no allele of the record" in rows[-1]["notes"]
    assert "3 of 11 records left out" in capsys.readouterr().err
    assert score(files, "-o", tmp_path / "t.tsv", "--carried-by", "KIT") == 1
    assert "has no sample 'KIT': did you mean 'KID'?" in capsys.readouterr().err


def test_the_annotated_vcf_has_the_chosen_records_with_one_value_an_allele(files, whole, tmp_path):
    args = ["--carried-by", "KID", "--filter", "PASS", "--features", files / "genes.gtf"]
    assert score(files, "-o", tmp_path / "s.vcf", *args) == 0
    lines = [x.split("\t") for x in (tmp_path / "s.vcf").read_text().splitlines() if x[0] != "#"]
    assert [x[1] for x in lines] == ["51", "700", "1009", "1013", "1500", "1501", "1502"]
    info = dict(pair.split("=") for pair in lines[2][7].split(";"))
    value = next(r["CTCF:raw"] for r in whole if r["pos"] == "1009" and r["alt"] == lines[2][4].split(",")[1])
    assert info["X"] == "1"
    assert info["ZOO_status"] == ".,ok"
    assert info["ZOO_gene"] == ".,SITE"
    first, second = info["ZOO_CTCF_raw"].split(",")
    assert first == "."
    assert float(second) == pytest.approx(float(value), abs=1e-5)
    (tmp_path / "r.bed").write_text("chr1\t1000\t1012\n")
    assert score(files, "-o", tmp_path / "t.vcf.gz", "--regions", tmp_path / "r.bed") == 0
    pysam = pytest.importorskip("pysam")
    with pysam.VariantFile(str(tmp_path / "t.vcf.gz")) as file:
        assert [r.pos for r in file] == [1007, 1009, 1011]


def test_the_largest_come_first_and_equal_ones_as_they_stood(files, whole, tmp_path, capsys):
    scored = [r for r in whole if r["status"] == "ok"]
    order = sorted(scored, key=lambda r: -abs(float(r["CTCF:raw"])))
    assert score(files, "-o", tmp_path / "s.tsv", "--top", 3) == 0
    assert table(tmp_path / "s.tsv") == order[:3]
    assert f"3 of {len(whole)} rows" in capsys.readouterr().err
    least = abs(float(order[3]["CTCF:raw"]))
    assert score(files, "-o", tmp_path / "t.tsv", "--min-abs", least - 1e-6) == 0
    assert table(tmp_path / "t.tsv") == [r for r in scored if r in order[:4]]
    assert score(files, "-o", tmp_path / "u.vcf", "--top", 2) == 0
    lines = [x.split("\t") for x in (tmp_path / "u.vcf").read_text().splitlines() if x[0] != "#"]
    assert [x[1] for x in lines] == sorted({r["pos"] for r in order[:2]}, key=int)
    for words, message in [
        (["--top", "0"], "--top 0 must be 1 or more"),
        (["--min-abs", "-1"], "--min-abs -1.0 must be 0 or more"),
        (["--by", "CTCF"], "give one of them too"),
        (["--top", "1", "--by", "CTC:raw"], "is no column of scores: did you mean 'CTCF:raw'"),
        (["--phased", "--sample", "KID", "--filter", "PASS"], "leave out --filter"),
    ]:
        assert score(files, "-o", tmp_path / "v.tsv", *words) == 1
        assert message in capsys.readouterr().err
    assert score(files, "--filter", "PASS", source="g.fa") == 1


def test_genes_stand_behind_the_status_of_every_row(files, tmp_path):
    assert score(files, "-o", tmp_path / "s.tsv", "--features", files / "genes.gtf") == 0
    comments, rows = read_table(tmp_path / "s.tsv")
    assert list(rows[0])[5:11] == ["status", "gene", "feature", "feature_id", "distance", "CTCF:raw"]
    cells = {r["pos"]: (r["gene"], r["feature"], r["feature_id"], r["distance"]) for r in rows}
    assert cells["51"] == ("SITE", "transcript", "T1", "850")  # 3' of a gene of the other strand
    assert cells["1007"] == ("SITE", "exon", "T1", "0")
    assert cells["1500"] == ("SITE", "transcript", "T1", "-400")
    assert comments["features"] == "genes.gtf, GTF; distance in bp, negative upstream of the feature"
    assert score(files, "-o", tmp_path / "p.tsv", "--features", files / "genes.gtf", "--phased", "--sample", "KID") == 0
    assert {r["gene"] for r in table(tmp_path / "p.tsv")} == {"SITE"}


def test_several_models_side_by_side(files, whole, tmp_path, capsys):
    pytest.importorskip("zoo_dilated_cnn")
    both = ("ctcf-motif-cnn", "ctcf-dilated-cnn")
    assert score(files, "-o", tmp_path / "s.tsv", models=both) == 0
    assert score(files, "-o", tmp_path / "t.tsv", models=both[1:]) == 0
    comments, rows = read_table(tmp_path / "s.tsv")
    for row, first, second in zip(rows, whole, table(tmp_path / "t.tsv"), strict=True):
        for name, alone in zip(both, (first, second), strict=True):
            one, other = (x.replace("NA", "nan") for x in (row[f"{name}.CTCF:raw"], alone["CTCF:raw"]))
            assert float(one) == pytest.approx(float(other), abs=1e-5, nan_ok=True)
        assert row["status"] == first["status"]
    assert {comments[f"{name}.model"] for name in both} == set(both)
    assert score(files, "-o", tmp_path / "u.tsv", "--top", 1, "--by", f"{both[1]}.CTCF:raw", models=both) == 0
    assert len(table(tmp_path / "u.tsv")) == 1
    assert score(files, "-o", tmp_path / "v.tsv", models=(both[0], both[0])) == 1
    assert "have one name twice" in capsys.readouterr().err


def test_a_shortlist_for_a_spreadsheet_says_where_it_comes_from(files, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    assert score(files, "-o", tmp_path / "s.xlsx", "--top", 2, "--features", files / "genes.gtf") == 0
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    sheet, about = book["table"], dict(book["about"].iter_rows(values_only=True))
    assert sheet.freeze_panes == "A2"
    assert sheet.max_row == 3
    row = dict(zip([c.value for c in sheet[1]], [c.value for c in sheet[2]], strict=True))
    assert isinstance(row["pos"], int)
    assert isinstance(row["CTCF:raw"], float)
    assert row["distance"] == 0
    assert about["model"] == "ctcf-motif-cnn"
    assert len(about["revision"]) == 64
    assert about["genome"] == "g"
    assert about["command"].startswith("zoo score ")
    assert "--top 2" in about["command"]
    assert about["rows"] == "the 2 rows with the largest |CTCF:raw|"
    assert about["date"].endswith("UTC")


def test_a_shortlist_goes_on_where_a_run_was_cut_off(files, tmp_path, monkeypatch, capsys):
    from zoo.effects.variants import resume

    args = ["--top", "3", "--carried-by", "MUM", "--filter", "PASS"]
    assert score(files, "-o", tmp_path / "whole.tsv", *args) == 0
    left_out = capsys.readouterr().err.rpartition(";")[2]
    finish = resume.Parts.finish
    monkeypatch.setattr(resume.Parts, "finish", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt))
    assert score(files, "-o", tmp_path / "s.tsv", *args) == 130
    monkeypatch.setattr(resume.Parts, "finish", finish)
    assert score(files, "-o", tmp_path / "s.tsv", "--resume", *args[:-2]) == 1
    assert score(files, "-o", tmp_path / "s.tsv", "--resume", *args) == 0
    assert (tmp_path / "s.tsv").read_text() == (tmp_path / "whole.tsv").read_text()
    assert "records left out" in left_out
