"""`zoo score` takes what people have: pipes, tables of tools, one variant in a word, regions, BCF."""

import io
import os
import sys
import threading

import numpy as np
import pysam.bcftools
import pytest

from zoo.cli.main import main
from zoo.data.codes import decode, encode
from zoo.files.tables import read_table

HEAD = (
    '##fileformat=VCFv4.2\n##contig=<ID=chr1,length=3000>\n##INFO=<ID=DP,Number=1,Type=Integer,Description="d">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("input")
    codes = np.random.default_rng(0).integers(0, 4, 3000).astype(np.uint8)
    codes[1000:1019] = encode("TGGCCACCAGGGGGCGCTA")
    letters = decode(codes)
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    rows = [(1006, "AC", "A"), (1007, "C", "G,T"), (1010, letters[1009], "<DEL>"), (1015, "C", "CAA"), (1200, "N", "A")]
    lines = [f"chr1\t{p}\trs{p}\t{r}\t{a}\t.\tPASS\tDP=3\tGT\t0|1\n" for p, r, a in rows]
    (folder / "v.vcf").write_text(HEAD + "".join(lines))
    pysam.bcftools.view("-Ob", "-o", str(folder / "v.bcf"), str(folder / "v.vcf"), catch_stdout=False)
    return folder


@pytest.fixture
def score(files, tmp_path, capsys):
    """score(source, ...) -> (exit code, rows of the table, stderr)."""

    def call(*args, out="s.tsv"):
        arguments = ["--model", "ctcf-motif-cnn", "--fasta", str(files / "g.fa"), "--output", "CTCF:raw"]
        capsys.readouterr()
        code = main(["score", *map(str, args), *arguments, "-o", str(tmp_path / out)])
        table = read_table(tmp_path / out)[1] if code == 0 and out.endswith(".tsv") else []
        return code, table, capsys.readouterr().err

    return call


def from_stdin(monkeypatch, content: bytes) -> str:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    return "-"


@pytest.mark.parametrize("name", ["v.vcf", "v.bcf"])
@pytest.mark.parametrize("out", ["s.tsv", "s.vcf", "s.bcf"])
def test_standard_input_gives_what_the_file_gives(files, tmp_path, score, monkeypatch, name, out):
    source = from_stdin(monkeypatch, (files / name).read_bytes())
    assert score(source, out=out)[0] == 0
    piped = (tmp_path / out).read_bytes()
    assert score(files / name, out=out)[0] == 0
    assert (tmp_path / out).read_bytes() == piped


def records(path):
    with pysam.VariantFile(str(path)) as file:
        return [str(r).rstrip("\n").split("\t") for r in file]


@pytest.mark.parametrize("out", ["s.vcf", "s.vcf.gz", "s.bcf"])
def test_a_bcf_is_annotated_as_its_vcf_is(files, tmp_path, score, out):
    annotated = {}
    for name in ("v.vcf", "v.bcf"):
        assert score(files / name, out=out)[0] == 0
        annotated[name] = records(tmp_path / out)
    assert annotated["v.bcf"] == annotated["v.vcf"]
    before = records(files / "v.vcf")
    assert [r[:7] + r[8:] for r in annotated["v.bcf"]] == [r[:7] + r[8:] for r in before]
    assert annotated["v.bcf"][1][7].startswith("DP=3;ZOO_status=ok,ok;ZOO_CTCF_raw=-")
    assert "ZOO_status=symbolic" in annotated["v.bcf"][2][7]
    assert (tmp_path / f"{out}.{'tbi' if out.endswith('gz') else 'csi'}").exists() == (out != "s.vcf")


def test_a_table_and_typed_variants_are_no_vcf_to_annotate(files, tmp_path, score):
    (tmp_path / "x.tsv").write_text("Chr\tPos\tRef\tAlt\nchr1\t1007\tC\tG\n")
    for source, what in ((tmp_path / "x.tsv", "a table of variants"), ("chr1:1007:C>G", "typed variants")):
        code, _, said = score(source, out="s.vcf.gz")
        assert code == 1
        assert f"annotates a VCF or BCF, but the input is {what}: write .tsv or .parquet" in said


def test_one_event_has_one_score_however_it_is_written(files, tmp_path, score):
    (tmp_path / "x.tsv").write_text(
        "Chr\tStart\tEnd\tRef\tAlt\nchr1\t1007\t1007\tC\tG\nchr1\t1007\t1007\tC\t-\nchr1\t1015\t1015\t-\tAA\n"
    )
    typed = ["1-1007-C-G", "chr1:g.1007del", "NC_000001.11:1015::AA"]
    code, rows, said = score(tmp_path / "x.tsv")
    assert (code, "positions count from 1" in said) == (0, True)
    truth = {(r["pos"], r["alt"]): r["CTCF:raw"] for r in score(files / "v.vcf")[1]}
    # Another batch of the same alleles may round the last bit of a score otherwise.
    expected = pytest.approx([float(truth[key]) for key in (("1007", "G"), ("1006", "A"), ("1015", "CAA"))], abs=1e-5)
    assert [float(r["CTCF:raw"]) for r in rows] == expected
    assert [float(r["CTCF:raw"]) for r in score(*typed)[1]] == expected
    assert [r["id"] for r in rows] == [".", "chr1:1007:C:-", "chr1:1015:-:AA"]


def test_regions_are_typed_or_come_out_of_a_pipe(files, tmp_path, score, monkeypatch):
    (tmp_path / "r.interval_list").write_text("@HD\tVN:1.6\nchr1\t1007\t1007\t+\tx\n")
    for regions in ("chr1:1,007", "1:1007-1007", tmp_path / "r.interval_list"):
        code, rows, _ = score(files / "v.vcf", "--regions", regions)
        assert (code, [r["pos"] for r in rows]) == (0, ["1006", "1007", "1007"])
    assert len(score(files / "v.vcf", "--regions", "chr1:1015", "--regions", "chr1:1,010")[1]) == 2
    assert len(score(files / "v.vcf", "--regions", from_stdin(monkeypatch, b"chr1\t1014\t1015\n"))[1]) == 1


def test_a_background_comes_out_of_a_pipe_and_is_called_by_its_name(files, tmp_path, score, monkeypatch):
    letters = (files / "g.fa").read_text().split()[1]
    other = dict(zip("ACGT", "CGTA", strict=True))
    common = "".join(f"chr1:{i + 1}:{letters[i]}>{other[letters[i]]}\n" for i in range(1500, 1530))
    code, rows, _ = score(files / "v.vcf", "--background", from_stdin(monkeypatch, common.encode()))
    assert (code, rows[0]["CTCF:raw.quantile"]) == (0, "1.0")
    assert "of standard input (n = 30)" in read_table(tmp_path / "s.tsv")[0]["background"]


def test_what_is_read_again_is_refused_by_the_name_of_the_pipe(files, score, monkeypatch):
    content = (files / "v.vcf").read_bytes()
    for arguments in ((), ("--regions", "chr1")):
        code, _, said = score(from_stdin(monkeypatch, content), *arguments, "--resume")
        assert (code, "standard input is a pipe, but what --resume goes on with" in said) == (1, True)
    reading, writing = os.pipe()
    threading.Thread(target=os.close, args=(writing,)).start()
    code, _, said = score(files / "v.vcf", "--fasta", f"/dev/fd/{reading}")
    assert (code, "is a pipe, but a genome is read more than once: save it as a file first" in said) == (1, True)
    os.close(reading)
    code, _, said = score(from_stdin(monkeypatch, b"chrom\tposn\n"))
    assert code == 1
    assert "error: standard input line 1 reads" in said
    code, _, said = score(from_stdin(monkeypatch, content[:-20]))
    assert (code, "standard input line 10, the last, has 5 of 10 columns" in said) == (1, True)


def test_phased_genotypes_come_out_of_a_pipe(files, score, monkeypatch):
    options = ("--phased", "--sample", "NA1")
    code, rows, _ = score(files / "v.bcf", *options)
    piped = score(from_stdin(monkeypatch, (files / "v.bcf").read_bytes()), *options)
    assert (code, piped[0], piped[1]) == (0, 0, rows)
