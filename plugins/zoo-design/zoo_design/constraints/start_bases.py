"""What must stay of the start: protected bases, most of the letters, or the protein that they code for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zoo.data.codes import decode, encode, reverse_complement
from zoo.errors import ConfigError
from zoo_design.constraints.constraint import Constraint, spans
from zoo_design.starts import Start


@dataclass(frozen=True)
class Protect(Constraint):
    """No base of a place is changed."""

    place: str

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        kept = np.ones(len(codes), bool)
        for r, chosen in _by_start(row):
            origin = encode(starts[r].sequence)
            for start, end, _ in spans(self.place, starts[r]):
                kept[chosen] &= (codes[chosen, start:end] == origin[start:end]).all(1)
        return kept

    def specifications(self, start: Start) -> list:
        from dnachisel import AvoidChanges

        return [
            AvoidChanges(location=(a, b), target_sequence=start.sequence[a:b]) for a, b, _ in spans(self.place, start)
        ]


@dataclass(frozen=True)
class Distance(Constraint):
    """At most `most` letters differ from the start."""

    most: int

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        kept = np.ones(len(codes), bool)
        for r, chosen in _by_start(row):
            kept[chosen] = (codes[chosen] != encode(starts[r].sequence)).sum(1) <= self.most
        return kept

    def specifications(self, start: Start) -> list:
        from dnachisel import AvoidChanges

        whole = (0, len(start.sequence))
        return [AvoidChanges(max_edits=self.most, location=whole, target_sequence=start.sequence)]

    def check(self, length: int) -> None:
        if self.most < 1:
            raise ConfigError(f"constraint {self.word} leaves nothing to design: allow 1 difference at least")


@dataclass(frozen=True)
class Codons(Constraint):
    """Codons of a place change to others of the same amino acid alone, by the standard code.

    strand: 1 or -1, 0 for that of the part.
    """

    place: str
    strand: int = 0

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        kept = np.ones(len(codes), bool)
        for r, chosen in _by_start(row):
            for start, end, strand in self._spans(starts[r]):
                protein = _translate(encode(starts[r].sequence)[None, start:end], strand)
                kept[chosen] &= (_translate(codes[chosen, start:end], strand) == protein).all(1)
        return kept

    def specifications(self, start: Start) -> list:
        from dnachisel import EnforceTranslation

        made = []
        for a, b, strand in self._spans(start):
            protein = _translate(encode(start.sequence)[None, a:b], strand)[0].tobytes().decode("ascii")
            made.append(EnforceTranslation(location=(a, b, strand), translation=protein))
        return made

    def _spans(self, start: Start) -> list[tuple[int, int, int]]:
        made = [(a, b, self.strand or strand) for a, b, strand in spans(self.place, start)]
        for a, b, _ in made:
            if (b - a) % 3:
                raise ConfigError(
                    f"constraint {self.word}: bases {a + 1}-{b} of {start.name!r} are {b - a} bp, no whole codons: "
                    "give a multiple of 3"
                )
        return made


def _by_start(row: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Each start with the rows of its candidates."""
    order = np.argsort(row, kind="stable")
    bounds = np.flatnonzero(np.diff(row[order], prepend=-1))
    return [(int(row[part[0]]), part) for part in np.split(order, bounds[1:]) if len(part)]


def _translate(codes: np.ndarray, strand: int) -> np.ndarray:
    """(N, 3 W) -> (N, W) bytes of amino acids."""
    if strand == -1:
        codes = reverse_complement(codes)
    numbers = codes[:, 0::3].astype(np.int64) * 16 + codes[:, 1::3] * 4 + codes[:, 2::3]
    return _amino_acids()[numbers]


@lru_cache(maxsize=1)
def _amino_acids() -> np.ndarray:
    from Bio.Seq import translate

    codons = [decode(np.array([a, b, c], np.uint8)) for a in range(4) for b in range(4) for c in range(4)]
    return np.frombuffer("".join(translate(codon) for codon in codons).encode("ascii"), np.uint8)
