"""How long a run of scores will take, measured on its own first alleles, and how many records are left."""

from __future__ import annotations

import sys
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING

from zoo.files.compressed import read_chunks

if TYPE_CHECKING:
    from zoo.effects.variants.job import ScoreJob
    from zoo.variants.files import VariantFile

TIMED = 128
"""Alleles whose scores are timed."""


def estimate(job: ScoreJob) -> tuple[Counter, float, int]:
    """How many rows have which status, variants a second, and of how many that is measured."""
    counts, rate, timed = Counter(), 0.0, 0
    for part in job.alleles():
        shown = part.shown
        counts.update(shown.status.tolist())
        if not timed and shown.ok.any():
            job.scorer(part.head(8))
            some = part.head(TIMED)
            since = perf_counter()
            job.scorer(some)
            timed = len(some.shown)
            rate = timed / (perf_counter() - since)
    return counts, rate, timed


def records_left(variants: VariantFile, start: int = 0) -> int | None:
    """Records of a file behind record `start`; a text file without an index is counted, if somebody watches."""
    if variants.total is not None or variants.kind not in ("vcf", "table") or not sys.stderr.isatty():
        return variants.total and variants.total - start
    lines = sum(chunk.count(b"\n") for chunk in read_chunks(variants.path))
    return max(0, lines - (len(variants.header_lines) or 1) - start)
