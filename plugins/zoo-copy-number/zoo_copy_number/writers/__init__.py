"""Copy number as files, by the name's end: VCF, BED and SEG (`write_calls`), and the picture (`write_output`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.pictures.figure_files import PICTURES, save_picture
from zoo_copy_number.bins import Bins
from zoo_copy_number.calls import Calls
from zoo_copy_number.writers.bed import write_bed
from zoo_copy_number.writers.seg import write_seg
from zoo_copy_number.writers.vcf import write_vcf

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo_copy_number.caller import CalledSample

__all__ = ["check_name", "write_bed", "write_calls", "write_output", "write_seg", "write_vcf"]

TABLES = (".vcf", ".vcf.gz", ".bed", ".bed.gz", ".seg", ".seg.gz")


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
    raise ConfigError(f"{path} ends with none of {', '.join(TABLES)}: call it one of those")


def check_name(out: str) -> None:
    """Raises ConfigError for a name without a known ending."""
    if not out.lower().endswith(TABLES + PICTURES):
        raise ConfigError(f"{out!r} does not say which file to write: end it in {', '.join(TABLES + PICTURES)}")


def write_output(out: str, bins: Bins, called: CalledSample, comments: Mapping[str, str]) -> None:
    """Calls as VCF, BED or SEG; the picture as PNG, SVG, PDF, or HTML with the figures below it."""
    check_name(out)
    if out.lower().endswith(TABLES):
        write_calls(out, replace(called.calls, comments={**called.calls.comments, **comments}))
        return
    from zoo_copy_number.picture import draw_genome

    alt = f"Corrected log2 depth of {bins.sample} along the genome"
    save_picture(out, draw_genome(bins, called), bins.sample, alt, comments)
