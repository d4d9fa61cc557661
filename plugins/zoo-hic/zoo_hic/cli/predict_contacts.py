"""`zoo predict-contacts`: a contact map from sequence, and what edits and variants do to it."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import TABLES
from zoo.pictures.figure_files import PICTURES


@click.command(
    "predict-contacts",
    short_help="Contact map of a region, and what edits do to it",
    epilog="Examples: zoo predict-contacts chr4:400,001-1,000,000 --model NAME --fasta sacCer3.fa -o map.cool "
    "-o map.png --observed measured.cool; with --delete chr4:700,001-702,000 --null 50 -o edit.png; or "
    "zoo predict-contacts --model NAME --fasta hg38.fa --variants svs.vcf.gz -o scores.tsv",
)
@click.argument("region", metavar="[REGION]", required=False)
@options.model
@options.genome(required=True)
@options.out((".cool", *TABLES, *PICTURES), "a table has a row for each pair of bins", terminal=False)
@click.option("--observed", metavar="MAP", help="Measured .cool, .mcool or .hic to set beside the prediction.")
@click.option(
    "--balance",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="Weights of the observed map: auto is those that the model was trained on, else those that the map has; a "
    "name such as KR; none for raw counts.",
)
@click.option("--allow-other-assembly", is_flag=True, help="Take an observed map whose contigs have other lengths.")
@click.option("--delete", "deleted", multiple=True, metavar="PLACE", help="Delete chr:first-last.")
@click.option("--invert", "inverted", multiple=True, metavar="PLACE", help="Reverse complement it in place.")
@click.option("--duplicate", "duplicated", multiple=True, metavar="PLACE", help="Duplicate it in tandem.")
@click.option(
    "--mutate", "mutated", multiple=True, metavar="PLACE[=ACGT]", help="New letters; without, dinucleotides shuffled."
)
@click.option(
    "--fill",
    type=click.Choice(["none", "n", "shuffle"]),
    default="none",
    show_default=True,
    help="What takes the place of a deletion: what lies right of it, N, or its dinucleotides shuffled.",
)
@click.option("--draws", default=8, show_default=True, type=click.IntRange(1, 1000), help="Shuffles to average.")
@click.option("--null", "places", type=click.IntRange(0, 100_000), default=0, help="The same edits at N other places.")
@click.option("--variants", metavar="VCF", help="Score each structural variant of a VCF or BCF into -o scores.tsv.")
@click.option("--channel", help="Which map of a model with several.")
@click.option("--context", help="Cell type, for a model that reads it.")
@click.option(
    "--values",
    type=click.Choice(["log_oe", "oe", "difference"]),
    help="What a .cool holds: log_oe is the default, difference with edits; other values are then of the edited map.",
)
@click.option("--one-strand", is_flag=True, help="Do not average both strands: half the time.")
@options.seed("shuffles and of the null's places")
@options.device
def command(
    region, model, fasta, outs, observed, balance, allow_other_assembly, deleted, inverted, duplicated, mutated, fill,
    draws, places, variants, channel, context, values, one_strand, seed, device,
):  # fmt: skip
    """Predict contacts in REGION, as in chr4:400,001-1,000,000 (from 1, both ends belong to it), or on a whole contig.

    With edits REGION lies in the middle of one window, and scores measure how much the map changes.
    """
    from zoo.data.genome import Genome
    from zoo.errors import ConfigError
    from zoo.files.endings import check_output
    from zoo.hub.loader import load
    from zoo_hic.cli.predictions import (
        ObservedMap,
        PredictRequest,
        predict_and_write,
        score_edits_and_write,
        score_variants_and_write,
    )
    from zoo_hic.effects.edits import parse_edit
    from zoo_hic.predictor import Predictor
    from zoo_hic.region_prediction import parse_locus

    typed = [("delete", deleted), ("invert", inverted), ("duplicate", duplicated), ("mutate", mutated)]
    edited = any(texts for _, texts in typed)
    for out in outs if variants else ():
        check_output(out)
    if variants and (edited or observed or places or not outs):
        raise ConfigError("--variants takes -o scores.tsv, and neither edits, --observed nor --null: leave them out")
    if region is None and not variants:
        raise ConfigError("no region is given: name one, as in chr4:400,001-1,000,000, or a contig")
    if edited and observed:
        raise ConfigError("an observed map is of the sequence as it is: leave out --observed, or the edits")
    if not edited and (places or values == "difference"):
        raise ConfigError("--null and --values difference are of edits: give --delete, --invert, --duplicate, --mutate")
    if balance != "auto" and not observed:
        raise ConfigError(f"--balance {balance} is of an observed map: name it with --observed")
    genome = Genome(fasta)
    place = parse_locus(region, genome) if region else None
    edits = [parse_edit(kind, text, genome, fill) for kind, texts in typed for text in texts]
    network = load(model, device=device)
    predictor = Predictor.of(network, strands=not one_strand, context=context)
    request = PredictRequest(predictor, genome, outs, draws, seed)
    if variants:
        score_variants_and_write(request, variants, place, channel)
    elif edits:
        score_edits_and_write(request, edits, place, predictor.channel(channel), places, values)
    else:
        chosen = predictor.channel(channel)
        measured = ObservedMap(observed, balance, allow_other_assembly) if observed else None
        predict_and_write(request, place, chosen, measured, values or "log_oe")
