"""The REF check: whether a file of variants was called against this genome at all.

    contig lengths in the header -> `ContigLengths`: which contigs differ
    Variants, chunk by chunk     -> `AssemblyCheck`: how many REF do not match, how many would by chance

Letters match by chance too: of a substitution in a file of another assembly the genome reads as REF in about one case
of four, as ALT in another, and as neither in two.  So a few mismatches are rows with a status; a share near that of
chance is another assembly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.variants.variants import Variants

NO_COMPARISON = ("malformed", "contig_unknown", "contig_differs", "out_of_bounds", "non_acgt")
"""Statuses of rows whose REF says nothing of the assembly."""
NOTED = 0.05
"""Share of mismatches from which a note tells of them."""

_CONTIG = re.compile(r"##contig=<(?:.*,)?ID=(?P<name>[^,>]+)(?:,.*)?>")
_LENGTH = re.compile(r"[<,]length=([0-9]+)[,>]")
_REMEDY = (
    "name the FASTA that the variants were called against, lift them over, or score what matches all the same with "
    "--any-assembly (any_assembly=True)"
)


@dataclass(frozen=True)
class ContigLengths:
    """Contig lengths of a header of VCF or BCF, held against a genome's.

    compared: how many contigs both know, with a length.
    differing: {the genome's id of a contig: (its name in the header, bp in the header, bp in the genome)}.
    """

    compared: int = 0
    differing: dict[int, tuple[str, int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, header_lines: Iterable[str], genome: Genome) -> ContigLengths:
        """From the ## lines; contigs that the header or the genome lacks are left to the rows."""
        compared, differing = 0, {}
        for text in header_lines:
            contig, length = _CONTIG.fullmatch(text), _LENGTH.search(text)
            if not contig or not length:
                continue
            try:
                number = int(genome.contig_ids([contig["name"]])[0])
            except GenomeMismatch:
                continue
            compared += 1
            own = int(genome.lengths(np.array([number]))[0])
            if int(length[1]) != own:
                differing[number] = contig["name"], int(length[1]), own
        return cls(compared, differing)

    def describe(self, any_assembly: bool) -> list[str]:
        """What a user should know of them; any_assembly: rows on contigs that differ are scored."""
        if not self.compared:
            return ["the header gives no contig length, so only REF tells whether the assembly is the genome's"]
        if not self.differing:
            return []
        shown, more = "; ".join(self.texts[:4]), f", and {len(self.texts) - 4} more" if len(self.texts) > 4 else ""
        rows = "are scored all the same" if any_assembly else "have the status contig_differs"
        return [f"contig {shown}{more}: rows on it {rows}"]

    @property
    def texts(self) -> list[str]:
        """`chrM has 16,571 bp in the header, 16,569 bp in the genome`, one a contig that differs."""
        return [f"{n} has {a:,} bp in the header, {b:,} bp in the genome" for n, a, b in self.differing.values()]


class AssemblyCheck:
    """Looks at the alleles of a file as they are read.

    source: the file, for messages.  first: alleles that are compared.  least: of so many at least it can be told that
    they are of another assembly; fewer are rows with a status.  any_assembly: never raise.
    compared, mismatched: alleles so far whose REF could be compared, and those where the genome reads as neither REF
    nor ALT (tables with both exchanged are of the right assembly).  by_chance: of how many this is expected in random
    sequence.
    """

    def __init__(
        self,
        source: str,
        genome: Genome,
        lengths: ContigLengths | None = None,
        any_assembly: bool = False,
        first: int = 1000,
        least: int = 20,
    ):
        self.source, self.genome, self.lengths = source, genome, lengths or ContigLengths()
        self.any_assembly, self.first, self.least = any_assembly, first, least
        self.compared, self.mismatched, self.by_chance = 0, 0, 0.0
        self._example = ""
        self._contigs: set[int] = set()

    def add(self, variants: Variants) -> None:
        """Look at the alleles that follow.

        Raises GenomeMismatch where most contigs of the header and of the alleles so far are of another length, or REF
        fits no better than half of the way to chance.
        """
        self._contigs.update(np.unique(variants.contig[variants.contig >= 0]).tolist())
        self._count(variants)
        if self.any_assembly:
            return
        differing = self._contigs & set(self.lengths.differing)
        if 2 * len(differing) > len(self._contigs) and 2 * len(self.lengths.differing) > self.lengths.compared:
            raise GenomeMismatch(self._of_lengths())
        if self.compared >= self.least and 2 * self.mismatched >= max(1.0, self.by_chance):
            share = f"{self.mismatched / self.compared:.0%}; about {self.by_chance:,.0f} are expected of random letters"
            raise GenomeMismatch(
                f"{self.source}: of the first {self.compared:,} alleles {self.mismatched:,} ({share}; the first is "
                f"{self._example}) have neither REF nor ALT where genome {self.genome.name!r} should have them: "
                f"the file is of another assembly, {_REMEDY}"
            )

    def finish(self) -> None:
        """After the last allele: raises GenomeMismatch where every contig that they lie on is of another length."""
        if self._contigs and self._contigs <= set(self.lengths.differing) and not self.any_assembly:
            raise GenomeMismatch(self._of_lengths())

    @property
    def notes(self) -> list[str]:
        """What a user should know although the rows are scored."""
        if self.compared < self.least or self.mismatched <= NOTED * self.compared:
            return []
        return [
            f"of the first {self.compared:,} alleles {self.mismatched:,} ({self.mismatched / self.compared:.0%}) have "
            f"another REF than the genome, as {self._example} (about {self.by_chance:,.0f} are expected of another "
            "assembly): they are rows ref_mismatch"
        ]

    def _of_lengths(self) -> str:
        differing, compared = self.lengths.texts, self.lengths.compared
        return (
            f"{self.source} is of another assembly than genome {self.genome.name!r}: contig {differing[0]} "
            f"({len(differing)} of {compared} contigs differ): {_REMEDY}"
        )

    def _count(self, variants: Variants) -> None:
        if self.compared >= self.first:
            return
        speaks = ~np.isin(variants.status, NO_COMPARISON)
        silent = np.isin(variants.status, ("symbolic", "no_alt"))
        speaks[silent] = [bool(ref.strip("Nn")) for ref in variants.ref[silent]]
        speaks &= np.array(["ref_ambiguous" not in note for note in variants.notes], np.bool_)
        rows = np.flatnonzero(speaks)[: self.first - self.compared]
        wrong = rows[variants.status[rows] == "ref_mismatch"]
        if len(wrong) and not self._example:
            at = wrong[0]
            self._example = f"{variants.chrom[at]}:{variants.pos[at] + 1:,} {variants.ref[at][:20]}"
        self.compared += len(rows)
        self.mismatched += len(wrong)
        for ref, alt in zip(variants.ref[rows], variants.alt[rows], strict=True):
            swapped = 0.0 if ref.startswith(alt) or not alt.isalpha() else 0.25 ** len(alt)
            self.by_chance += max(0.0, 1 - 0.25 ** len(ref) - swapped)
