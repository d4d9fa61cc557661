"""Scores of the variants of a file: every allele comes out again, in its order, with a status.

zoo.score_variants("ctcf-motif-cnn", "calls.vcf.gz", fasta="hg38.fa")       -> pandas.DataFrame
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.genome import Genome
from zoo.effects.variants.background import Background, of_shuffles, of_variants
from zoo.effects.variants.scorer import Scorer
from zoo.files.tables import data_frame
from zoo.hub.loader import as_model
from zoo.prediction.predict import origin

if TYPE_CHECKING:
    import pandas

    from zoo.model import Ensemble, Model
    from zoo.variants.files import VariantFile
    from zoo.variants.variants import Variants

__all__ = ["COLUMNS", "NORMAL", "ScoredFile", "background_of", "comments", "score_file", "score_variants"]

COLUMNS = ("chrom", "pos", "id", "ref", "alt", "status")
NORMAL = ("norm_pos", "norm_ref", "norm_alt", "notes")


@dataclass(frozen=True)
class ScoredFile:
    """A stream of rows in input order, one an allele.

    columns: COLUMNS, then the scores, then NORMAL.  chunks: rows of some records at a time.
    comments: what a table of these numbers must say of their origin.
    """

    columns: list[str]
    chunks: Iterator[Chunk]
    comments: dict[str, str]


@dataclass(frozen=True)
class Chunk:
    """Rows of the records first to last of the input; profiles (A, 2, T) where the output has room for them."""

    first: int
    last: int
    rows: list[list[Any]]
    record: np.ndarray
    profiles: np.ndarray | None = None

    def statuses(self) -> Counter:
        """How many rows have which status."""
        return Counter(row[COLUMNS.index("status")] for row in self.rows)


def score_file(
    variants: VariantFile, scorer: Scorer, background: Background | None = None, profiles: bool = False
) -> ScoredFile:
    """Score a file of variants, chunk by chunk: memory does not grow with the file.

    background: adds each score's quantile among scores that mean nothing.
    profiles: keep the profiles of both alleles.

    Raises GenomeMismatch where more than 5 % of the references do not match: the file is of another assembly.
    """
    from zoo.variants.variants import check_reference

    def chunks() -> Iterator[Chunk]:
        for number, part in enumerate(variants):
            if number == 0:
                check_reference(part, str(variants.path), scorer.genome)
            scored = scorer(part, profiles)
            if background is not None:
                quantiles = background.quantiles(scorer.columns, scored.values)
                scored = replace(scored, values=np.concatenate([scored.values, quantiles], 1))
            first, last = int(part.record[0]), int(part.record[-1]) + 1
            yield Chunk(first, last, list(_rows(part, scored)), part.record, scored.profiles)

    own = background.columns if background is not None else []
    return ScoredFile([*COLUMNS, *scorer.columns, *own, *NORMAL], chunks(), comments(scorer, background))


def comments(scorer: Scorer, background: Background | None = None) -> dict[str, str]:
    """What a table of scores says of where they come from."""
    genome = scorer.genome
    aliases = ", ".join(f"{given} is {own}" for given, own in genome.aliases.items()) or "none"
    return {
        **origin(scorer.model, scorer.output),
        "genome": genome.name or "",
        "aliases": aliases,
        "pos": "1-based",
        **scorer.comments,
        **({} if background is None else {"background": f"share that is no larger than |score|, of {background.told}"}),
    }


def score_variants(
    model: Model | Ensemble | str,
    variants: str | Path | Sequence[str],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome,
    regions: str | Path | None = None,
    fix_swapped: bool = False,
    background: str | Path | int | None = None,
    seed: int = 0,
    **options: Any,
) -> pandas.DataFrame:
    """A row for every allele, as `zoo score` writes them.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    variants: a VCF, VCF.gz or BCF, a table with the columns chrom, pos, ref, alt, or variants as people type them,
        "chr20:43,044,295:G>A" (1-based).
    fasta: the genome: a FASTA file, several, or a Genome.
    regions: a BED file; variants outside of its intervals are left out.
    fix_swapped: score variants whose REF and ALT are exchanged as if they were not.
    background: a file of common variants, or a number of shuffled backgrounds: see `background_of`.
    seed: of the shuffles.
    options: of zoo.effects.variants.scorer.Scorer: output, scores, profile, strands, shifts, anchor, share, max_n.
    """
    from zoo.variants.files import read_variants

    model = as_model(model)
    genome = Genome.of(fasta)
    scorer = Scorer(model, genome, **options)
    source = read_variants(variants, genome, regions=regions, fix_swapped=fix_swapped)
    null = background_of(background, source, scorer, seed)
    found = score_file(source, scorer, null)
    rows = [row for chunk in found.chunks for row in chunk.rows]
    return data_frame(found.columns, rows, comments(scorer, null))


def background_of(given: str | Path | int | None, source: VariantFile, scorer: Scorer, seed: int) -> Background | None:
    """The background that a user names: a file of variants, a number of shuffles, or none."""
    from zoo.variants.files import read_variants

    if given is None:
        return None
    if str(given).isdigit():
        return of_shuffles(scorer, source, int(given), seed)
    return of_variants(scorer, read_variants(given, scorer.genome))


def _rows(variants: Variants, scored) -> Iterator[list[Any]]:
    told = np.where(variants.norm_pos >= 0, variants.norm_pos + 1, variants.norm_pos)
    for i in range(len(variants)):
        yield [
            variants.chrom[i],
            int(variants.pos[i]) + 1 if variants.pos[i] >= 0 else None,
            variants.id[i],
            variants.ref[i],
            variants.alt[i],
            scored.status[i],
            *scored.values[i],
            int(told[i]) if told[i] > 0 else None,
            variants.norm_ref[i],
            variants.norm_alt[i],
            variants.notes[i],
        ]
