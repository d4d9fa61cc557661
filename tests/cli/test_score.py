"""`zoo score`: every allele comes out again, whatever happens."""

import gzip
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode, encode
from zoo.files.tables import read_table

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=1,length=4000>\n"
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A FASTA whose contig is called chr1, and a VCF that calls it 1."""
    folder = tmp_path_factory.mktemp("score")
    codes = np.random.default_rng(0).integers(0, 4, 4000).astype(np.uint8)
    codes[1000:1019] = encode("TGGCCACCAGGGGGCGCTA")
    letters = decode(codes)
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    rows = [(51, letters[50], other[letters[50]]), (1005, letters[1004], letters[1004] + "TT")]
    rows += [(1007, letters[1006], f"{other[letters[1006]]},{other[other[letters[1006]]]}")]
    rows += [(1011, other[letters[1010]], "N" if letters[1010] == "N" else other[other[letters[1010]]])]
    rows += [(2000, letters[1999], "<DEL>"), (2100, letters[2099], ".")]
    rows += [(p, letters[p - 1], other[letters[p - 1]]) for p in range(2200, 2500, 3)]
    lines = [f"1\t{p}\trs{p}\t{r}\t{a}\t50\tPASS\tDP=3\tGT\t0|1\n" for p, r, a in rows]
    (folder / "v.vcf").write_text(HEADER + "".join(lines))
    return folder


def score(files, *args, source="v.vcf", output="CTCF:raw"):
    return main(
        ["score", str(files / source), "--model", "ctcf-motif-cnn", "--fasta", str(files / "g.fa"), "--output", output]
        + [str(a) for a in args]
    )


def numbers(rows):
    return np.array([np.nan if r["CTCF:raw"] == "NA" else np.float32(r["CTCF:raw"]) for r in rows], np.float32)


def test_every_allele_comes_out_in_order_with_its_status(files, tmp_path, capsys):
    out = tmp_path / "s.tsv"
    assert score(files, "-o", out) == 0
    comments, rows = read_table(out)
    assert list(rows[0])[:7] == ["chrom", "pos", "id", "ref", "alt", "status", "CTCF:raw"]
    assert list(rows[0])[7:] == ["norm_pos", "norm_ref", "norm_alt", "notes"]
    assert len(rows) == 107
    assert [r["status"] for r in rows[:7]] == [
        "out_of_bounds", "ok", "ok", "ok", "ref_mismatch", "symbolic", "no_alt",
    ]  # fmt: skip
    assert [r["pos"] for r in rows[1:4]] == ["1005", "1007", "1007"]
    assert all(r["status"] == "ok" for r in rows[7:])
    assert all("contig_aliased" in r["notes"] for r in rows)
    assert float(rows[2]["CTCF:raw"]) < -0.5
    assert comments["aliases"] == "1 is chr1"
    assert comments["model"] == "ctcf-motif-cnn"
    assert len(comments["revision"]) == 64
    assert comments["score.difference"].startswith("the output's unit")
    assert "107 rows (103 ok, 1 out_of_bounds, 1 ref_mismatch, 1 symbolic, 1 no_alt)" in capsys.readouterr().err
    assert not (tmp_path / "s.tsv.parts").exists()


def test_python_gives_the_same_table(files, tmp_path):
    score(files, "-o", tmp_path / "s.tsv")
    frame = zoo.score_variants("ctcf-motif-cnn", files / "v.vcf", fasta=files / "g.fa", output="CTCF:raw")
    _, rows = read_table(tmp_path / "s.tsv")
    assert list(frame.columns) == list(rows[0])
    np.testing.assert_array_equal(frame["CTCF:raw"].to_numpy(np.float32), numbers(rows))
    assert frame.attrs["pos"] == "1-based"


def test_a_typed_variant_and_a_region(files, tmp_path, capsys):
    letters = (files / "g.fa").read_text().split("\n")[1]
    args = ["--model", "ctcf-motif-cnn", "--fasta", str(files / "g.fa"), "--output", "CTCF:raw"]
    assert main(["score", f"chr1:1,007:{letters[1006]}>{'A' if letters[1006] != 'A' else 'G'}", *args]) == 0
    assert "chr1\t1007" in capsys.readouterr().out
    (tmp_path / "r.bed").write_text("chr1\t2199\t2260\n")
    assert score(files, "-o", tmp_path / "s.tsv", "--regions", tmp_path / "r.bed") == 0
    _, rows = read_table(tmp_path / "s.tsv")
    assert {int(r["pos"]) for r in rows} == set(range(2200, 2261, 3))


@pytest.mark.parametrize("name", ["s.vcf", "s.vcf.gz", "s.bcf"])
def test_the_annotated_vcf_keeps_what_was_there(files, tmp_path, name):
    pysam = pytest.importorskip("pysam")
    out = tmp_path / name
    assert score(files, "-o", out) == 0
    score(files, "-o", tmp_path / "s.tsv")
    values = {(r["pos"], r["alt"]): r for r in read_table(tmp_path / "s.tsv")[1]}
    with pysam.VariantFile(str(files / "v.vcf")) as before, pysam.VariantFile(str(out)) as after:
        pairs = list(zip(before, after, strict=True))
        for a, b in pairs:
            assert (a.pos, a.id, a.alleles, a.qual, a.info["DP"]) == (b.pos, b.id, b.alleles, b.qual, b.info["DP"])
            assert a.samples[0]["GT"] == b.samples[0]["GT"]
            assert b.samples[0].phased
            for i, alt in enumerate(b.alts or ()):
                row = values[str(b.pos), alt]
                assert b.info["ZOO_status"][i] == row["status"]
                if row["status"] == "ok":
                    assert b.info["ZOO_CTCF_raw"][i] == pytest.approx(float(row["CTCF:raw"]), rel=1e-5)
    assert len(pairs) == 106
    if name == "s.vcf":
        plain = (files / "v.vcf").read_text().splitlines()
        ours = [line for line in out.read_text().splitlines() if not line.startswith("##")]
        for a, b in zip([x for x in plain if not x.startswith("##")], ours, strict=True):
            kept = b.split("\t")
            kept[7] = kept[7].split(";ZOO_status")[0]
            assert "\t".join(kept) == a
    else:
        assert any((tmp_path / f"{name}{end}").exists() for end in (".tbi", ".csi"))


def test_parquet_is_the_same_table(files, tmp_path):
    pandas, pq = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    score(files, "-o", tmp_path / "s.parquet")
    score(files, "-o", tmp_path / "s.tsv")
    frame = pandas.read_parquet(tmp_path / "s.parquet")
    _, rows = read_table(tmp_path / "s.tsv")
    assert frame["status"].tolist() == [r["status"] for r in rows]
    np.testing.assert_array_equal(frame["CTCF:raw"].to_numpy(np.float32), numbers(rows))
    assert pq.read_schema(tmp_path / "s.parquet").metadata[b"model"] == b"ctcf-motif-cnn"


def test_another_assembly_is_refused_with_advice(files, tmp_path, capsys):
    text = (files / "v.vcf").read_text()
    (tmp_path / "v.vcf").write_text(text.replace("length=4000", "length=4001"))
    assert score(files, "-o", tmp_path / "s.tsv", source=tmp_path / "v.vcf") == 1
    assert "4,001" in capsys.readouterr().err
    shifted = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    body = "".join("\t".join([c[0], str(int(c[1]) + 1), *c[2:]]) + "\n" for c in shifted)
    (tmp_path / "w.vcf").write_text(HEADER + body)
    assert score(files, "-o", tmp_path / "s.tsv", source=tmp_path / "w.vcf") == 1
    assert "of another assembly" in capsys.readouterr().err
    assert not list(tmp_path.glob("s.tsv*"))
    assert score(files, "-o", tmp_path / "absent" / "s.tsv") == 1
    assert "does not exist: create it" in capsys.readouterr().err


def test_a_cut_off_file_never_makes_a_table(files, tmp_path, capsys):
    data = gzip.compress((files / "v.vcf").read_bytes())
    (tmp_path / "v.vcf.gz").write_bytes(data[: len(data) // 2])
    assert score(files, "-o", tmp_path / "s.tsv", source=tmp_path / "v.vcf.gz") == 1
    assert "v.vcf.gz" in capsys.readouterr().err
    assert not (tmp_path / "s.tsv").exists()


def test_a_dry_run_counts_and_writes_nothing(files, tmp_path, capsys):
    assert score(files, "-o", tmp_path / "s.tsv", "--dry-run") == 0
    said = capsys.readouterr()
    assert "ok\t104" in said.out
    assert "variants/s (n = 104)" in said.err
    assert not list(tmp_path.iterdir())


def test_a_run_in_which_nothing_could_be_scored_exits_with_1(files, capsys):
    args = ["--model", "ctcf-motif-cnn", "--fasta", str(files / "g.fa"), "--output", "CTCF:raw"]
    assert main(["score", "chr7:5:A>C", *args]) == 1
    said = capsys.readouterr()
    assert "contig_unknown" in said.out
    assert "no row could be scored (1 contig_unknown)" in said.err


RUN = """
import sys, time, zoo
from zoo.data.genome import Genome
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.resume import Parts
from zoo.effects.variants.scorer import Scorer
folder, out, slow = sys.argv[1:4]
genome = Genome(folder + "/g.fa")
scorer = Scorer(zoo.load("ctcf-motif-cnn"), genome, output="CTCF:raw")
job = ScoreJob(folder + "/v.vcf", genome, scorer)
job.variants.chunk = 10
write = Parts.write
def slowly(parts, chunk):
    write(parts, chunk)
    print("done", flush=True)
    time.sleep(0.2 if slow == "yes" else 0)
Parts.write = slowly
job.to(out, slow == "no", tell=lambda note: print(note, flush=True))
"""


def test_a_killed_run_goes_on_without_loss_or_repetition(files, tmp_path):
    out = str(tmp_path / "s.tsv")
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(
        [sys.executable, "-c", RUN, str(files), out, "yes"], stdout=subprocess.PIPE, text=True, env=env
    )
    for line in first.stdout:
        if line == "done\n" and len(list((tmp_path / "s.tsv.parts").glob("0*.tsv"))) >= 3:
            first.send_signal(signal.SIGKILL)
            break
    assert first.wait() == -signal.SIGKILL
    first.stdout.close()
    assert not (tmp_path / "s.tsv").exists()
    time.sleep(0.1)
    second = subprocess.run(
        [sys.executable, "-c", RUN, str(files), out, "no"], capture_output=True, text=True, env=env, check=True
    )
    assert int(second.stdout.split("going on behind record ")[1].split()[0]) >= 30
    score(files, "-o", tmp_path / "whole.tsv")
    resumed, whole = read_table(out)[1], read_table(tmp_path / "whole.tsv")[1]
    # Another batch of the same variants may round the last bit of a score otherwise.
    np.testing.assert_allclose(numbers(resumed), numbers(whole), rtol=0, atol=1e-5)
    assert [{**r, "CTCF:raw": ""} for r in resumed] == [{**r, "CTCF:raw": ""} for r in whole]


def test_an_unfinished_run_is_not_overwritten_nor_mixed_with_another(files, tmp_path, capsys):
    from zoo.effects.variants.resume import Parts
    from zoo.effects.variants.rows import Chunk

    out = tmp_path / "s.tsv"
    with Parts(out, ["a"], {"anchor": "none"}) as parts:
        parts.write(Chunk(0, 1, [["x"]], np.array([0])))
    assert score(files, "-o", out) == 1
    assert "go on with --resume, or delete the folder" in capsys.readouterr().err
    assert score(files, "-o", out, "--resume") == 1
    assert "is of another run, since" in capsys.readouterr().err


def test_a_part_that_was_lost_is_noticed(tmp_path):
    from zoo.effects.variants.resume import Parts
    from zoo.effects.variants.rows import Chunk
    from zoo.errors import DataError

    with Parts(tmp_path / "s.tsv", ["status"], {}) as parts:
        for first, record in ((0, 1), (2, 5), (6, 7)):  # records that --regions left out lie between
            parts.write(Chunk(first, record + 1, [["ok"]], np.array([record])))
    with Parts(tmp_path / "s.tsv", ["status"], {}, resume=True) as parts:
        assert [record for record, _ in parts.rows()] == [1, 5, 7]
    (tmp_path / "s.tsv.parts" / "000000002-000000006.tsv").unlink()
    with pytest.raises(DataError, match="lacks the records 2 to 6: delete it and start anew"):
        Parts(tmp_path / "s.tsv", ["status"], {}, resume=True).__enter__()


def test_a_full_disk_is_a_sentence_and_no_file(files, tmp_path, capsys, monkeypatch):
    import errno

    from zoo.files import tables

    def full(self, values):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tables.TableWriter, "row", full)
    assert score(files, "-o", tmp_path / "s.tsv") == 1
    assert "no room is left for" in capsys.readouterr().err
    assert not (tmp_path / "s.tsv").exists()


def test_the_bar_knows_how_many_records_are_left(files, tmp_path, monkeypatch):
    from zoo.data.genome import Genome
    from zoo.effects.variants.job import ScoreJob
    from zoo.effects.variants.scorer import Scorer

    genome = Genome(files / "g.fa")
    scorer = Scorer(zoo.load("ctcf-motif-cnn"), genome, output="CTCF:raw")
    assert ScoreJob(files / "v.vcf", genome, scorer).remaining() is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (tmp_path / "v.vcf.gz").write_bytes(gzip.compress((files / "v.vcf").read_bytes()))
    for path in (files / "v.vcf", tmp_path / "v.vcf.gz"):
        assert ScoreJob(path, genome, scorer).remaining() == 106
        assert ScoreJob(path, genome, scorer).remaining(100) == 6


def test_an_engine_is_known_by_name_and_takes_its_own_options(files, tmp_path, capsys):
    from zoo.registry import registry

    assert registry().component("engine", "local").owner == "zoo-core"
    assert score(files, "-o", tmp_path / "s.tsv", "--engine", "lokal") == 1
    assert "no engine named 'lokal': did you mean 'local'?" in capsys.readouterr().err
    assert score(files, "-o", tmp_path / "s.tsv", "--engine-option", "workers=2") == 1
    assert "engine 'local' has no 'workers'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
