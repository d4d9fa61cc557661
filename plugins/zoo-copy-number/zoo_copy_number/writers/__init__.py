"""Copy number as files: VCF, BED and SEG; `write_calls` goes by the name's end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo_copy_number.calls import Calls
from zoo_copy_number.writers.bed import write_bed
from zoo_copy_number.writers.seg import write_seg
from zoo_copy_number.writers.vcf import write_vcf

if TYPE_CHECKING:
    from zoo.data.genome import Genome

__all__ = ["write_bed", "write_calls", "write_seg", "write_vcf"]


def write_calls(path: str | Path, calls: Calls, *, genome: Genome | None = None) -> int:
    """Write .vcf, .vcf.gz, .bed, .bed.gz, .seg or .seg.gz; returns the number of records.

    genome: for the REF bases of a VCF.  Raises ConfigError for another ending.
    """
    name = str(path).lower()
    if name.endswith((".vcf", ".vcf.gz")):
        return write_vcf(path, calls, genome=genome)
    if name.endswith((".bed", ".bed.gz")):
        return write_bed(path, calls)
    if name.endswith((".seg", ".seg.gz")):
        return write_seg(path, calls)
    raise ConfigError(f"{path} ends with none of .vcf, .vcf.gz, .bed, .bed.gz, .seg, .seg.gz: call it one of those")
