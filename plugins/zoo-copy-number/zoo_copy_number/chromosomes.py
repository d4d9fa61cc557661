"""What the contigs of a genome are, by their names: autosomes, X, Y, or no chromosomes.

["chr1", "chrX", "chrM", "hs37d5"] -> ("autosome", "X", "other", "other")

X and Y are the sex chromosomes of mammals and flies by whatever name: chrX, x, chrom_X, RefSeq and GenBank accessions
of man (GRCh36 to 38, T2T-CHM13), mouse, rat, pig, cow and dog, 23 and 24 as PLINK writes them.  In a genome that counts
in Roman numerals beyond V, such as yeast's, X is the tenth chromosome.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zoo.data.aliases import alias_key

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
_ROMAN += ("XVII", "XVIII", "XIX", "XX", "XXI", "XXII", "XXIII", "XXIV")
_BEYOND_WORM = set(_ROMAN[5:]) - {"X"}
"""The worm has I to V and a sex chromosome X; a genome with one of these counts on to X."""

_CHROMOSOME = re.compile(r"[0-9]{1,3}[A-Z]{0,2}|LG_?[0-9]{1,3}[A-Z]?|[A-Z][0-9]{1,2}|[WXYZ]|X[LR]", re.IGNORECASE)
_ACCESSION = re.compile(r"(?:NC_|AC_|CM|CP)[0-9]{6}(?:\.[0-9]+)?", re.IGNORECASE)
_ORGANELLES = {"MT", "PT", "PLTD", "PLASTID", "CHLOROPLAST"}
_NO_CHROMOSOME = re.compile(
    r".*(?:_alt|_random|_fix|_hap[0-9]*|decoy|_patch)(?:[_.].*)?|chrun[_.].*|un[_.].*|hs37d5|hs38d1|hla[-_*].*"
    r"|(?:chr)?ebv|nc_007605.*|phix.*|nc_001422.*|(?:j02459|lambda).*|uni?vec.*",
    re.IGNORECASE,
)
_NO_CHROMOSOME_ACCESSIONS = set(
    "NC_012920 NC_001807 NC_005089 NC_001665 NC_001224 NC_006853 NC_002008 NC_000845 CP068254 NC_007605".split()
)
"""Mitochondria of man (two), mouse, rat, yeast, cow, dog, pig and CHM13, and the virus EBV."""

# (prefix, number of chromosome 1, step to the next, autosomes, number of X, number of Y or None)
_GENOMES = (
    ("NC_", 1, 1, 22, 23, 24),  # man, GRCh36 to 38
    ("CM", 663, 1, 22, 685, 686),
    ("NC_", 60925, 1, 22, 60947, 60948),  # man, T2T-CHM13v2.0
    ("CP", 68277, -1, 22, 68255, 86569),
    ("NC_", 67, 1, 19, 86, 87),  # mouse, GRCm38 and 39
    ("CM", 994, 1, 19, 1013, 1014),
    ("NC_", 5100, 1, 20, 5120, 24475),  # rat, Rnor_6.0
    ("NC_", 51336, 1, 20, 51356, 51357),  # rat, mRatBN7.2
    ("NC_", 10443, 1, 18, 10461, 10462),  # pig, Sscrofa11.1
    ("NC_", 37328, 1, 29, 37357, None),  # cow, ARS-UCD1.2
    ("NC_", 6583, 1, 38, 6621, None),  # dog, CanFam3.1
)


def _accessions() -> dict[str, str]:
    names = {}
    for prefix, first, step, autosomes, x, y in _GENOMES:
        numbers = {first + step * i: str(i + 1) for i in range(autosomes)} | {x: "X"} | ({} if y is None else {y: "Y"})
        names |= {f"{prefix}{number:06}": name for number, name in numbers.items()}
    return names


_ACCESSIONS = _accessions()


@dataclass(frozen=True)
class Karyotype:
    """What each contig is.

    roles: autosome, X, Y or other (mitochondrion, plastid, decoy, alternate, virus, scaffold beside chromosomes).
    plink: X and Y are called 23 and 24, which in a fish are autosomes: the depth has to agree.
    roman: the genome counts in Roman numerals, in which X is ten.
    unreadable: nothing tells X and Y from other contigs: accessions of a genome that is not known here, or scaffolds.
    birds: it has Z or W and no X: two Z are male, which is not known here.
    """

    roles: tuple[str, ...]
    plink: bool = False
    roman: bool = False
    unreadable: bool = False
    birds: bool = False

    def lies_on(self, contig: np.ndarray, *roles: str) -> np.ndarray:
        """(n,) bool: the bins on contigs of these roles.  contig: (n,) index into the contigs."""
        return np.array([role in roles for role in self.roles], bool)[contig]

    def has(self, *roles: str) -> bool:
        """Whether a contig has one of these roles."""
        return bool(set(roles) & set(self.roles))


def find_karyotype(contigs: Sequence[str]) -> Karyotype:
    """The roles of a genome's contigs, in their order, by names alone."""
    return _karyotype(tuple(map(str, contigs)))


@lru_cache(maxsize=256)
def _karyotype(contigs: tuple[str, ...]) -> Karyotype:
    keys = [_key(c) for c in contigs]
    roman = _counts_in_roman(set(keys))
    plain = [bool(_CHROMOSOME.fullmatch(k)) or k in _ROMAN for k in keys]
    if not any(plain):
        plain = [bool(_ACCESSION.fullmatch(k)) for k in keys]
    never = [_is_no_chromosome(k, c) for k, c in zip(keys, contigs, strict=True)]
    plain = [p and not n for p, n in zip(plain, never, strict=True)]
    roles = []
    for key, chromosome, other in zip(keys, plain, never, strict=True):
        sex = key if key in ("X", "Y") and not (roman or _is_plant(keys)) else ""
        roles.append("other" if other or (any(plain) and not chromosome) else sex or "autosome")
    plink = "X" not in roles and "Y" not in roles and not roman and _counts_like_plink(keys)
    if plink:
        roles = ["X" if k == "23" else "Y" if k == "24" else r for k, r in zip(keys, roles, strict=True)]
        roles = ["other" if k == "26" else r for k, r in zip(keys, roles, strict=True)]
    unreadable = not roman and not any(_CHROMOSOME.fullmatch(k) or k in _ROMAN for k in keys)
    birds = bool({"Z", "W"} & set(keys)) and "X" not in keys
    return Karyotype(tuple(roles), plink, roman, unreadable, birds)


def _key(contig: str) -> str:
    """1, X, MT ... of a name or an accession, in capitals; what is neither stays as it is."""
    inside = re.search(r"\|([A-Z]{2}_?[0-9]{6}(?:\.[0-9]+)?)\|?$", contig.upper())
    key = inside[1] if inside else alias_key(contig.strip()).strip().upper()
    return _ACCESSIONS.get(key.partition(".")[0], key)


def _counts_in_roman(keys: set[str]) -> bool:
    """Whether X is ten: the genome has numbers beyond V, or some of I to V but not all, as the worm has."""
    low = keys & set(_ROMAN[:5])
    return bool(_BEYOND_WORM & keys) or (0 < len(low) < 5 and not any(k.isdigit() for k in keys))


def _is_no_chromosome(key: str, contig: str) -> bool:
    organelle = key in _ORGANELLES or key.partition(".")[0] in _NO_CHROMOSOME_ACCESSIONS
    return organelle or bool(_NO_CHROMOSOME.fullmatch(contig))


def _is_plant(keys: Sequence[str]) -> bool:
    """Chromosomes named by letter and number, as A01 to C09 of rapeseed: an X there is no sex chromosome."""
    return sum(bool(re.fullmatch(r"[A-W][0-9]{1,2}", k)) for k in keys) > 5


def _counts_like_plink(keys: Sequence[str]) -> bool:
    """23 and nothing beyond but 24, or PLINK's XY and MT, 25 and 26; zebrafish ends with 25, cattle with 29."""
    numbers = {int(k) for k in keys if k.isdigit()}
    return bool({23, 24} & numbers) and (numbers <= set(range(1, 25)) or (max(numbers) == 26 and 25 in numbers))


def describe_contigs(names: Sequence[str]) -> str:
    """The first four names, and how many more there are."""
    more = f" and {len(names) - 4:,} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more
