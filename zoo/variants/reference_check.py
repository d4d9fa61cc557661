"""The REF check: whether a file of variants was called against this genome at all.

Variants (each REF compared with the genome) -> how many do not match -> GenomeMismatch for a file of another assembly
"""

from __future__ import annotations

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.variants.variants import Variants


def check_reference(
    variants: Variants, source: str, genome: Genome, first: int = 1000, least: int = 20, most: float = 0.05
) -> tuple[int, int]:
    """(rows whose REF the genome does not have, rows compared) among the first `first` that were compared.

    A row that reads as ALT is compared but counts as no mismatch: a table with REF and ALT exchanged is of the right
    assembly.  Raises GenomeMismatch where at least `least` were compared and more than `most` of them mismatch.
    """
    compared = ~np.isin(variants.status, ("malformed", "contig_unknown", "out_of_bounds", "non_acgt"))
    silent = np.isin(variants.status, ("symbolic", "no_alt"))
    compared[silent] = [bool(ref.strip("Nn")) for ref in variants.ref[silent]]
    compared = np.flatnonzero(compared)[:first]
    wrong = variants.status[compared] == "ref_mismatch"
    n, k = len(compared), int(wrong.sum())
    if n >= least and k > most * n:
        at = compared[np.flatnonzero(wrong)[0]]
        place = f"{variants.chrom[at]}:{variants.pos[at] + 1:,}"
        raise GenomeMismatch(
            f"{source}: the REF of {k:,} of the first {n:,} alleles ({k / n:.0%}, at most {most:.0%} are borne; the "
            f"first is {place} {variants.ref[at][:20]}) is not what genome {genome.name!r} reads: the file is of "
            "another assembly, name the FASTA it was called against"
        )
    return k, n
