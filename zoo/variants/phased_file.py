"""`read_phased`: a VCF or BCF as the alleles that one sample's haplotypes carry, in stretches with their neighbours.

read_variants (records) -> genotypes of a sample -> `CarriedAlleles` of a contig -> stretches
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean
from zoo.variants.carried_alleles import CarriedAlleles, Contig, stretches
from zoo.variants.files import VariantFile, read_variants
from zoo.variants.variants import Record
from zoo.variants.vcf_lines import indexed_contigs, indexed_records

LONGEST_REPEAT = 1 << 16
"""bp by which left alignment may move a record into a window."""
ASTRAY = 16
"""So many records of another contig may lie between those of one, as a misspelt name makes them."""


def read_phased(source: str | Path, genome: Genome, sample: str | None, reach: int, **how: Any) -> PhasedFile:
    """The alleles that the haplotypes of a sample carry, each with what lies within `reach` bp of it.

    sample: its name; None for the one of a file of one sample.
    how: of `read_variants`; regions choose which alleles come out, not which are neighbours.

    Raises ConfigError for a source that is no VCF or BCF, DataError where the sample is missing or not the only one.
    """
    opened = read_variants(source, genome, **how)
    if opened.kind not in ("vcf", "bcf"):
        raise ConfigError(f"{opened.path} has no genotypes: haplotypes need a VCF or BCF")
    names = opened.header_lines[-1].split("\t")[9:] if opened.header_lines else []
    if not names:
        raise DataError(f"{opened.path} has no genotype columns: haplotypes need samples")
    if sample is None and len(names) > 1:
        raise ConfigError(f"{opened.path} has {len(names):,} samples: name one, as in --sample {names[0]}")
    sample = names[0] if sample is None else sample
    if sample not in names:
        advice = did_you_mean(sample, names, f"bcftools query -l {opened.path}")
        raise DataError(f"{opened.path} has no sample {sample!r}{advice}")
    return PhasedFile(**{f.name: getattr(opened, f.name) for f in fields(VariantFile)}, sample=sample, reach=reach)


@dataclass
class PhasedFile(VariantFile):
    """A file whose every `iter` gives `CarriedAlleles` of some records, from record `start` on.

    sample: whose haplotypes.  reach: bp within which neighbours are given too.  by_index: read regions by the file's
    index, where there is one; then records count from the first that is read, and malformed ones elsewhere do not come
    out.  Memory grows with a contig, or with the regions that are read by an index.
    """

    sample: str = ""
    reach: int = 0
    by_index: bool = True
    allele_type: ClassVar = CarriedAlleles

    def _parts(self) -> Iterator[CarriedAlleles]:
        for contig in self._contigs():
            alleles = contig.label(self.max_length, self.regions, **self._assembly)
            yield from stretches(alleles, self.start, self.reach, max(1, self.chunk // 8))

    @cached_property
    def indexed(self) -> list[str] | None:
        """The contigs of the index by which regions are read; None where the whole file is."""
        return indexed_contigs(Path(self.path)) if self.regions is not None and self.by_index else None

    def _near_regions(self, sample: int, columns: int) -> Iterator[Record]:
        record = 0
        for name in self.indexed or ():
            spans = self.regions.near(name, self.reach + LONGEST_REPEAT) if self.regions else []
            for site in indexed_records(Path(self.path), name, spans, record, columns, sample):
                record = site[0] + 1
                yield site

    def _contigs(self) -> Iterator[Contig]:
        """Contig after contig.  A few records of another one between those of a contig are malformed rows of it."""
        names = self.header_lines[-1].split("\t")
        sample = names.index(self.sample, 9)
        contig, astray, before = Contig("", self.path, self.genome), [], {""}
        for record in self._records(sample) if self.indexed is None else self._near_regions(sample, len(names)):
            *record, genotype = record
            name = self._own_name(record)
            contig.name = contig.name or name
            if name == contig.name or (not name and not astray):
                for _, stray, _ in astray:
                    contig.add_malformed(stray, f"it lies between records of {contig.name}")
                astray = []
                contig.add(tuple(record), genotype)
                continue
            astray.append((name, tuple(record), genotype))
            if len({name for name, *_ in astray} - {""}) == 1 and len(astray) <= ASTRAY:
                continue
            yield contig
            before.add(contig.name)
            contig, astray = self._next(astray, before)
        yield contig
        while astray:
            contig, astray = self._next(astray, before)
            yield contig

    def _next(self, waiting: list[tuple[str, Record, tuple[str, str]]], before: set[str]):
        """The contig of the first records that wait, and the others."""
        name = waiting[0][0]
        own = next((i for i, (other, *_) in enumerate(waiting) if other not in ("", name)), len(waiting))
        if name in before:
            line = waiting[0][1][1]
            raise DataError(f"{self.path} line {line} is between two other contigs: sort it with `bcftools sort`")
        contig = Contig(name, self.path, self.genome)
        for _, record, genotype in waiting[:own]:
            contig.add(record, genotype)
        return contig, waiting[own:]

    def _own_name(self, record: Sequence[Any]) -> str:
        """The genome's name of a record's contig; "" for a record that has none or is malformed."""
        if record[2] not in self._names:
            try:
                self._names[record[2]] = self.genome.resolve(record[2])
            except GenomeMismatch:
                self._names[record[2]] = ""
        return "" if record[7] else self._names[record[2]]

    @cached_property
    def _names(self) -> dict[str, str]:
        return {}
