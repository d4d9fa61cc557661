"""`read_phased`: a VCF or BCF as the alleles that one sample's haplotypes carry, in stretches with their neighbours.

read_variants (records) -> genotypes of a sample -> `CarriedAlleles` of a contig -> stretches
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.variants.carried_alleles import CarriedAlleles, Contig, stretches
from zoo.variants.files import VariantFile, read_variants
from zoo.variants.variants import Record
from zoo.variants.vcf_lines import indexed_contigs, indexed_records

LONGEST_REPEAT = 1 << 16
"""bp by which left alignment may move a record into a window."""


def read_phased(source: str | Path, genome: Genome, sample: str, reach: int, **how: Any) -> PhasedFile:
    """The alleles that the haplotypes of a sample carry, each with what lies within `reach` bp of it.

    how: of `read_variants`; regions choose which alleles come out, not which are neighbours.

    Raises ConfigError for a source that is no VCF or BCF, DataError where the sample is missing.
    """
    opened = read_variants(source, genome, **how)
    if opened.kind not in ("vcf", "bcf"):
        raise ConfigError(f"{opened.path} has no genotypes: haplotypes need a VCF or BCF")
    names = opened.header_lines[-1].split("\t")[9:] if opened.header_lines else []
    if not names:
        raise DataError(f"{opened.path} has no genotype columns: haplotypes need samples")
    if sample not in names:
        advice = did_you_mean(sample, names, f"bcftools query -l {opened.path}")
        raise DataError(f"{opened.path} has no sample {sample!r}{advice}")
    return PhasedFile(**{f.name: getattr(opened, f.name) for f in fields(VariantFile)}, sample=sample, reach=reach)


@dataclass
class PhasedFile(VariantFile):
    """A file whose every `iter` gives `CarriedAlleles` of some records, from record `start` on.

    sample: whose haplotypes.  reach: bp within which neighbours are given too.  Memory grows with a contig, or with the
    regions where there is an index; then records count from the first that is read, and malformed ones elsewhere do not
    come out.
    """

    sample: str = ""
    reach: int = 0
    allele_type: ClassVar = CarriedAlleles

    def __iter__(self) -> Iterator[CarriedAlleles]:
        for contig in self._contigs():
            alleles = contig.label(self.genome, self.max_length, self.regions)
            yield from stretches(alleles, self.start, self.reach, max(1, self.chunk // 8))

    @cached_property
    def indexed(self) -> list[str] | None:
        """The contigs of the index by which regions are read; None where the whole file is."""
        return None if self.regions is None else indexed_contigs(Path(self.path))

    def _near_regions(self, sample: int, columns: int) -> Iterator[Record]:
        record = 0
        for name in self.indexed or ():
            spans = self.regions.near(name, self.reach + LONGEST_REPEAT) if self.regions else []
            for site in indexed_records(Path(self.path), name, spans, record, columns, sample):
                record = site[0] + 1
                yield site

    def _contigs(self) -> Iterator[Contig]:
        contig, before = None, set()
        names = self.header_lines[-1].split("\t")
        sample = names.index(self.sample, 9)
        for record in self._records(sample) if self.indexed is None else self._near_regions(sample, len(names)):
            *record, genotype = record
            name = record[2] if contig is None or not record[7] else contig.name
            if contig is None or name != contig.name:
                if contig is not None:
                    yield contig
                if name in before:
                    raise DataError(f"{self.path} line {record[1]} is between two other contigs: sort the file")
                before.add(name)
                contig = Contig(name, self.path)
            contig.add(tuple(record), genotype)
        if contig is not None:
            yield contig
