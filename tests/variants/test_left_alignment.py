"""One spelling for each change of the sequence: left-aligned, trimmed, the same haplotype, bcftools norm's."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.variants.left_alignment import AlleleCodes, matches_genome, normalize


def write(path: Path, contigs: dict[str, str]) -> Genome:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in contigs.items()))
    return Genome(path)


def normal(genome: Genome, *written: tuple[int, str, str], contig: int = 0) -> list[tuple[int, str, str]]:
    pos, ref, alt = zip(*written, strict=True)
    ids = np.full(len(pos), contig)
    assert matches_genome(genome, ids, np.array(pos), AlleleCodes.of(ref)).all()
    found = normalize(genome, ids, np.array(pos), AlleleCodes.of(ref), AlleleCodes.of(alt))
    return list(zip(found[0].tolist(), found[1].texts(), found[2].texts(), strict=True))


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    #                                                  0123456789
    contigs = {"a": "GGTCACACATTTTGCTGAC", "b": "AAAACT", "n": "NNNNACGT"}
    return write(tmp_path_factory.mktemp("norm") / "g.fa", contigs)


def test_three_spellings_of_one_substitution_are_one(genome):
    assert normal(genome, (16, "G", "A"), (15, "TG", "TA"), (13, "GCTG", "GCTA")) == [(16, "G", "A")] * 3


def test_a_unit_lost_from_a_repeat_is_lost_at_its_left_end(genome):
    spellings = [(2, "TCA", "T"), (3, "CAC", "C"), (5, "CAC", "C"), (5, "CACAT", "CAT"), (3, "CACACA", "CACA")]
    assert normal(genome, *spellings) == [(2, "TCA", "T")] * 5


def test_a_unit_more_is_put_at_the_left_end_of_its_repeat(genome):
    assert normal(genome, (8, "A", "ACA"), (2, "T", "TCA"), (6, "A", "ACA")) == [(2, "T", "TCA")] * 3
    assert normal(genome, (12, "T", "TTTTTTTT")) == [(8, "A", "ATTTTTTT")]


def test_what_is_no_indel_is_trimmed_alone(genome):
    assert normal(genome, (0, "GGTC", "GATC"), (1, "GTC", "GAG"), (2, "TCA", "AG"), (0, "gg", "ga")) == [
        (1, "G", "A"),
        (2, "TC", "AG"),
        (2, "TCA", "AG"),
        (1, "G", "A"),
    ]


def test_at_the_first_base_the_anchor_stands_behind(genome):
    spellings = [(3, "A", "AA"), (0, "A", "AA"), (2, "AA", "A"), (0, "AAAAC", "C"), (0, "A", "GA")]
    assert normal(genome, *spellings, contig=1) == [
        (0, "A", "AA"),
        (0, "A", "AA"),
        (0, "AA", "A"),
        (0, "AAAAC", "C"),
        (0, "A", "GA"),
    ]
    assert normal(genome, (0, "AAAACT", "T"), contig=1) == [(0, "AAAACT", "T")]


def test_equal_alleles_and_a_whole_contig_stay(genome):
    assert normal(genome, (2, "TCA", "TCA"), (0, "GG", "GG")) == [(2, "TCA", "TCA"), (0, "GG", "GG")]
    assert normal(genome, (3, "NA", "N"), (2, "N", "NN"), contig=2) == [(3, "NA", "N"), (0, "N", "NN")]


def test_the_genome_is_compared_within_the_contig_alone(genome):
    pos = np.array([0, 17, 18, -1, 0, 0])
    alleles = AlleleCodes.of(["GGT", "AC", "CA", "GG", "GGN", "ggt"])
    assert matches_genome(genome, np.zeros(6, int), pos, alleles).tolist() == [True, True, False, False, False, True]


def test_several_files_make_one_genome(tmp_path):
    for name, sequence in (("x", "GGCACAT"), ("y", "TTCACAG")):
        (tmp_path / f"{name}.fa").write_text(f">{name}\n{sequence}\n")
    genome = Genome([tmp_path / "x.fa", tmp_path / "y.fa"])
    ids, pos, ref, alt = np.array([1, 0, 1]), np.array([3, 3, 6]), AlleleCodes.of(["ACA", "ACA", "G"]), ["A", "A", "T"]
    assert matches_genome(genome, ids, pos, ref).all()
    found = normalize(genome, ids, pos, ref, AlleleCodes.of(alt))
    assert (found[0].tolist(), found[1].texts()) == ([1, 1, 6], ["TCA", "GCA", "G"])


def applied(sequence: str, variant: tuple[int, str, str]) -> str:
    pos, ref, alt = variant
    assert sequence[pos : pos + len(ref)] == ref
    return sequence[:pos] + alt + sequence[pos + len(ref) :]


@st.composite
def cases(draw):
    """A repetitive contig and an allele that replaces any part of it."""
    unit = draw(st.text("ACGT", min_size=1, max_size=4))
    sequence = draw(st.text("ACGT", max_size=6)) + unit * draw(st.integers(1, 8)) + draw(st.text("ACGTN", max_size=6))
    pos = draw(st.integers(0, len(sequence) - 1))
    ref = sequence[pos : pos + draw(st.integers(1, 9))]
    alt = draw(st.one_of(st.text("ACGT", min_size=1, max_size=6), st.just(ref + unit), st.just(ref[:1])))
    return sequence, (pos, ref, alt)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases())
def test_the_haplotype_stays_and_every_spelling_of_it_gives_the_same(tmp_path, case):
    sequence, written = case
    genome = write(tmp_path / "h.fa", {"c": sequence})
    found = normal(genome, written)[0]
    mutant = applied(sequence, written)
    assert applied(sequence, found) == mutant
    assert normal(genome, found) == [found]
    if mutant == sequence:
        assert found == written
        return
    pos, ref, alt = found
    assert ref[-1] != alt[-1] or pos == 0
    assert ref[0] != alt[0] or min(len(ref), len(alt)) == 1
    # The longest spelling there is: the whole contig; where nothing is left of it VCF has no spelling.
    assert normal(genome, (0, sequence, mutant)) == [found]


def random_indels(rng: np.random.Generator, sequence: str, n: int) -> list[tuple[int, str, str]]:
    """Deletions, copies of what stands there, random insertions and replacements, with superfluous flanks."""
    variants = []
    while len(variants) < n:
        pos = int(rng.integers(0, len(sequence) - 40))
        ref = sequence[pos : pos + int(rng.integers(1, 14))]
        unit = "".join(rng.choice(list("ACGT"), rng.integers(1, 5)))
        kind = rng.integers(4)
        alt = (ref[:1], ref + ref[: len(unit)], ref[:1] + unit + ref[1:], unit)[kind]
        if len(ref) > 4 and rng.random() < 0.3:
            alt = ref[:2] + ref[4:]
        if alt != ref:
            variants.append((pos, ref, alt))
    return variants


def test_thousands_of_indels_in_repeats_are_spelled_as_bcftools_norm_spells_them(tmp_path):
    if shutil.which("bcftools") is None:
        pytest.skip("bcftools is not installed")
    rng = np.random.default_rng(7)
    parts = []
    for _ in range(700):
        parts.append("".join(rng.choice(list("ACGT"), rng.integers(1, 4))) * int(rng.integers(1, 20)))
    contigs = {"a": "".join(parts), "b": "A" * 30 + "CACACACACACAGT" * 20 + "G" * 60}
    genome = write(tmp_path / "g.fa", contigs)
    wanted, rows = {}, []
    for i, (name, sequence) in enumerate(contigs.items()):
        written = random_indels(rng, sequence, 4000 if i == 0 else 1000)
        for written_one, found in zip(written, normal(genome, *written, contig=i), strict=True):
            wanted[f"v{len(rows)}"] = (name, *found)
            rows.append((name, *written_one))
    header = "##fileformat=VCFv4.2\n" + "".join(f"##contig=<ID={c},length={len(s)}>\n" for c, s in contigs.items())
    lines = [f"{c}\t{p + 1}\tv{i}\t{r}\t{a}\t.\t.\t.\n" for i, (c, p, r, a) in enumerate(rows)]
    header += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    (tmp_path / "in.vcf").write_text(header + "".join(lines))
    out = subprocess.run(
        ["bcftools", "norm", "-f", tmp_path / "g.fa", tmp_path / "in.vcf"], capture_output=True, text=True, check=True
    )
    theirs = [line.split("\t")[:5] for line in out.stdout.splitlines() if not line.startswith("#")]
    assert len(theirs) == len(rows) == 5000
    differ = [(t, wanted[t[2]]) for t in theirs if (t[0], int(t[1]) - 1, t[3], t[4]) != wanted[t[2]]]
    assert differ == []
