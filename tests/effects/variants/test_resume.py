"""What is gone on with is what was begun: the content of every input, the weights, and every option that counts."""

import errno
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode
from zoo.effects.variants.resume import Parts
from zoo.files.tables import read_table

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=3000>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\tNA2\n"
)
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}
THIRD = {"A": "G", "C": "T", "G": "A", "T": "C"}


def variants(path, letters, places, other=OTHER):
    """A VCF of substitutions."""
    rows = [f"chr1\t{p}\t.\t{letters[p - 1]}\t{other[letters[p - 1]]}\t50\tPASS\t.\tGT\t0|1\t1|0\n" for p in places]
    path.write_text(HEADER + "".join(rows))


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A folder of inputs, and a run of `zoo score` for each set of options that was cut off behind its first part."""
    from zoo.hub.model_folder import save_bundle

    folder = tmp_path_factory.mktemp("resume")
    letters = decode(np.random.default_rng(1).integers(0, 4, 3000).astype(np.uint8))
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    variants(folder / "v.vcf", letters, range(500, 2500, 25))
    variants(folder / "b.vcf", letters, range(510, 2500, 50))
    (folder / "r.bed").write_text("chr1\t400\t2600\n")
    (folder / "f.bed").write_text("chr1\t900\t1200\tA1\n")
    save_bundle(zoo.load("ctcf-motif-cnn"), folder / "model", {"codes": np.zeros((8, 200), np.uint8)})
    for out, options in BEGUN.items():
        with pytest.MonkeyPatch.context() as patch:
            cut_off(patch)
            assert score(folder, out, options) == 130
        assert len(list((folder / f"{out}.parts").glob("0*.tsv"))) == 1
    return folder


BEGUN = {
    "s.tsv": ["--regions", "r.bed", "--background", "b.vcf"],
    "p.tsv": ["--phased", "--sample", "NA1"],
    "n.tsv": ["--background", "30"],
    "genes.tsv": ["--features", "f.bed", "--top", "9"],
}


def cut_off(patch):
    """Let a run end behind its first part of 40 records."""
    from zoo.variants.files import read_variants

    write = Parts.write

    def once(parts, chunk):
        write(parts, chunk)
        raise KeyboardInterrupt

    patch.setattr(Parts, "write", once)
    patch.setitem(read_variants.__kwdefaults__, "chunk", 40)


def score(folder, out, options, *more, vcf="v.vcf", fasta="g.fa", model="model", output="CTCF:raw"):
    before = Path.cwd()
    os.chdir(folder)
    try:
        named = ["--model", f"./{model}" if model == "model" else model, "--fasta", fasta, "--output", output]
        return main(["score", vcf, *named, "-o", out, *options, *more])
    finally:
        os.chdir(before)


def swap_alleles(folder):
    text = (folder / "v.vcf").read_text()
    letters = (folder / "g.fa").read_text().splitlines()[1]
    variants(folder / "v.vcf", letters, range(500, 2500, 25), THIRD)
    assert len((folder / "v.vcf").read_text()) == len(text)


def touch(folder):
    os.utime(folder / "v.vcf")


def change_base(folder):
    """One base, 100 bp from a variant, with the time of change put back."""
    before = os.stat(folder / "g.fa")
    text = (folder / "g.fa").read_text()
    at = text.index("\n") + 1 + 600
    (folder / "g.fa").write_text(text[:at] + OTHER[text[at]] + text[at + 1 :])
    os.utime(folder / "g.fa", ns=(before.st_atime_ns, before.st_mtime_ns))


def shift_region(folder):
    (folder / "r.bed").write_text("chr1\t500\t2600\n")


def comment_region(folder):
    (folder / "r.bed").write_text("# as before\nchr1\t400\t2600\n")


def change_background(folder):
    letters = (folder / "g.fa").read_text().splitlines()[1]
    variants(folder / "b.vcf", letters, range(510, 2500, 50), THIRD)


def change_weights(folder):
    from zoo.hub.model_folder import save_bundle

    model = zoo.load(str(folder / "model"))
    with torch.no_grad():
        next(model.parameters()).mul_(1.01)
    save_bundle(model, folder / "model", {"codes": np.zeros((8, 200), np.uint8)})


def change_card(folder):
    from zoo.hub.model_folder import save_bundle

    model = zoo.load(str(folder / "model"))
    model.spec = model.spec.replace(description="another one")
    save_bundle(model, folder / "model", {"codes": np.zeros((8, 200), np.uint8)})


def rename(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def nothing(folder):
    pass


REFUSED = {
    "VCF of the same size": (swap_alleles, {}, [], "the content of v.vcf (variants) has changed"),
    "one base of the FASTA, its time put back": (change_base, {}, [], "the content of g (genome) has changed"),
    "regions": (shift_region, {}, [], "(regions) has changed"),
    "no regions": (nothing, {}, ["--background", "b.vcf"], "regions was"),
    "background": (change_background, {}, [], "(background) has changed"),
    "weights": (change_weights, {}, [], "(weights) has changed"),
    "model's revision": (change_card, {}, [], "(model) has changed"),
    "output": (nothing, {"output": "CTCF_short:raw"}, None, 'output was "CTCF:raw" and is now "CTCF_short:raw"'),
    "activation": (nothing, {"output": "CTCF"}, None, 'output was "CTCF:raw" and is now "CTCF"'),
    "score": (nothing, {}, ["--score", "log2_fold_change", "--output", "CTCF"], "output was"),
    "anchor": (nothing, {}, ["--anchor", "left"], 'anchor was "both" and is now "left"'),
    "strands": (nothing, {}, ["--strands", "average"], 'strands was "forward" and is now "average"'),
    "shifts": (nothing, {}, ["--shifts", "-1,0,1"], "shifts was"),
    "share": (nothing, {}, ["--share", "20"], "share was 0 and is now 20"),
    "max-n": (nothing, {}, ["--max-n", "0.1"], "max_n was 0.5 and is now 0.1"),
    "fix-swapped": (nothing, {}, ["--fix-swapped"], "fix_swapped was false and is now true"),
}
GONE_ON_WITH = {
    "nothing": (nothing, {}),
    "VCF's time": (touch, {}),
    "VCF's name": (rename("v.vcf", "other.vcf"), {"vcf": "other.vcf"}),
    "FASTA's name": (rename("g.fa", "other.fa"), {"fasta": "other.fa"}),
    "a comment among the regions": (comment_region, {}),
}


@pytest.fixture
def folder(begun, tmp_path):
    return Path(shutil.copytree(begun, tmp_path / "copy"))


@pytest.mark.parametrize("what", REFUSED)
def test_a_run_of_something_else_is_refused_in_one_sentence(folder, what, capsys):
    change, how, options, reason = REFUSED[what]
    change(folder)
    options = BEGUN["s.tsv"] if options is None else options
    options = options if "--background" in options else [*BEGUN["s.tsv"], *options]
    parts = sorted(p.name for p in (folder / "s.tsv.parts").iterdir())
    capsys.readouterr()
    assert score(folder, "s.tsv", options, "--resume", **how) == 1
    err = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert len(err) == 1, err
    assert reason in err[0]
    assert "s.tsv.parts is of another run" in err[0]
    assert not (folder / "s.tsv").exists()
    assert sorted(p.name for p in (folder / "s.tsv.parts").iterdir()) == parts


@pytest.mark.parametrize("what", GONE_ON_WITH)
def test_a_run_goes_on_where_no_number_can_change(folder, what, capsys):
    change, how = GONE_ON_WITH[what]
    change(folder)
    assert score(folder, "s.tsv", BEGUN["s.tsv"], "--resume", **how) == 0, capsys.readouterr().err
    assert "going on behind record 40" in capsys.readouterr().err
    assert score(folder, "whole.tsv", BEGUN["s.tsv"], **how) == 0
    same_rows(folder / "s.tsv", folder / "whole.tsv")
    assert not (folder / "s.tsv.parts").exists()


def same_rows(one, other):
    """Of two tables; another batch of the same variants may round the last bit of a score otherwise."""
    (_, left), (_, right) = read_table(one), read_table(other)
    assert len(left) == len(right) > 0
    for a, b in zip(left, right, strict=True):
        scores = [k for k in a if k.startswith("CTCF")]
        assert {**a, **dict.fromkeys(scores)} == {**b, **dict.fromkeys(scores)}
        np.testing.assert_allclose(*([float(r[k].replace("NA", "nan")) for k in scores] for r in (a, b)), atol=2e-5)


def test_another_sample_and_another_seed_are_other_runs(folder, capsys):
    assert score(folder, "p.tsv", ["--phased", "--sample", "NA2"], "--resume") == 1
    assert 'sample was "NA1" and is now "NA2"' in capsys.readouterr().err
    assert score(folder, "n.tsv", BEGUN["n.tsv"], "--seed", "1", "--resume") == 1
    assert "(background) has changed" in capsys.readouterr().err
    assert score(folder, "p.tsv", BEGUN["p.tsv"], "--resume") == 0


def test_another_annotation_and_another_shortlist_are_other_runs(folder, capsys):
    assert score(folder, "genes.tsv", ["--features", "f.bed", "--top", "8"], "--resume") == 1
    assert "top was 9 and is now 8" in capsys.readouterr().err
    (folder / "f.bed").write_text("chr1\t900\t1200\tA2\n")
    assert score(folder, "genes.tsv", BEGUN["genes.tsv"], "--resume") == 1
    assert "the content of f.bed (features) has changed" in capsys.readouterr().err
    (folder / "f.bed").write_text("chr1\t900\t1200\tA1\n")
    assert score(folder, "genes.tsv", BEGUN["genes.tsv"], "--resume") == 0


@pytest.mark.parametrize("out", ["c.tsv", "c.tsv.gz", "c.parquet", "c.xlsx", "c.vcf", "c.vcf.gz", "c.bcf"])
def test_nothing_is_done_where_the_output_is_complete(folder, out, capsys):
    assert score(folder, out, []) == 0
    before = (folder / out).stat()
    capsys.readouterr()
    assert score(folder, out, ["--resume"]) == 0
    assert f"{out} is complete: nothing is left to do" in capsys.readouterr().err
    assert score(folder, out, ["--resume", "--share", "20"]) == 1
    assert "is complete, but of a run with other share: leave out --resume" in capsys.readouterr().err
    after = (folder / out).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_complete_output_of_inputs_that_changed_is_refused(folder, capsys):
    assert score(folder, "c.tsv", []) == 0
    swap_alleles(folder)
    assert score(folder, "c.tsv", ["--resume"]) == 1
    assert "of a run with other variants" in capsys.readouterr().err
    (folder / "c.tsv").write_text("mine\n")
    assert score(folder, "c.tsv", ["--resume"]) == 1
    assert "does not say which run wrote it" in capsys.readouterr().err
    assert (folder / "c.tsv").read_text() == "mine\n"


@pytest.mark.parametrize("left", [None, "", "{"])
@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_what_a_full_disk_left_is_no_hindrance(folder, left, resume):
    parts = folder / "d.tsv.parts"
    parts.mkdir()
    if left is not None:
        (parts / "run.json").write_text(left)
    assert score(folder, "d.tsv", resume) == 0
    assert not parts.exists()


def test_the_advice_of_a_full_disk_works(folder, capsys, monkeypatch):
    from zoo.files import atomic

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "_to_disk", full)
        assert score(folder, "f.tsv", []) == 1
    err = capsys.readouterr().err
    assert "no room is left for f.tsv.parts (No space left on device): free some and go on with --resume" in err
    assert not list(folder.glob("f.tsv*"))
    assert not list(folder.glob(".f.tsv*"))
    assert score(folder, "f.tsv", ["--resume"]) == 0


def test_a_run_is_written_by_one_process(folder, capsys):
    from zoo.files.locks import lock

    with lock(folder / "s.tsv.parts" / "lock"):
        assert score(folder, "s.tsv", BEGUN["s.tsv"], "--resume") == 1
    assert "s.tsv is being written by another run: wait for it" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EIO])
def test_a_file_system_without_locks_will_do(folder, number, monkeypatch):
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    shutil.rmtree(folder / "g.fa.zoo")
    assert score(folder, "s.tsv", BEGUN["s.tsv"], "--resume") == 0


def test_a_folder_of_somebody_else_is_left_alone(folder, capsys):
    (folder / "e.tsv.parts").mkdir()
    (folder / "e.tsv.parts" / "thesis.txt").write_text("mine")
    assert score(folder, "e.tsv", []) == 1
    assert "holds 'thesis.txt': move it, or choose another name" in capsys.readouterr().err
    assert (folder / "e.tsv.parts" / "thesis.txt").read_text() == "mine"


def test_the_terminal_cannot_be_gone_on_with(folder, capsys):
    assert score(folder, "-", ["--resume"]) == 1
    assert "--resume goes on with a file" in capsys.readouterr().err


def test_a_digest_is_quick(tmp_path):
    from zoo.files.digest import file_digest

    (tmp_path / "big").write_bytes(np.random.default_rng(0).bytes(1 << 26))
    began = time.process_time()
    file_digest(tmp_path / "big")
    assert (1 << 26) / (time.process_time() - began) > 200e6  # bytes/s of CPU; 500e6 and more on a quiet machine
