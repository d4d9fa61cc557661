"""An insertion, a deletion or a replacement in five spellings has one number, with and without phase."""

import numpy as np
import pytest

import zoo
from zoo.data.genome import Genome
from zoo.effects.variants.job import score_haplotypes

HEADER = (
    "##fileformat=VCFv4.2\n##contig=<ID=chr1,length={}>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\n"
)
APART = 500
"""bp between two variants: more than their windows and the repeats around them."""
SPELLINGS = ("leftmost", "rightmost", "padded at the left", "padded at the right", "padded at both sides")


def genome_like(rng, n):
    """Letters with homopolymers, tandem repeats of 2 to 12 bp, elements that come again, and runs of AT and CG."""
    letters = lambda k, p=None: "".join(rng.choice(list("ACGT"), k, p=p))  # noqa: E731
    elements = [letters(300) for _ in range(3)]
    pieces, size = [], 0
    while size < n:
        kind = rng.integers(0, 6)
        piece = [
            lambda: letters(int(rng.integers(20, 120))),
            lambda: letters(1) * int(rng.integers(4, 40)),
            lambda: letters(int(rng.integers(2, 13))) * int(rng.integers(2, 15)),
            lambda: elements[rng.integers(0, 3)][: int(rng.integers(50, 301))],
            lambda: letters(40, [0.45, 0.05, 0.05, 0.45]),
            lambda: letters(40, [0.05, 0.45, 0.45, 0.05]),
        ][kind]()
        pieces.append(piece)
        size += len(piece)
    return "".join(pieces)[:n]


def change(rng, letters, at):
    """(first base, REF, ALT) of a deletion or insertion of 1 to 40 bp, or of a replacement; an allele may be empty."""
    size = int(min(rng.geometric(0.15), 40))
    kind = rng.integers(0, 4)
    if kind == 0:
        return at, letters[at : at + size], ""
    if kind == 1:
        return at, "", letters[at - size : at]  # a unit of a repeat once more
    if kind == 2:
        return at, "", "".join(rng.choice(list("ACGT"), size))
    ref = letters[at : at + size + 1]
    alt = "".join(rng.choice(list("ACGT"), int(rng.integers(1, 8))))
    first = {"A": "C", "C": "G", "G": "T", "T": "A"}
    # Neither the first nor the last letters are shared, so that it is a replacement and no shorter one.
    return at, ref, first[ref[0]] + alt[1:-1] + (first[ref[-1]] if len(alt) > 1 or len(ref) == 1 else "")


def spellings(rng, letters, variant):
    """(position from 0, REF, ALT) of each of SPELLINGS."""
    at, ref, alt = variant
    low = high = (at, ref, alt)
    if not (ref and alt):
        gap, place = ref or alt, at
        while place > 0 and letters[place - 1] == gap[-1]:
            place, gap = place - 1, letters[place - 1] + gap[:-1]
        low = (place, gap, "") if ref else (place, "", gap)
        gap, place = ref or alt, at
        while letters[place + len(ref)] == gap[0]:
            place, gap = place + 1, gap[1:] + letters[place + len(ref)]
        high = (place, gap, "") if ref else (place, "", gap)
    more = rng.integers(1, 9, 2).tolist()
    one = 0 if ref and alt else 1
    chosen = [(low, one, 0), (high, one, 0), (low, one + more[0], 0), (high, one, more[1]), (low, *more)]
    return [pad(letters, *how) for how in chosen]


def pad(letters, variant, left, right):
    at, ref, alt = variant
    before, behind = letters[at - left : at], letters[at + len(ref) : at + len(ref) + right]
    return at - left, before + ref + behind, before + alt + behind


def spread(folder, n, seed):
    """(largest difference between the spellings without phase, with phase, between the two) of n variants."""
    rng = np.random.default_rng(seed)
    letters = genome_like(rng, APART * (n + 2))
    (folder / "g.fa").write_text(f">chr1\n{letters}\n")
    genome, model = Genome(folder / "g.fa"), zoo.load("ctcf-motif-cnn")
    variants = [change(rng, letters, APART * (i + 1) + int(rng.integers(0, 50))) for i in range(n)]
    spelled = [spellings(rng, letters, v) for v in variants]
    plain, phased = [], []
    for k in range(len(SPELLINGS)):
        path = folder / f"{k}.vcf"
        lines = [f"chr1\t{p + 1}\t.\t{r}\t{a}\t.\tPASS\t.\tGT\t0|1\n" for p, r, a in (s[k] for s in spelled)]
        path.write_text(HEADER.format(len(letters)) + "".join(lines))
        how = {"fasta": genome, "output": "CTCF:raw"}
        for table, column, out in (
            (zoo.score_variants(model, path, **how), "CTCF:raw", plain),
            (score_haplotypes(model, path, **how), "CTCF:raw.joint", phased),
        ):
            assert len(table) == n
            assert set(table["status"]) == {"ok"}
            out.append(table[column].to_numpy(float))
    plain, phased = np.array(plain), np.array(phased)
    assert np.abs(plain).max() > 1
    return np.ptp(plain, 0).max(), np.ptp(phased, 0).max(), np.abs(plain - phased).max()


def test_five_spellings_have_one_number(tmp_path):
    assert max(spread(tmp_path, 60, 0)) < 2e-5


@pytest.mark.slow
def test_two_thousand_variants_in_five_spellings_have_one_number(tmp_path):
    found = spread(tmp_path, 2000, 1)
    print("2,000 variants: largest differences {:.1e} plain, {:.1e} phased, {:.1e} of both".format(*found))
    assert max(found) < 2e-5
