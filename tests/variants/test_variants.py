"""Every allele is a row with a status; each status is planted, and the REF check tells assemblies apart."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.variants.reference_check import AssemblyCheck
from zoo.variants.variants import STATUSES, Variants, label_alleles

SEQUENCE = "GGTCACACATTTTGCTGACN"


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    path = tmp_path_factory.mktemp("variants") / "g.fa"
    path.write_text(f">chr1\n{SEQUENCE}\n>chrM\nACGTACGT\n")
    return Genome(path)


def label(genome, *rows, why="", **options) -> Variants:
    """Rows of (chrom, pos 0-based, ref, alt)."""
    return label_alleles(
        [(i, i + 1, c, p, f"v{i}", r, a, why) for i, (c, p, r, a) in enumerate(rows)], genome, **options
    )


PLANTED = {
    "SNV": (("chr1", 0, "G", "A"), "ok", ""),
    "MNV": (("chr1", 0, "GG", "AC"), "ok", ""),
    "deletion": (("chr1", 2, "TCA", "T"), "ok", ""),
    "insertion": (("chr1", 2, "T", "TCA"), "ok", ""),
    "complex": (("chr1", 2, "TCA", "GG"), "ok", ""),
    "lower case": (("chr1", 0, "g", "a"), "ok", ""),
    "N of the genome": (("chr1", 18, "CN", "C"), "ok", ""),
    "another name": (("1", 0, "G", "A"), "ok", "contig_aliased"),
    "mitochondrion": (("MT", 0, "A", "C"), "ok", "contig_aliased"),
    "no change": (("chr1", 0, "G", "g"), "ok", "alt_is_ref"),
    "contig": (("chr9", 0, "G", "A"), "contig_unknown", ""),
    "contig and letters": (("chr9", 0, "G", "R"), "contig_unknown", "non_acgt"),
    "before the contig": (("chr1", -1, "G", "A"), "out_of_bounds", ""),
    "after the contig": (("chr1", 20, "G", "A"), "out_of_bounds", ""),
    "REF over the end": (("chr1", 19, "NA", "N"), "out_of_bounds", ""),
    "other REF": (("chr1", 0, "A", "C"), "ref_mismatch", ""),
    "other REF of an alias": (("1", 0, "A", "C"), "ref_mismatch", "contig_aliased"),
    "other REF, symbolic": (("chr1", 0, "A", "<DEL>"), "ref_mismatch", "symbolic"),
    "exchanged": (("chr1", 0, "A", "G"), "ref_alt_swapped", ""),
    "exchanged indel": (("chr1", 2, "TCC", "TCA"), "ref_alt_swapped", ""),
    "no ALT": (("chr1", 0, "G", "."), "no_alt", ""),
    "no ALT, other REF": (("chr1", 0, "A", "."), "ref_mismatch", "no_alt"),
    "deletion by name": (("chr1", 0, "G", "<DEL>"), "symbolic", ""),
    "deletion by name, REF N": (("chr1", 0, "N", "<DEL>"), "symbolic", ""),
    "overlapping deletion": (("chr1", 0, "G", "*"), "symbolic", ""),
    "breakend": (("chr1", 0, "G", "G[chr2:5["), "symbolic", ""),
    "breakend, other side": (("chr1", 0, "G", "]chr2:5]G"), "symbolic", ""),
    "single breakend": (("chr1", 0, "G", ".G"), "symbolic", ""),
    "long REF": (("chr1", 0, SEQUENCE[:9], "G"), "too_long", ""),
    "long ALT": (("chr1", 0, "G", "G" * 9), "too_long", ""),
    "long breakend": (("chr1", 0, "G", "G[chr2:5000000["), "symbolic", ""),
    "letters of ALT": (("chr1", 0, "G", "R"), "non_acgt", ""),
    "letters of REF": (("chr1", 0, "R", "A"), "non_acgt", ""),
    "dash": (("chr1", 0, "G", "-"), "non_acgt", ""),
    "beyond latin letters": (("chr1", 0, "G", "Ä\u0394"), "non_acgt", ""),
}


@pytest.mark.parametrize("case", PLANTED)
def test_each_status_is_told(genome, case):
    row, status, notes = PLANTED[case]
    found = label(genome, ("chr1", 1, "G", "T"), row, max_length=8)
    assert (found.status[1], found.notes[1]) == (status, notes)
    assert (found.status[0], found.notes[0]) == ("ok", "")
    assert (found.chrom[1], found.pos[1], found.ref[1], found.alt[1]) == row
    if status != "ok":
        assert (found.norm_pos[1], found.norm_ref[1], found.norm_alt[1]) == row[1:]


def test_every_status_is_planted(genome):
    malformed = label(genome, ("x", -1, ".", "."), why="line 1 has 2 columns")
    assert (malformed.status[0], malformed.notes[0], malformed.contig[0]) == ("malformed", "line 1 has 2 columns", -1)
    rows = ("chr1", 0, "G", "A"), ("chrM", 0, "A", "C"), ("chrM", 9, "A", "C")
    differs = label(genome, *rows, differing={1})
    assert differs.status.tolist() == ["ok", "contig_differs", "contig_differs"]
    assert differs.notes.tolist() == ["", "", "out_of_bounds"]
    anyway = label(genome, *rows, differing={1}, any_assembly=True)
    assert anyway.status.tolist() == ["ok", "ok", "out_of_bounds"]
    assert anyway.notes.tolist() == ["", "contig_differs", "contig_differs"]
    planted = {status for _, status, _ in PLANTED.values()}
    assert planted | {"malformed", "contig_differs"} == set(STATUSES)


def test_a_record_of_several_alternates_is_several_rows(genome):
    found = label(genome, ("chr1", 0, "G", "A,<DEL>,GT,N"), ("chr1", 1, "G", "C"), ("chrM", 0, "A", "."))
    assert found.record.tolist() == [0, 0, 0, 0, 1, 2]
    assert found.allele.tolist() == [1, 2, 3, 4, 1, 1]
    assert list(found.alt) == ["A", "<DEL>", "GT", "N", "C", "."]
    assert list(found.status) == ["ok", "symbolic", "ok", "ok", "ok", "no_alt"]
    assert list(found.id) == ["v0"] * 4 + ["v1", "v2"]
    assert found.contig.tolist() == [0, 0, 0, 0, 0, 1]
    assert found.ok.sum() == 4


def test_a_deletion_with_a_wrong_reference_is_a_mismatch_and_no_insertion(genome):
    letters = decode(genome.fetch("chr1", 0, 6))
    wrong = letters[:5] + ("A" if letters[5] != "A" else "C")
    for fix_swapped in (False, True):
        found = label(genome, ("chr1", 0, wrong, letters[0]), ("chr1", 0, wrong, letters), fix_swapped=fix_swapped)
        assert found.status.tolist() == ["ref_mismatch", "ok" if fix_swapped else "ref_alt_swapped"]


def test_a_malformed_record_is_one_row_even_with_commas(genome):
    found = label(genome, ("chr1", 0, "G", "A,,T"), why="line 4: CHROM, REF or ALT is empty")
    assert (len(found), found.alt[0], found.status[0]) == (1, "A,,T", "malformed")


def test_spellings_keep_what_was_written_and_share_the_normal_form(genome):
    found = label(
        genome, ("chr1", 16, "G", "A"), ("1", 15, "TG", "TA"), ("chr1", 13, "GCTG", "GCTA"), ("chr1", 16, "g", "a")
    )
    assert set(zip(found.norm_pos, found.norm_ref, found.norm_alt, strict=True)) == {(16, "G", "A")}
    assert list(found.ref) == ["G", "TG", "GCTG", "g"]
    assert found.pos.tolist() == [16, 15, 13, 16]


def test_exchanged_alleles_are_scored_only_when_asked(genome):
    rows = ("chr1", 0, "A", "G"), ("chr1", 4, "CAC", "ACA"), ("chr1", 0, "A", "C"), ("chr1", 2, "TCC", "TCA")
    assert list(label(genome, *rows).status) == ["ref_alt_swapped"] * 2 + ["ref_mismatch", "ref_alt_swapped"]
    found = label(genome, *rows, fix_swapped=True)
    assert list(found.status) == ["ok", "ok", "ref_mismatch", "ok"]
    assert list(found.notes) == ["ref_alt_swapped", "ref_alt_swapped", "", "ref_alt_swapped"]
    assert list(found.ref) == ["A", "CAC", "A", "TCC"]
    assert list(found.norm_ref) == ["G", "ACA", "A", "A"]
    assert list(found.norm_alt) == ["A", "CAC", "C", "C"]
    assert found.norm_pos.tolist() == [0, 4, 0, 4]


def test_rows_are_chosen_and_joined(genome):
    found = label(genome, ("chr1", 0, "G", "A"), ("chr1", 0, "A", "C"), ("chr1", 1, "G", "C"))
    assert found.select(found.ok).pos.tolist() == [0, 1]
    joined = Variants.join([found.select(np.array([2])), found])
    assert joined.pos.tolist() == [1, 0, 0, 1]
    assert len(Variants.join([])) == len(label_alleles([], genome)) == 0


def checked(genome, *rows, **options) -> AssemblyCheck:
    check = AssemblyCheck("x.vcf", genome, **options)
    check.add(label(genome, *rows))
    return check


def right(n: int) -> list[tuple]:
    return [("chr1", i % 19, SEQUENCE[i % 19], "T" if SEQUENCE[i % 19] != "T" else "C") for i in range(n)]


def test_two_typos_are_rows_and_a_share_near_that_of_chance_is_another_assembly(genome):
    typo = ("chr1", 0, "A", "C")
    few = checked(genome, *right(25), typo, typo)
    assert (few.mismatched, few.compared, few.by_chance) == (2, 27, 13.5)
    assert few.notes == [
        "of the first 27 alleles 2 (7%) have another REF than the genome, as chr1:1 A (about 14 are expected of "
        "another assembly): they are rows ref_mismatch"
    ]
    assert checked(genome, *right(76), *[typo] * 24).mismatched == 24
    figure = r"x.vcf: of the first 100 alleles 25 \(25%; about 50 are expected .* chr1:1 A\).*--any-assembly"
    with pytest.raises(GenomeMismatch, match=figure):
        checked(genome, *right(75), *[typo] * 25)
    assert checked(genome, *right(75), *[typo] * 25, any_assembly=True).mismatched == 25
    assert checked(genome, *right(75), *[typo] * 25, first=80).compared == 80
    assert checked(genome, *[typo] * 19).mismatched == 19
    with pytest.raises(GenomeMismatch, match="of the first 20 alleles 20"):
        checked(genome, *[typo] * 20)


@pytest.mark.parametrize("seed", range(20))
def test_random_variants_are_told_as_of_another_assembly_from_twenty_on(tmp_path, seed):
    """The chance that 20 substitutions of another assembly pass is about 0.6 %; of 60 it is below 1e-5."""
    rng = np.random.default_rng(seed)
    letters = decode(rng.integers(0, 4, 1000).astype(np.uint8))
    (tmp_path / "g.fa").write_text(f">chr1\n{letters}\n")
    rows = [("chr1", int(p), *rng.choice(list("ACGT"), 2, replace=False)) for p in rng.integers(0, 1000, 60)]
    with pytest.raises(GenomeMismatch, match="another assembly"):
        checked(Genome(tmp_path / "g.fa"), *rows)


def test_exchanged_or_uncompared_rows_are_no_sign_of_another_assembly(genome):
    exchanged = [("chr1", 0, "A", "G")] * 50
    uncompared = [("chr9", 0, "A", "G"), ("chr1", 0, "N", "<DEL>"), ("chr1", 0, "N", "."), ("chr1", 99, "A", "G")] * 9
    found = checked(genome, *exchanged, *uncompared)
    assert (found.mismatched, found.compared) == (0, 50)
    assert checked(genome, ("chr1", 0, "G", "<DEL>"), ("chr1", 0, "G", ".")).compared == 2


def test_the_check_goes_on_over_chunks(genome):
    check = AssemblyCheck("x.vcf", genome)
    for _ in range(3):
        check.add(label(genome, *[("chr1", 0, "A", "C")] * 6))
    with pytest.raises(GenomeMismatch, match="of the first 24"):
        check.add(label(genome, *[("chr1", 0, "A", "C")] * 6))


@pytest.fixture(scope="module")
def ambiguous(tmp_path_factory) -> Genome:
    path = tmp_path_factory.mktemp("ambiguous") / "g.fa"
    path.write_text(">chr1\nACGTrCGTNNGTyyACG\n>chr2\nAKGT\n")
    return Genome(path)


AMBIGUOUS = {
    "the first base of R": (("chr1", 4, "A", "C"), "ok", "ref_ambiguous"),
    "the other base of R": (("chr1", 4, "g", "C"), "ok", "ref_ambiguous"),
    "no base of R": (("chr1", 4, "T", "C"), "ref_mismatch", ""),
    "R itself": (("chr1", 4, "R", "C"), "ok", "ref_ambiguous"),
    "another letter of the same two bases": (("chr1", 4, "Y", "C"), "non_acgt", ""),
    "R where the genome is sure": (("chr1", 0, "R", "C"), "non_acgt", ""),
    "N for R": (("chr1", 4, "N", "C"), "ok", ""),
    "a deletion of R": (("chr1", 3, "TA", "T"), "ok", "ref_ambiguous"),
    "a deletion of what R is not": (("chr1", 3, "TC", "T"), "ref_mismatch", ""),
    "REF no base of R, ALT N": (("chr1", 4, "T", "N"), "ref_mismatch", ""),
    "an insertion behind R": (("chr1", 4, "A", "ACC"), "ok", "ref_ambiguous"),
    "any base where the genome has N": (("chr1", 8, "A", "C"), "ok", "ref_ambiguous"),
    "R and ALT of R": (("chr1", 4, "A", "R"), "non_acgt", "ref_ambiguous"),
    "two codes": (("chr1", 11, "TCTA", "T"), "ok", "ref_ambiguous"),
    "two codes, one wrong": (("chr1", 11, "TCGA", "T"), "ref_mismatch", ""),
    "another contig": (("chr2", 1, "G", "C"), "ok", "ref_ambiguous"),
    "K is G or T": (("chr2", 1, "A", "C"), "ref_mismatch", ""),
}


@pytest.mark.parametrize("case", AMBIGUOUS)
@pytest.mark.parametrize("fix_swapped", [False, True])
def test_a_base_that_the_ambiguity_code_of_the_genome_allows_is_a_note(ambiguous, case, fix_swapped):
    row, status, notes = AMBIGUOUS[case]
    found = label(ambiguous, row, fix_swapped=fix_swapped)
    assert (found.status[0], found.notes[0]) == (status, notes)


def test_the_genome_keeps_its_ambiguity_codes(ambiguous):
    assert ambiguous.letters(0, 0, 17) == "ACGTRCGTNNGTYYACG"
    assert ambiguous.letters(1, 1, 4) == "KGT"
    assert [ambiguous.ambiguity(i).tolist() for i in (0, 1)] == [[4, 12, 13], [1]]
    assert decode(ambiguous.fetch("chr1", 3, 10)) == "TNCGTNN"
    again = Genome(ambiguous.files)
    assert again.letters(0, 3, 5) == "TR"


def test_variants_need_no_torch(tmp_path):
    """Nor pysam, once samtools has indexed the genome."""
    (tmp_path / "g.fa").write_text(">a\nACGT\n")
    program = (
        "import sys; from zoo.data.genome import Genome; from zoo.variants.files import read_variants\n"
        "assert len(next(iter(read_variants('a:1:A>C', Genome(sys.argv[1]))))) == 1\n"
        "sys.exit(any(m in sys.modules for m in sys.argv[2:]))"
    )
    for modules in (("torch", "pandas"), ("torch", "pandas", "pysam")):
        command = [sys.executable, "-c", program, str(tmp_path / "g.fa"), *modules]
        assert subprocess.run(command).returncode == 0
