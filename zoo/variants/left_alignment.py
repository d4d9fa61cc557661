"""Alleles as flat codes: whether they are the genome's, and their left-aligned, parsimonious spelling.

    GCTG>GCTA, TG>TA and G>A become G>A; a deletion within a repeat becomes that of the leftmost unit

One spelling for each change of the sequence (Tan, Abecasis and Kang 2015, doi:10.1093/bioinformatics/btv112).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.compiled_loop import CompiledLoop
from zoo.data.genome import Genome

N, OTHER = 4, 5
"""Codes of N, and of a letter that is none of ACGTN."""

REPEAT = 100
"""Steps to the left that an allele may take, as a guess of the work."""

_CODES = np.full(256, OTHER, np.uint8)
for _code, _letter in enumerate(b"ACGTN"):
    _CODES[_letter] = _CODES[_letter + 32] = _code
_LETTERS = np.frombuffer(b"ACGTN?", np.uint8)


@dataclass(frozen=True, eq=False)
class AlleleCodes:
    """n sequences of any length in one array.

    codes: uint8, A C G T N = 0 1 2 3 4 and OTHER.  first, length: (n,) int64, sequence i is
    codes[first[i] : first[i] + length[i]].
    """

    codes: np.ndarray
    first: np.ndarray
    length: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str]) -> AlleleCodes:
        """Letters, upper or lower case, to codes.

        >>> AlleleCodes.of(["ac", "*"]).codes.tolist()
        [0, 1, 5]
        """
        length = np.fromiter(map(len, texts), np.int64, len(texts))
        raw = np.frombuffer("".join(texts).encode("latin-1", "replace"), np.uint8)
        return cls(_CODES[raw], np.cumsum(length) - length, length)

    def texts(self) -> list[str]:
        """Codes to upper-case letters."""
        letters = _LETTERS[self.codes].tobytes().decode("ascii")
        ends = (self.first + self.length).tolist()
        return [letters[a:b] for a, b in zip(self.first.tolist(), ends, strict=True)]

    def holding(self, code: int) -> np.ndarray:
        """(n,) bool: sequences in which the code occurs.  Only where no code is shared by two sequences."""
        found = np.zeros(len(self.first), np.bool_)
        at = np.flatnonzero(self.codes == code)
        found[np.searchsorted(self.first, at, side="right") - 1] = True
        return found

    def select(self, rows: np.ndarray) -> AlleleCodes:
        """The sequences of an index array, over the same codes."""
        return AlleleCodes(self.codes, self.first[rows], self.length[rows])


def matches_genome(genome: Genome, contig: np.ndarray, pos: np.ndarray, alleles: AlleleCodes) -> np.ndarray:
    """(n,) bool: whether the genome reads as allele i from pos[i] on.  False where it would leave the contig.

    contig: (n,) ids.  pos: (n,) 0-based.  N equals N alone.

    Raises GenomeMismatch for a contig id that is not of the genome.
    """
    matching = np.zeros(len(pos), np.bool_)
    match = _match.of(int(alleles.length.sum()))
    for codes, offset, size, rows in genome.flat(np.ascontiguousarray(contig, np.int64)):
        match(codes, offset, size, pos, alleles.codes, alleles.first, alleles.length, rows, matching)
    return matching


def normalize(
    genome: Genome, contig: np.ndarray, pos: np.ndarray, ref: AlleleCodes, alt: AlleleCodes
) -> tuple[np.ndarray, AlleleCodes, AlleleCodes]:
    """Left-aligned and trimmed (pos, ref, alt) of n alleles; all of `ref` must be the genome's.

    contig: (n,) ids.  pos: (n,) 0-based.  No allele is empty.  The spelling is VCF's (specification 4.3, 1.6.1): an
    insertion or a deletion keeps the base before it, or the base after it at the first base of a contig.  Equal
    alleles stay as they are.  On GGTCACACAT, pos 5 CAC>C becomes pos 2 TCA>T.
    """
    n = len(pos)
    # A sequence grows by its anchor at most, so that both spellings fit.
    new_ref = AlleleCodes(np.zeros(ref.length.sum() + n, np.uint8), _starts(ref.length + 1), np.zeros(n, np.int64))
    new_alt = AlleleCodes(np.zeros(alt.length.sum() + n, np.uint8), _starts(alt.length + 1), np.zeros(n, np.int64))
    new_pos = np.array(pos, np.int64)
    spell = _normalize.of(int(ref.length.sum() + alt.length.sum()) + REPEAT * n)
    for codes, offset, size, rows in genome.flat(np.ascontiguousarray(contig, np.int64)):
        spell(
            *(codes, offset, size, rows, new_pos),
            *(ref.codes, ref.first, ref.length, alt.codes, alt.first, alt.length),
            *(new_ref.codes, new_ref.first, new_ref.length, new_alt.codes, new_alt.first, new_alt.length),
        )
    return new_pos, new_ref, new_alt


def _starts(length: np.ndarray) -> np.ndarray:
    return np.cumsum(length) - length


@CompiledLoop
def _match(genome, offset, size, pos, codes, first, length, rows, matching):
    for i in rows:
        if pos[i] < 0 or pos[i] + length[i] > size[i]:
            continue
        at, same = offset[i] + pos[i], True
        for j in range(length[i]):
            same &= genome[at + j] == codes[first[i] + j]
        matching[i] = same


@CompiledLoop
def _normalize(
    genome,
    offset,
    size,
    rows,
    pos,
    ref,
    ref_first,
    ref_length,
    alt,
    alt_first,
    alt_length,
    new_ref,
    new_ref_first,
    new_ref_length,
    new_alt,
    new_alt_first,
    new_alt_length,
):
    for i in rows:
        g = genome[offset[i] : offset[i] + size[i]]
        r = ref[ref_first[i] : ref_first[i] + ref_length[i]]
        a = alt[alt_first[i] : alt_first[i] + alt_length[i]]
        y, z = new_ref[new_ref_first[i] :], new_alt[new_alt_first[i] :]
        m, n = len(r), len(a)
        while m and n and r[m - 1] == a[n - 1]:
            m -= 1
            n -= 1
        s = 0
        while s < m and s < n and r[s] == a[s]:
            s += 1
        gap = m - s + n - s
        p = pos[i] + s
        if gap == 0:
            p, s, m, n, indel = pos[i], 0, len(r), len(a), False
        else:
            indel = m == s or n == s
        if not indel:
            y[: m - s], z[: n - s] = r[s:m], a[s:n]
            pos[i], new_ref_length[i], new_alt_length[i] = p, m - s, n - s
            continue
        x = r[s:m] if n == s else a[s:n]
        # Where the base before equals the last one of the gap, the gap may as well begin with that base; after k
        # such steps it reads (genome[p - k : p] + x)[:gap].
        k = 0
        while p > k and g[p - k - 1] == (x[gap - 1 - k] if k < gap else g[p - k - 1 + gap]):
            k += 1
        p -= k
        long, short = (y, z) if n == s else (z, y)
        after = p == 0
        pos[i] = 0 if after else p - 1
        anchor = g[gap if n == s else 0] if after else g[p - 1]
        short[0] = anchor
        long[gap if after else 0] = anchor
        for j in range(gap):
            long[j + (not after)] = g[p + j] if j < k else x[j - k]
        new_ref_length[i], new_alt_length[i] = (gap + 1, 1) if n == s else (1, gap + 1)
