"""What a sequence is compared with: reference sequences that lack what makes it special.

zero          four zeros at every base: one reference, which no genome holds
gc            random bases with the sequence's own share of G and C
dinucleotide  shuffles that keep every count of neighbouring bases
"""

from __future__ import annotations

import numpy as np

from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.errors import ConfigError, did_you_mean

REFERENCES = ("zero", "gc", "dinucleotide")
NOTHING = 4


def check_references(references: str, n: int) -> None:
    """Raises ConfigError for an unknown kind and for less than one reference."""
    if references not in REFERENCES:
        raise ConfigError(f"no references {references!r}" + did_you_mean(references, REFERENCES))
    if n < 1:
        raise ConfigError(f"n_references {n} must be 1 or more: 20 is usual")


def reference_codes(codes: np.ndarray, references: str, n: int, seed: int) -> np.ndarray | None:
    """codes (L,) uint8 -> (n, L) uint8; None for zeros, which no code stands for.

    A sequence has the same references wherever it stands in a batch.  What is N stays N among the references of
    kind gc.
    """
    if references == "zero":
        return None
    if references == "dinucleotide":
        return dinucleotide_shuffle(codes, n, seed)
    known = codes < NOTHING
    gc = float(np.isin(codes[known], (1, 2)).mean()) if known.any() else 0.5
    steps = np.cumsum([(1 - gc) / 2, gc / 2, gc / 2])
    drawn = np.random.default_rng(seed).random((n, len(codes)))
    return np.where(known, np.searchsorted(steps, drawn, side="right"), NOTHING).astype(np.uint8)
