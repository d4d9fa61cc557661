"""One event, however it is written, is one variant: VCF, table, SPDI, HGVS."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import ConfigError
from zoo.variants.files import read_variants
from zoo.variants.notation import Change, is_notation, parse_variant, written_out
from zoo.variants.variants import Variants

LENGTH = 400


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    """Random letters with repeats, in which an insertion or deletion has many spellings."""
    codes = np.random.default_rng(1).integers(0, 4, LENGTH).astype(np.uint8)
    codes[50:62], codes[100:112] = 0, [1, 2] * 6
    path = tmp_path_factory.mktemp("notation") / "g.fa"
    path.write_text(f">chr1\n{decode(codes)}\n>7\nACGT\n")
    return Genome(path)


def letters(genome: Genome, start: int, end: int) -> str:
    return decode(genome.fetch("chr1", start, end))


def normal(source, genome: Genome) -> list[tuple]:
    """(contig, normal position, REF, ALT, status) of every allele."""
    read = Variants.join(read_variants(source, genome))
    return list(zip(read.contig, read.norm_pos, read.norm_ref, read.norm_alt, read.status, strict=True))


def spellings(genome: Genome, start: int, end: int, new: str) -> dict[str, str]:
    """What replaces bases start to end, 0-based half-open, in every form; that of VCF first."""
    old = letters(genome, start, end)
    if old and new:
        forms = {"vcf": f"chr1:{start + 1}:{old}>{new}", "colons": f"chr1:{start + 1}:{old}:{new}"}
        forms |= {"gnomad": f"1-{start + 1}-{old}-{new}", "underscores": f"chr1_{start + 1}_{old}_{new}"}
        change = f"{old}>{new}" if len(old) == len(new) == 1 else f"delins{new}"
    elif start:
        before = letters(genome, start - 1, start)
        forms = {"vcf": f"chr1:{start}:{before}{old}>{before}{new}", "gnomad": f"1-{start}-{before}{old}-{before}{new}"}
        change = "del" if old else f"ins{new}"
    else:
        behind = letters(genome, end, end + 1)
        forms = {"vcf": f"chr1:1:{old}{behind}>{new}{behind}"}
        change = "del" if old else f"ins{new}"
    span = f"{start + 1}" if end - start == 1 else f"{start + 1}_{end}" if old else f"{start}_{start + 1}"
    if old or start:
        forms |= {"hgvs": f"chr1:g.{span}{change}", "accession": f"NC_000001.11:g.{span}{change}"}
    if change == "del":
        forms["hgvs with letters"] = f"chr1:g.{span}del{old}"
    return forms | {
        "spdi": f"NC_000001.11:{start}:{old}:{new}",
        "spdi with a count": f"NC_000001.11:{start}:{len(old)}:{new}",
    }


EVENTS = [
    (10, 11, "N"), (10, 10, "TT"), (10, 13, ""), (10, 13, "TT"), (55, 57, ""), (55, 55, "A"), (104, 106, ""),
    (106, 106, "CG"), (0, 1, ""), (0, 0, "G"), (0, 2, "T"), (LENGTH - 1, LENGTH, ""), (LENGTH, LENGTH, "C"),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS)
def test_every_spelling_is_the_variant_of_the_vcf(genome, event):
    forms = spellings(genome, *event)
    expected = normal(forms["vcf"], genome)
    assert expected[0][4] == "ok"
    for form, text in forms.items():
        assert is_notation(text), form
        assert normal(text, genome) == expected, (form, text)
    assert normal(list(forms.values()), genome) == expected * len(forms)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, LENGTH - 12), size=st.integers(0, 8), new=st.text("ACGT", max_size=6))
def test_random_events_have_one_normal_spelling(genome, start, size, new):
    if not size and not new:
        return
    forms = spellings(genome, start, start + size, new)
    assert len(set(map(tuple, normal(list(forms.values()), genome)))) == 1, forms


def test_duplications_and_inversions_take_their_letters_from_the_genome(genome):
    piece = letters(genome, 20, 23)
    assert normal("chr1:g.21_23dup", genome) == normal(f"chr1:23:{piece[-1]}>{piece[-1]}{piece}", genome)
    assert normal(f"chr1:g.21_23dup{piece}", genome) == normal("chr1:g.21_23dup", genome)
    assert normal("chr1:g.21dup", genome) == normal(f"chr1:g.21_22ins{piece[0]}", genome)
    turned = piece[::-1].translate(str.maketrans("ACGT", "TGCA"))
    assert normal("chr1:g.21_23inv", genome) == normal(f"chr1:21:{piece}>{turned}", genome)


def test_spdi_counts_from_0_and_contigs_from_1(genome):
    ref = letters(genome, 9, 10)
    other = "A" if ref != "A" else "C"
    assert parse_variant(f"NC_000001.11:9:{ref}:{other}") == Change("NC_000001.11", 9, 10, ref, other)
    assert parse_variant(f"chr1:10:{ref}:{other}") == ("chr1", 9, ref, other)
    assert parse_variant(f"NC_000001.11:10:{ref}>{other}") == ("NC_000001.11", 9, ref, other)
    with pytest.raises(
        ConfigError, match=r"may count from 0, as SPDI does, or from 1: write KI270711.1:9:C>T if from 1"
    ):
        parse_variant("KI270711.1:9:C:T")


def test_letters_that_are_not_the_genomes_are_a_mismatch(genome):
    wrong = "".join("A" if c != "A" else "C" for c in letters(genome, 20, 23))
    for text in (f"chr1:g.21_23del{wrong}", f"NC_000001.11:20:{wrong}:", f"chr1:g.21_23dup{wrong}"):
        assert [row[4] for row in normal(text, genome)] == ["ref_mismatch"], text


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("chr9:g.5del", "contig_unknown"),
        (f"chr1:g.{LENGTH + 1}del", "out_of_bounds"),
        (f"chr1:g.{LENGTH}_{LENGTH + 3}dup", "out_of_bounds"),
        ("NC_000002.12:5:1:", "contig_unknown"),
        ("chr1:g.1_20001del", "too_long"),
    ],
)
def test_what_the_genome_lacks_is_a_row_with_a_status(genome, text, status):
    assert [row[4] for row in normal(text, genome)] in ([status], ["out_of_bounds"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NM_000059.4:c.68_69del", "c. names a place of a transcript or protein: give the genome's"),
        ("NP_000050.3:p.Val600Glu", "p. names a place of a transcript or protein"),
        ("chr1:g.5=", "only substitutions, del, ins, delins, dup and inv"),
        ("chr1:g.5CAG[4]", "only substitutions, del, ins"),
        ("chr1:g.5_9insA", "ins stands between two neighbours"),
        ("chr1:g.5insA", "ins stands between two neighbours"),
        ("chr1:g.5_6ins", "does not say what letters ins puts in"),
        ("chr1:g.9_5del", "the first is not after the last"),
        ("chr1:g.5_7delA", "A has 1 letters, 5_7 are 3 bp"),
        ("chr1:g.0del", "positions count from 1"),
        ("chr1:g.1_2000000del", "spans 2,000,000 bp, at most 1,000,000 are read"),
        ("NC_000001.11:5:9999999999:", "takes 9,999,999,999 bp away"),
        ("NC_000001.11:5::", "takes nothing away and puts nothing in"),
        ("chr1:5:1:T", "has none of the forms"),
        ("chr1-0-A-C", "positions count from 1"),
    ],
)
def test_what_is_not_read_is_said(genome, text, message):
    with pytest.raises(ConfigError, match="does not read contig:position:REF>ALT") as error:
        read_variants([text], genome)
    assert message in str(error.value)


def test_the_text_is_the_id_where_the_row_says_something_else(genome):
    read = Variants.join(read_variants(["chr1:g.21_23del", "chr1:21:N>A"], genome))
    assert list(read.id) == ["chr1:g.21_23del", "."]
    assert (read.pos[0], read.ref[0]) == (19, letters(genome, 19, 23))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("chrNC_01.g:->delinsupACGT*;,= 0123456789", max_size=30))
def test_any_text_is_a_variant_or_an_error_in_words(genome, text):
    try:
        variant = parse_variant(text)
    except ConfigError:
        return
    chrom, pos, ref, alt = written_out(variant, genome) if isinstance(variant, Change) else variant
    assert chrom
    assert pos >= 0
    assert ref
    assert alt
