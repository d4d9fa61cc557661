"""`zoo mutate`: the effect of every single substitution in a region."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES


@click.command(
    "mutate",
    short_help="Effects of all substitutions in a region",
    epilog="Example: zoo mutate chr20:1,000,001-1,000,200 --model ctcf-motif-cnn --output CTCF:raw --fasta hg19.fa "
    "-o effects.tsv -o effects.png",
)
@click.argument("region", metavar="REGION")
@options.model
@options.genome(required=True)
@options.out((*TABLES, ".bw", *PICTURES), ".bw with {base} in its name: one file a letter")
@options.output()
@click.option("--full", is_flag=True, help="Run the model in full for every mutant: slow, and needs no rules.")
@options.further_inputs
@options.device
def command(region, model, fasta, outs, output, full, signals, model_context, device):
    """Mutate each base of REGION, as in chr20:1,001-1,200, to the three other letters.

    Positions in REGION count from 1 and both ends belong to it.  The region lies in the middle of the model's
    input.  An effect is the output of the mutant less the output of the reference.
    """
    from time import perf_counter

    from zoo.hub.loader import load

    network = load(model, device=device)

    from zoo.effects.saturation_mutagenesis import landscape

    began = perf_counter()
    how = {"output": output, "full": full, "signals": signals, "context": model_context}
    substitutions = landscape(network, region, fasta=fasta, progress=True, **how)
    seconds = perf_counter() - began
    if "rim" in substitutions.comments:
        click.echo(f"note: {substitutions.comments['rim']}", err=True)
    for name in [name for out in outs for name in substitutions.write(out)]:
        if name != "-":
            click.echo(f"wrote {name}", err=True)
    if "full" in substitutions.comments["inference"]:
        click.echo(f"note: {substitutions.comments['inference']}", err=True)
    click.echo(
        f"{substitutions.comments['region']}: {len(substitutions):,} substitutions, "
        f"{substitutions.output} of the reference {substitutions.reference:.4g}, "
        f"largest loss {_named(substitutions, -1)}, largest gain {_named(substitutions, 1)}, "
        f"{seconds:.2g} s, {len(substitutions) / seconds:,.0f} mutations/s with set-up",
        err=True,
    )
    if not any(out.lower().endswith(PICTURES) for out in outs):
        click.echo("next: the same command with -o effects.png draws it", err=True)


def _named(substitutions, sign):
    """The largest effect of one sign, its position and letters."""
    import numpy as np

    effects = np.where(np.isfinite(substitutions.effects), sign * substitutions.effects, -np.inf)
    base, column = np.unravel_index(np.argmax(effects), effects.shape)
    effect = substitutions.effects[base, column]
    if sign * effect <= 0:
        return "none"
    change = f"{'ACGTN'[substitutions.codes[column]]}>{'ACGT'[base]}"
    return f"{effect:+.4g} at {substitutions.chrom}:{substitutions.start + column + 1:,} {change}"
