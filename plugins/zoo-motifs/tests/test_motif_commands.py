"""`zoo match-motifs` and `zoo filter-motifs` as they are typed."""

import numpy as np
import pytest
from click.testing import CliRunner

from zoo.cli.main import cli, main
from zoo.data.codes import decode
from zoo.data.motifs import get_motif
from zoo.data.planted_motifs import simulate
from zoo.files.tables import read_table
from zoo_motifs.meme import read_meme, write_meme

MATCH_COLUMNS = ["query", "target", "p_value", "q_value", "offset", "overlap", "orientation"]


def test_the_plugin_keeps_its_promises():
    from zoo.testing import check_plugin, failures

    assert failures(check_plugin("zoo-motifs")) == []


@pytest.fixture
def zoo(capsys):
    def call(*args):
        capsys.readouterr()
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def queries(tmp_path):
    path = tmp_path / "queries.meme"
    write_meme(path, [get_motif("CTCF"), get_motif("NRF1").reverse_complement()])
    return path


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    codes = simulate([get_motif("CTCF")], 120, length=200, positives=0.7, seed=4).codes
    path = tmp_path_factory.mktemp("sequences") / "bound.fa"
    path.write_text("".join(f">s{i}\n{decode(c)}\n" for i, c in enumerate(codes)))
    return path


def test_matches_are_a_table_with_its_origin(zoo, queries, tmp_path):
    out = tmp_path / "matches.tsv"
    code, _, err = zoo("match-motifs", queries, "--database", "jaspar", "-o", out)
    assert code == 0
    comments, rows = read_table(out)
    assert list(rows[0]) == MATCH_COLUMNS
    assert "JASPAR2026 CORE vertebrates, 1,019 matrices" in comments["database"]
    assert "over 2,038 comparisons" in comments["q_value"]
    assert rows[0]["query"] == "MA0139.2 CTCF"
    assert rows[0]["target"] == "MA0139.2 CTCF"
    assert (rows[0]["offset"], rows[0]["overlap"], rows[0]["orientation"]) == ("0", "15", "+")
    nrf1 = [r for r in rows if "NRF1" in r["query"].upper()]
    assert nrf1[0]["target"].upper().endswith("NRF1")
    assert float(nrf1[0]["q_value"]) < 1e-3
    assert all(1 <= sum(r["query"] == q for r in rows) <= 10 for q in {r["query"] for r in rows})
    assert "2 have a match with q <= 0.05" in err


def test_all_writes_the_whole_table_and_best_and_max_q_bound_it(zoo, queries):
    code, out, _ = zoo("match-motifs", queries, "--all")
    lines = [line for line in out.splitlines() if not line.startswith("##")]
    assert code == 0
    assert lines[0].split("\t") == MATCH_COLUMNS
    assert len(lines) == 1 + 2 * 1019
    _, out, _ = zoo("match-motifs", queries, "--best", 1)
    assert len([line for line in out.splitlines() if not line.startswith("##")]) == 3
    _, out, _ = zoo("match-motifs", queries, "--max-q", 1e-6)
    rows = [line.split("\t") for line in out.splitlines() if not line.startswith("##")][1:]
    assert rows
    assert all(float(r[3]) <= 1e-6 for r in rows)


def test_a_database_of_ones_own_and_its_notes(zoo, queries, tmp_path):
    own = tmp_path / "own.meme"
    own.write_text("MOTIF x\nletter-probability matrix:\n" + "0.1 0.7 0.1 0.1\n0.8 0.1 0.1 0\n" * 4)
    code, out, err = zoo("match-motifs", queries, "--database", own, "--all")
    assert code == 0
    assert out.count("\tx\t") == 2
    assert "there are 1 targets" in err
    assert "has no line 'MEME version'" in err


def test_vague_matches_are_left_out_and_reported(zoo, tmp_path):
    from zoo.data.motifs import Motif

    path = tmp_path / "vague.meme"
    rng = np.random.default_rng(0)
    write_meme(path, [Motif(f"v{i}", f"v{i}", rng.dirichlet([4] * 4, 21).T * 100) for i in range(5)])
    code, _, err = zoo("match-motifs", path)
    assert code == 0
    assert "0 have a match with q <= 0.05" in err
    assert "match with q <= 0.05 only targets that prefer other bases" in err


def test_mistakes_are_one_line_each(zoo, queries, tmp_path):
    for arguments, message in (
        (("match-motifs", tmp_path / "none.meme"), "does not exist"),
        (("match-motifs", queries, "--database", "jaspar:plant"), "did you mean 'plants'"),
        (("match-motifs", queries, "-o", "x.csv"), "end it in .tsv, .tsv.gz, .parquet or .xlsx"),
        (("filter-motifs", "ctcf-motif-cnn", "-o", "x.txt"), "end it in .meme, .tsv"),
        (("filter-motifs", "ctcf-motif-cnn", "--bed", "x.bed"), "give --bed and --fasta"),
        (("filter-motifs", "ctcf-motif-cnn", "--sequences", "x.fa", "--fasta", "y.fa"), "stands alone"),
        (("filter-motifs", "ctcf-motif-cnn", "--sequences", tmp_path / "x.fa"), "does not exist"),
    ):
        code, _, err = zoo(*arguments)
        assert code == 1, arguments
        assert message in err
        assert err.count("\n") == 1


def test_filters_of_a_published_model_on_given_sequences(zoo, fasta, tmp_path):
    outs = [tmp_path / name for name in ("filters.meme", "filters.tsv", "filters.png")]
    wanted = [x for out in outs for x in ("-o", out)]
    code, _, err = zoo(
        "filter-motifs", "ctcf-motif-cnn", "--sequences", fasta, "--output", "CTCF:raw", "--match", "jaspar", *wanted
    )
    assert code == 0, err
    comments, rows = read_table(outs[1])
    assert comments["sequences"] == "all 120 sequences of bound.fa"
    assert len(rows) == len(read_meme(outs[0]).motifs)
    changes = [float(r["importance"]) for r in rows]
    assert changes == sorted(changes, reverse=True)
    known = [r for r in rows if "CTCF" in r["match"]]
    assert known
    assert min(float(r["q_value"]) for r in known) < 1e-6
    assert all(float(r["agreement"]) >= 0.7 for r in known)
    assert "random" not in err
    assert "64 filters over all 120 sequences of bound.fa, both strands" in err
    assert outs[2].read_bytes()[:4] == b"\x89PNG"
    assert all(float(r["sequences"]) <= 1 for r in rows)


def test_random_sequences_are_said_to_be_random(zoo):
    code, out, err = zoo("filter-motifs", "ctcf-motif-cnn", "--n", 100, "--min-sites", 3)
    assert code == 0
    assert "note: no sequences were given, so 100 random sequences with 41% C and G were scanned (seed 0)" in err
    lines = [line for line in out.splitlines() if not line.startswith("##")]
    assert lines[0].startswith("filter\timportance\tdrop\tsites")
    assert lines[1].startswith("filter_")
    assert "next: the same command with --match jaspar" in err


def test_help_has_an_example_and_imports_nothing_heavy():
    import subprocess
    import sys

    for name in ("match-motifs", "filter-motifs"):
        shown = CliRunner().invoke(cli, [name, "--help"])
        assert shown.exit_code == 0
        assert f"Example: zoo {name}" in shown.output
    code = (
        "import sys; from zoo_motifs.cli import filter_motifs, match_motifs; "
        "print([m for m in ('torch', 'numba', 'memelite', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
