"""REF of genotypes against the genome: haplotypes leave out the records that it does not fit.

Genotypes + Genome -> REF of every site compared -> table of alleles with WRONG flags, or GenomeMismatch
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import GenomeMismatch
from zoo.variants.ambiguity_codes import allows
from zoo.variants.haplotype_index import FLAGS, WRONG, wrong_references

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.variants.genotypes import Genotypes

LEAST = 20
"""Sites from which on it can be told that all are of another assembly."""


def flag_references(store: Genotypes, genome: Genome) -> np.ndarray:
    """The table of alleles (`allele_table`) with WRONG in the flags of those of a site whose REF is not the genome's.

    Raises GenomeMismatch where REF fits no better than half of the way to chance (3 of 4 random bases differ).
    """
    x = genome.codes(store.contig)
    wrong = wrong_references(x, store.position, store.site_first, store.letters_first, store.codes)
    for v in _ambiguous_sites(store, genome):
        start, ref = int(store.position[v]), store.text(int(store.site_first[v])).upper()
        letters = genome.letters(int(genome.contig_ids([store.contig])[0]), start, start + len(ref))
        wrong[v] = not allows(letters, ref)
    if not wrong.any():
        return store.table
    _check_assembly(store, genome, wrong)
    table = store.table.copy()
    table[np.repeat(wrong, np.diff(store.site_first)), FLAGS] |= WRONG
    return table


def _ambiguous_sites(store: Genotypes, genome: Genome) -> list[int]:
    """Sites whose REF covers an ambiguity code of the genome."""
    places = genome.ambiguity(int(genome.contig_ids([store.contig])[0]))
    if not len(places):
        return []
    spans = np.diff(store.letters_first)[store.site_first[:-1]]
    first, last = (np.searchsorted(places, at) for at in (store.position, store.position + spans))
    return np.flatnonzero(last > first).tolist()


def _check_assembly(store: Genotypes, genome: Genome, wrong: np.ndarray) -> None:
    spans = np.diff(store.letters_first)[store.site_first[:-1]]
    n, by_chance = len(wrong), float((1 - 0.25**spans).sum())
    if n >= LEAST and 2 * wrong.sum() >= by_chance:
        v = int(np.flatnonzero(wrong)[0])
        first = f"{store.contig}:{store.position[v] + 1:,} {store.text(int(store.site_first[v]))[:20]}"
        raise GenomeMismatch(
            f"{store.path}: the REF of {wrong.sum():,} of {n:,} records on {store.contig} is not what genome "
            f"{genome.name!r} reads (about {by_chance:,.0f} are expected of random letters; the first is {first}): "
            "give the FASTA that the VCF was called on"
        )
