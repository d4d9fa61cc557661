"""`zoo mutate`: from a region to files."""

import os
import re

import numpy as np
import pytest

from zoo.data.codes import decode, encode
from zoo.data.motifs import get_motif
from zoo.effects.saturation_mutagenesis import mutate
from zoo.files.tables import read_table

MOTIF = get_motif("MA0139.1").consensus
MODEL = ["--model", "ctcf-motif-cnn", "--output", "CTCF:raw"]


@pytest.fixture
def fasta(tmp_path):
    drawn = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    drawn[420 : 420 + len(MOTIF)] = encode(MOTIF)
    path = tmp_path / "genome.fa"
    path.write_text(f">chr20\n{decode(drawn)}\n")
    return str(path)


def test_files_of_one_run_agree_with_the_function(zoo, fasta, tmp_path):
    table, picture = str(tmp_path / "effects.tsv"), str(tmp_path / "effects.png")
    frame, track = str(tmp_path / "effects.parquet"), str(tmp_path / "effects_{base}.bw")
    outs = [part for name in (table, picture, frame, track) for part in ("-o", name)]
    code, out, err = zoo("mutate", "chr20:401-460", "--fasta", fasta, *MODEL, *outs)
    assert (code, out) == (0, "")
    comments, rows = read_table(table)
    effects = mutate("ctcf-motif-cnn", "chr20:401-460", fasta=fasta, output="CTCF:raw")
    found = [float(r["CTCF:raw"]) for r in rows]
    expected = [effects["ACGT".index(r["alt"]), int(r["pos"]) - 401].item() for r in rows]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(rows) == 180
    assert comments["region"] == "chr20:401-460"
    tracks = [str(tmp_path / f"effects_{base}.bw") for base in "ACGT"]
    assert err.splitlines()[:7] == [f"wrote {name}" for name in (table, picture, frame, *tracks)]
    assert all(os.path.getsize(name) for name in (picture, frame, *tracks))


def test_the_line_of_numbers_names_the_largest_loss_and_gain(zoo, fasta, tmp_path):
    table = str(tmp_path / "effects.tsv")
    err = zoo("mutate", "chr20:401-460", "--fasta", fasta, *MODEL, "-o", table)[2]
    _, rows = read_table(table)
    worst = min(rows, key=lambda r: float(r["CTCF:raw"]))
    best = max(rows, key=lambda r: float(r["CTCF:raw"]))
    assert 421 <= int(worst["pos"]) <= 420 + len(MOTIF)
    assert f"at chr20:{worst['pos']} {worst['ref']}>{worst['alt']}, largest gain" in err
    assert f"at chr20:{best['pos']} {best['ref']}>{best['alt']}, " in err
    assert re.search(
        r"chr20:401-460: 180 substitutions, CTCF:raw of the reference [\d.]+, .* s, [\d,]+ mutations/s with set-up\n",
        err,
    )
    assert "next: the same command with -o effects.png" in err


def test_the_terminal_gets_the_table_by_default(zoo, fasta):
    code, out, err = zoo("mutate", "chr20:430", "--fasta", fasta, *MODEL)
    assert code == 0
    lines = [line for line in out.splitlines() if not line.startswith("##")]
    assert lines[0] == "chrom\tpos\tref\talt\tstatus\tCTCF:raw"
    assert [line.split("\t")[:2] for line in lines[1:]] == [["chr20", "430"]] * 3
    assert "wrote the terminal" not in err


def test_what_lies_beyond_the_contig_is_noted(zoo, fasta):
    err = zoo("mutate", "20:1-100", "--fasta", fasta, *MODEL)[2]
    assert "note: 50 bp of the model's 200 lie beyond the contig" in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"region": "chr20"}, "does not read chrom:first-last"),
        ({"region": "chr20:401-601"}, "split it into parts"),
        ({"region": "chr20:991-1001"}, "ends at 1,000"),
        ({"region": "chr2:1-100"}, "no contig 'chr2'"),
        ({"--model": "ctcf-motf-cnn"}, "did you mean 'ctcf-motif-cnn'"),
        ({"--output": "CTCF,CTCF_short"}, "one output is needed, not 2 (CTCF, CTCF_short)"),
        ({"--output": "GATA1"}, "no output 'GATA1'"),
        ({"-o": "effects.xls"}, ".tsv, .tsv.gz, .parquet, .xlsx, .bw, .png, .svg or .pdf, or use -"),
        ({"--device": "tpu"}, "choose from auto, cpu"),
        ({"--fasta": "nowhere.fa"}, "nowhere.fa"),
    ],
)
def test_a_mistake_is_one_line(zoo, fasta, change, said):
    given = {"--model": "ctcf-motif-cnn", "--fasta": fasta, "--output": "CTCF", "-o": "-", **change}
    region = given.pop("region", "chr20:401-460")
    code, out, err = zoo("mutate", region, *[part for pair in given.items() for part in pair])
    assert (code, out) == (1, "")
    assert err.startswith("zoo: error: ")
    assert said in err


def test_the_outputs_of_a_model_with_several_are_named(zoo, fasta):
    code, _, err = zoo("mutate", "chr20:401-460", "--fasta", fasta, "--model", "ctcf-motif-cnn")
    assert code == 1
    assert "one output is needed, not 2 (CTCF, CTCF_short)" in err


def test_a_bar_shows_at_a_terminal(at_a_terminal, fasta):
    code, seen = at_a_terminal("mutate", "chr20:401-460", "--fasta", fasta, *MODEL)
    assert code == 0, seen[-2000:]
    assert b"180/180" in seen
