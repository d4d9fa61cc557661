"""Edits of sequence whose effect on the map is known: boundaries and loops planted at oriented sites."""

import gzip
from itertools import pairwise

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError
from zoo_hic.effects.disruption import disruption, predict_effect
from zoo_hic.effects.edits import WindowEdit, edit_window, match_edited_bins, measure_shift, parse_edit
from zoo_hic.effects.null_model import score_null
from zoo_hic.effects.structural_variants import (
    COLUMNS,
    SV_STATUSES,
    read_alleles,
    score_alleles,
    score_cells,
    score_columns,
)
from zoo_hic.predictor import Predictor
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import find_loops

BINS, RESOLUTION = 64, 256
SETTINGS = MapSettings(resolution=RESOLUTION, spacing=12, gap=4, strengths=(1.0,), shares=(1.0,), decoys=0.5)
SIMULATED = simulate_contig(np.random.default_rng(3), 160, SETTINGS)
WIDTH = 14
LENGTH = BINS * RESOLUTION
LOOP = max(find_loops(SIMULATED.motifs, SETTINGS), key=lambda x: (x["second"] - x["first"] < 30, x["first"] > 40))


def write_fasta(path, sequences):
    path.write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in sequences.items()))
    return path


def site_in(bin_):
    """Where the site of a bin begins."""
    here = (SIMULATED.motifs["position"] + WIDTH // 2) // RESOLUTION == bin_
    return int(SIMULATED.motifs["position"][here][0])


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "toy.fa"
    return Genome(write_fasta(path, {"chr1": SIMULATED.codes}))


@pytest.fixture(scope="module")
def predictor(ground_truth):
    return Predictor.of(ground_truth(BINS, SETTINGS))


def score(found):
    return found.scores["log_oe"]


@pytest.mark.parametrize("kind", ["delete", "mask", "shuffle"])
def test_without_its_motif_a_boundary_no_longer_parts_its_domains(genome, predictor, kind):
    at = site_in(LOOP["first"])
    found = predict_effect(predictor, genome, [WindowEdit(kind, "chr1", at, at + WIDTH)])
    middle = LOOP["first"] - found.start // RESOLUTION
    change = found.difference["log_oe"]
    across = change[middle - 3 : middle, middle + 1 : middle + 4]
    assert (across > 0.3).all(), "bins on both sides now lie in one domain"
    assert np.abs(change[: middle - 1, : middle - 1]).max() < 0.05, "pairs left of the boundary do not change"
    assert score(found).insulation > 0.3
    assert score(found).pairs == BINS * (BINS + 1) // 2
    assert found.shift == (WIDTH if kind == "delete" else 0)


def test_turning_one_site_of_a_convergent_pair_removes_the_loop_and_leaves_the_boundary(genome, predictor):
    at = site_in(LOOP["first"])
    found = predict_effect(predictor, genome, [WindowEdit("invert", "chr1", at, at + WIDTH)])
    i, j = (int(LOOP[k]) - found.start // RESOLUTION for k in ("first", "second"))
    assert found.difference["log_oe"][i, j] == pytest.approx(-SETTINGS.loop, abs=0.05)
    assert abs(found.difference["log_oe"][i - 2, i + 2]) < 0.05
    assert found.shift == 0


def test_scores_are_largest_where_the_edit_hits_a_site(genome, predictor):
    at = site_in(LOOP["first"])
    hit = predict_effect(predictor, genome, [WindowEdit("delete", "chr1", at, at + WIDTH)])
    beside = predict_effect(predictor, genome, [WindowEdit("delete", "chr1", at + 40, at + 40 + WIDTH)])
    assert score(hit).rms > 5 * score(beside).rms
    null = score_null(predictor, genome, hit.edits, 19, channel="log_oe", seed=1)
    assert null.p(score(hit).rms) == pytest.approx(1 / 20)
    assert null.percentile(score(hit).rms) == 100
    assert null.p(0.0) == 1


def test_a_null_of_given_letters_changes_as_many_bases(genome, predictor):
    at = site_in(LOOP["first"])
    edit = WindowEdit("substitute", "chr1", at, at + WIDTH, "A" * WIDTH)
    null = score_null(predictor, genome, [edit], 9, channel="log_oe")
    assert len(null.scores) == 9
    assert null.p(score(predict_effect(predictor, genome, [edit])).rms) <= 0.2
    with pytest.raises(ConfigError, match="no other place"):
        score_null(predictor, genome, [WindowEdit("invert", "chr1", 1000, 40_000)], 3, channel="log_oe")


def test_turning_the_whole_window_changes_no_pair_of_sequences(genome, predictor):
    found = predict_effect(predictor, genome, [WindowEdit("invert", "chr1", 60 * RESOLUTION, 124 * RESOLUTION)])
    assert found.match.tolist() == list(range(BINS))[::-1]
    np.testing.assert_allclose(found.difference["log_oe"], 0, atol=1e-5)
    np.testing.assert_allclose(found.edited["log_oe"], found.reference["log_oe"][::-1, ::-1], atol=1e-5)


def test_a_palindrome_turned_is_itself(tmp_path, predictor):
    half = SIMULATED.codes[: LENGTH // 2]
    whole = np.concatenate([half, (3 - half)[::-1]])
    genome = Genome(write_fasta(tmp_path / "palindrome.fa", {"chr1": whole}))
    found = predict_effect(predictor, genome, [WindowEdit("invert", "chr1", 10 * RESOLUTION, LENGTH - 10 * RESOLUTION)])
    np.testing.assert_allclose(found.edited["log_oe"], found.reference["log_oe"], atol=1e-5)
    np.testing.assert_allclose(found.difference["log_oe"], 0, atol=1e-5)
    assert "the edits change no base" in found.notes


def test_behind_a_deletion_bins_are_matched_with_those_that_moved_in(genome, predictor):
    first, last = 90, 96
    found = predict_effect(predictor, genome, [WindowEdit("delete", "chr1", first * RESOLUTION, last * RESOLUTION)])
    a, b = first - found.start // RESOLUTION, last - found.start // RESOLUTION
    assert found.match.tolist() == [*range(a), *[-1] * 6, *range(a, BINS - 6)]
    change = found.difference["log_oe"]
    assert np.isnan(change[a:b]).all()
    assert np.isfinite(change[a - 1, b])
    # No site lies in the deleted bins, so that no domain changes; a site at the window's right end may come in.
    assert np.nanmax(np.abs(change[:a, :a])) < 0.05
    assert found.shift == 0
    assert not [n for n in found.notes if "whole number" in n]


@given(
    start=st.integers(0, 40), size=st.integers(1, 30), kind=st.sampled_from(["delete", "duplicate", "mask", "invert"])
)
def test_every_base_of_an_edited_window_is_where_its_origin_says(start, size, kind):
    codes = np.random.default_rng(start).integers(0, 4, 200).astype(np.uint8)
    genome = _Sequence(codes)
    edit = WindowEdit(kind, "x", 100 + start, 100 + start + size)
    found = edit_window(genome, 100, 80, [edit])
    was, now = found.origin, found.codes[0]
    assert now.shape == was.shape == (80,)
    plain = (was >= 0) & (was < 200)
    expected = np.where(plain, codes[np.clip(was, 0, 199)], 4)
    if kind == "invert":
        inside = (was >= edit.start) & (was < edit.end)
        expected = np.where(inside, 3 - expected, expected)
    kept = plain & ~((kind == "mask") & (was >= edit.start) & (was < edit.end))
    np.testing.assert_array_equal(now[kept], expected[kept])
    match = match_edited_bins(was, 100, 8)
    matched = match[match >= 0]
    assert ((matched >= 0) & (matched < 10)).all()
    if kind in ("mask",) or (kind == "invert" and size < 4):
        assert match.tolist() == list(range(10))
    assert measure_shift([edit], 100, 8) <= 4


class _Sequence:
    """As much of a Genome as `edit_window` needs."""

    def __init__(self, codes):
        self.codes = codes

    def fetch(self, contig, start, end):
        at = np.arange(start, end)
        inside = (at >= 0) & (at < len(self.codes))
        return np.where(inside, self.codes[np.clip(at, 0, len(self.codes) - 1)], 4).astype(np.uint8)


def test_duplications_push_out_what_lies_right_of_them():
    genome = _Sequence(np.arange(40, dtype=np.uint8) % 4)
    found = edit_window(genome, 0, 16, [WindowEdit("duplicate", "x", 4, 8)])
    assert found.origin.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, 8, 9, 10, 11]
    assert match_edited_bins(found.origin, 0, 4).tolist() == [0, 1, 3, -1]


def test_several_edits_of_one_window():
    genome = _Sequence(np.arange(40, dtype=np.uint8) % 4)
    edits = [WindowEdit("substitute", "x", 9, 10, "TTT"), WindowEdit("delete", "x", 2, 4)]
    found = edit_window(genome, 0, 16, edits)
    assert found.origin.tolist() == [0, 1, *range(4, 10), -1, -1, *range(10, 16)]
    assert found.codes[0, 7:10].tolist() == [3, 3, 3]
    assert measure_shift(edits, 0, 4) == 2
    with pytest.raises(DataError, match="overlap"):
        edit_window(genome, 0, 16, [WindowEdit("delete", "x", 2, 6), WindowEdit("invert", "x", 5, 9)])
    with pytest.raises(DataError, match="leaves the window"):
        edit_window(genome, 0, 16, [WindowEdit("delete", "x", 12, 20)])


def test_shuffles_are_drawn_alike_with_one_seed_and_keep_dinucleotides(genome):
    edit = [WindowEdit("shuffle", "chr1", 1000, 1200)]
    first, again = (edit_window(genome, 0, 4096, edit, draws=3, seed=5).codes for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (3, 4096)
    assert (first[0] != first[1]).any()
    for row in first:
        assert sorted(pairwise(row.tolist())) == sorted(pairwise(SIMULATED.codes[:4096].tolist()))


@pytest.mark.parametrize(
    ("kind", "text", "fill", "expected"),
    [
        ("delete", "1:1,001-1,100", "none", WindowEdit("delete", "chr1", 1000, 1100)),
        ("delete", "chr1:1001-1100", "n", WindowEdit("mask", "chr1", 1000, 1100)),
        ("delete", "chr1:1001-1100", "shuffle", WindowEdit("shuffle", "chr1", 1000, 1100)),
        ("mutate", "chr1:11-12=acg", "none", WindowEdit("substitute", "chr1", 10, 12, "ACG")),
        ("invert", "chr1:11-12", "none", WindowEdit("invert", "chr1", 10, 12)),
    ],
)
def test_edits_are_read_as_people_type_them(genome, kind, text, fill, expected):
    assert parse_edit(kind, text, genome, fill) == expected


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("delete", "chr1", "no interval"),
        ("invert", "chr1:1-20=ACGT", "only mutate"),
        ("mutate", "chr1:1-20=AXG", "of ACGTN"),
        ("mutate", "chr1:1-5", "too few to shuffle"),
    ],
)
def test_edits_that_mean_nothing_are_refused(genome, kind, text, message):
    with pytest.raises(ConfigError, match=message):
        parse_edit(kind, text, genome)


def test_scores_of_a_difference_by_hand():
    change = np.zeros((30, 30))
    change[10, 20] = change[20, 10] = -2.0
    change[3], change[:, 3] = np.nan, np.nan
    found = disruption(change, (15, 16))
    pairs = 30 * 31 // 2 - 30
    assert (found.pairs, found.largest, found.first, found.second) == (pairs, -2.0, 10, 20)
    assert found.squared == 4.0
    assert found.rms == pytest.approx((4 / pairs) ** 0.5)
    assert found.insulation == pytest.approx(-2 / 100), "10 x 10 bins beside the edit"
    assert disruption(np.full((4, 4), np.nan), (1, 2)).pairs == 0


def vcf(path, rows):
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID=chr1,length={len(SIMULATED.codes)}>"]
    lines += [f'##INFO=<ID={k},Number={n},Type={t},Description="x">' for k, n, t in INFO]
    lines += [f'##ALT=<ID={k},Description="x">' for k in ("DEL", "DUP", "INV", "INS")]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", *("\t".join(map(str, r)) for r in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


INFO = (("END", "1", "Integer"), ("SVLEN", "A", "Integer"), ("SVTYPE", "1", "String"))


def base(at, n=1):
    """Letters of the genome from 1-based `at` on."""
    return "".join("ACGT"[c] for c in SIMULATED.codes[at - 1 : at - 1 + n])


def test_every_allele_of_a_vcf_comes_out_with_a_status(genome, predictor, tmp_path):
    at = site_in(LOOP["first"])
    site, other = base(at, WIDTH + 1), "ACGT".replace(base(at + 1), "")[0]
    rows = [
        ("chr1", at, "del", base(at), "<DEL>", ".", ".", f"SVTYPE=DEL;END={at + WIDTH};SVLEN=-{WIDTH}"),
        ("1", at, "letters", site, site[0], ".", ".", "."),
        ("chr1", at, "inv", "N", "<INV>", ".", ".", f"SVTYPE=INV;END={at + WIDTH}"),
        ("chr1", at, "dup", base(at), "<DUP:TANDEM>,<INS>", ".", ".", f"SVLEN=2560,100;END={at + 2560}"),
        ("chr1", at + 1, "snv", base(at + 1), other, ".", ".", "."),
        ("chr1", at, "bnd", base(at), f"{base(at)}]chr1:300]", ".", ".", "SVTYPE=BND"),
        ("chr1", 100, "huge", base(100), "<DEL>", ".", ".", "END=30000"),
        ("chr1", 100, "noend", base(100), "<DEL>", ".", ".", "SVTYPE=DEL"),
        ("chr1", 100, "two", base(100), "<DEL>", ".", ".", "END=200;SVLEN=-50"),
        ("chr1", 100, "wrong", "ACGT".replace(base(100), "")[0], "<DEL>", ".", ".", "END=200"),
        ("chr9", 100, "nowhere", "A", "<DEL>", ".", ".", "END=200"),
        ("chr1", 40_900, "off", base(40_900), "<DEL>", ".", ".", "END=50000"),
        ("chr1", 100, "none", base(100), ".", ".", ".", "."),
        ("chr1", 100, "rest", base(100), "<CNV>", ".", ".", "END=200"),
        ("chr1", "x", "bad", "A", "C", ".", ".", "."),
    ]
    path = vcf(tmp_path / "svs.vcf", rows)
    packed = tmp_path / "svs.vcf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, packed):
        found = list(score_alleles(predictor, genome, read_alleles(file, genome, LENGTH)))
        by_name = {a.id: (a, c) for a, c in found if a.number == 1}
        assert [a.record for a, _ in found] == [0, 1, 2, 3, 3, *range(4, 15)]
        statuses = {name: a.status for name, (a, _) in by_name.items()}
        assert statuses == {
            **dict.fromkeys(("del", "letters", "inv", "dup", "snv"), "ok"),
            **{"bnd": "breakend", "huge": "exceeds_window", "noend": "malformed", "two": "malformed"},
            **{"wrong": "ref_mismatch", "nowhere": "contig_unknown", "off": "out_of_bounds"},
            **{"none": "no_alt", "rest": "unsupported", "bad": "malformed"},
        }
        assert [a.status for a, _ in found if a.number == 2] == ["unsupported"]
        assert set(statuses.values()) <= set(SV_STATUSES)
        width = len(COLUMNS) + len(score_columns(("log_oe",)))
        assert {len([*a.cells(), *score_cells(c, ("log_oe",))]) for a, c in found} == {width}
    # The same deletion in two spellings, and as an edit that was typed.
    edit = WindowEdit("delete", "chr1", at, at + WIDTH)
    assert by_name["del"][0].edit == edit
    assert by_name["letters"][0].edit == edit
    typed = predict_effect(predictor, genome, [edit])
    assert score(by_name["letters"][1]) == score(by_name["del"][1]) == score(typed)
    assert by_name["dup"][0].edit == WindowEdit("duplicate", "chr1", at, at + 2560)
    assert (by_name["snv"][0].kind, by_name["snv"][0].edit.start) == ("SNV", at)
    assert score(by_name["del"][1]).insulation > 0.3


def test_bcf_is_read_as_vcf_and_rows_outside_a_region_say_so(genome, tmp_path):
    rows = [("chr1", p, f"v{p}", base(p), "<DEL>", ".", ".", f"END={p + 50}") for p in (500, 5000)]
    path = vcf(tmp_path / "svs.vcf", rows)
    with (
        pysam.VariantFile(str(path)) as file,
        pysam.VariantFile(str(tmp_path / "svs.bcf"), "wb", header=file.header) as to,
    ):
        for record in file:
            to.write(record)
    text, binary = (list(read_alleles(tmp_path / f"svs.{end}", genome, LENGTH)) for end in ("vcf", "bcf"))
    assert [a.edit for a in text] == [a.edit for a in binary]
    inside = read_alleles(path, genome, LENGTH, ("chr1", 0, 1000))
    assert [a.status for a in inside] == ["ok", "out_of_region"]


@pytest.mark.parametrize("text", ["", "chr1\t1\t.\tA\tC\t.\t.\t.\n", "##fileformat=VCFv4.3\n"])
def test_what_is_no_vcf_is_refused(genome, tmp_path, text):
    path = tmp_path / "no.vcf"
    path.write_text(text)
    with pytest.raises(DataError):
        list(read_alleles(path, genome, LENGTH))


@given(info=st.text(st.characters(codec="ascii", exclude_characters="\t\n\r\0"), max_size=40), alt=st.sampled_from(
    ["<DEL>", "<DUP>", "<INV>", "<>", "<DUP:X>", "N", "A]", ",", "<DEL>,<DEL>"]
))  # fmt: skip
def test_no_info_of_a_stranger_breaks_the_reader(tmp_path_factory, info, alt):
    path = tmp_path_factory.mktemp("vcf") / "x.vcf"
    path.write_text(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nx\t5\t.\tN\t{alt}\t.\t.\t{info}\n")
    found = list(read_alleles(path, _Contigs(), 64))
    assert len(found) == 1 + alt.count(",")
    assert {a.status for a in found} <= set(SV_STATUSES)


class _Contigs(_Sequence):
    """As much of a Genome as the reader of variants needs."""

    def __init__(self):
        super().__init__(np.zeros(100, np.uint8))
        self.contigs = {"x": 100}

    def resolve(self, contig):
        return contig
