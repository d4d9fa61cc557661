"""A variant has one number, however it is written and whether or not its phase is known."""

import numpy as np
import pysam
import pysam.bcftools
import pytest
import torch

import zoo
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.effects.variants.haplotype_effects import EFFECTS
from zoo.effects.variants.job import score_haplotypes
from zoo.errors import DataError
from zoo.variants.haplotypes import haplotypes
from zoo.variants.phased_file import read_phased

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=1,length={}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)
APART = 450
"""bp between two variants: more than the windows of both."""
OTHER = dict(zip("ACGT", "CGTA", strict=True))


@pytest.fixture(scope="module")
def model():
    return zoo.load("ctcf-motif-cnn")


def sequence(seed, n):
    """Random letters of which a good part are tandem repeats of 1 to 6 bp, as in real genomes."""
    rng, pieces, size = np.random.default_rng(seed), [], 0
    while size < n:
        unit = decode(rng.integers(0, 4, rng.integers(1, 7)).astype(np.uint8))
        pieces += [unit * int(rng.integers(2, 12)), decode(rng.integers(0, 4, 25).astype(np.uint8))]
        size += sum(map(len, pieces[-2:]))
    return "".join(pieces)[:n]


def change(rng, letters, at):
    """(first base, REF, ALT) of a substitution, a longer one, a deletion or an insertion; an allele may be empty."""
    kind, size = rng.integers(0, 4), int(rng.integers(1, 13))
    if kind == 0:
        return at, letters[at], OTHER[letters[at]]
    if kind == 1:
        ref = letters[at : at + 1 + size]
        middle = "".join(rng.choice(list("ACGT"), len(ref) - 2)) if len(ref) > 2 else ""
        return at, ref, OTHER[ref[0]] + middle + OTHER[ref[-1]]
    if kind == 2:
        return at, letters[at : at + size], ""
    return at, "", letters[at - size : at] if rng.random() < 0.7 else "".join(rng.choice(list("ACGT"), size))


def spell(rng, letters, variant):
    """The same change of the sequence written otherwise: shifted within its repeat, padded, in small letters."""
    at, ref, alt = variant
    if not (ref and alt):
        for _ in range(int(rng.integers(0, 60))):
            gap, after = ref or alt, letters[at + len(ref)]
            if gap[0] != after:
                break
            at, gap = at + 1, gap[1:] + after
            ref, alt = (gap, "") if ref else ("", gap)
    left, right = int(rng.integers(0, 6)), int(rng.integers(0, 6))
    left += not (ref and alt)
    before, behind = letters[at - left : at], letters[at + len(ref) : at + len(ref) + right]
    texts = [before + x + behind for x in (ref, alt)]
    return at - left, *(texts if rng.random() < 0.8 else map(str.lower, texts))


def write(path, letters, variants):
    genotypes = ("0|1", "1|0", "1|1", "1|0")
    lines = [f"1\t{p + 1}\t.\t{r}\t{a}\t.\tPASS\t.\tGT\t{genotypes[i % 4]}\n" for i, (p, r, a) in enumerate(variants)]
    path.write_text(HEADER.format(len(letters)) + "".join(lines))
    return path


@pytest.mark.parametrize(
    ("seed", "options"),
    [(0, {}), (1, {}), (2, {"anchor": "right", "shifts": (-3, 0, 2)}), (3, {"strands": "both", "share": 60})],
)
def test_plain_and_phased_give_one_number_for_every_spelling(tmp_path, model, seed, options):
    rng, n = np.random.default_rng(seed), 28
    letters = sequence(seed, APART * (n + 2))
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    genome = Genome(tmp_path / "g.fa")
    variants = [change(rng, letters, APART * (i + 1) + int(rng.integers(0, 40))) for i in range(n)]
    expected = None
    for number in range(4):
        vcf = write(tmp_path / f"{number}.vcf", letters, [spell(rng, letters, v) for v in variants])
        plain = zoo.score_variants(model, vcf, fasta=genome, output="CTCF:raw", **options)
        phased = score_haplotypes(model, vcf, fasta=genome, sample="NA1", output="CTCF:raw", **options)
        assert set(plain["status"]) == set(phased["status"]) == {"ok"}
        assert len(phased) == n + n // 4
        assert set(phased["variants"]) == {1}
        for column in [c for c in plain.columns if c.startswith("CTCF:raw")]:
            scores = plain[column].to_numpy()
            expected = {} if expected is None else expected
            np.testing.assert_allclose(scores, expected.setdefault(column, scores), rtol=0, atol=2e-5)
            by_place = dict(zip(plain["pos"], scores, strict=True))
            each = [by_place[p] for p in phased["pos"]]
            for effect in EFFECTS[:-1]:
                np.testing.assert_allclose(phased[f"{column}.{effect}"], each, rtol=0, atol=2e-5, err_msg=effect)
            assert np.abs(phased[f"{column}.epistasis"]).max() < 1e-6


def test_a_replacement_split_into_substitutions_has_its_joint_effect(tmp_path, model):
    letters = sequence(9, 4000)
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    places = range(500, 3500, APART)
    joined = [(p, letters[p : p + 3], OTHER[letters[p]] + letters[p + 1] + OTHER[letters[p + 2]]) for p in places]
    split = [(q, letters[q], OTHER[letters[q]]) for p in places for q in (p, p + 2)]
    whole = zoo.score_variants(
        model, write(tmp_path / "j.vcf", letters, joined), fasta=tmp_path / "g.fa", output="CTCF:raw"
    )
    text = write(tmp_path / "s.vcf", letters, split).read_text().replace("1|0", "0|1").replace("1|1", "0|1")
    (tmp_path / "s.vcf").write_text(text)
    parts = score_haplotypes(model, tmp_path / "s.vcf", fasta=tmp_path / "g.fa", sample="NA1", output="CTCF:raw")
    assert parts["variants"].tolist() == [2] * len(split)
    np.testing.assert_allclose(parts["CTCF:raw.joint"][::2], whole["CTCF:raw"], rtol=0, atol=2e-5)


def haplotype(tmp_path, model, rows, letters, genome="g.fa", **options):
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    lines = [f"1\t{p + 1}\t.\t{r}\t{a}\t.\tPASS\t.\t{k}\t{g}\n" for p, r, a, k, g in rows]
    (tmp_path / "v.vcf").write_text(HEADER.format(len(letters)) + "".join(lines))
    how = {"fasta": tmp_path / genome, "output": "CTCF:raw"}
    frame = score_haplotypes(model, tmp_path / "v.vcf", sample="NA1", **how, **options)
    return frame, zoo.score_variants(model, tmp_path / "v.vcf", **how, **options)


def snv(letters, at, genotype="0|1", keys="GT"):
    return at, letters[at], OTHER[letters[at]], keys, genotype


def test_of_two_equal_records_the_first_is_carried(tmp_path, model):
    letters = sequence(5, 3000)
    frame, plain = haplotype(tmp_path, model, [snv(letters, 1000), snv(letters, 1000), snv(letters, 1010)], letters)
    assert frame["status"].tolist() == ["ok", "overlap", "ok"]
    assert frame["variants"].tolist()[::2] == [2, 2]
    np.testing.assert_allclose(frame["CTCF:raw.single"][[0, 2]], plain["CTCF:raw"][[0, 2]], atol=2e-5)


def test_other_letters_have_no_score_with_or_without_phase(tmp_path, model):
    letters = sequence(6, 3000)
    rows = [(1000, letters[1000], "R", "GT", "0|1"), snv(letters, 1040), (1060, letters[1060], "<DEL>", "GT", "1|1")]
    frame, plain = haplotype(tmp_path, model, rows, letters)
    assert plain["status"].tolist() == ["non_acgt", "ok", "symbolic"]
    assert frame["status"].tolist() == ["non_acgt", "ok", "symbolic", "symbolic"]
    assert frame["notes"][1] == "contig_aliased;1 non_acgt left at the reference"
    assert frame["variants"][1] == 1


def test_a_wrong_reference_is_a_row_and_no_end(tmp_path, model):
    letters = sequence(7, 3000)
    wrong = 1000, OTHER[letters[1000]], OTHER[OTHER[letters[1000]]], "GT", "0|1"
    frame, plain = haplotype(tmp_path, model, [wrong, snv(letters, 1030)], letters)
    assert frame["status"].tolist() == plain["status"].tolist() == ["ref_mismatch", "ok"]
    np.testing.assert_allclose(frame["CTCF:raw.in_context"][1], plain["CTCF:raw"][1], atol=2e-5)


def test_regions_choose_rows_by_their_reference_and_never_neighbours(tmp_path, model):
    letters = sequence(8, 3000)
    deletion = 1100, letters[1100:1111], letters[1100], "GT", "0|1"
    rows = [snv(letters, 1006), snv(letters, 1050), deletion]
    (tmp_path / "o.bed").write_text("chr1\t1000\t1008\nchr1\t1005\t1010\nchr1\t1109\t1200\n")
    frame, plain = haplotype(tmp_path, model, rows, letters, regions=tmp_path / "o.bed")
    assert frame["pos"].tolist() == plain["pos"].tolist() == [1007, 1101]
    assert frame["chrom"].tolist() == ["1", "1"]
    assert frame["variants"].tolist() == [3, 3]
    typed = haplotype(tmp_path, model, rows, letters, regions=[("chr1", 1000, 1008)])[0]
    assert typed["pos"].tolist() == [1007]


@pytest.mark.parametrize("kind", ["tbi", "csi", "bcf"])
def test_regions_are_read_by_an_index_with_the_same_rows(tmp_path, kind, monkeypatch):
    rng, letters = np.random.default_rng(12), sequence(12, 9000)
    genotypes = ("0|1", "1|0", "1|1", "0/1", "1", ".|1", "0|0", "./.")
    spelled = sorted(spell(rng, letters, change(rng, letters, p)) for p in range(400, 8600, 20))
    spelled.append((8800, letters[8800:8900], letters[8800]))
    lines = [f"1\t{p + 1}\t.\t{r}\t{a}\t.\tPASS\t.\tGT\t{rng.choice(genotypes)}\n" for p, r, a in spelled]
    plain = tmp_path / "v.vcf"
    plain.write_text(HEADER.format(len(letters)) + "".join(lines))
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    path = tmp_path / ("v.bcf" if kind == "bcf" else "v.vcf.gz")
    if kind == "bcf":
        pysam.bcftools.view("-Ob", "-o", str(path), str(plain), catch_stdout=False)
        pysam.bcftools.index(str(path))
    else:
        pysam.tabix_compress(str(plain), str(path))
        pysam.tabix_index(str(path), preset="vcf", csi=kind == "csi", keep_original=True)
    monkeypatch.setattr("zoo.variants.phased_file.LONGEST_REPEAT", 600)
    genome = Genome(tmp_path / "g.fa")
    regions = [("chr1", 4000, 4100), ("chr1", 4500, 4550), ("chr1", 8850, 8860), ("chr1", 1000, 1010)]
    whole, indexed = (read_phased(x, genome, "NA1", 200, regions=regions) for x in (plain, path))
    assert 0 < len(list(indexed._near_regions(9, 10))) < 0.7 * len(lines)
    parts = [list(file) for file in (whole, indexed)]
    assert sum(len(part.shown) for part in parts[0]) > 8
    for one, other in zip(*([part.shown for part in file] for file in parts), strict=True):
        for name in ("chrom", "pos", "ref", "alt", "norm_pos", "status", "notes", "haplotype", "phase"):
            assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize("labels", [("7", "9"), ("PATMAT", "1_1008_A_C")])
def test_a_phase_set_is_a_label(tmp_path, model, labels):
    letters, (one, other) = sequence(10, 3000), labels
    rows = [snv(letters, p, f"0|1:{x}", "GT:PS") for p, x in ((1000, one), (1010, one), (1020, other))]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    assert frame["status"].tolist() == ["ok", "ok", "phase_set"]
    assert frame["variants"].tolist()[:2] == [2, 2]
    assert frame["haplotype"].tolist() == [2, 2, 0]
    assert frame["notes"][0] == "contig_aliased;1 unphased left at the reference"


def test_haploid_calls_between_diploid_ones_have_no_known_phase(tmp_path, model):
    letters = sequence(11, 4000)
    rows = [snv(letters, p, g) for p, g in ((500, "0|1"), (560, "1"), (1500, "1"), (1520, "1"), (3000, "0|0"))]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    assert frame["status"].tolist() == ["ok", "unphased", "ok", "ok"]
    assert frame["variants"].tolist()[2:] == [2, 2]


def test_a_genotype_that_cannot_be_read_is_a_row(tmp_path, model):
    letters = sequence(12, 3000)
    rows = [snv(letters, p, g) for p, g in ((1000, "0|2"), (1010, "0|1|1"), (1020, "x"), (1030, "0|1"))]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    assert frame["status"].tolist() == ["malformed"] * 3 + ["ok"]
    assert "has an allele that ALT does not list" in frame["notes"][0]


def test_a_bcf_is_the_same_and_records_must_be_sorted(tmp_path, model):
    import pysam

    letters = sequence(17, 3000)
    rows = [snv(letters, p, g) for p, g in ((1000, "0|1"), (1020, "1|1"), (1040, "./."))]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    with pysam.VariantFile(str(tmp_path / "v.vcf")) as source:
        with pysam.VariantFile(str(tmp_path / "v.bcf"), "wb", header=source.header) as file:
            for record in source:
                file.write(record)
    how = {"fasta": tmp_path / "g.fa", "sample": "NA1", "output": "CTCF:raw"}
    again = score_haplotypes(model, tmp_path / "v.bcf", **how)
    assert list(again.columns) == list(frame.columns)
    for column in frame:
        np.testing.assert_array_equal(again[column].to_numpy(), frame[column].to_numpy(), err_msg=column)
    assert frame["notes"].tolist() == ["contig_aliased;1 missing read as reference"] * 3
    lines = (tmp_path / "v.vcf").read_text().splitlines(keepends=True)
    (tmp_path / "u.vcf").write_text("".join([*lines[:-3], *lines[:-4:-1]]))
    with pytest.raises(DataError, match="comes after a greater position: sort it"):
        score_haplotypes(model, tmp_path / "u.vcf", **how)


def test_a_deletion_of_half_a_window_has_a_score(tmp_path, model):
    letters = sequence(13, 3000)
    rows = [(1000, letters[1000:1131], letters[1000], "GT", "0|1"), snv(letters, 2000)]
    frame, plain = haplotype(tmp_path, model, rows, letters)
    assert plain["status"].tolist() == ["ok", "ok"]
    np.testing.assert_allclose(frame["CTCF:raw.joint"], plain["CTCF:raw"], atol=2e-5)


def test_an_indel_that_is_written_a_window_to_the_right_has_the_score_of_its_normal_spelling(tmp_path, model):
    letters = sequence(21, 900) + "G" + "CA" * 150 + "T" + sequence(22, 900)
    at = 901 + 290
    frame, plain = haplotype(tmp_path, model, [(at, letters[at : at + 3], letters[at], "GT", "0|1")], letters)
    assert frame["status"].tolist() == ["ok"]
    assert frame["norm_pos"].tolist() == plain["norm_pos"].tolist() == [901]
    np.testing.assert_allclose(frame["CTCF:raw.joint"], plain["CTCF:raw"], atol=2e-5)


def test_an_indel_is_put_where_it_was_written_if_another_variant_lies_in_its_repeat(tmp_path, model):
    letters = sequence(14, 900) + "GATTC" + "CA" * 10 + "GGTCA" + sequence(15, 900)
    first = 905
    rows = [(first + 4, "C", "T", "GT", "0|1"), (first + 13, "ACA", "A", "GT", "0|1")]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    assert frame["status"].tolist() == ["ok", "ok"]
    assert frame["variants"].tolist() == [2, 2]
    start = first + 4 - 100
    both = haplotypes(tmp_path / "v.vcf", tmp_path / "g.fa", "NA1", "chr1", start, start + 300)[1].sequence
    with torch.no_grad():
        codes = torch.from_numpy(np.stack([encode(x) for x in (letters[start : start + 200], both[:200])]))
        reference, alternate = model({"codes": codes})["binding"][:, 0].tolist()
    left, _ = haplotype(tmp_path, model, rows, letters, anchor="left")
    assert left["CTCF:raw.joint"][0] == pytest.approx(alternate - reference, abs=2e-5)


def test_resumed_haplotypes_are_those_of_one_run(tmp_path, model, monkeypatch):
    from zoo.effects.variants.haplotype_effects import HaplotypeScorer
    from zoo.effects.variants.job import ScoreJob
    from zoo.effects.variants.resume import Parts
    from zoo.files.tables import read_table

    letters = sequence(16, 6000)
    rows = [snv(letters, p, "0|1" if p % 40 else "1|1") for p in range(300, 5500, 20)]
    frame, _ = haplotype(tmp_path, model, rows, letters)
    genome = Genome(tmp_path / "g.fa")

    def job():
        scorer = HaplotypeScorer(model, genome, output="CTCF:raw")
        made = ScoreJob(tmp_path / "v.vcf", genome, scorer, sample="NA1")
        made.variants.chunk = 400
        return made

    write = Parts.write

    def stop(parts, chunk):
        write(parts, chunk)
        raise KeyboardInterrupt

    monkeypatch.setattr(Parts, "write", stop)
    with pytest.raises(KeyboardInterrupt):
        job().to(tmp_path / "s.tsv")
    monkeypatch.undo()
    notes = []
    counts = job().to(tmp_path / "s.tsv", resume=True, tell=notes.append)
    assert "going on behind record" in notes[-1]
    assert counts["ok"] == len(frame)
    table = read_table(tmp_path / "s.tsv")[1]
    assert [(r["pos"], r["haplotype"]) for r in table] == [
        (str(p), str(h)) for p, h in zip(frame["pos"], frame["haplotype"], strict=True)
    ]
    np.testing.assert_allclose([float(r["CTCF:raw.joint"]) for r in table], frame["CTCF:raw.joint"], atol=2e-5)
    seen, rate, timed = job().estimate()
    assert seen["ok"] == len(frame)
    assert rate > 0 < timed <= 128
