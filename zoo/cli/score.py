"""`zoo score`: what variants do to a model's output."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.cli.options import command_line
from zoo.errors import ConfigError, DataError
from zoo.files.endings import TABLES


@click.command(
    "score",
    short_help="Score variants of a VCF with a model",
    epilog="Examples: zoo score calls.vcf.gz --model ctcf-dilated-cnn --output CTCF:raw --fasta hg38.fa -o scores.tsv; "
    "zoo score family.vcf.gz --carried-by NA12878 --filter PASS --features gencode.gtf.gz --top 50 "
    "--model ctcf-dilated-cnn --fasta hg38.fa -o shortlist.xlsx",
)
@click.argument("variants", nargs=-1, required=True, metavar="VCF | TABLE | - | CHROM:POS:REF>ALT...")
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="MODEL",
    help="A published model's name, or a run's folder; may be given several times, for columns NAME.OUTPUT.",
)
@options.genome(required=True)
@options.out(
    (*TABLES, ".h5", ".hdf5", ".vcf", ".vcf.gz", ".bcf"),
    "HDF5 with whole profiles; VCF and BCF are the input with the scores in INFO",
    many=False,
)
@options.output(many=True)
@click.option(
    "--score",
    "scores",
    multiple=True,
    default=["difference"],
    show_default=True,
    help="difference, log2_fold_change, jensen_shannon, gain_loss, or a plugin's; may be given several times.",
)
@click.option("--profile", help="Outputs by position for jensen_shannon and gain_loss: task or task@-50..50.")
@click.option(
    "--regions",
    multiple=True,
    help="A BED file, an interval list, or regions as in chr20:1,001-1,200; variants outside of them are left out.  "
    "May be given several times.",
)
@click.option(
    "--strands",
    type=click.Choice(["forward", "average", "both"]),
    default="forward",
    show_default=True,
    help="Read the genome's strand, the mean of both, or both in columns of their own.",
)
@click.option("--shifts", default="0", show_default=True, help="bp to move the windows by, as in -1,0,1; averaged.")
@options.anchor
@click.option("--share", default=0, show_default=True, help="bp: variants that near share one window; 0 centres each.")
@click.option("--fix-swapped", is_flag=True, help="Score variants whose REF and ALT are exchanged.")
@options.any_assembly
@options.further_inputs
@options.max_n()
@click.option(
    "--background",
    help="Adds each score's quantile among scores that mean nothing: of a file of common variants, or of so many "
    "shuffled windows, as in --background 1000.",
)
@options.seed("shuffled windows")
@click.option(
    "--annotation",
    metavar="FILE | NAME",
    help="Scores by gene of a model of splice sites: a GTF or GFF3 file, a table of genes, or one that the plugin "
    "brings (grch37, grch38).  A row an allele and gene.",
)
@click.option("--distance", type=int, metavar="BP", help="With --annotation: how far sites are looked at; default 50.")
@click.option("--mask", is_flag=True, help="With --annotation: no gains of known sites, no losses of others.")
@click.option("--phased", is_flag=True, help="Score the haplotypes of a sample: together, alone and in context.")
@click.option("--sample", help="Whose genotypes --phased reads; need not be given for a file of one sample.")
@click.option("--features", help="GTF, GFF3 or BED file: adds the gene, the nearest feature and the bp to it.")
@click.option(
    "--filter", "filters", metavar="NAMES", help="Only records with one of these in FILTER, as in PASS or .,PASS."
)
@click.option("--carried-by", metavar="SAMPLE", help="Only alleles of a VCF or BCF that this sample carries.")
@click.option("--top", type=int, metavar="N", help="Write the N rows with the largest |score|, the largest first.")
@click.option("--min-abs", type=float, metavar="X", help="Write the rows whose |score| is X or more.")
@click.option("--by", metavar="COLUMN", help="Which score --top and --min-abs compare; default the first.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
@click.option("--dry-run", is_flag=True, help="Count the rows by status and estimate the time; write nothing.")
@options.device
@options.compare_devices
@click.option("--engine", default="local", show_default=True, help="Where scores are computed: local, or a plugin's.")
@click.option("--engine-option", "engine_options", multiple=True, metavar="NAME=VALUE", help="Of that engine.")
def command(
    variants, models, fasta, out, shifts, regions, fix_swapped, any_assembly, background, seed, phased, sample,
    features, filters, carried_by, top, min_abs, by, resume, dry_run, device, compare_devices, engine, engine_options,
    **options,
):  # fmt: skip
    """Score every allele of a VCF, VCF.gz, BCF or table, of a pipe (-), or variants as typed, with MODEL.

    A row comes out for every allele, in the order of the input, with a status that says why it has no score.  A score
    is alternate against reference.  A run in which no row could be scored exits with 1.
    """
    from zoo.data.genome import Genome
    from zoo.effects.variants.engines import build_engine
    from zoo.effects.variants.job import ScoreJob
    from zoo.effects.variants.shortlist import Shortlist
    from zoo.hub.loader import load
    from zoo.variants.record_filter import RecordFilter

    where = build_engine(engine, engine_options, device)
    genome = Genome(fasta)
    shortlist = Shortlist(top, min_abs, by)
    if sample and not phased:
        raise ConfigError("--sample says whose haplotypes are scored: give --phased with it")
    if phased and (background or fix_swapped or len(variants) != 1):
        raise ConfigError("--phased takes one VCF or BCF, without --background or --fix-swapped: leave these out")
    if phased and (filters or carried_by or len(models) != 1):
        raise ConfigError(
            "--phased reads all records of its sample, with one --model: leave out --filter and --carried-by, or "
            "choose the records first, as with `bcftools view -f PASS`"
        )
    if options["annotation"] is not None:
        _refuse_beside_annotation(models, engine, phased)
    if len(models) > 1 and engine != "local":
        raise ConfigError(f"--engine {engine} scores with one --model: run one after the other")
    if compare_devices and engine != "local":
        raise ConfigError(f"--compare-devices looks at this process, not at --engine {engine}: leave one of them out")
    loaded = [load(model, device="cpu" if hasattr(where, "device") else device) for model in models]
    options |= {"phased": phased, "any_assembly": any_assembly, "shifts": _whole_numbers(shifts)}
    scorer = _scorer(loaded, genome, **options)
    source = variants[0] if len(variants) == 1 else list(variants)
    limits = {"regions": list(regions) or None, "fix_swapped": fix_swapped, "any_assembly": any_assembly}
    limits |= {"phased": phased, "sample": sample, "features": features}
    job = ScoreJob(source, genome, scorer, background, engine=where, seed=seed, **limits)
    if filters is not None or carried_by is not None:
        job.variants.filter = RecordFilter(job.variants, filters, carried_by)
    job.shortlist, job.command = shortlist, command_line(click.get_current_context())
    if compare_devices:
        _compare(job, loaded, compare_devices, options)
    if dry_run:
        _estimate(job)
    else:
        parameters = click.get_current_context().params
        bound = {key: value for key, value in parameters.items() if key not in _NOT_BOUND}
        counts = job.to(out, resume, _note, bound)
        if counts is not None:
            _report(counts, out, job)


# What does not change a number, or is known to the job by its content.
_NOT_BOUND = {
    "variants", "models", "fasta", "out", "resume", "dry_run", "device", "engine", "engine_options", "regions",
    "background", "seed", "signals", "compare_devices",
}  # fmt: skip


def _note(text):
    click.echo(f"note: {text}", err=True)


def _whole_numbers(shifts):
    try:
        return [int(s) for s in shifts.split(",")]
    except ValueError:
        raise ConfigError(f"--shifts {shifts!r} must be whole numbers with commas between, as in -1,0,1") from None


def _refuse_beside_annotation(models, engine, phased):
    """ConfigError for what scores by gene do not have."""
    context = click.get_current_context()
    used = {
        name for name in _NOT_BY_GENE if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if context.params["strands"] == "average":
        used.add("strands")
    if used or len(models) > 1 or engine != "local":
        first = f"--{sorted(used)[0].rstrip('s').replace('_', '-')}" if used else "a second --model, or an --engine,"
        raise ConfigError(f"{first} does not go with --annotation, whose scores are by gene: leave it out")


# Options of windows, outputs and other rows.
_NOT_BY_GENE = (
    "output", "scores", "profile", "shifts", "anchor", "share", "fix_swapped", "signals", "model_context", "max_n",
    "background", "phased", "features",
)  # fmt: skip


def _compare(job, loaded, n, options):
    """Score the first n alleles in float64 on the CPU too; DataError where the device differs."""
    from zoo.effects.variants.device_check import compare_scores
    from zoo.prediction.device_check import reference_model

    reference = _scorer([reference_model(model) for model in loaded], job.genome, tell=lambda note: None, **options)
    comparison = compare_scores(job, reference, n, str(loaded[0].device))
    comparison.require_agreement()
    click.echo(f"compared: {comparison.sentence}", err=True)


def _scorer(loaded, genome, phased, any_assembly, signals, model_context, tell=_note, **options):
    """Of one model, of its haplotypes, or of several models; of these each gets what it reads beside the sequence."""
    from zoo.effects.variants.gene_scores import build_scorer
    from zoo.prediction.further_inputs import share_out

    by_gene = {name: options.pop(name) for name in ("annotation", "distance", "mask")}
    if by_gene["annotation"] is not None:
        scorer = build_scorer(loaded[0], genome, any_assembly=any_assembly, strands=options["strands"], **by_gene)
        for note in scorer.notes:
            tell(note)
        return scorer
    if phased:
        from zoo.effects.variants.haplotype_effects import HaplotypeScorer

        return HaplotypeScorer(loaded[0], genome, signals=signals, context=model_context, **options)
    shares = share_out(loaded, signals, model_context)
    scorers = [
        build_scorer(model, genome, **own, **by_gene, **options) for model, own in zip(loaded, shares, strict=True)
    ]
    for note in dict.fromkeys(note for scorer in scorers for note in scorer.further.notes):
        tell(note)
    if len(scorers) == 1:
        return scorers[0]
    from zoo.effects.variants.several_models import SeveralModels

    return SeveralModels(scorers)


def _report(counts, out, job):
    """What was written, and behind it what was left out."""
    statuses = ", ".join(f"{n:,} {status}" for status, n in counts.most_common()) or "the input is empty"
    total, written, looked_at = sum(counts.values()), job.choice.written, job.variants.tally.get("records", 0)
    of_all = f" of {total:,}" if job.shortlist else ""
    left_out = looked_at - job.choice.records if job.sample is None else 0
    more = f"; {left_out:,} of {looked_at:,} records left out" if left_out > 0 else ""
    click.echo(f"{out}: {written:,}{of_all} rows ({statuses}){more}", err=True)
    if not counts["ok"]:
        raise DataError(f"no row could be scored ({statuses}{more}): see the columns status and notes in {out}")


def _estimate(job):
    for note in job.variants.notes:
        _note(note)
    counts, rate, timed = job.estimate()
    for status, n in counts.most_common():
        click.echo(f"{status}\t{n:,}")
    minutes = counts["ok"] / rate / 60 if rate else 0.0
    click.echo(f"about {minutes:,.1f} minutes at {rate:,.0f} variants/s (n = {timed})", err=True)
