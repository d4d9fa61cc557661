"""Other names of a contig: chr20 and 20, MT and chrM, chr4 and chrIV of yeast, NC_000020.11 of man."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_MITOCHONDRION = {"m", "mt", "mito", "mitochondrion", "mtdna"}
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")
_REFSEQ = re.compile(r"NC_0000(0[1-9]|1[0-9]|2[0-4])\.([0-9]+)|NC_012920\.1")
_GRCH38_VERSIONS = (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10)
"""Of NC_000001 to NC_000024; GRCh37 has the version before each."""
_GRCH38 = (
    *(248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717, 133797422),
    *(135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285, 58617616, 64444167),
    *(46709983, 50818468, 156040895, 57227415),
)
_GRCH37 = (
    *(249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747),
    *(135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520),
    *(48129895, 51304566, 155270560, 59373566),
)


def alias_key(contig: str) -> str:
    """What two names of one contig have in common.

    >>> alias_key("chr20") == alias_key("20"), alias_key("MT") == alias_key("chrM"), alias_key("NC_000023.11")
    (True, True, 'X')
    """
    if match := _REFSEQ.fullmatch(contig):
        number = int(match[1] or 0)
        return {0: "MT", 23: "X", 24: "Y"}.get(number, str(number))
    bare = re.sub(r"^(chromosome|chrom|chr)[_.]?(?=.)", "", contig, flags=re.IGNORECASE)
    return "MT" if bare.lower() in _MITOCHONDRION else bare


def find(contig: str, contigs: Iterable[str]) -> str | None:
    """The one of `contigs` that `contig` is another name of; None where there is none or more than one.

    Roman and Arabic numbers are exchanged only where they cannot be letters: the genome numbers its contigs
    I, II, III ... without a gap up to the one asked for (chrX of worm and man stays a sex chromosome), or
    has exactly 1 to 16 as baker's yeast does.

    An accession of a human chromosome is another name of a contig that is not as long as that of the other assembly;
    two accessions are two sequences.

    >>> find("chr20", ["19", "20"]), find("chr2", ["chrI", "chrII", "chrX"]), find("chr10", ["chrI", "chrII", "chrX"])
    ('20', 'chrII', None)
    """
    by_key: dict[str, list[str]] = {}
    accession = _REFSEQ.fullmatch(contig) is not None
    for name in contigs:
        if accession and (_REFSEQ.fullmatch(name) or _is_of_another_assembly(contig, name, contigs)):
            continue
        by_key.setdefault(alias_key(name), []).append(name)
    key = alias_key(contig)
    keys = [key]
    if accession:
        return by_key[key][0] if len(by_key.get(key, ())) == 1 else None
    if key.isdigit() and 1 <= int(key) <= len(_ROMAN) and all(r in by_key for r in _ROMAN[: int(key)]):
        keys.append(_ROMAN[int(key) - 1])
    if key in _ROMAN and {k for k in by_key if k.isdigit()} == {str(i) for i in range(1, 17)}:
        keys.append(str(_ROMAN.index(key) + 1))
    found = [name for k in keys for name in by_key.get(k, [])]
    return found[0] if len(found) == 1 else None


def _is_of_another_assembly(accession: str, name: str, contigs: Iterable[str]) -> bool:
    """Whether a contig's length, where it is known, is not that of the human chromosome of an accession and version."""
    match = _REFSEQ.fullmatch(accession)
    if not isinstance(contigs, Mapping) or not match or alias_key(name) != alias_key(accession):
        return False
    length = contigs[name]
    if match[1] is None:
        return length > 16_569  # hg19's chrM is another sequence of 16,571 bp
    i = int(match[1]) - 1
    newer = int(match[2]) - _GRCH38_VERSIONS[i]
    if newer not in (0, -1):
        return length in (_GRCH38[i], _GRCH37[i])
    own, other = (_GRCH38, _GRCH37) if newer == 0 else (_GRCH37, _GRCH38)
    return length == other[i] or length > own[i]
