"""A sample's calls and its picture, by the end of a file's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from zoo.errors import ConfigError
from zoo.pictures.figure_files import PICTURES, save_picture
from zoo_copy_number.bins import Bins

if TYPE_CHECKING:
    from zoo_copy_number.caller import CalledSample

TABLES = (".vcf", ".vcf.gz", ".bed", ".bed.gz", ".seg", ".seg.gz")


def check_name(out: str) -> None:
    """Raises ConfigError for a name without a known ending."""
    if not out.lower().endswith(TABLES + PICTURES):
        raise ConfigError(f"{out!r} does not say which file to write: end it in {', '.join(TABLES + PICTURES)}")


def write_output(out: str, bins: Bins, called: CalledSample, comments: Mapping[str, str]) -> None:
    """Calls as VCF, BED or SEG; the picture as PNG, SVG, PDF, or HTML with the figures below it."""
    check_name(out)
    if out.lower().endswith(TABLES):
        from zoo_copy_number.writers import write_calls

        write_calls(out, replace(called.calls, comments={**called.calls.comments, **comments}))
        return
    from zoo_copy_number.picture import draw_genome

    alt = f"Corrected log2 depth of {bins.sample} along the genome"
    save_picture(out, draw_genome(bins, called), bins.sample, alt, comments)
