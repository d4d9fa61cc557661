"""One byte a base: A C G T N = 0 1 2 3 4, everything else that FASTA allows is N."""

from __future__ import annotations

import numpy as np

from zoo.errors import DataError

_LETTERS = np.frombuffer(b"ACGTN", np.uint8)
_IUPAC = b"ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-.*"

ENCODE = np.full(256, 255, np.uint8)
"""Byte of a letter to its code; 255 for a byte that no sequence may hold."""
for _byte in _IUPAC:
    ENCODE[_byte] = 4
for _code, _pair in enumerate((b"Aa", b"Cc", b"Gg", b"TtUu")):
    for _byte in _pair:
        ENCODE[_byte] = _code

COMPLEMENT = np.array([3, 2, 1, 0, 4], np.uint8)


def encode(sequence: str | bytes) -> np.ndarray:
    """Letters to codes (L,) uint8.  U reads as T; IUPAC ambiguity, gaps and N read as N.

    Raises DataError for a byte that is no IUPAC letter.

    >>> encode("ACgtNR").tolist()
    [0, 1, 2, 3, 4, 4]
    """
    raw = np.frombuffer(sequence.encode("latin-1", "replace") if isinstance(sequence, str) else sequence, np.uint8)
    codes = ENCODE[raw]
    bad = np.flatnonzero(codes == 255)
    if bad.size:
        at = int(bad[0])
        raise DataError(f"letter {chr(raw[at])!r} at position {at + 1:,} is no IUPAC nucleotide: correct or drop it")
    return codes


def decode(codes: np.ndarray) -> str:
    """codes (L,) to letters.

    >>> decode(np.array([0, 1, 2, 3, 4]))
    'ACGTN'
    """
    return _LETTERS[np.asarray(codes, np.uint8)].tobytes().decode("ascii")


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """codes (..., L) of the other strand.

    >>> decode(reverse_complement(encode("AACN")))
    'NGTT'
    """
    return COMPLEMENT[codes][..., ::-1]
