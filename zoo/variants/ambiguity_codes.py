"""Ambiguity codes of a genome (R is A or G): which letters of REF they allow.

A genome keeps such a letter as N.  Callers write one of its bases in REF, the first in the alphabet as the VCF
specification has it (4.3, 1.6.1), or the letter itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.genome import Genome
from zoo.variants.left_alignment import OTHER, AlleleCodes, N

BASES = {
    **{base: base for base in "ACGT"},
    **{"R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC"},
    **{"B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}
"""What each IUPAC letter stands for."""


def allows(genome: str, reference: str) -> bool:
    """Whether every letter of REF is the genome's, or one that the genome's ambiguity code stands for.

    >>> allows("CR", "CA"), allows("CR", "CR"), allows("CR", "CN"), allows("CR", "CT"), allows("CA", "CR")
    (True, True, True, False, False)
    """
    if len(genome) != len(reference):
        return False
    return all(g == r or (g not in "ACGT" and _is_within(r, g)) for g, r in zip(genome, reference, strict=True))


def _is_within(letter: str, code: str) -> bool:
    return letter == "N" or (letter in BASES and set(BASES[letter]) <= set(BASES.get(code, "ACGT")))


def readable_references(
    genome: Genome, contig: np.ndarray, pos: np.ndarray, refs: AlleleCodes, rows: np.ndarray, texts: Sequence[str]
) -> tuple[np.ndarray, AlleleCodes]:
    """(A,) bool, which of `rows` have a REF that ambiguity codes of the genome allow; refs with N for such a code.

    contig: (A,) ids.  pos: (A,) 0-based.  texts: (A,) REF as written.  Rows lie within their contigs.
    """
    ambiguous = np.zeros(len(pos), np.bool_)
    for row in rows.tolist():
        letters = genome.letters(int(contig[row]), int(pos[row]), int(pos[row]) + len(texts[row]))
        ambiguous[row] = not set(letters) <= set("ACGT") and allows(letters, str(texts[row]).upper())
    if not ambiguous.any():
        return ambiguous, refs
    codes = refs.codes.copy()
    for row in np.flatnonzero(ambiguous).tolist():
        own = slice(refs.first[row], refs.first[row] + refs.length[row])
        codes[own] = np.where(codes[own] == OTHER, N, codes[own])
    return ambiguous, AlleleCodes(codes, refs.first, refs.length)
