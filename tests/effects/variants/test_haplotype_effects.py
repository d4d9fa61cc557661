"""Haplotypes: what their variants do together, each alone, and each among the others."""

import numpy as np
import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.effects.variants.haplotype_effects import EFFECTS
from zoo.effects.variants.job import score_haplotypes
from zoo.files.tables import read_table
from zoo.variants.haplotypes import haplotypes

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=3000>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\tNA2\n"
)
SITE = "TGGCCACCAGGGGGCGCTA"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phased")
    codes = np.random.default_rng(2).integers(0, 4, 3000).astype(np.uint8)
    codes[1000:1019] = encode(SITE)
    letters = decode(codes)
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    other = dict(zip("ACGT", "CGTA", strict=True))
    rows = [
        (1004, letters[1004], other[letters[1004]], "0|1", "0/1"),
        (1010, letters[1010], other[letters[1010]], "0|1", "1|1"),
        (1030, letters[1030], letters[1030] + "TTG", "1|0", "0|0"),
        (1032, letters[1032:1035], letters[1032], "1|1", "0|0"),
        (1600, letters[1600], other[letters[1600]], "0|1", "./."),
        (40, letters[40], other[letters[40]], "1|0", "0|0"),
    ]
    lines = [f"chr1\t{p + 1}\t.\t{r}\t{a}\t.\tPASS\t.\tGT\t{x}\t{y}\n" for p, r, a, x, y in sorted(rows)]
    (folder / "v.vcf").write_text(HEADER + "".join(lines))
    return folder, Genome(folder / "g.fa"), letters, zoo.load("ctcf-motif-cnn")


@pytest.fixture(scope="module")
def frame(case):
    folder, genome, _, model = case
    return score_haplotypes(model, folder / "v.vcf", fasta=genome, sample="NA1", output="CTCF:raw", anchor="left")


def f(model, texts):
    with torch.no_grad():
        return model({"codes": torch.from_numpy(np.stack([encode(t) for t in texts]))})["binding"][:, 0].numpy()


def test_every_carried_allele_has_a_row_for_its_haplotype(frame):
    found = list(zip(frame["pos"], frame["haplotype"], frame["status"], strict=True))
    assert found == [
        (41, 1, "out_of_bounds"),
        (1005, 2, "ok"),
        (1011, 2, "ok"),
        (1031, 1, "ok"),
        (1033, 1, "ok"),
        (1033, 2, "ok"),
        (1601, 2, "ok"),
    ]
    assert frame["variants"].tolist()[1:] == [3, 3, 2, 2, 3, 1]
    assert frame["nearest"].tolist()[1:6] == [6, 6, 2, 2, 22]


def test_the_joint_effect_is_that_of_the_haplotype_itself(case, frame):
    folder, genome, letters, model = case
    for row in frame[frame["status"] == "ok"].itertuples():
        start = row.pos - 1 - 100
        both = haplotypes(folder / "v.vcf", genome, "NA1", "chr1", start, start + 400)
        sequence = both[row.haplotype - 1].sequence[:200]
        reference, haplotype = f(model, [letters[start : start + 200], sequence])
        values = dict(zip(frame.columns, frame.iloc[row.Index], strict=True))
        assert values["CTCF:raw.joint"] == pytest.approx(haplotype - reference, abs=2e-5)
        total = values["CTCF:raw.joint"] - values["CTCF:raw.sum"]
        assert values["CTCF:raw.epistasis"] == pytest.approx(total, abs=1e-6)


def test_single_effects_are_those_of_the_variants_and_context_changes_them(case, frame):
    _, genome, _letters, model = case
    ok = frame[frame["status"] == "ok"].reset_index(drop=True)
    typed = [f"chr1:{p}:{r}>{a}" for p, r, a in zip(ok["pos"], ok["ref"], ok["alt"], strict=True)]
    alone = zoo.score_variants(model, typed, fasta=genome, output="CTCF:raw", anchor="left")
    np.testing.assert_allclose(ok["CTCF:raw.single"], alone["CTCF:raw"], atol=2e-5)
    in_site = ok[ok["pos"].isin([1005, 1011])]
    assert (in_site["CTCF:raw.single"] < -0.5).all()
    assert (np.abs(in_site["CTCF:raw.epistasis"]) > 0.1).all()
    lone = ok[ok["variants"] == 1].iloc[0]
    assert lone["CTCF:raw.epistasis"] == pytest.approx(0, abs=1e-5)
    assert lone["CTCF:raw.in_context"] == pytest.approx(lone["CTCF:raw.single"], abs=1e-5)


def test_an_unphased_heterozygote_is_never_treated_as_phased(case):
    folder, genome, _, model = case
    found = score_haplotypes(model, folder / "v.vcf", fasta=genome, sample="NA2", output="CTCF:raw")
    rows = found.set_index(["pos", "haplotype"])
    assert (rows.loc[1005]["status"] == "unphased").all()
    assert rows.loc[1005].index.tolist() == [0]
    assert rows.loc[1005]["CTCF:raw.joint"].isna().all()
    homozygous = rows.loc[1011]
    assert homozygous["status"].tolist() == ["ok", "ok"]
    assert homozygous["variants"].tolist() == [1, 1]
    assert homozygous["notes"].tolist() == ["1 unphased left at the reference"] * 2


def test_the_command_writes_the_same_rows(case, frame, tmp_path, capsys):
    folder = case[0]
    args = ["score", str(folder / "v.vcf"), "--model", "ctcf-motif-cnn", "--output", "CTCF:raw"]
    args += ["--fasta", str(folder / "g.fa"), "--phased", "--anchor", "left"]
    assert main([*args, "--sample", "NA1", "-o", str(tmp_path / "p.tsv")]) == 0
    comments, rows = read_table(tmp_path / "p.tsv")
    assert [int(r["pos"]) for r in rows] == frame["pos"].tolist()
    assert comments["sample"] == "NA1"
    for effect in EFFECTS:
        found = [float(r[f"CTCF:raw.{effect}"]) for r in rows[1:]]
        np.testing.assert_allclose(found, frame[f"CTCF:raw.{effect}"][1:].astype(float), rtol=1e-5, atol=1e-6)
    assert "7 rows (6 ok, 1 out_of_bounds)" in capsys.readouterr().err
    assert main(args) == 1
    assert "v.vcf has 2 samples: name one, as in --sample NA1" in capsys.readouterr().err
    assert main([*args, "--sample", "NA1", "--fix-swapped"]) == 1
    assert "--phased takes one VCF or BCF, without --background or --fix-swapped" in capsys.readouterr().err
    assert main([*args[:-3], "--sample", "NA1"]) == 1
    assert "give --phased with it" in capsys.readouterr().err
    assert main([*args, "--sample", "NA9"]) == 1
