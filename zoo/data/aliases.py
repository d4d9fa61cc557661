"""Other names of a contig: chr20 and 20, MT and chrM, chr4 and chrIV of yeast."""

from __future__ import annotations

import re
from collections.abc import Iterable

_MITOCHONDRION = {"m", "mt", "mito", "mitochondrion", "mtdna"}
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")


def alias_key(contig: str) -> str:
    """What two names of one contig have in common.

    >>> alias_key("chr20") == alias_key("20"), alias_key("MT") == alias_key("chrM")
    (True, True)
    """
    bare = re.sub(r"^(chromosome|chrom|chr)[_.]?(?=.)", "", contig, flags=re.IGNORECASE)
    return "MT" if bare.lower() in _MITOCHONDRION else bare


def find(contig: str, contigs: Iterable[str]) -> str | None:
    """The one of `contigs` that `contig` is another name of; None where there is none or more than one.

    Roman and Arabic numbers are exchanged only where they cannot be letters: the genome numbers its contigs
    I, II, III ... without a gap up to the one asked for (chrX of worm and man stays a sex chromosome), or
    has exactly 1 to 16 as baker's yeast does.

    >>> find("chr20", ["19", "20"]), find("chr2", ["chrI", "chrII", "chrX"]), find("chr10", ["chrI", "chrII", "chrX"])
    ('20', 'chrII', None)
    """
    by_key: dict[str, list[str]] = {}
    for name in contigs:
        by_key.setdefault(alias_key(name), []).append(name)
    key = alias_key(contig)
    keys = [key]
    if key.isdigit() and 1 <= int(key) <= len(_ROMAN) and all(r in by_key for r in _ROMAN[: int(key)]):
        keys.append(_ROMAN[int(key) - 1])
    if key in _ROMAN and {k for k in by_key if k.isdigit()} == {str(i) for i in range(1, 17)}:
        keys.append(str(_ROMAN.index(key) + 1))
    found = [name for k in keys for name in by_key.get(k, [])]
    return found[0] if len(found) == 1 else None
