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

MATCH_COLUMNS = [
    *("query", "target", "p_value", "q_value", "offset", "overlap", "orientation", "agreement", "status"),
]


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
    assert all(float(r["q_value"]) <= 0.05 for r in rows)
    assert {r["status"] for r in rows} <= {"ok", "low_agreement"}
    assert rows[0]["agreement"] == "1"
    assert "2 have a match with q <= 0.05, 2 of them one with an agreement of at least 0.7" in err


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
    assert all((float(r[3]) <= 1e-6) == (r[-1] != "no_match") for r in rows)
    _, out, err = zoo("match-motifs", queries, "--best", 1, "--min-agreement", 0.9)
    assert "note: --best or --min-agreement leave out" in err


def test_a_database_of_ones_own_and_its_notes(zoo, queries, tmp_path):
    own = tmp_path / "own.meme"
    own.write_text("MOTIF x\nletter-probability matrix:\n" + "0.1 0.7 0.1 0.1\n0.8 0.1 0.1 0\n" * 4)
    code, out, err = zoo("match-motifs", queries, "--database", own, "--all")
    assert code == 0
    assert out.count("\tx\t") == 2
    assert "there are 1 targets" in err
    assert "has no line 'MEME version'" in err


def test_vague_matches_are_marked_and_reported(zoo, tmp_path):
    from zoo.data.motifs import Motif

    path, out = tmp_path / "vague.meme", tmp_path / "matches.tsv"
    rng = np.random.default_rng(0)
    write_meme(path, [Motif(f"v{i}", f"v{i}", rng.dirichlet([4] * 4, 21).T * 100) for i in range(5)])
    code, _, err = zoo("match-motifs", path, "-o", out)
    assert code == 0
    rows = read_table(out)[1]
    marked = [r for r in rows if r["status"] == "low_agreement"]
    assert marked
    assert all(float(r["q_value"]) <= 0.05 and float(r["agreement"]) < 0.7 for r in marked)
    assert f"{len({r['query'] for r in marked})} have a match with q <= 0.05, 0 of them one with an agreement" in err
    assert f"the aligned columns of {len(marked):,} matches agree less than 0.7 in the bases that they prefer" in err


KLF = "G CCCC G CCCCC".replace(" ", "")


def peaked(letters, share=0.8):
    rest = (1 - share) / 3
    return "".join(" ".join(f"{share if b == x else rest:.4f}" for b in "ACGT") + "\n" for x in letters)


def test_a_filter_that_holds_more_than_the_motif_has_its_name(zoo, tmp_path):
    """Letters outside the overlap do not count against a match."""
    path, alone = tmp_path / "klf_and_more.meme", tmp_path / "klf_alone.meme"
    head = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF f1\nletter-probability matrix: alength= 4 w= {} nsites= 100\n"
    path.write_text(head.format(19) + peaked("TATG", 0.9) + peaked(KLF) + peaked("TCAT", 0.9))
    alone.write_text(head.format(11) + peaked(KLF))
    for file, n in ((path, 2), (alone, 1)):
        code, out, err = zoo("match-motifs", file, "--best", n, "-o", "-")
        assert code == 0
        first = next(x for x in out.splitlines() if x.startswith("f1")).split("\t")
        first = dict(zip(MATCH_COLUMNS, first, strict=True))
        assert "KLF" in first["target"].upper() or "SP" in first["target"].upper(), first
        assert float(first["q_value"]) < 0.05
        assert float(first["agreement"]) > 0.9
        assert first["status"] == "ok"
        assert "other bases" not in err


FOS = peaked("TGACTCA", 0.94)
BAD_MOTIFS = {
    "zeros": "MOTIF f1 X\nletter-probability matrix: alength= 4 w= 3 nsites= 0 E= 0\n" + "0 0 0 0\n" * 3,
    "nan": "MOTIF f1 X\nletter-probability matrix: alength= 4 w= 3 nsites= 0 E= 0\n" + "nan nan nan nan\n" * 3,
    "no matrix": "MOTIF f1 X\n",
}


@pytest.mark.parametrize("kind", BAD_MOTIFS)
def test_one_motif_without_a_matrix_leaves_the_others_their_matches(zoo, tmp_path, kind):
    path, out = tmp_path / "m.meme", tmp_path / "matches.tsv"
    good = "MOTIF {} A\nletter-probability matrix: alength= 4 w= 7 nsites= 20 E= 0\n" + FOS
    path.write_text("MEME version 4\n\n" + good.format("f0") + "\n" + BAD_MOTIFS[kind] + "\n" + good.format("f2"))
    code, _, err = zoo("match-motifs", path, "--best", 1, "-o", out)
    assert code == 0, err
    rows = read_table(out)[1]
    assert [(r["query"], r["status"]) for r in rows] == [("f0 A", "ok"), ("f2 A", "ok"), ("f1 X", "malformed")]
    assert rows[2]["target"] == rows[2]["q_value"] == "NA"
    assert "note: " in err
    assert "motif 'f1 X', line" in err
    assert "left out" in err
    code, out, err = zoo("match-motifs", path, "--database", path, "--all")
    assert code == 0
    assert len([x for x in out.splitlines() if x.startswith("f0")]) == 2


def test_files_of_other_programs_are_matched(zoo, tmp_path):
    motif = get_motif("CTCF")
    jaspar, homer = tmp_path / "ctcf.pfm", tmp_path / "ctcf.motif"
    jaspar.write_text(f">{motif.id} CTCF\n" + "".join(" ".join(f"{x:g}" for x in row) + "\n" for row in motif.counts))
    columns = motif.probabilities(0).T
    homer.write_text(">N\tCTCF(Zf)/Homer\t6.0\n" + "".join("\t".join(f"{x:.3f}" for x in c) + "\n" for c in columns))
    for path, name in ((jaspar, "MA0139.2 CTCF"), (homer, "CTCF(Zf)/Homer")):
        code, out, err = zoo("match-motifs", path, "--best", 1, "-o", "-")
        assert code == 0, err
        assert f"{name}\tMA0139.2 CTCF\t" in out
        assert "it is read as" in err
    code, _, err = zoo("match-motifs", tmp_path / "ctcf.motif", "--database", jaspar)
    assert code == 0, err


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
    assert all(float(r["agreement"]) >= 0.7 for r in known if r["match_status"] == "ok")
    assert {r["match_status"] for r in rows} <= {"ok", "low_agreement", "no_match"}
    assert all((r["match"] == "NA") == (r["match_status"] == "no_match") for r in rows)
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
