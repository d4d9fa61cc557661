"""`zoo call-cnv`: read depth to copy number calls."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.pictures.figure_files import PICTURES


@click.command(
    "call-cnv",
    epilog="Example: zoo call-cnv sample.regions.bed.gz --model runs/copy-number/2026-01-31/model --fasta hg38.fa "
    "--mappability map.bw -o calls.vcf.gz -o genome.png",
)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@options.model
@options.out((".vcf", ".vcf.gz", ".bed", ".bed.gz", ".seg", ".seg.gz", *PICTURES), terminal=False)
@options.genome("Genome of the bins: gives their GC, and checks that they fit")
@click.option("--gc", help="GC of the bins as wig, bigWig or bedGraph, in place of --fasta.")
@click.option("--ignore-gc", is_flag=True, help="Correct nothing by GC: for samples whose events themselves follow it.")
@click.option("--mappability", help="bigWig, wig, bedGraph or BED.")
@click.option("--reference", help="CNVkit's pooled reference of the same kit (.cnn).")
@click.option(
    "--normal",
    "normals",
    multiple=True,
    metavar="FILE[,FILE]",
    help="A normal sample of the same bins, in place of --reference; again for each, two at least.",
)
@click.option("--targets", help="BED file whose intervals are the bins, for BAM, CRAM and bigWig.")
@click.option("--bin-size", type=int, help="bp of a bin; needed for BAM and CRAM without --targets, and for bigWig.")
@click.option("--format", "kind", help="What INPUT is, where its content does not say.")
@click.option("--sample", help="Name of the sample; that of the file by default.")
@click.option("--sex", type=click.Choice(["female", "male"]), help="Read from X and Y where it is not given.")
@click.option("--ploidy", type=int, help="Copies of an autosome: what the median depth stands for.  [default: 2]")
@click.option("--no-call", default=4.0, show_default=True, help="Quality below which a segment is not called.")
@click.option("--strict", is_flag=True, help="Exit with 1 where quality control warns.")
@options.device
def command(
    inputs, model, outs, fasta, gc, ignore_gc, mappability, reference, normals, targets, bin_size, kind, sample, sex,
    ploidy, no_call, strict, device,
):  # fmt: skip
    """Call deletions and duplications of one sample from INPUT: BAM, CRAM, mosdepth regions, bedGraph, wig, bigWig,
    CNVkit .cnn or .cnr.  Several INPUTs make one sample (targets and off-target bins).
    """
    from dataclasses import replace
    from time import perf_counter

    import numpy as np

    from zoo.errors import ConfigError
    from zoo.hub.loader import load
    from zoo_copy_number.caller import call_sample
    from zoo_copy_number.coverage import find_lone_uncovered, leave_out
    from zoo_copy_number.pooled_reference import pool_normals
    from zoo_copy_number.readers import read_bins

    if normals and reference:
        raise ConfigError("--normal and --reference both give a reference: leave one out")
    began = perf_counter()
    reading = {"format": kind, "bin_size": bin_size, "targets": targets}
    tracks = {"fasta": fasta or None, "gc": gc, "mappability": mappability, "reference": reference}
    bins = read_bins(list(inputs), sample=sample, **tracks, **reading)
    if normals:
        bins = pool_normals(bins, [read_bins(files.split(","), **reading) for files in normals])
    if bins.reference is None:
        why = "and are more than a loss can be (--normal tells them from losses)"
        bins = leave_out(bins, find_lone_uncovered(bins), why)
    if ignore_gc:
        bins = replace(bins, gc=np.full(len(bins), np.nan, np.float32))
    for note in bins.notes:
        click.echo(f"note: {note}", err=True)
    network = load(model, device=device)
    copies = 2 if ploidy is None else ploidy
    called = call_sample(network, bins, sex=sex, ploidy=copies, no_call=no_call, progress=True)
    warnings = _report(bins, called, outs, sex, ploidy, network.spec.name)
    click.echo(f"{len(bins):,} bins in {perf_counter() - began:.1f} s", err=True)
    _refuse(bins, called, outs, strict and warnings)


def _report(bins, called, outs, sex, ploidy, model) -> list[str]:
    """Print figures, notes and warnings, write the files; the warnings."""
    from zoo_copy_number.qc import quality_control
    from zoo_copy_number.writers import write_output

    for note in called.notes:
        click.echo(f"note: {note}", err=True)
    figures, warnings = quality_control(bins, called, sex, ploidy)
    for name, value in figures.items():
        click.echo(f"{name}\t{value}")
    click.echo("calls\t" + ", ".join(f"{len(called.calls.of(s)):,} {s}" for s in ("DEL", "DUP", "NO-CALL")))
    comments = {**figures, "ploidy": 2 if ploidy is None else ploidy, "notes": "; ".join(called.notes) or "none"}
    comments |= {"model": model, "warnings": "; ".join(warnings) or "none"}
    for out in outs:
        write_output(out, bins, called, comments)
        click.echo(f"wrote {out}", err=True)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return warnings


def _refuse(bins, called, outs, strict_warnings) -> None:
    """Raise DataError for a sample that cannot be interpreted, ConfigError where warnings are errors."""
    from zoo.errors import ConfigError, DataError
    from zoo_copy_number.qc import ALTERED, measure_altered

    if (altered := measure_altered(called)) > ALTERED:
        wrote = f" ({' and '.join(outs)} hold it all the same)" if outs else ""
        raise DataError(
            f"{bins.sample} is not interpretable: {altered:.1%} of its usable bins are called altered, at most a third "
            f"may be{wrote}; the warnings say what may help"
        )
    if strict_warnings:
        raise ConfigError(f"quality control warns ({len(strict_warnings)}): the sample is not to be trusted as it is")
