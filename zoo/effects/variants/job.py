"""`ScoreJob`: scores of a file of variants; every allele comes out again, in its order, with a status.

ScoreJob -> VariantFile (records, normal spelling, status) -> engine (scores) -> rows, a table, or a file by parts

zoo.score_variants("ctcf-motif-cnn", "calls.vcf.gz", fasta="hg38.fa")       -> pandas.DataFrame
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.genome import Genome
from zoo.effects.variants.background import Background, of_shuffles, of_variants
from zoo.effects.variants.engines import Engine, Local
from zoo.effects.variants.gene_columns import GeneColumns
from zoo.effects.variants.gene_scores import build_scorer
from zoo.effects.variants.rows import COLUMNS, HAPLOTYPE_COLUMNS, NORMAL, Chunk, rows_of
from zoo.effects.variants.shortlist import RowChoice, Shortlist
from zoo.errors import ConfigError
from zoo.files.endings import ending
from zoo.files.pipes import refuse_pipe
from zoo.files.tables import data_frame
from zoo.hub.loader import as_model

if TYPE_CHECKING:
    import pandas

    from zoo.model import Model
    from zoo.variants.region_filter import Regions
    from zoo.variants.variants import Variants

__all__ = ["COLUMNS", "NORMAL", "Chunk", "ScoreJob", "score_haplotypes", "score_variants"]


class ScoreJob:
    """The scores of a file of variants.

    source: a VCF, VCF.gz or BCF, a table with the columns chrom, pos, ref, alt, or variants as people type them,
        "chr20:43,044,295:G>A" (1-based).
    background: adds each score's quantile among scores that mean nothing: a `Background`, a file of variants, or a
        number of shuffled windows, made with `seed`.
    engine: where the scores are computed; in this process if it is not given.
    regions: a BED file or intervals; variants outside of them are left out.
    fix_swapped: score variants whose REF and ALT are exchanged as if they were not.
    any_assembly: score what matches of a file of another assembly too.
    phased: score the haplotypes of a sample of a VCF or BCF; the scorer is then a `HaplotypeScorer`.
    sample: which one; need not be named where the file has one alone.
    features: a GTF, GFF3 or BED file; adds gene, feature, feature_id and distance, of `GeneColumns`.

    shortlist: which rows `to` writes, all by default.  choice: what it wrote, counted.  command: for a spreadsheet.

    Raises GenomeMismatch, as it is read, for a file of another assembly.  Memory does not grow with the file.
    """

    def __init__(
        self,
        source: str | Path | Sequence[str],
        genome: Genome,
        scorer: Any,
        background: Background | str | Path | int | None = None,
        *,
        engine: Engine | None = None,
        regions: Regions | None = None,
        fix_swapped: bool = False,
        any_assembly: bool = False,
        phased: bool = False,
        sample: str | None = None,
        seed: int = 0,
        features: str | Path | None = None,
    ):
        from zoo.variants.files import read_variants

        how = {"regions": regions, "any_assembly": any_assembly}
        if sample is None and not phased:
            self.variants = read_variants(source, genome, fix_swapped=fix_swapped, **how)
        elif fix_swapped or background is not None:
            raise ConfigError("haplotypes have no background, and no REF and ALT to exchange: leave these options out")
        else:
            from zoo.variants.phased_file import read_phased

            self.variants = read_phased(source, genome, sample, scorer.reach, **how)
        self.sample = getattr(self.variants, "sample", None)
        self.genome, self.scorer, self.engine = genome, scorer, engine or Local()
        self.source, self._background, self._seed = source, background, seed
        self.genes = None if features is None else GeneColumns(features, genome)
        self.variants.notes += self.genes.notes if self.genes else []
        self.shortlist, self.choice, self.command = Shortlist(), None, ""
        self._inputs = [source, background, features, *(regions if isinstance(regions, list) else [regions])]
        self.limits = {"fix_swapped": fix_swapped, "any_assembly": any_assembly, "sample": self.sample}
        self.limits["features"] = features
        if self.sample is not None:  # an index changes how records are counted
            self.limits["indexed"] = getattr(self.variants, "indexed", None) is not None

    @cached_property
    def background(self) -> Background | None:
        """The scores that mean nothing, scored at the first use."""
        from zoo.variants.files import read_variants

        if self._background is None or isinstance(self._background, Background):
            return self._background
        if str(self._background).isdigit():
            return of_shuffles(self.scorer, self.variants, int(self._background), self._seed)
        how = {"any_assembly": self.variants.any_assembly}
        return of_variants(self.scorer, read_variants(self._background, self.genome, **how))

    @property
    def columns(self) -> list[str]:
        """COLUMNS or HAPLOTYPE_COLUMNS, genes where they were asked for, the scores, their quantiles, then NORMAL."""
        own = COLUMNS if self.sample is None else HAPLOTYPE_COLUMNS
        genes = getattr(self.scorer, "labels", ()) if self.genes is None else self.genes.columns
        return [*own, *genes, *self.numbers, *NORMAL]

    @property
    def numbers(self) -> list[str]:
        """The columns of scores, and of their quantiles."""
        return [*self.scorer.columns, *(self.background.columns if self.background is not None else [])]

    @property
    def comments(self) -> dict[str, str]:
        """What a table of these numbers must say of their origin; complete when all rows were made."""
        aliases = ", ".join(f"{written} is {own}" for written, own in self.genome.aliases.items()) or "none"
        null = self.background
        return {
            **self.scorer.origin,
            "genome": self.genome.name or "",
            "aliases": aliases,
            "pos": "1-based",
            **({} if self.sample is None else {"sample": self.sample}),
            **self.scorer.comments,
            **({"rows": self._rows_in_words} if self._rows_in_words else {}),
            **({} if self.genes is None else {"features": self.genes.description}),
            **({} if null is None else {"background": f"share that is no larger than |score|, of {null.description}"}),
        }

    @property
    def _rows_in_words(self) -> str:
        """Which rows are written, where not all are."""
        read = self.variants.filter.description if self.variants.filter else ""
        return "; ".join(filter(None, (read, self.shortlist.describe(self.numbers) if self.shortlist else "")))

    def alleles(self) -> Iterator[Variants]:
        """The alleles of every chunk, without scores; raises as `chunks` does."""
        return iter(self.variants)

    def chunks(self, start: int = 0, profiles: bool = False) -> Iterator[Chunk]:
        """Rows of some records at a time, from record `start` on; profiles: with those of both alleles."""
        for part, scored in self.engine(replace(self.variants, start=start), self.scorer, profiles):
            if self.background is not None:
                quantiles = self.background.quantiles(self.scorer.columns, scored.values)
                scored = replace(scored, values=np.concatenate([scored.values, quantiles], 1))
            record = part.shown.record if scored.allele is None else part.record[scored.allele]
            rows = list(rows_of(part, scored, self.numbers, self.sample))
            if self.genes is not None:
                at = len(COLUMNS if self.sample is None else HAPLOTYPE_COLUMNS)
                rows = [[*r[:at], *g, *r[at:]] for r, g in zip(rows, self.genes.cells(part.shown), strict=True)]
            yield Chunk(int(record[0]), int(record[-1]) + 1, rows, record, scored.profiles)

    def rows(self) -> Iterator[list[Any]]:
        """A row of `columns` for every allele."""
        return (row for _, row in self.numbered_rows())

    def numbered_rows(self) -> Iterator[tuple[int, list[Any]]]:
        """(record, row of `columns`) for every allele."""
        for chunk in self.chunks():
            yield from zip(chunk.record.tolist(), chunk.rows, strict=True)

    def table(self) -> pandas.DataFrame:
        """All rows at once, with `comments` as its attrs."""
        rows = list(self.rows())
        return data_frame(self.columns, rows, self.comments)

    def to(
        self,
        path: str | Path,
        resume: bool = False,
        tell=lambda note: None,
        options: Mapping[str, Any] | None = None,
    ) -> Counter | None:
        """Write the file that the name says, by parts; how many rows have which status.

        resume: go on behind the last part of a run that was cut off; None is returned where nothing is left to do.
        path: "-" is the terminal.  tell: is called with notes, as they come.
        options: what else changes what is written, so that a run with other ones is not gone on with.

        Raises ConfigError where what lies there is of another run.
        """
        from zoo.effects.variants.output_files import check_complete, writer_for
        from zoo.effects.variants.resume import Parts
        from zoo.effects.variants.run_identity import identify, short
        from zoo.terminal.progress import counting

        for source in self._inputs if resume else ():
            if isinstance(source, (str, Path)):
                refuse_pipe(source, "what --resume goes on with")
        if self.sample is not None and str(path).endswith((".vcf", ".vcf.gz", ".bcf")):
            self.variants = replace(self.variants, by_index=False)  # the lines of the whole file are written
            self.limits["indexed"] = False
        every = self.sample is not None and self.variants.regions is None and not self.shortlist
        write = writer_for(str(path), self.variants, self.scorer.positions, every, getattr(self.scorer, "field", None))
        self.choice = choice = RowChoice.for_writer(write, path, self.shortlist, self.columns, self.numbers)
        heard = self._tell_notes(tell)
        if str(path) == "-":
            if resume:
                raise ConfigError("--resume goes on with a file: name it with -o")
            write("-", self.columns, choice.of(self.numbered_rows), self.comments)
            self._tell_notes(tell, heard)
            return choice.statuses
        run = identify(self, options)
        if resume and check_complete(path, run):
            tell(f"{path} is complete: nothing is left to do")
            return None
        with Parts(path, self.columns, run, resume) as parts:
            if parts.records:
                tell(f"going on behind record {parts.records:,}")
            with counting(self.remaining(parts.records), label="scoring", unit="records") as advance:
                for chunk in self.chunks(parts.records, getattr(write, "takes_profiles", False)):
                    parts.write(chunk)
                    advance(chunk.last - chunk.first)
            about = {"command": self.command, "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
            about = about if ending(path) == ".xlsx" and self.command else {}
            counts, note = parts.finish({**self.comments, **about, "run": short(run)}, write, choice)
        self._tell_notes(tell, heard, note)
        return counts

    def _tell_notes(self, tell, heard: int = 0, *more: str | None) -> int:
        """Tell the notes of the input behind the first `heard`, and others; how many there are now."""
        for note in filter(None, [*self.variants.notes[heard:], *more]):
            tell(note)
        return len(self.variants.notes)

    def estimate(self) -> tuple[Counter, float, int]:
        """How many rows have which status, variants a second, and of how many that is measured; writes nothing."""
        from zoo.effects.variants.run_time import estimate

        return estimate(self)

    def remaining(self, start: int = 0) -> int | None:
        """How many records are left, for a bar: a text file without an index is counted, if somebody watches."""
        from zoo.effects.variants.run_time import records_left

        return records_left(self.variants, start)


def score_variants(
    model: Model | str,
    variants: str | Path | Sequence[str],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome,
    regions: str | Path | None = None,
    fix_swapped: bool = False,
    any_assembly: bool = False,
    background: str | Path | int | None = None,
    seed: int = 0,
    **options: Any,
) -> pandas.DataFrame:
    """A row for every allele, as `zoo score` writes them.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    variants: a VCF, VCF.gz or BCF, a table with the columns chrom, pos, ref, alt, or variants as people type them,
        "chr20:43,044,295:G>A" (1-based).
    fasta: the genome: a FASTA file, several, or a Genome.
    regions, fix_swapped, any_assembly, background, seed: of `ScoreJob`.
    options: of zoo.effects.variants.scorer.Scorer, or with `annotation` of zoo.effects.variants.gene_scores.
    """
    model = as_model(model)
    genome = Genome.of(fasta)
    limits = {"regions": regions, "fix_swapped": fix_swapped, "any_assembly": any_assembly}
    return ScoreJob(variants, genome, build_scorer(model, genome, **options), background, seed=seed, **limits).table()


def score_haplotypes(
    model: Model | str,
    vcf: str | Path,
    *,
    fasta: str | Path | Sequence[str | Path] | Genome,
    sample: str | None = None,
    regions: Regions | None = None,
    any_assembly: bool = False,
    **options: Any,
) -> pandas.DataFrame:
    """A row for every allele that a haplotype of `sample` carries, as `zoo score --phased` writes them.

    sample: its name; need not be given for a file of one sample.
    regions: a BED file or (chrom, start, end), 0-based half-open; alleles whose REF lies outside do not come out.
    options: of zoo.effects.variants.scorer.Scorer: output, scores, profile, strands, shifts, anchor, share, max_n.
    """
    from zoo.effects.variants.haplotype_effects import HaplotypeScorer

    genome = Genome.of(fasta)
    scorer = HaplotypeScorer(as_model(model), genome, **options)
    limits = {"sample": sample, "regions": regions, "any_assembly": any_assembly}
    return ScoreJob(vcf, genome, scorer, phased=True, **limits).table()
