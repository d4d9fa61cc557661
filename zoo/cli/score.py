"""`zoo score`: what variants do to a model's output."""

from __future__ import annotations

import click


@click.command(
    "score",
    short_help="Score variants of a VCF with a model",
    epilog="Example: zoo score calls.vcf.gz --model ctcf-dilated-cnn --output CTCF:raw --fasta hg38.fa -o scores.tsv",
)
@click.argument("variants", nargs=-1, required=True, metavar="VCF | CHROM:POS:REF>ALT...")
@click.option("--model", "name", required=True, metavar="NAME", help="A published model.")
@click.option("--fasta", "fastas", multiple=True, required=True, help="Genome; may be given several times.")
@click.option(
    "-o",
    "--out",
    default="-",
    show_default=True,
    help=".tsv, .tsv.gz, .parquet, .h5 (with whole profiles), or the annotated VCF: .vcf, .vcf.gz, .bcf; - is the "
    "terminal.",
)
@click.option("--output", help="Which outputs: task, task:raw, task:sum, task@-50..50:mean; default all.")
@click.option(
    "--score",
    "scores",
    multiple=True,
    default=["difference"],
    show_default=True,
    help="difference, log2_fold_change, jensen_shannon, gain_loss, or a plugin's; may be given several times.",
)
@click.option("--profile", help="Outputs by position for jensen_shannon and gain_loss: task or task@-50..50.")
@click.option("--regions", help="BED file; variants outside of its intervals are left out.")
@click.option(
    "--strands",
    type=click.Choice(["forward", "average", "both"]),
    default="forward",
    show_default=True,
    help="Read the genome's strand, the mean of both, or both in columns of their own.",
)
@click.option("--shifts", default="0", show_default=True, help="bp to move the windows by, as in -1,0,1; averaged.")
@click.option(
    "--anchor",
    type=click.Choice(["both", "left", "right"]),
    default="both",
    show_default=True,
    help="Which rim of the window stays for insertions and deletions.",
)
@click.option("--share", default=0, show_default=True, help="bp: variants that near share one window; 0 centres each.")
@click.option("--fix-swapped", is_flag=True, help="Score variants whose REF and ALT are exchanged.")
@click.option("--max-n", default=0.5, show_default=True, help="Windows with a larger part of N get no score.")
@click.option(
    "--background",
    help="Adds each score's quantile among scores that mean nothing: of a file of common variants, or of so many "
    "shuffled windows, as in --background 1000.",
)
@click.option("--seed", default=0, show_default=True, help="Of shuffled windows.")
@click.option("--phased", is_flag=True, help="Score the haplotypes of --sample: together, alone and in context.")
@click.option("--sample", help="Whose genotypes --phased reads.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
@click.option("--dry-run", is_flag=True, help="Count the rows by status and estimate the time; write nothing.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, or auto.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="ray: several processes here, or a cluster; needs zoo-core[ray].",
)
@click.option("--address", help="Of a running Ray cluster: auto or HOST:PORT; without it Ray is started here.")
@click.option("--workers", type=int, help="Processes of --engine ray; one for each CPU or GPU if not given.")
def command(
    variants, name, fastas, out, output, scores, profile, regions, strands, shifts, anchor, share, fix_swapped, max_n,
    background, seed, phased, sample, resume, dry_run, device,
    engine, address, workers,
):  # fmt: skip
    """Score every allele of a VCF, VCF.gz, BCF or table, or variants as typed, with the model NAME.

    A row comes out for every allele, in the order of the input, with a status that says why it has no score.  A score
    is alternate against reference.  A run in which no row could be scored exits with 1.
    """
    from functools import partial

    from zoo.data.genome import Genome
    from zoo.effects.variants.job import background_of, score_file
    from zoo.effects.variants.output_files import writer_for
    from zoo.effects.variants.score_ray import RayJob, score_on_ray
    from zoo.effects.variants.scorer import Scorer
    from zoo.errors import ConfigError
    from zoo.hub import load
    from zoo.prediction.inference import choose_device
    from zoo.variants.files import read_variants

    source = variants[0] if len(variants) == 1 else list(variants)
    try:
        moved = [int(s) for s in shifts.split(",")]
    except ValueError:
        raise ConfigError(f"--shifts {shifts!r} must be whole numbers with commas between, as in -1,0,1") from None
    if engine == "local" and (address or workers):
        raise ConfigError("--address and --workers are of --engine ray: add it, or leave them out")
    genome = Genome(list(fastas))
    if phased or sample:
        if not (phased and sample) or resume or dry_run or background or len(variants) != 1:
            raise ConfigError("--phased takes one VCF and --sample NAME, without --resume, --dry-run or --background")
        _phased(variants[0], genome, load(name).to(choose_device(device)), output, sample, regions, out)
        return
    limits = {"regions": regions, "fix_swapped": fix_swapped}
    opened = read_variants(source, genome, **limits)
    network = load(name).to("cpu" if engine == "ray" else choose_device(device))
    options = {
        "output": output,
        "scores": scores,
        "profile": profile,
        "strands": strands,
        "shifts": moved,
        "anchor": anchor,
        "share": share,
        "max_n": max_n,
    }
    scorer = Scorer(network, genome, **options)
    score = score_file if engine == "local" else partial(score_on_ray, job=RayJob(options, address, workers, device))
    write = writer_for(out, opened, scorer.positions)
    for note in opened.notes:
        click.echo(f"note: {note}", err=True)
    if dry_run:
        _estimate(opened, scorer)
    else:
        null = background_of(background, opened, scorer, seed)
        _run(source, limits, opened, scorer, null, out, write, resume, score)


def _run(source, limits, opened, scorer, null, out, write, resume, score):
    from collections import Counter

    from zoo.effects.variants.job import comments
    from zoo.effects.variants.resume import Parts
    from zoo.terminal.progress import counting
    from zoo.variants.files import read_variants

    whole = getattr(write, "takes_profiles", False)
    found = score(opened, scorer, null, whole)
    if out == "-":
        counts = Counter()

        def rows():
            for chunk in found.chunks:
                counts.update(chunk.statuses())
                yield from zip(chunk.record.tolist(), chunk.rows, strict=True)

        write(out, found.columns, rows(), comments(scorer, null))
    else:
        run = {"variants": source, **limits, "columns": found.columns, **comments(scorer, null), **_size(source)}
        parts = Parts(out, found.columns, {k: v for k, v in run.items() if k != "aliases"}, resume)
        if parts.records:
            click.echo(f"note: going on behind record {parts.records:,}", err=True)
            opened = read_variants(source, scorer.genome, **limits, start=parts.records)
            found = score(opened, scorer, null, whole)
        with counting(_total(opened), label="scoring", unit="records") as advance:
            for chunk in found.chunks:
                parts.write(chunk)
                advance(chunk.last - chunk.first)
        counts, note = parts.finish(comments(scorer, null), write)
        if note:
            click.echo(f"note: {note}", err=True)
    _tell(counts, out)


def _phased(vcf, genome, model, output, sample, regions, out):
    """Rows of `zoo.effects.variants.haplotype_effects`, with how many have which status."""
    from collections import Counter

    from zoo.data.intervals import read_intervals
    from zoo.effects.variants.haplotype_effects import columns, phased_rows
    from zoo.effects.variants.output_files import writer_for
    from zoo.outputs import Output
    from zoo.prediction.predict import origin

    selected = Output.parse(output, model.spec)
    where = None
    if regions:
        bed = read_intervals(regions)
        where = [(c, int(s), int(e)) for c, s, e in zip(bed.chrom, bed.start, bed.end, strict=True)]
    names, counts = columns(selected), Counter()

    def rows():
        for i, row in enumerate(phased_rows(model, selected, vcf, genome, sample, where)):
            counts[row[names.index("status")]] += 1
            yield i, row

    comments = {
        **origin(model, selected),
        "genome": genome.name or "",
        "pos": "1-based, as written",
        "sample": sample,
        "window": f"{model.spec.input_length} bp, the allele's first base at position {model.spec.input_length // 2}",
        "single": "the allele alone; in_context: haplotype with it - without it; joint: the whole haplotype",
        "epistasis": "joint - the sum of the single effects of all variants in the window",
    }
    writer_for(out)(out, names, rows(), comments)
    _tell(counts, out)


def _total(opened):
    """How many records are left, for the bar: a text file without an index is counted, if somebody watches."""
    import sys

    from zoo.files.compressed import read_chunks

    if opened.total is not None or opened.kind not in ("vcf", "table") or not sys.stderr.isatty():
        return opened.total and opened.total - opened.start
    lines = sum(chunk.count(b"\n") for chunk in read_chunks(opened.path))
    return max(0, lines - (len(opened.header_lines) or 1) - opened.start)


def _size(source):
    """bytes of a file, by which a changed one is told apart."""
    from pathlib import Path

    return {"bytes": Path(source).stat().st_size} if isinstance(source, str) and Path(source).is_file() else {}


def _tell(counts, out):
    from zoo.errors import DataError

    told = ", ".join(f"{n:,} {status}" for status, n in counts.most_common()) or "the input is empty"
    click.echo(f"{out}: {sum(counts.values()):,} rows ({told})", err=True)
    if not counts["ok"]:
        raise DataError(f"no row could be scored ({told}): see the columns status and notes in {out}")


def _estimate(opened, scorer):
    """Count every row, and time the scores of the first hundred or so."""
    from collections import Counter
    from time import perf_counter

    import numpy as np

    counts, seconds, timed = Counter(), 0.0, 0
    for part in opened:
        counts.update(part.status.tolist())
        if not timed and part.ok.any():
            some = part.select(np.flatnonzero(part.ok)[:128])
            scorer(some.select(np.arange(min(8, len(some)))))
            since = perf_counter()
            scorer(some)
            seconds, timed = perf_counter() - since, len(some)
    for status, n in counts.most_common():
        click.echo(f"{status}\t{n:,}")
    rate = timed / seconds if seconds else 0.0
    left = counts["ok"] / rate if rate else 0.0
    click.echo(f"about {left / 60:,.1f} minutes at {rate:,.0f} variants/s (n = {timed})", err=True)
