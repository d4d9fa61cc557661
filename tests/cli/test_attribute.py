"""`zoo attribute`: from regions to files."""

import re
from pathlib import Path

import h5py
import numpy as np
import pybigtools
import pytest

from zoo.attribution.hdf5 import read_h5
from zoo.data.codes import decode, encode
from zoo.data.motifs import get_motif
from zoo.effects.saturation_mutagenesis import mutate
from zoo.files.tables import read_table

MOTIF = get_motif("MA0139.1").consensus
MODEL = ["--model", "ctcf-motif-cnn", "--output", "CTCF:raw"]
SITE = range(420, 420 + len(MOTIF))


@pytest.fixture
def fasta(tmp_path):
    drawn = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    drawn[SITE.start : SITE.stop] = encode(MOTIF)
    path = tmp_path / "genome.fa"
    path.write_text(f">20\n{decode(drawn)}\n>3\n{decode(drawn[:300])}\n")
    return str(path)


@pytest.fixture
def bed(tmp_path):
    path = tmp_path / "peaks.bed"
    path.write_text("chr20\t410\t450\tsite\nchr20\t460\t500\tnear\nchr20\t0\t20\trim\nchr9\t5\t9\tother\n")
    return str(path)


def outs(folder, *names):
    return [part for name in names for part in ("-o", str(folder / name))]


def track(path):
    with pybigtools.open(str(path)) as file:
        return {(chrom, a): v for chrom in file.chroms() for a, _, v in file.records(chrom)}


def test_files_of_one_run_agree_with_each_other_and_with_mutagenesis(zoo, fasta, bed, tmp_path):
    names = ("t.bw", "t_{base}.bw", "t.h5", "t.png", "t.tsv")
    code, out, err = zoo("attribute", bed, "--fasta", fasta, *MODEL, *outs(tmp_path, *names))
    assert (code, out) == (0, ""), err
    comments, rows = read_table(tmp_path / "t.tsv")
    assert [r["status"] for r in rows] == ["ok", "ok", "out_of_bounds", "contig_unknown"]
    assert comments["aliases"] == "chr20 is 20"
    found = read_h5(tmp_path / "t.h5")
    assert list(found.names) == ["site", "near"]
    effects = [mutate("ctcf-motif-cnn", ("20", a, a + 200), fasta=fasta, output="CTCF:raw").numpy() for a in (330, 380)]
    np.testing.assert_allclose(found.effects(), effects, atol=1e-4)
    np.testing.assert_allclose(
        [float(r["contributions"]) for r in rows[:2]], [-e.mean(0).sum() for e in effects], rtol=1e-4
    )
    expected = {}
    for start, each in zip((330, 380), effects, strict=True):
        for i, value in enumerate(-each.mean(0)):
            expected.setdefault(("20", start + i), []).append(value)
    contributions = track(tmp_path / "t.bw")
    assert contributions.keys() == expected.keys()
    np.testing.assert_allclose([contributions[k] for k in expected], [np.mean(v) for v in expected.values()], atol=1e-4)
    assert max(contributions, key=contributions.get)[1] in SITE
    assert "note: 150 bases lie in several windows; bigWig has their mean\n" in err
    assert re.search(r"4 rows \(2 ok, 1 out_of_bounds, 1 contig_unknown\): CTCF:raw of ctcf-motif-cnn", err)
    assert err.startswith(f"wrote {tmp_path / 't.bw'}\nwrote {tmp_path / 't_A.bw'}\n")


def test_a_region_is_tracked_alone_but_stored_with_its_window(zoo, fasta, tmp_path):
    code, _, err = zoo("attribute", "chr20:401-460", "--fasta", fasta, *MODEL, *outs(tmp_path, "t.bw", "t.h5"))
    assert code == 0, err
    assert [p for _, p in track(tmp_path / "t.bw")] == list(range(400, 460))
    assert read_h5(tmp_path / "t.h5").codes.shape == (1, 200)
    assert "1 row (1 ok)" in err
    assert "next: the same command with -o logos.png" in err


def test_the_terminal_gets_the_table_by_default(zoo, fasta):
    code, out, err = zoo("attribute", "20:1-100", "--fasta", fasta, *MODEL, "-s", "start=90", "--set", "end=110")
    assert code == 0, err
    lines = out.splitlines()
    assert "##interpreter=ism (start 90, end 110, full False)" in lines
    assert lines[-2] == "chrom\tstart\tend\tstatus\tCTCF:raw\tcontributions\tdelta"
    assert lines[-1].startswith("20\t0\t100\tok\t")
    assert "note: 50 bp of the model's 200 lie beyond the contig" in err


def test_sequences_are_explained_as_they_are(zoo, fasta, tmp_path):
    letters = Path(fasta).read_text().split("\n")[1]
    path = tmp_path / "x.fa"
    path.write_text(f">whole\n{letters[330:530]}\n>short\nACGT\n")
    code, _, err = zoo("attribute", "--sequences", str(path), *MODEL, *outs(tmp_path, "t.h5", "t.tsv", "t.svg"))
    assert code == 0, err
    _, rows = read_table(tmp_path / "t.tsv")
    assert [(r["name"], r["length"], r["status"]) for r in rows] == [
        ("whole", "200", "ok"),
        ("short", "4", "wrong_length"),
    ]
    with h5py.File(tmp_path / "t.h5") as file:
        assert sorted(file) == ["names", "predictions", "projected_shap", "raw", "shap"]


def test_a_run_in_which_nothing_is_explained_exits_with_1_and_keeps_its_rows(zoo, fasta, tmp_path):
    path = tmp_path / "far.bed"
    path.write_text("chr9\t5\t9\nchr20\t0\t9\n")
    code, _, err = zoo("attribute", str(path), "--fasta", fasta, *MODEL, *outs(tmp_path, "t.bw", "t.tsv", "t.png"))
    assert code == 1
    assert "no row could be explained (1 contig_unknown, 1 out_of_bounds): see the column status in" in err
    assert [r["status"] for r in read_table(tmp_path / "t.tsv")[1]] == ["contig_unknown", "out_of_bounds"]
    assert not list(tmp_path.glob("t.bw")) + list(tmp_path.glob("t.png"))


def test_malformed_lines_are_rows_or_stop_the_run(zoo, fasta, bed, tmp_path):
    with open(bed, "a") as file:
        file.write("chr20\t9\t5\tturned\n")
    given = ["attribute", bed, "--fasta", fasta, *MODEL, *outs(tmp_path, "t.tsv")]
    code, _, err = zoo(*given, "--on-error", "raise")
    assert code == 1
    assert "--on-error skip" in err
    code, _, err = zoo(*given)
    assert code == 0, err
    assert read_table(tmp_path / "t.tsv")[1][-1]["status"] == "malformed"


def test_an_interpreter_that_does_not_go_with_a_file_is_noticed_before_the_run(zoo, fasta, bed, tmp_path, install):
    code = """
        import torch
        from zoo import hookimpl
        from zoo.interfaces import Attribution, Interpreter
        class Here(Interpreter):
            def __init__(self, *, most: int = 1):
                self.most = most
            def attribute(self, model, batch, output):
                assert len(batch["codes"]) <= self.most, "the run has begun"
                x = model.prepare(batch)["one_hot"]
                return Attribution({"one_hot": x}, "contribution")
        @hookimpl
        def zoo_register(registry):
            registry.add("interpreter", "here", "zoo_here:Here")
    """
    install("zoo-here", {"__init__.py": code})
    given = ["attribute", bed, "--fasta", fasta, *MODEL, "--interpreter", "here"]
    for name in ("t.h5", "t_{base}.bw"):
        code, _, err = zoo(*given, *outs(tmp_path, "t.bw", name))
        assert code == 1
        assert "kind hypothetical or effect" in err
    code, _, err = zoo(*given, "-s", "most=100", *outs(tmp_path, "t.bw"))
    assert code == 0, err
    assert set(track(tmp_path / "t.bw").values()) == {1.0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"regions": "chr20"}, "neither a file of intervals nor a region"),
        ({"regions": "chr20:401-601"}, "split it into parts"),
        ({"regions": "chr20:991-1001"}, "ends at 1,000"),
        ({"regions": "chr2:1-100"}, "no contig 'chr2'"),
        ({"--model": "ctcf-motf-cnn"}, "did you mean 'ctcf-motif-cnn'"),
        ({"--output": "CTCF,CTCF_short"}, "one output is needed, not 2 (CTCF, CTCF_short)"),
        ({"--output": "GATA1"}, "no output 'GATA1'"),
        ({"-o": "effects.xls"}, ".tsv, .tsv.gz, .parquet, .xlsx, .bw, .h5, .png, .svg or .pdf, or use -"),
        ({"-o": "nowhere/t.bw"}, "folder nowhere for t.bw does not exist"),
        ({"--interpreter": "isn"}, "did you mean 'ism'"),
        ({"--set": "start"}, "does not read key=value"),
        ({"--set": "start=x"}, "start of ism must be int"),
        ({"--set": "begin=3"}, "interpreter 'ism' has no 'begin'"),
        ({"--device": "tpu"}, "choose from auto, cpu"),
        ({"--fasta": "nowhere.fa"}, "nowhere.fa"),
        ({"--sequences": "x.fa"}, "--sequences stands alone"),
    ],
)
def test_a_mistake_is_one_line(zoo, fasta, change, said):
    given = {"--model": "ctcf-motif-cnn", "--fasta": fasta, "--output": "CTCF", "-o": "-", **change}
    regions = given.pop("regions", "chr20:401-460")
    code, out, err = zoo("attribute", regions, *[part for pair in given.items() for part in pair])
    assert (code, out) == (1, "")
    assert err.startswith("zoo: error: ")
    assert said in err
    assert err.count("\n") == 1


def test_what_is_to_be_explained_must_be_given(zoo, tmp_path):
    code, _, err = zoo("attribute", *MODEL)
    assert code == 1
    assert "give REGIONS and --fasta GENOME, or --sequences FASTA" in err
    code, _, err = zoo("attribute", "--sequences", "x.fa", *MODEL, *outs(tmp_path, "t.bw"))
    assert code == 1
    assert "no place in a genome" in err


def test_a_bar_shows_at_a_terminal(at_a_terminal, fasta, bed):
    code, seen = at_a_terminal("attribute", bed, "--fasta", fasta, *MODEL)
    assert code == 0, seen[-2000:]
    assert b"2/2" in seen
