"""GC, N and mappability of bins, from a genome or a track.

bins + FASTA -> add_composition; bins + bigWig, wig, bedGraph, BED -> read_mappability, read_gc: (n,) each
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numba
import numpy as np

from zoo.errors import DataError
from zoo.files.compressed import read_lines
from zoo_copy_number.bins import Bins
from zoo_copy_number.readers.contigs import fit_to, match_contigs
from zoo_copy_number.readers.runs import Runs, average_over
from zoo_copy_number.readers.targets import read_targets
from zoo_copy_number.readers.text import is_setting
from zoo_copy_number.readers.tracks import open_runs

if TYPE_CHECKING:
    from zoo.data.genome import Genome


def add_composition(bins: Bins, fasta: str | Path | Genome, max_n: float) -> Bins:
    """The bins with GC and contig sizes of the genome, and without those of which more than `max_n` is N.

    GC is the share of G and C among the bases A, C, G and T, NaN where all are N or the contig is unknown.

    Raises GenomeMismatch for bins of another assembly.
    """
    from zoo.data.genome import Genome

    genome = Genome.of(fasta)
    bins = fit_to(bins, genome.contigs, f"genome {genome.name!r}")
    gc, n = _composition(bins, genome)
    return replace(bins, gc=gc, mask=bins.mask & ~(n > max_n), origin={**bins.origin, "gc": genome.name})


def read_mappability(bins: Bins, path: str | Path) -> np.ndarray:
    """Mean mappability of each bin, 0 to 1: (n,) float32, NaN where the track does not say.

    path: bigWig, wig or bedGraph; or BED of three columns, the bases that can be mapped.
    """
    return _share(bins, _track(path, bed=True), path)


def read_gc(bins: Bins, path: str | Path) -> np.ndarray:
    """Mean of a track of GC over each bin, 0 to 1: (n,) float32; -1 in the track is unknown."""
    runs = _track(path)
    runs.gaps = "unknown"
    return _share(bins, runs, path)


def _composition(bins: Bins, genome: Genome) -> tuple[np.ndarray, np.ndarray]:
    """Share of GC among known bases, and of N among all: two of (n,) float32, NaN on unknown contigs."""
    from zoo.data.window_kernels import default_threads, in_threads

    strong, unknown = np.zeros(len(bins), np.int64), np.zeros(len(bins), np.int64)
    place = match_contigs(bins.contigs, genome.contigs)
    bounds = np.searchsorted(bins.contig, np.arange(len(bins.contigs) + 1))
    absent = np.array([place[c] is None for c in bins.contigs], bool)[bins.contig]
    for i, name in enumerate(bins.contigs):
        rows = slice(bounds[i], bounds[i + 1])
        if place[name] is None or bounds[i] == bounds[i + 1]:
            continue
        codes, start, end = genome.codes(place[name]), bins.start[rows], bins.end[rows]
        out = strong[rows], unknown[rows]
        work = lambda a, b, x=codes, s=start, e=end, out=out: _count(x, s, e, *out, a, b)  # noqa: E731
        in_threads(work, len(start), int((end - start).mean()), genome.threads or default_threads())
    width = bins.width
    with np.errstate(invalid="ignore"):
        gc, n = strong / (width - unknown), unknown / width
    gc[absent] = n[absent] = np.nan
    return gc.astype(np.float32), n.astype(np.float32)


@numba.njit(nogil=True, cache=True)
def _count(codes, start, end, strong, unknown, first, last):
    """strong[i], unknown[i] = G + C and N in codes[start[i] : end[i]], for first <= i < last."""
    for i in range(first, last):
        x = codes[start[i] : end[i]]
        g, n = 0, 0
        for j in range(len(x)):
            g += (x[j] == 1) | (x[j] == 2)
            n += x[j] > 3
        strong[i] = g
        unknown[i] = n


def _track(path: str | Path, bed: bool = False) -> Runs:
    """Runs of a track; a BED file of three columns, where `bed` allows it, has 1 where it has an interval."""
    if bed and str(path).lower().removesuffix(".gz").endswith(".bed"):
        first = next((line.split() for _, line in read_lines(path) if not is_setting(line)), [])
        if len(first) == 3:
            mapped = read_targets(path)
            pieces = iter([(mapped.contig, mapped.start, mapped.end, np.ones(len(mapped.start)))])
            return Runs(str(path), pieces, mapped.contigs, "", "bed", gaps="zero")
    runs = open_runs(path)
    pieces = runs.pieces
    runs.pieces = ((c, s, e, np.where(v == -1, np.nan, v)) for c, s, e, v in pieces)
    return runs


def _share(bins: Bins, runs: Runs, path: str | Path) -> np.ndarray:
    values = average_over(runs, list(bins.contigs), bins.contig, bins.start, bins.end)
    known = values[~np.isnan(values)]
    if not len(known):
        contigs = ", ".join(runs.contigs[:4])
        raise DataError(f"{path} says nothing of any bin of {bins.sample}, it has contigs {contigs}: another assembly?")
    if known.max() > 1 + 1e-6:
        raise DataError(f"{path} holds {known.max():g}, a share goes from 0 to 1: write 41 % as 0.41")
    return np.minimum(values, 1).astype(np.float32)
