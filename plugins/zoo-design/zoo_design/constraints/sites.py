"""Sites that must not occur on either strand, runs of one base, and repeats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.data.codes import encode, reverse_complement
from zoo.errors import ConfigError
from zoo_design.constraints.constraint import Constraint
from zoo_design.starts import Start

IUPAC = {
    "A": 1, "C": 2, "G": 4, "T": 8, "R": 5, "Y": 10, "S": 6, "W": 9, "K": 12, "M": 3, "B": 14, "D": 13, "H": 11,
    "V": 7, "N": 15,
}  # fmt: skip
"""Letter to a set of bases: 1 A, 2 C, 4 G, 8 T."""

_OTHER = {"A": "T", "C": "G", "G": "C", "T": "A", "R": "Y", "Y": "R", "S": "S", "W": "W", "K": "M", "M": "K"}
_OTHER |= {"B": "V", "V": "B", "D": "H", "H": "D", "N": "N"}


@dataclass(frozen=True)
class Avoid(Constraint):
    """A pattern that must not occur.  site: IUPAC letters.  name: of an enzyme, "" for a pattern of one's own."""

    site: str
    name: str = ""

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        return ~np.asarray(self.matches(codes).any(1))

    def matches(self, codes: np.ndarray) -> np.ndarray:
        """(N, L) -> (N, L - W + 1) bool: a site of either strand begins here."""
        hits = _matches(self.site, codes)
        if (other := turn(self.site)) != self.site:
            hits = hits | _matches(other, codes)
        return hits

    def specifications(self, start: Start) -> list:
        from dnachisel import AvoidPattern, DnaNotationPattern

        return [AvoidPattern(DnaNotationPattern(self.site, name=self.name or None), strand="both")]

    def impossible(self, start: Start, fixed: np.ndarray) -> str | None:
        codes = encode(start.sequence)[None]
        for at in np.flatnonzero(self.matches(codes)[0]):
            end = int(at) + len(self.site)
            if fixed[at:end].all():
                return (
                    f"the protected bases of {start.name!r} hold a site of {self.name or self.site} "
                    f"at {at + 1}-{end}: protect less, or leave out {self.word}"
                )
        return None


@dataclass(frozen=True)
class Homopolymer(Constraint):
    """Runs of one base have at most `longest` bp."""

    longest: int

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        return ~np.asarray(_runs(codes, self.longest + 1).any(1))

    def specifications(self, start: Start) -> list:
        from dnachisel import AvoidPattern, HomopolymerPattern

        return [AvoidPattern(HomopolymerPattern(base, self.longest + 1), strand="both") for base in "AC"]

    def impossible(self, start: Start, fixed: np.ndarray) -> str | None:
        width = self.longest + 1
        for at in np.flatnonzero(_runs(encode(start.sequence)[None], width)[0]):
            if fixed[at : at + width].all():
                return (
                    f"the protected bases of {start.name!r} hold a run of {width} {start.sequence[at]} at {at + 1}: "
                    f"protect less, or allow longer runs than {self.word}"
                )
        return None


@dataclass(frozen=True)
class Repeats(Constraint):
    """Every k-mer occurs once, counted on both strands."""

    k: int

    def keeps(self, codes: np.ndarray, row: np.ndarray, starts: list[Start]) -> np.ndarray:
        ordered = np.sort(self.words(codes), axis=1)
        return ~np.asarray((ordered[:, 1:] == ordered[:, :-1]).any(1))

    def words(self, codes: np.ndarray) -> np.ndarray:
        """(N, L) -> (N, L - k + 1) int64: each k-mer or its reverse complement, whichever comes first."""
        return np.minimum(_numbers(codes, self.k), _numbers(reverse_complement(codes), self.k)[:, ::-1])

    def specifications(self, start: Start) -> list:
        from dnachisel import UniquifyAllKmers

        return [UniquifyAllKmers(self.k, include_reverse_complement=True)]

    def check(self, length: int) -> None:
        if not 1 <= self.k <= 31:
            raise ConfigError(f"constraint {self.word}: k-mers of 1 to 31 bp can be kept apart")
        distinct = (4**self.k + (4 ** (self.k // 2) if self.k % 2 == 0 else 0)) // 2
        if length - self.k + 1 > distinct:
            raise ConfigError(
                f"constraint {self.word}: {length:,} bp hold {length - self.k + 1:,} {self.k}-mers but only "
                f"{distinct:,} differ: allow repeats of longer ones"
            )

    def impossible(self, start: Start, fixed: np.ndarray) -> str | None:
        words = self.words(encode(start.sequence)[None])[0]
        first: dict[int, int] = {}
        for at, word in enumerate(words.tolist()):
            if not fixed[at : at + self.k].all():
                continue
            if word in first:
                return (
                    f"the protected bases of {start.name!r} repeat {start.sequence[at : at + self.k]} at "
                    f"{first[word] + 1} and {at + 1}: protect less, or allow repeats longer than {self.word}"
                )
            first[word] = at
        return None


def turn(site: str) -> str:
    """The reverse complement of IUPAC letters.

    >>> turn("GGTCTC"), turn("GGRCA")
    ('GAGACC', 'TGYCC')
    """
    return "".join(_OTHER[letter] for letter in reversed(site))


def _matches(site: str, codes: np.ndarray) -> np.ndarray:
    places = codes.shape[1] - len(site) + 1
    if places < 1:
        return np.zeros((len(codes), 0), bool)
    bases = (1 << codes).astype(np.uint8)
    hits = np.ones((len(codes), places), bool)
    for offset, letter in enumerate(site):
        if letter != "N":
            hits &= (bases[:, offset : offset + places] & IUPAC[letter]) != 0
    return hits


def _runs(codes: np.ndarray, width: int) -> np.ndarray:
    """(N, L) -> (N, L - width + 1) bool: `width` equal bases begin here."""
    places = codes.shape[1] - width + 1
    if places < 1:
        return np.zeros((len(codes), 0), bool)
    same = codes[:, 1:] == codes[:, :-1]
    hits = np.ones((len(codes), places), bool)
    for offset in range(width - 1):
        hits &= same[:, offset : offset + places]
    return hits


def _numbers(codes: np.ndarray, k: int) -> np.ndarray:
    places = codes.shape[1] - k + 1
    if places < 1:
        return np.zeros((len(codes), 0), np.int64)
    number = np.zeros((len(codes), places), np.int64)
    for offset in range(k):
        number = number * 4 + codes[:, offset : offset + places]
    return number
