"""One bad record beside a hundred good ones: it has a status, and they have the scores that they have without it."""

from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.effects.variants.background import of_variants
from zoo.effects.variants.epistasis import epistasis
from zoo.effects.variants.haplotype_effects import HaplotypeScorer
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.scorer import Scorer
from zoo.variants.files import read_variants
from zoo.variants.genotypes import read_genotypes
from zoo.variants.haplotypes import haplotypes, windows

LENGTH = 60_000
AT = 40_000
"""0-based, of the bad record: far from the good ones, which lie between 1,000 and 31,000."""
LETTERS = decode(np.random.default_rng(0).integers(0, 4, LENGTH).astype(np.uint8))
LETTERS = f"{LETTERS[:50_000]}{'N' * 400}{LETTERS[50_400:]}"
OTHER = dict(zip("ACGTN", "CGTAA", strict=True))
HEADER = (
    f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={LENGTH}>\n##contig=<ID=chr2,length=1000>\n"
    "##contig=<ID=chr3,length=999>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)
PLACES = [p for i in range(50) for p in (1000 + 600 * i, 1006 + 600 * i)]


def line(pos=AT + 1, ref=None, alt=None, chrom="chr1", keys="GT", call="0|1", name=".", rest=".\tPASS\t."):
    at = pos - 1 if isinstance(pos, int) and 0 < pos <= LENGTH else AT
    ref = LETTERS[at] if ref is None else ref
    alt = OTHER[ref[:1].upper()] if alt is None else alt
    return f"{chrom}\t{pos}\t{name}\t{ref}\t{alt}\t{rest}\t{keys}\t{call}\n"


GOOD = [line(p + 1, call="0|1" if i % 2 else "1|1") for i, p in enumerate(PLACES)]
B = LETTERS[AT]
C = OTHER[B]
D = next(x for x in "ACGT" if x not in (B, C))
NEXT = LETTERS[AT + 1]


def size(n):
    return LETTERS[AT : AT + n]


# name: (lines, statuses without phase, statuses with it), the last two for the bad record's rows
BAD = {
    "another REF": ([line(ref=C, alt=D)], ["ref_mismatch"], ["ref_mismatch"]),
    "REF and ALT exchanged": ([line(ref=C, alt=B)], ["ref_alt_swapped"], ["ref_alt_swapped"]),
    "a deletion of other bases": ([line(ref=f"{B}{OTHER[NEXT]}", alt=B)], ["ref_mismatch"], ["ref_mismatch"]),
    "unknown contig": ([line(chrom="chrUn_1")], ["contig_unknown"], ["contig_unknown"]),
    "contig in capitals": ([line(chrom="CHR1")], ["ok"], ["ok"]),
    "contig without chr": ([line(chrom="1")], ["ok"], ["ok"]),
    "blank behind the contig": ([line(chrom="chr1 ")], ["contig_unknown"], ["contig_unknown"]),
    "contig of another length": ([line(2, chrom="chr3", ref="C", alt="A")], ["contig_differs"], ["contig_differs"]),
    "another contig": ([line(500, chrom="chr2", ref="T", alt="A")], ["ok"], ["ok"]),
    "POS 0": ([line(0)], ["out_of_bounds"], ["out_of_bounds"]),
    "POS behind the end": ([line(LENGTH + 1)], ["out_of_bounds"], ["out_of_bounds"]),
    "POS far behind the end": ([line(99_999_999)], ["out_of_bounds"], ["out_of_bounds"]),
    "POS of 11 digits": ([line(99_999_999_999)], ["out_of_bounds"], ["out_of_bounds"]),
    "POS of 20 digits": ([line("9" * 20)], ["malformed"], ["malformed"]),
    "POS a word": ([line("ten")], ["malformed"], ["malformed"]),
    "POS 4e4": ([line("4e4")], ["malformed"], ["malformed"]),
    "POS negative": ([line(-5)], ["malformed"], ["malformed"]),
    "POS with a point": ([line("40001.0")], ["malformed"], ["malformed"]),
    "telomere left": ([line(0, ref="N", alt=".[chr1:123[")], ["out_of_bounds"], ["out_of_bounds"]),
    "telomere right": ([line(LENGTH + 1, ref="N", alt="]chr1:123].")], ["out_of_bounds"], ["out_of_bounds"]),
    "REF over the end": ([line(LENGTH, ref=f"{LETTERS[-1]}A", alt="A")], ["out_of_bounds"], ["out_of_bounds"]),
    "the first base": ([line(1)], ["out_of_bounds"], ["out_of_bounds"]),
    "the last base": ([line(LENGTH)], ["out_of_bounds"], ["out_of_bounds"]),
    "N all round": ([line(50_200, ref="N", alt="A")], ["too_many_n"], ["too_many_n"]),
    "no ALT": ([line(alt=".", call="0|0")], ["no_alt"], []),
    "no ALT, GT 1": ([line(alt=".", call="0|1")], ["no_alt"], ["malformed"]),
    "ALT *": ([line(alt="*")], ["symbolic"], ["symbolic"]),
    "<NON_REF>": ([line(alt="<NON_REF>")], ["symbolic"], ["symbolic"]),
    "<*>": ([line(alt="<*>", call="0|0")], ["symbolic"], []),
    "<DEL>": ([line(alt="<DEL>")], ["symbolic"], ["symbolic"]),
    "<INS>": ([line(alt="<INS>")], ["symbolic"], ["symbolic"]),
    "<DUP>, REF N": ([line(ref="N", alt="<DUP>")], ["symbolic"], ["symbolic"]),
    "breakend": ([line(alt=f"{B}[chr2:5[")], ["symbolic"], ["symbolic"]),
    "single breakend": ([line(alt=f"{B}.")], ["symbolic"], ["symbolic"]),
    "an allele and a symbol": ([line(alt=f"{C},<DEL>", call="1|2")], ["ok", "symbolic"], ["ok", "symbolic"]),
    "REF is ALT": ([line(alt=B)], ["ok"], ["ok"]),
    "lower case": ([line(ref=B.lower(), alt=C.lower())], ["ok"], ["ok"]),
    "ALT R": ([line(alt="R")], ["non_acgt"], ["non_acgt"]),
    "REF R": ([line(ref="R", alt=C)], ["non_acgt"], ["non_acgt"]),
    "ALT -": ([line(alt="-")], ["non_acgt"], ["non_acgt"]),
    "ALT N": ([line(alt="N")], ["ok"], ["ok"]),
    "REF N": ([line(ref="N", alt=C)], ["ref_mismatch"], ["ref_mismatch"]),
    "a deletion of 100 bp": ([line(ref=size(101), alt=B)], ["ok"], ["ok"]),
    "a deletion of a window": ([line(ref=size(201), alt=B)], ["ok"], ["ok"]),
    "a deletion of 9,999 bp": ([line(ref=size(10_000), alt=B)], ["ok"], ["ok"]),
    "a deletion of 10,000 bp": ([line(ref=size(10_001), alt=B)], ["too_long"], ["too_long"]),
    "an insertion of 9,999 bp": ([line(alt=B + LETTERS[:9_999])], ["ok"], ["ok"]),
    "an insertion of 10,000 bp": ([line(alt=B + LETTERS[:10_000])], ["too_long"], ["too_long"]),
    "a replacement of 300 bp": ([line(ref=size(300), alt=LETTERS[:300])], ["ok"], ["ok"]),
    "GT missing": ([line(call="./.")], ["ok"], []),
    "GT one point": ([line(call=".")], ["ok"], []),
    "half a call": ([line(call="./1")], ["ok"], ["unphased"]),
    "half a phased call": ([line(call=".|1")], ["ok"], ["ok"]),
    "unphased": ([line(call="0/1")], ["ok"], ["unphased"]),
    "haploid": ([line(call="1")], ["ok"], ["ok"]),
    "triploid": ([line(call="0|1|1")], ["ok"], ["malformed"]),
    "tetraploid": ([line(call="0/0/1/1")], ["ok"], ["malformed"]),
    "GT beyond the ALTs": ([line(alt=f"{C},{D}", call="0|3")], ["ok", "ok"], ["malformed", "malformed"]),
    "GT a word": ([line(call="het")], ["ok"], ["malformed"]),
    "GT negative": ([line(call="-1|0")], ["ok"], ["malformed"]),
    "no GT": ([line(keys="DP", call="7")], ["ok"], []),
    "fewer fields than FORMAT": ([line(keys="GT:DP:PS", call="0|1")], ["ok"], ["ok"]),
    "more fields than FORMAT": ([line(call="0|1:3:9")], ["ok"], ["ok"]),
    "fewer columns": ([line().rsplit("\t", 1)[0] + "\n"], ["malformed"], ["malformed"]),
    "more columns": ([line(call="0|1\t0|1")], ["malformed"], ["malformed"]),
    "one column": (["rubbish\n"], ["malformed"], ["malformed"]),
    "PS a word": ([line(keys="GT:PS", call="0|1:PATMAT")], ["ok"], ["ok"]),
    "PS negative": ([line(keys="GT:PS", call="0|1:-7")], ["ok"], ["ok"]),
    "PS missing": ([line(keys="GT:PS", call="0|1:.")], ["ok"], ["ok"]),
    "PS empty": ([line(keys="GT:PS", call="0|1:")], ["ok"], ["ok"]),
    "PS changing": (
        [line(AT + i, keys="GT:PS", call=f"0|1:{7 + i // 3}") for i in (1, 2, 3)],
        ["ok"] * 3,
        ["ok", "ok", "phase_set"],
    ),
    "a record twice": ([line(), line()], ["ok", "ok"], ["ok", "overlap"]),
    "overlapping deletions": (
        [line(ref=size(5), alt=B), line(AT + 3, ref=LETTERS[AT + 2 : AT + 8], alt=LETTERS[AT + 2])],
        ["ok", "ok"],
        ["ok", "overlap"],
    ),
    "an ALT twice": ([line(alt=f"{C},{C}", call="1|2")], ["ok", "ok"], ["ok", "ok"]),
    "FILTER odd": ([line(rest=".\ta;;b c\t.")], ["ok"], ["ok"]),
    "empty ID, QUAL, FILTER and INFO": ([line(name="", rest="\t\t")], ["ok"], ["ok"]),
    "empty REF": ([line().replace(f"\t{B}\t{C}\t", f"\t\t{C}\t")], ["malformed"], ["malformed"]),
    "empty ALT": ([line().replace(f"\t{B}\t{C}\t", f"\t{B}\t\t")], ["malformed"], ["malformed"]),
    "a comma behind ALT": ([line(alt=f"{C},")], ["malformed"], ["malformed"]),
    "a blank line": (["\n"], [], []),
    "a comment": (["#nothing\n"], [], []),
}


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("bad") / "g.fa"
    path.write_text(f">chr1\n{LETTERS}\n>chr2\n{'ACGT' * 250}\n>chr3\n{'ACGT' * 250}\n")
    return Genome(path)


@pytest.fixture(scope="module")
def scorers(genome):
    model = zoo.load("ctcf-motif-cnn")
    return [kind(model, genome, output="CTCF:raw") for kind in (Scorer, HaplotypeScorer)]


def put(folder, lines):
    path = folder / "v.vcf"
    path.write_text(HEADER + "".join(lines))
    return path


def table(path, genome, scorer, **options):
    """{column: value} of every row."""
    job = ScoreJob(path, genome, scorer, **options)
    rows = list(job.rows())
    return [dict(zip(job.columns, row, strict=True)) for row in rows]


def scores(rows):
    """{(pos, alt, haplotype): numbers} of the good rows."""
    good = {(p + 1, OTHER[LETTERS[p]]) for p in PLACES}
    chosen = [r for r in rows if r["chrom"] == "chr1" and (r["pos"], r["alt"]) in good and r["status"] == "ok"]
    return {
        (r["pos"], r["alt"], r.get("haplotype", 0)): [v for k, v in r.items() if k.startswith("CTCF:raw")]
        for r in chosen
    }


def statuses(rows):
    """Of the rows that are no good ones, in their order."""
    good = {(p + 1, OTHER[LETTERS[p]]) for p in PLACES}
    return [r["status"] for r in rows if (r["pos"], r["alt"]) not in good]


@pytest.fixture(scope="module")
def expected(tmp_path_factory, genome, scorers):
    """Without a bad record: scores without and with phase, and the codes of haplotypes."""
    path = put(tmp_path_factory.mktemp("good"), GOOD)
    plain, phased = table(path, genome, scorers[0]), table(path, genome, scorers[1], phased=True)
    assert len(scores(plain)) == 100
    assert len(scores(phased)) == 150
    return scores(plain), scores(phased), both_copies(path, genome).codes


def both_copies(path, genome):
    store = read_genotypes(path, "chr1", "NA1", length=LENGTH)
    return windows(store, genome, "NA1", np.array(PLACES[::2]) - 100, length=200, unphased="flag")


@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_has_a_status_and_a_hundred_good_ones_their_scores(tmp_path, genome, scorers, expected, case):
    lines, plain_statuses, phased_statuses = BAD[case]
    for at in {"the first base": (0,), "another contig": (100, 37)}.get(case, (100,)):
        path = put(tmp_path, [*GOOD[:at], *lines, *GOOD[at:]])
        plain, phased = table(path, genome, scorers[0]), table(path, genome, scorers[1], phased=True)
        assert statuses(plain) == plain_statuses
        assert statuses(phased) == (phased_statuses if at != 37 else ["malformed"])
        same(scores(plain), expected[0])
        same(scores(phased), expected[1])
        np.testing.assert_array_equal(both_copies(path, genome).codes, expected[2])


@pytest.mark.parametrize("case", list(BAD)[::4])
@pytest.mark.parametrize("at", [0, 37])
def test_a_record_out_of_order_does_no_harm(tmp_path, genome, scorers, expected, case, at):
    path = put(tmp_path, [*GOOD[:at], *BAD[case][0], *GOOD[at:]])
    phased = table(path, genome, scorers[1], phased=True)
    assert set(statuses(phased)) <= {*BAD[case][2], "malformed"}
    same(scores(phased), expected[1])
    np.testing.assert_array_equal(both_copies(path, genome).codes, expected[2])


def same(found, expected):
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), [expected[key] for key in found], rtol=0, atol=2e-5)


HAPLOTYPE_RULES = {
    "another REF": "ref_mismatch",
    "a deletion of other bases": "ref_mismatch",
    "REF R": "ref_mismatch",
    "REF N": "ref_mismatch",
    "ALT *": "symbolic",
    "<DEL>": "symbolic",
    "breakend": "symbolic",
    "ALT R": "non_acgt",
    "ALT -": "non_acgt",
    "a record twice": "overlap",
    "overlapping deletions": "overlap",
    "unphased": "unphased",
    "half a call": "unphased",
}


@pytest.mark.parametrize("case", HAPLOTYPE_RULES)
def test_haplotypes_say_what_they_left_out(tmp_path, genome, case):
    path = put(tmp_path, [*GOOD, *BAD[case][0]])
    one, two = haplotypes(path, genome, "NA1", "chr1", AT - 50, AT + 50, unphased="flag")
    left = [*two.skipped, *two.unphased]
    assert [v.rule for v in left] == [HAPLOTYPE_RULES[case]]
    assert one.sequence == LETTERS[AT - 50 : AT + 50]


@pytest.mark.parametrize(
    "case",
    [
        "POS 0",
        "POS a word",
        "triploid",
        "GT beyond the ALTs",
        "GT a word",
        "fewer columns",
        "more columns",
        "empty ALT",
    ],
)
def test_haplotypes_say_which_records_cannot_be_read(tmp_path, genome, case):
    path = put(tmp_path, [*GOOD, *BAD[case][0]])
    one, _ = haplotypes(path, genome, "NA1", "chr1", AT - 50, AT + 50)
    assert len(one.malformed) == 1
    assert one.malformed[0].startswith(f"line {len(HEADER.splitlines()) + 101} has ")


def test_pairs_and_backgrounds_are_those_without_the_bad_records(tmp_path, genome, scorers):
    """All bad records in one file: each of them makes no pair with a good one, and no number of the background."""
    alone, beside = tmp_path / "good", tmp_path / "bad"
    alone.mkdir(), beside.mkdir()
    bad = [text for name, (lines, *_) in BAD.items() for text in lines if name != "contig of another length"]
    good, mixed = put(alone, GOOD[:20]), put(beside, [*GOOD[:10], *bad, *GOOD[10:20]])
    model = scorers[0].model
    pairs = [epistasis(model, x, fasta=genome, output="CTCF:raw", shuffles=0, max_distance=20) for x in (good, mixed)]
    one, other = (x[x["pos_b"] < AT].reset_index(drop=True) for x in pairs)
    assert len(one) == 10
    np.testing.assert_array_equal(other["pos_a"], one["pos_a"])
    np.testing.assert_allclose(other["epistasis"].astype(float), one["epistasis"].astype(float), rtol=0, atol=2e-5)
    sizes = [of_variants(scorers[0], read_variants(x, genome)).values["CTCF:raw"] for x in (good, mixed)]
    nearest = np.abs(sizes[1][:, None] - sizes[0]).min(0)
    assert nearest.max() < 2e-6
    ok = sum(status == "ok" for name, (_, statuses, _) in BAD.items() for status in statuses)
    assert [len(x) for x in sizes] == [20, 20 + ok]
