"""`zoo construct-context`: what a part does, and what its surroundings do to it."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES


@click.command(
    "construct-context",
    short_help="How much of a library's activity is of the part, of its context, of both",
    epilog="Example: zoo construct-context library.csv --part promoter --context left_flank,right_flank "
    "--replicates rep1,rep2 -o context.tsv -o context.png",
)
@click.argument("library", metavar="LIBRARY", type=click.Path())
@click.option("--part", required=True, metavar="COLUMN", help="Column of the part: names or letters.")
@click.option("--context", required=True, metavar="COLUMNS", help="Column or columns of what stands around it.")
@click.option("--target", metavar="COLUMN", help="Column of the activity; left out with --replicates.")
@click.option("--replicates", metavar="COLUMNS", help="Columns of repeated measurements, which show the noise.")
@click.option("--resamples", default=500, show_default=True, help="Of parts and contexts, for the intervals.")
@options.out((*TABLES, *PICTURES))
@options.seed("the resamples")
def command(library, part, context, target, replicates, resamples, outs, seed):
    """Split the variance of activity in LIBRARY into part, context, their interaction and noise.

    LIBRARY is CSV, TSV, FASTA or GenBank, a row a construct.  The table has a row a part with its insulation: 1 where
    no context moves it, 0 where contexts move it as much as parts differ.  Without --replicates noise counts as
    interaction, unless rows repeat part and context.
    """
    from zoo_constructs.context.library import measure_context, write_context

    if bool(target) == bool(replicates):
        raise click.UsageError("name either --target or --replicates: the activity is read from there")
    measured = measure_context(
        library, part, _names(context), target, _names(replicates or ""), resamples=resamples, seed=seed
    )
    for sentence in measured.shares.sentences():
        click.echo(sentence, err=True)
    for out in outs:
        write_context(out, measured)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
