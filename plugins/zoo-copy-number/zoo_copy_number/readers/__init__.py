"""`read_bins`: read depth of one sample, from whatever file holds it, as `Bins`.

read_bins("sample.regions.bed.gz", fasta="hg38.fa", mappability="k100.bw")
read_bins("sample.bam", bin_size=1000)
read_bins(["s.targetcoverage.cnn", "s.antitargetcoverage.cnn"], reference="pool.cnn")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ConfigError, did_you_mean
from zoo_copy_number.bins import Bins
from zoo_copy_number.readers.contigs import match_contigs
from zoo_copy_number.readers.gc_mappability import add_composition, read_gc, read_mappability
from zoo_copy_number.readers.raw_bins import RawBins, assemble, join_files
from zoo_copy_number.readers.runs import Runs, average, average_over, bins_from_runs
from zoo_copy_number.readers.sniff import FORMATS, detect_format
from zoo_copy_number.readers.targets import Targets, read_targets
from zoo_copy_number.readers.tracks import open_runs

if TYPE_CHECKING:
    from zoo.data.genome import Genome

__all__ = ["FORMATS", "detect_format", "read_bins"]

MIN_MAPPABILITY = 0.3
MAX_N = 0.5


def read_bins(
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    bin_size: int | None = None,
    targets: str | Path | None = None,
    fasta: str | Path | Genome | None = None,
    gc: str | Path | None = None,
    mappability: str | Path | None = None,
    sample: str | None = None,
    reference: str | Path | None = None,
    min_mapq: int = 0,
) -> Bins:
    """Read depth of one sample.

    path: a file, or several that make one sample (targets and off-target bins, or one a contig).
    format: one of FORMATS; what the file holds decides where it is not given.
    bin_size: bp; needed for BAM and CRAM without targets and for bigWig, averages bedGraph, wig and mosdepth, and cuts
        targets into equal parts of at most so many.
    targets: BED file whose intervals are the bins.
    fasta: genome that the reads were mapped to: GC, N, and whether the bins fit its contigs.
    gc: wig, bigWig or bedGraph of GC from 0 to 1, -1 where unknown; in place of `fasta`'s.
    mappability: bigWig, wig, bedGraph or BED.
    sample: name; that of the read groups or the file where it is not given.
    reference: CNVkit's pooled reference (.cnn).
    min_mapq: for BAM and CRAM.

    mask is False where the depth is unknown, the mappability known and below 0.3, or more than half of the bin N.

    Raises DataError for a file that breaks its format, GenomeMismatch for bins of another assembly, ConfigError for
    options that do not fit the file.
    """
    if format is not None and format not in FORMATS:
        raise ConfigError(f"there is no format {format!r} of read depth{did_you_mean(format, FORMATS)}")
    if bin_size is not None and bin_size < 1:
        raise ConfigError(f"bin size {bin_size} must be 1 bp or more: try 1000")
    paths = [path] if isinstance(path, (str, Path)) else list(path)
    if not paths:
        raise ConfigError("no file of read depth is given: name one")
    intervals = None if targets is None else read_targets(targets, bin_size)
    bins = assemble(
        join_files([_read(p, format or detect_format(p), bin_size, intervals, min_mapq) for p in paths], sample)
    )
    if fasta is not None:
        bins = add_composition(bins, fasta, MAX_N)
    if gc is not None:
        bins = replace(bins, gc=read_gc(bins, gc), origin={**bins.origin, "gc": Path(gc).name})
    if mappability is not None:
        known = read_mappability(bins, mappability)
        mask = bins.mask & ~(known < MIN_MAPPABILITY)
        origin = {**bins.origin, "mappability": Path(mappability).name}
        bins = replace(bins, mappability=known, mask=mask, origin=origin)
    if reference is not None:
        from zoo_copy_number.readers.reference import add_reference

        bins = add_reference(bins, reference)
    return replace(bins, notes=[*bins.notes, *_unknown(bins)])


def _read(path: str | Path, format: str, bin_size: int | None, targets: Targets | None, min_mapq: int) -> RawBins:
    if format in ("bam", "cram"):
        from zoo_copy_number.readers.alignments import read_alignments

        return read_alignments(path, bin_size=bin_size, targets=targets, min_mapq=min_mapq)
    if format == "cnvkit":
        from zoo_copy_number.readers.cnvkit import read_cnvkit

        if bin_size is not None or targets is not None:
            raise ConfigError(f"the bins of {path} are those of its kit: leave bin size and targets out")
        return read_cnvkit(path)
    if format == "array":
        from zoo_copy_number.readers.log2_array import read_array

        if targets is not None:
            raise ConfigError(f"{path} holds log2 ratios of probes: give a bin size in place of targets")
        return read_array(path, bin_size)
    runs = open_runs(path, format)
    if targets is not None:
        return _average_over_targets(runs, targets)
    if bin_size is not None:
        return average(runs, bin_size)
    if format == "bigwig" or ".per-base." in Path(path).name:
        raise ConfigError(
            f"{path} has a value a base, not bins: give a bin size (such as 1000) or a BED file of targets"
        )
    return bins_from_runs(runs)


def _average_over_targets(runs: Runs, targets: Targets) -> RawBins:
    order = np.lexsort((targets.start, targets.contig))
    contig, start, end = targets.contig[order], targets.start[order], targets.end[order]
    depth = average_over(runs, targets.contigs, contig, start, end)
    same = match_contigs(targets.contigs, runs.contigs)
    sizes = {c: runs.sizes[same[c]] for c in targets.contigs if same[c] in runs.sizes}
    averaged = runs.as_bins((contig, start, end, depth), averaged=True)
    return replace(averaged, contigs=targets.contigs, sizes=sizes, notes=[*runs.notes, *targets.notes])


def _unknown(bins: Bins) -> list[str]:
    """What the channels lack and what the mask leaves."""
    notes, n = [], len(bins)
    if np.isnan(bins.gc).all():
        notes.append("GC is unknown: give a FASTA file (--fasta), or a track of GC (--gc)")
    elif missing := int(np.isnan(bins.gc).sum()):
        notes.append(f"GC is unknown in {missing:,} of {n:,} bins")
    if not np.isnan(bins.mappability).all() and (missing := int(np.isnan(bins.mappability).sum())):
        notes.append(f"mappability is unknown in {missing:,} of {n:,} bins")
    if masked := n - int(bins.mask.sum()):
        notes.append(f"{masked:,} of {n:,} bins are masked")
    return notes
