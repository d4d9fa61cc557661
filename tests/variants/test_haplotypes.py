"""Haplotypes: what a chromosome copy has in a window, by hand, by hypothesis and by `bcftools consensus`."""

from __future__ import annotations

import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.variants.genotypes import read_genotypes
from zoo.variants.haplotypes import haplotypes, windows

REFERENCE = "ACGTACGTACGTACGTACGT"


def fasta(folder, sequence=REFERENCE):
    path = folder / "g.fa"
    path.write_text(">c\n" + "".join(sequence[i : i + 60] + "\n" for i in range(0, len(sequence), 60)))
    return path


def vcf(folder, rows, samples=("s",), contig="c"):
    """rows: (position from 1, REF, ALT, GT of every sample), with FORMAT GT:PS where a genotype has a colon."""
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID={contig},length=64444167>"]
    lines += ['##FORMAT=<ID=GT,Number=1,Type=String,Description="g">']
    lines += ['##FORMAT=<ID=PS,Number=1,Type=Integer,Description="p">']
    lines += ["\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples])]
    for position, ref, alt, *calls in rows:
        keys = "GT:PS" if any(":" in c for c in calls) else "GT"
        lines.append("\t".join([contig, str(position), ".", ref, alt, ".", ".", ".", keys, *calls]))
    path = folder / "v.vcf"
    path.write_text("\n".join(lines) + "\n")
    return path


def index(path):
    packed = path.with_name(path.name + ".gz")
    pysam.tabix_compress(str(path), str(packed), force=True)
    pysam.tabix_index(str(packed), preset="vcf", force=True)
    return packed


def both(folder, rows, start=0, end=20, **options):
    return haplotypes(vcf(folder, rows), fasta(folder), "s", "c", start, end, **options)


def test_each_haplotype_has_its_variants_and_every_base_its_reference_position(tmp_path):
    rows = [(2, "C", "T", "1|0"), (5, "A", "AGG", "0|1"), (8, "TAC", "T", "1|1"), (13, "ACG", "TT", "0|1")]
    one, two = haplotypes(vcf(tmp_path, rows), fasta(tmp_path), "s", "c", 0, 20)
    assert one.sequence == "ATGTACGTGTACGTACGT"
    assert one.reference_positions.tolist() == [*range(8), *range(10, 20)]
    assert two.sequence == "ACGTAGGCGTGTTTTACGT"
    assert two.reference_positions.tolist() == [0, 1, 2, 3, 4, -1, -1, 5, 6, 7, 10, 11, 12, 13, 15, 16, 17, 18, 19]
    assert two.reference_positions.dtype == np.int64
    assert two.codes.dtype == np.uint8
    assert [(v.index, v.position, v.reference, v.alternate) for v in one.variants] == [
        (0, 1, "C", "T"),
        (2, 7, "TAC", "T"),
    ]
    assert [v.index for v in two.variants] == [1, 2, 3]
    assert (one.number, two.number, one.contig, one.start, one.end) == (1, 2, "c", 0, 20)
    assert one.skipped == one.unphased == ()


def test_a_replaced_stretch_maps_its_first_bases_and_the_others_nowhere(tmp_path):
    one, _ = both(tmp_path, [(5, "ACG", "TTTTT", "1|0"), (13, "ACGT", "G", "1|0")])
    assert one.sequence == "ACGTTTTTTTACGTGACGT"
    assert one.reference_positions.tolist() == [0, 1, 2, 3, 4, 5, 6, -1, -1, 7, 8, 9, 10, 11, 12, 16, 17, 18, 19]


def test_alleles_of_one_record_are_trimmed_on_their_own(tmp_path):
    one, two = both(tmp_path, [(5, "ACGT", "ACT,ACGAT", "1|2")])
    assert (one.sequence, two.sequence) == ("ACGTACTACGTACGTACGT", "ACGTACGATACGTACGTACGT")
    assert one.reference_positions.tolist() == [*range(6), *range(7, 20)]
    assert two.reference_positions.tolist() == [*range(7), -1, *range(7, 20)]


# What `bcftools consensus -H 1` (1.16) makes of the same records.
OVERLAPS = {
    "an SNV, then a deletion anchored on it": ([(5, "A", "G"), (5, "ACG", "A")], "ACGTGTACGTACGTACGT", 0),
    "an SNV, then an insertion anchored on it": ([(5, "A", "G"), (5, "A", "ATTT")], "ACGTGTTTCGTACGTACGTACGT", 0),
    "an insertion, then an SNV of its anchor": ([(5, "A", "ATTT"), (5, "A", "G")], "ACGTATTTCGTACGTACGTACGT", 1),
    "a deletion, then an SNV of its anchor": ([(5, "ACG", "A"), (5, "A", "G")], "ACGTATACGTACGTACGT", 1),
    "a deletion, then an SNV within": ([(5, "ACG", "A"), (6, "C", "T")], "ACGTATACGTACGTACGT", 1),
    "a deletion, then an SNV of its last base": ([(5, "ACG", "A"), (7, "G", "T")], "ACGTATACGTACGTACGT", 1),
    "a deletion, then an insertion on its last base": ([(5, "ACG", "A"), (7, "G", "GTT")], "ACGTATTTACGTACGTACGT", 0),
    "a deletion, then a deletion on its last base": ([(5, "ACG", "A"), (7, "GTA", "G")], "ACGTACGTACGTACGT", 0),
    "a deletion, then an insertion within": ([(5, "ACG", "A"), (6, "C", "CTT")], "ACGTATACGTACGTACGT", 1),
    "two insertions at one position": ([(5, "A", "AT"), (5, "A", "AG")], "ACGTATCGTACGTACGTACGT", 1),
    "an insertion, then a deletion at its position": ([(5, "A", "AT"), (5, "AC", "A")], "ACGTATCGTACGTACGTACGT", 1),
    "a skipped SNV does not stand in the way": (
        [(5, "ACG", "A"), (7, "G", "T"), (8, "T", "C")],
        "ACGTACACGTACGTACGT",
        1,
    ),
    "an MNV, then an indel that changes its first base": ([(5, "AC", "GT"), (6, "C", "TC")], "ACGTGTGTACGTACGTACGT", 1),
}


@pytest.mark.parametrize("case", OVERLAPS)
def test_overlapping_records_are_resolved_as_bcftools_does(tmp_path, case):
    records, expected, skipped = OVERLAPS[case]
    one, two = both(tmp_path, [(*r, "1|0") for r in records])
    assert one.sequence == expected
    assert [v.rule for v in one.skipped] == ["overlap"] * skipped
    assert (two.sequence, two.skipped) == (REFERENCE, ())
    if shutil.which("bcftools"):
        assert consensus(index(tmp_path / "v.vcf"), tmp_path / "g.fa", "s", 1) == (expected, skipped)


def test_symbolic_and_star_alleles_are_listed_and_not_applied(tmp_path):
    one, two = both(tmp_path, [(5, "A", "<DEL>,*,G", "1|2"), (9, "A", "*,G", "2|1"), (11, "G", "<DUP>", "0/1")])
    assert [(v.alternate, v.rule) for v in one.skipped] == [("<DEL>", "symbolic")]
    assert [v.alternate for v in two.skipped] == ["*", "*", "<DUP>"]
    assert (one.sequence, two.sequence) == (REFERENCE[:8] + "G" + REFERENCE[9:], REFERENCE)


def test_a_variant_across_the_rim_gives_the_window_its_own_bases(tmp_path):
    rows = [(4, "TACG", "T", "1|0"), (9, "AC", "GG", "1|0"), (12, "T", "TTT", "1|0"), (15, "GTAC", "G", "1|0")]
    whole, _ = both(tmp_path, rows)
    assert whole.sequence == "ACGTTGGGTTTACGGT"
    for start, end, expected in [
        (5, 9, "TG"),
        (9, 12, "GGTTT"),
        (12, 15, "ACG"),
        (15, 20, "GT"),
        (5, 6, ""),
        (9, 9, ""),
    ]:
        assert both(tmp_path, rows, start, end)[0].sequence == expected, (start, end)
    deleted = both(tmp_path, rows, 5, 6)[0]
    assert [v.position for v in deleted.variants] == [3]
    assert [v.position for v in both(tmp_path, rows, 0, 4)[0].variants] == []


def test_an_insertion_before_the_first_base_belongs_to_the_window_of_its_position(tmp_path):
    assert both(tmp_path, [(5, "A", "GGA", "1|0")], 4, 8)[0].sequence == "GGACGT"
    assert both(tmp_path, [(5, "A", "GGA", "1|0")], 0, 4)[0].sequence == "ACGT"


def test_unphased_heterozygotes_are_refused_by_name_or_left_at_the_reference(tmp_path):
    rows = [(3, "G", "A", "0|1"), (6, "C", "T", "1/0"), (9, "A", "G", "1/1"), (12, "T", "A,C", "1/2")]
    with pytest.raises(DataError, match=r"c:6 C>T of sample 's' is not phased: phase .* unphased=\"flag\""):
        both(tmp_path, rows)
    one, two = both(tmp_path, rows, unphased="flag")
    assert (one.sequence, two.sequence) == ("ACGTACGTGCGTACGTACGT", "ACATACGTGCGTACGTACGT")
    assert [(v.position, v.alternate, v.rule) for v in one.unphased] == [
        (5, "T", "unphased"),
        (11, "A", "unphased"),
        (11, "C", "unphased"),
    ]
    assert one.unphased == two.unphased
    assert [v.position for v in both(tmp_path, rows, 0, 5)[1].variants] == [2]
    with pytest.raises(ConfigError, match="choose from refuse, flag"):
        both(tmp_path, rows, unphased="ignore")


def test_phase_sets_are_not_phased_with_each_other(tmp_path):
    rows = [(2, "C", "T", "1|0:7"), (6, "C", "T", "1|0:9"), (9, "A", "G", "0|1:9"), (14, "C", "G", "0|1:.")]
    with pytest.raises(DataError, match=r"c:6 C>T of sample 's' is of another phase set"):
        both(tmp_path, rows[:2])
    assert [h.sequence[5:9] for h in both(tmp_path, rows[1:3])] == ["TGTA", "CGTG"]
    one, two = both(tmp_path, rows, unphased="flag")
    assert [v.position for v in one.variants] == [5]
    assert [v.position for v in two.variants] == [8]
    assert [(v.position, v.rule) for v in one.unphased] == [(1, "phase_set"), (13, "phase_set")]
    assert [v.position for h in both(tmp_path, rows[:2], unphased="flag") for v in h.variants] == [1]


def test_an_unphased_variant_that_is_left_out_stands_in_nobodys_way(tmp_path):
    rows = [(5, "ACG", "A", "0/1"), (6, "C", "T", "1|1")]
    one, two = both(tmp_path, rows, unphased="flag")
    assert one.sequence == two.sequence == "ACGTATGTACGTACGTACGT"


def test_missing_alleles_read_as_reference_and_are_listed(tmp_path):
    one, two = both(tmp_path, [(3, "G", "A", ".|1"), (6, "C", "T", ".|."), (8, "T", "C", ".")])
    assert (one.sequence, two.sequence) == (REFERENCE, "ACATACGTACGTACGTACGT")
    assert one.missing.tolist() == [2, 5, 7]


def test_haploid_calls_give_one_haplotype_and_are_refused_between_diploid_ones(tmp_path):
    rows = [(3, "G", "A", "1"), (6, "C", "T", "0"), (12, "T", "A", "0|1")]
    assert [h.sequence for h in both(tmp_path, rows, 0, 10)] == ["ACATACGTAC"]
    assert [h.sequence for h in both(tmp_path, rows[:2], 4, 5)] == ["A"]
    assert len(both(tmp_path, rows, 11, 20)) == 2
    with pytest.raises(DataError, match="c:3 G>A of sample 's' is a haploid call between diploid ones"):
        both(tmp_path, rows)
    one, two = both(tmp_path, rows, unphased="flag")
    assert [v.position for v in one.unphased] == [2]
    assert two.sequence == "ACGTACGTACGAACGTACGT"
    store, genome = read_genotypes(tmp_path / "v.vcf", "c"), Genome(tmp_path / "g.fa")
    found = windows(store, genome, "s", [0, 12], length=4, unphased="flag")
    assert found.haploid.tolist() == [True, False]
    assert decode(found.codes[0, 1]) == "NNNN"
    assert found.size.tolist() == [[4, 0], [4, 4]]


def test_a_record_whose_reference_is_not_the_genomes_is_left_out_and_listed(tmp_path):
    rows = [(5, "C", "T", "1|0"), (6, "C", "G", "1|0"), (7, "TTA", "T", "0/1"), (9, "ATG", "A", "1|0")]
    one, two = both(tmp_path, [*rows, (19, "GTA", "G", "1|0")])
    assert one.sequence == "ACGTAGGTACGTACGTACGT"
    assert [(v.position, v.rule) for v in one.skipped] == [
        (4, "ref_mismatch"), (8, "ref_mismatch"), (18, "ref_mismatch")
    ]  # fmt: skip
    assert two.sequence == REFERENCE


def test_records_of_another_assembly_are_refused_with_their_figure(tmp_path):
    wrong = [(p, "C" if REFERENCE[p - 1] != "C" else "G", "T", "1|0") for p in range(1, 21)]
    with pytest.raises(GenomeMismatch, match=r"REF of 20 of 20 records on c .*about 15 are expected.* is c:1 C\)"):
        both(tmp_path, wrong)
    right = [(p, REFERENCE[p - 1], "N", "1|0") for p in range(1, 21)]
    mixed = [w if i % 3 == 0 else r for i, (w, r) in enumerate(zip(wrong, right, strict=True))]
    assert [len(h.skipped) for h in both(tmp_path, mixed)] == [7, 0]


def test_letters_beyond_acgtn_are_left_out_and_listed(tmp_path):
    one, _ = both(tmp_path, [(5, "A", "R", "1|0"), (7, "G", "T", "1|0"), (9, "A", "C-", "1|0"), (11, "G", "N", "1|0")])
    assert [(v.alternate, v.rule) for v in one.skipped] == [("R", "non_acgt"), ("C-", "non_acgt")]
    assert one.sequence == "ACGTACTTACNTACGTACGT"


def test_ambiguity_codes_of_the_genome_allow_their_bases(tmp_path):
    rows = [(3, "A", "C"), (6, "T", "G"), (8, "R", "C"), (9, "AG", "A"), (12, "GT", "G"), (15, "R", "C")]
    path = vcf(tmp_path, [(*row, "1|0") for row in rows])
    one, _ = haplotypes(path, fasta(tmp_path, "ACRTARGRARGTACGTACGT"), "s", "c", 0, 20)
    assert one.sequence == "ACCTANGCAGTACGTACGT"
    assert [v.position for v in one.variants] == [2, 7, 8]
    assert [(v.position, v.rule) for v in one.skipped] == [(p, "ref_mismatch") for p in (5, 11, 14)]


def test_an_unknown_contig_and_bad_intervals_are_refused(tmp_path):
    for start, end in [(-1, 5), (0, 21)]:
        with pytest.raises(GenomeMismatch, match="which has 20 bp"):
            both(tmp_path, [], start, end)
    with pytest.raises(DataError, match="swap them"):
        both(tmp_path, [], 5, 4)
    with pytest.raises(GenomeMismatch, match="no contig 'd'"):
        haplotypes(tmp_path / "v.vcf", tmp_path / "g.fa", "s", "d", 0, 5)
    with pytest.raises(DataError, match="no sample 't'"):
        haplotypes(tmp_path / "v.vcf", tmp_path / "g.fa", "t", "c", 0, 5)
    other = read_genotypes(vcf(tmp_path, [], contig="d"), "d")
    with pytest.raises(GenomeMismatch, match="no contig 'd'"):
        haplotypes(other, tmp_path / "g.fa", "s", "c", 0, 5)


def test_genotypes_of_a_region_do_not_answer_for_more(tmp_path):
    packed, genome = index(vcf(tmp_path, [(3, "G", "A", "1|0"), (15, "G", "A", "1|0")])), Genome(fasta(tmp_path))
    part = read_genotypes(packed, "c", start=0, end=10)
    assert haplotypes(part, genome, "s", "c", 0, 10)[0].sequence == "ACATACGTAC"
    with pytest.raises(DataError, match="read for 0-10 alone"):
        haplotypes(part, genome, "s", "c", 0, 20)
    with pytest.raises(DataError, match="read the whole contig"):
        windows(part, genome, "s", [0], length=5)


def simulate(seed, bp=3000, samples="abc"):
    """A reference and records with SNVs, MNVs, indels and complex alleles, many of them overlapping."""
    rng = np.random.default_rng(seed)
    letters = lambda n: "".join(rng.choice(list("ACGT"), n))  # noqa: E731
    reference, rows, p = letters(bp), [], 5
    while p < bp - 30:
        ref = reference[p : p + int(rng.choice([1, 1, 1, 2, 3, 6]))]
        makers = [
            lambda ref: letters(len(ref)),
            lambda ref: ref[0],
            lambda ref: ref + letters(int(rng.integers(1, 5))),
            lambda ref: ref[0] + letters(int(rng.integers(1, 5))) + ref[1:],
            lambda ref: letters(int(rng.integers(1, 6))),
            lambda ref: ref[1:] or letters(1),
        ]
        alts = {makers[rng.integers(0, 6)](ref) for _ in range(rng.integers(1, 4))} - {ref}
        if alts:
            calls = rng.integers(0, len(alts) + 1, (len(samples), 2)) * (rng.random((len(samples), 2)) < 0.8)
            rows.append((p + 1, ref, ",".join(sorted(alts)), *(f"{a}|{b}" for a, b in calls.tolist())))
        p += int(rng.choice([0, 0, 1, 1, 2, 3, 6, 20]))
    return reference, rows


@pytest.mark.parametrize("seed", [0, 1])
def test_windows_tile_the_haplotype_however_it_is_read(tmp_path, seed):
    reference, rows = simulate(seed)
    packed, genome = index(vcf(tmp_path, rows, "abc")), Genome(fasta(tmp_path, reference))
    store = read_genotypes(packed, "c")
    rng = np.random.default_rng(seed)
    cuts = np.unique(np.r_[0, rng.integers(0, len(reference), 200), len(reference)])
    starts, ends = cuts[:-1], cuts[1:]
    for sample in "abc":
        whole = haplotypes(store, genome, sample, "c", 0, len(reference))
        found = windows(store, genome, sample, starts, ends, positions=True)
        for h in range(2):
            pieces = [slice(found.first[2 * i + h], found.first[2 * i + h + 1]) for i in range(len(starts))]
            assert np.array_equal(np.concatenate([found.codes[p] for p in pieces]), whole[h].codes)
            assert np.array_equal(np.concatenate([found.positions[p] for p in pieces]), whole[h].reference_positions)
            assert len(whole[h].skipped) > 50
        for i in rng.integers(0, len(starts), 10):
            region = haplotypes(packed, genome, sample, "c", int(starts[i]), int(ends[i]))
            for h in range(2):
                assert np.array_equal(region[h].codes, found.codes[found.first[2 * i + h] : found.first[2 * i + h + 1]])
                assert len(region[h].skipped) == found.skipped[i, h]


def test_fixed_length_windows_read_on_or_are_cut_and_filled(tmp_path):
    reference, rows = simulate(3)
    store, genome = read_genotypes(vcf(tmp_path, rows, "abc"), "c"), Genome(fasta(tmp_path, reference))
    rng = np.random.default_rng(0)
    starts, names = rng.integers(0, 2990, 300), rng.choice(list("abc"), 300)
    on = windows(store, genome, names, starts, length=100, positions=True)
    out = np.empty((300, 2, 100), np.uint8)
    filled = windows(store, genome, names, starts, np.minimum(starts + 100, 3000), 100, positions=True, out=out)
    assert filled.codes is out
    for i in range(300):
        rest = haplotypes(store, genome, names[i], "c", int(starts[i]), 3000)
        part = haplotypes(store, genome, names[i], "c", int(starts[i]), min(int(starts[i]) + 100, 3000))
        for h in range(2):
            assert decode(on.codes[i, h]) == rest[h].sequence[:100].ljust(100, "N")
            n = on.size[i, h]
            kept = min(100, len(rest[h]))
            assert on.positions[i, h, :kept].tolist() == rest[h].reference_positions[:kept].tolist()
            assert n == 100
            assert decode(filled.codes[i, h]) == part[h].sequence[:100].ljust(100, "N")
            assert filled.size[i, h] == min(100, len(part[h]))
            assert (filled.positions[i, h, filled.size[i, h] :] == -1).all()


def test_many_windows_in_threads_equal_one_by_one(tmp_path):
    reference, rows = simulate(4)
    store, genome = read_genotypes(vcf(tmp_path, rows, "abc"), "c"), Genome(fasta(tmp_path, reference))
    starts, ids = np.tile(np.arange(0, 2000, 20), 20), np.repeat([0, 1, 2, 1], 500)
    many = windows(store, genome, ids, starts, length=900, threads=3)
    few = [windows(store, genome, ids[i : i + 1], starts[i : i + 1], length=900).codes[0] for i in range(len(starts))]
    assert np.array_equal(many.codes, np.stack(few))
    assert len(windows(store, genome, "a", [], length=5).codes) == 0
    with pytest.raises(ConfigError, match="ends or a length"):
        windows(store, genome, "a", [0])
    with pytest.raises(DataError, match="out is"):
        windows(store, genome, "a", [0], length=5, out=np.empty((1, 5), np.uint8))
    with pytest.raises(DataError, match="places below 3"):
        windows(store, genome, [3], [0], length=5)


def test_windows_past_the_contigs_ends_are_n(tmp_path):
    store, genome = read_genotypes(vcf(tmp_path, [(2, "C", "CT", "1|0")]), "c"), Genome(fasta(tmp_path))
    found = windows(store, genome, "s", [-3, 18], length=6, positions=True)
    assert [decode(row) for row in found.codes.reshape(4, 6)] == ["NNNACT", "NNNACG", "GTNNNN", "GTNNNN"]
    assert found.positions[0].tolist() == [[-1, -1, -1, 0, 1, -1], [-1, -1, -1, 0, 1, 2]]
    assert found.positions[1].tolist() == [[18, 19, -1, -1, -1, -1]] * 2


def test_windows_refuse_and_count_what_is_not_phased(tmp_path):
    rows = [(3, "G", "A", "0/1", "0|1"), (9, "A", "G", "0|1", "0|1"), (13, "ACG", "A", "1|0", "0/1")]
    store, genome = read_genotypes(vcf(tmp_path, rows, "st"), "c"), Genome(fasta(tmp_path))
    with pytest.raises(DataError, match="c:3 G>A of sample 's'"):
        windows(store, genome, ["t", "s"], [0, 0], length=8)
    found = windows(store, genome, ["t", "s", "s", "t"], [0, 0, 5, 5], length=8, unphased="flag")
    assert found.unphased.tolist() == [0, 1, 0, 0]
    assert decode(found.codes[1, 1]) == REFERENCE[:8]


@st.composite
def phased_variants(draw):
    """A reference, and non-overlapping records with a genotype: (position, ref, alt, first, second)."""
    reference = draw(st.text("ACGT", min_size=40, max_size=120))
    records, at = [], 0
    while True:
        at += draw(st.integers(0, 12))
        span = draw(st.integers(1, 6))
        if at + span > len(reference):
            return reference, records
        alt = draw(st.text("ACGT", min_size=1, max_size=6))
        if alt != reference[at : at + span]:
            records.append((at, reference[at : at + span], alt, draw(st.booleans()), draw(st.booleans())))
        at += span


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=phased_variants(), data=st.data())
def test_any_non_overlapping_variants_are_applied_as_by_hand(tmp_path, case, data):
    reference, records = case
    rows = [(p + 1, ref, alt, f"{int(a)}|{int(b)}") for p, ref, alt, a, b in records]
    genome = Genome(fasta(tmp_path, reference))
    store = read_genotypes(vcf(tmp_path, rows), "c")
    found = haplotypes(store, genome, "s", "c", 0, len(reference))
    start = data.draw(st.integers(0, len(reference)))
    end = data.draw(st.integers(start, len(reference)))
    parts = haplotypes(store, genome, "s", "c", start, end)
    for h, haplotype in enumerate(found):
        by_hand, at = [], 0
        for position, ref, alt, *calls in records:
            if calls[h]:
                by_hand += [reference[at:position], alt]
                at = position + len(ref)
        assert haplotype.sequence == "".join([*by_hand, reference[at:]])
        assert [v.position for v in haplotype.variants] == [r[0] for r in records if r[3 + h]]
        where = haplotype.reference_positions
        mapped = where[where >= 0]
        assert (np.diff(mapped) > 0).all()
        changed = np.concatenate([np.arange(p, p + len(ref)) for p, ref, _, *c in records if c[h]] or [[]])
        kept = (where >= 0) & ~np.isin(where, changed)
        assert np.array_equal(haplotype.codes[kept], encode(reference)[where[kept]])
        assert set(range(len(reference))) - set(changed.astype(int).tolist()) <= set(mapped.tolist())
        inside = parts[h].reference_positions[parts[h].reference_positions >= 0]
        assert inside.tolist() == mapped[(mapped >= start) & (mapped < end)].tolist()
        assert parts[h].sequence in haplotype.sequence


def consensus(vcf, fasta, sample, haplotype):
    """Sequence of `bcftools consensus` and how many records it said to skip."""
    command = ["bcftools", "consensus", "-H", str(haplotype), "-s", sample, "-f", str(fasta), str(vcf)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return "".join(run.stdout.split("\n")[1:]), run.stderr.count("overlaps with another variant, skipping")


needs_bcftools = pytest.mark.skipif(not shutil.which("bcftools"), reason="Debian's bcftools is the oracle: install it")


@needs_bcftools
@pytest.mark.parametrize("seed", range(4))
def test_simulated_haplotypes_equal_bcftools_consensus(tmp_path, seed):
    reference, rows = simulate(seed)
    packed, genome = index(vcf(tmp_path, rows, "abc")), fasta(tmp_path, reference)
    for sample in "abc":
        for h, haplotype in enumerate(haplotypes(packed, genome, sample, "c", 0, len(reference))):
            assert (haplotype.sequence, len(haplotype.skipped)) == consensus(packed, genome, sample, h + 1)


def real(*names):
    folder = Path(os.environ.get("ZOO_DATA", ""))
    paths = [folder / name for name in names]
    if not os.environ.get("ZOO_DATA") or not all(p.exists() for p in paths):
        pytest.skip(f"ZOO_DATA names no folder with {' and '.join(names)}")
    return paths


def chain_blocks(path):
    """[(reference start, consensus start, length)] of the ungapped blocks of a chain file."""
    lines = path.read_text().split("\n")
    reference, query = int(lines[0].split()[5]), int(lines[0].split()[10])
    blocks = []
    for line in filter(None, lines[1:]):
        size, *gaps = map(int, line.split())
        blocks.append((reference, query, size))
        if gaps:
            reference, query = reference + size + gaps[0], query + size + gaps[1]
    return blocks


@pytest.mark.data
@pytest.mark.slow
@needs_bcftools
def test_real_haplotypes_equal_bcftools_consensus(tmp_path):
    source, genome_file = real("haplotypes/1000G_300samples_chr20_1-4Mb_phased.vcf.gz", "hg19/chr20.fa.gz")
    shutil.copyfile(source, tmp_path / "v.vcf.gz")
    pysam.tabix_index(str(tmp_path / "v.vcf.gz"), preset="vcf", force=True)
    genome, first, last, length = Genome(genome_file), 1_000_000, 4_000_000, 2_114
    (tmp_path / "g.fa").write_text(f">20:{first + 1}-{last}\n{decode(genome.fetch('20', first, last))}\n")
    store = read_genotypes(tmp_path / "v.vcf.gz", "chr20")
    rng = np.random.default_rng(0)
    starts = rng.integers(first, last - length, 2_000)
    rims = compared = 0
    for name in rng.choice(store.samples, 10, replace=False).tolist():
        found = windows(store, genome, name, starts, starts + length)
        whole = haplotypes(store, genome, name, "20", first, last)
        for h in range(2):
            chain = tmp_path / "chain"
            command = ["bcftools", "consensus", "-H", str(h + 1), "-s", name, "-f", str(tmp_path / "g.fa")]
            command += ["-c", str(chain), str(tmp_path / "v.vcf.gz")]
            oracle = "".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")[1:])
            assert whole[h].sequence == oracle
            blocks = np.array(chain_blocks(chain))
            for i, start in enumerate(starts.tolist()):
                row = decode(found.codes[found.first[2 * i + h] : found.first[2 * i + h + 1]])
                at = [np.searchsorted(blocks[:, 0], p, side="right") - 1 for p in (start, start + length)]
                offset = [p - blocks[k, 0] for k, p in zip(at, (start, start + length), strict=True)]
                # On a block's first base or behind its last lies an indel: the rim is ours to decide.
                if any(not 0 < o < blocks[k, 2] for k, o in zip(at, offset, strict=True)):
                    rims += 1
                    assert row in oracle
                    continue
                a, b = (int(blocks[k, 1] + o) - first for k, o in zip(at, offset, strict=True))
                assert row == oracle[a:b]
                compared += 1
    assert compared + rims == 40_000
    assert rims < 400
    print(f"{compared:,} windows equal bcftools, {rims} have an indel at their rim")


@pytest.mark.data
def test_real_unphased_genotypes_are_refused(tmp_path, monkeypatch):
    source, genome_file = real("haplotypes/1000G_chr20_unphased.vcf.gz", "hg19/chr20.fa.gz")
    genome = Genome(genome_file)
    with pytest.raises(DataError, match=r"20:1,017,286 A>G of sample 'NA12878' is not phased"):
        haplotypes(source, genome, "NA12878", "chr20", 1_015_000, 1_020_000)
    with pytest.raises(DataError, match="of sample 'NA12878' is of another phase set"):
        haplotypes(source, genome, "NA12878", "chr20", 1_000_000, 1_015_000 + 200_000)
    store = read_genotypes(source, "20", "NA12878")
    one, two = haplotypes(store, genome, "NA12878", "20", 1_000_000, 4_000_000, unphased="flag")
    rules = [v.rule for v in one.unphased]
    assert rules.count("unphased") == 570
    assert one.unphased == two.unphased
    assert {v.position for v in one.variants} & {v.position for v in one.unphased} == set()
    phased = haplotypes(source, genome, "NA07000", "chr20", 1_000_000, 2_000_000)
    assert all(len(h.variants) > 100 for h in phased)
    assert all(a.position < b.position for a, b in pairwise(phased[0].variants))
