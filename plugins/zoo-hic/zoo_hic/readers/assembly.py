"""Contigs of a map beside those of a FASTA: chr1 is chrI, and another length is another assembly.

Lengths may differ by less than 0.1 % (corrected bases); that is noted.  Some programs write lengths as whole bins,
rounded up or down: where every length of the file is a multiple of its bin size, a contig whose length is less than one
bin from the FASTA's is taken as the same, because the file cannot say more; that is noted too, as it cannot tell
assemblies apart whose contigs differ by less than a bin.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zoo.data.aliases import find
from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch

NEAR = 0.001
"""Largest difference of two lengths of one contig, as a share of the FASTA's."""


def read_sizes(fasta: str | Path | Genome | Mapping[str, int]) -> tuple[str, dict[str, int]]:
    """(name, bp by contig) of a FASTA file, a Genome, or sizes that are given."""
    if isinstance(fasta, Mapping):
        return "the sizes given", {str(c): int(s) for c, s in fasta.items()}
    genome = Genome.of(fasta)
    return genome.name, dict(genome.contigs)


def match_assembly(
    sizes: Mapping[str, int],
    resolution: int,
    fasta: str | Path | Genome | Mapping[str, int],
    owner: str,
    allow_other: bool = False,
) -> tuple[dict[str, str], list[str]]:
    """({contig of the file: the FASTA's name}, notes), for the contigs that the FASTA has.

    sizes: bp by contig of the file.  resolution: bp of its bins.  owner: the file, for messages.
    allow_other: take contigs of other lengths as well, with a note.

    Raises GenomeMismatch where the FASTA has none of the contigs, two are names of the same one, or a length differs.
    """
    name, own = read_sizes(fasta)
    place = {c: c if c in own else find(c, own) for c in sizes}
    matched = {c: o for c, o in place.items() if o is not None}
    if not matched:
        raise GenomeMismatch(
            f"{owner} has contigs {list_some(sizes)}, {name} has {list_some(own)}: "
            "use the FASTA that the reads were mapped to"
        )
    seen: dict[str, str] = {}
    for contig, its in matched.items():
        if its in seen:
            raise GenomeMismatch(
                f"{owner} has both {seen[its]!r} and {contig!r} for {its!r} of {name}: take one out of the file"
            )
        seen[its] = contig
    whole = all(s % resolution == 0 for s in sizes.values())
    near, rounded, far = [], [], []
    for contig, its in matched.items():
        apart = abs(sizes[contig] - own[its])
        if apart:
            kind = rounded if whole and apart < resolution else near if apart < NEAR * own[its] else far
            kind.append((apart / own[its], f"{contig} has {sizes[contig]:,} bp, in {name} {own[its]:,}"))
    if far and not allow_other:
        more = f" ({len(far)} of {len(matched)} contigs differ by {NEAR:.1%} or more)"
        raise GenomeMismatch(
            f"{max(far)[1]}{more}: {owner} is of another assembly, use its own FASTA, or pass --allow-other-assembly "
            "(allow_other_assembly=True) if bins of another strain will do"
        )
    return matched, _notes(name, own, sizes, place, near, rounded, far, resolution)


def _notes(name, own, sizes, place, near, rounded, far, resolution) -> list[str]:
    notes = []
    if renamed := [f"{c} is {o}" for c, o in place.items() if o not in (None, c)]:
        notes.append(f"contigs are called as in {name}: {list_some(renamed)}")
    if near:
        notes.append(f"lengths of {len(near)} contigs differ from {name} by less than {NEAR:.1%}: {max(near)[1]}")
    if rounded:
        notes.append(
            f"lengths of {len(rounded)} contigs are whole bins, less than one ({resolution:,} bp) from {name}'s: "
            f"{max(rounded)[1]}"
        )
    if far:
        notes.append(f"another assembly: lengths of {len(far)} contigs differ from {name}: {max(far)[1]}")
    if unknown := [c for c, o in place.items() if o is None]:
        notes.append(f"{name} does not have {list_some(unknown)}: left out")
    if missing := [o for o in own if o not in set(place.values())]:
        notes.append(f"the map does not have {list_some(missing)} of {name}")
    return notes


def list_some(names, most: int = 4) -> str:
    """The first of the names, and how many more there are."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
