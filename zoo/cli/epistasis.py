"""`zoo epistasis`: what pairs of variants do beyond the sum of their effects."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "epistasis",
    short_help="Effects of pairs of variants beyond their sum",
    epilog="Example: zoo epistasis pairs.vcf --model ctcf-dilated-cnn --output CTCF:raw --fasta hg38.fa -o pairs.tsv",
)
@click.argument("variants", nargs=-1, required=True, metavar="VCF | CHROM:POS:REF>ALT...")
@options.model
@options.genome(required=True)
@options.out(many=False)
@options.output()
@click.option("--max-distance", type=int, help="bp between a pair; default half of the model's input.")
@click.option("--shuffles", default=100, show_default=True, help="Shuffled backgrounds of the null; 0 for none.")
@options.seed("the shuffles")
@options.anchor
@options.any_assembly
@options.further_inputs
@options.device
def command(
    variants, model, fasta, out, output, max_distance, shuffles, seed, anchor, any_assembly, signals, model_context,
    device,
):  # fmt: skip
    """Every pair of variants that fit into one window: each effect, the joint one, and what is not their sum.

    The null puts the same changes into dinucleotide shuffles of the window; p_value is two-sided and empirical.
    """
    from zoo.data.genome import Genome
    from zoo.effects.variants.epistasis import epistasis
    from zoo.errors import DataError
    from zoo.files.tables import write_table
    from zoo.hub.loader import load
    from zoo.outputs import Output
    from zoo.prediction.further_inputs import FurtherInputs
    from zoo.prediction.predict import origin

    genome = Genome(fasta)
    network = load(model, device=device)
    frame = epistasis(
        network,
        variants[0] if len(variants) == 1 else list(variants),
        fasta=genome,
        output=output,
        max_distance=max_distance,
        shuffles=shuffles,
        seed=seed,
        anchor=anchor,
        any_assembly=any_assembly,
        signals=signals,
        context=model_context,
    )
    if not len(frame):
        raise DataError(
            "no two variants with a known reference lie near enough: raise --max-distance, or check the file"
        )
    comments = {
        **origin(network, Output.parse(output, network.spec)),
        **(FurtherInputs.open(network, genome, signals, model_context).comments or {}),
        "genome": genome.name or "",
        "pos": "1-based, normal spelling",
        "anchor": f"{anchor}, for insertions and deletions",
        "epistasis": "joint - effect_a - effect_b, in the output's unit",
        "null": f"{shuffles} dinucleotide shuffles of each window, seed {seed}",
    }
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    write_table(out, list(frame.columns), rows, comments)
    ok = frame[frame["status"] == "ok"]
    click.echo(f"{out}: {len(frame):,} pairs, {len(ok):,} ok", err=True)
    if not len(ok):
        raise DataError("no pair could be measured: see the column status")
