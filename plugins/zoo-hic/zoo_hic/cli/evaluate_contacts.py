"""`zoo evaluate-contacts`: a model's contact maps on held-out contigs, evaluated beyond distance."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "evaluate-contacts",
    short_help="Contact maps of held-out contigs, evaluated beyond distance",
    epilog="Example: zoo evaluate-contacts runs/hic-yeast/2026-01-31 --ceiling other_lab.mcool --pairs loops.bedpe",
)
@options.model_argument
@options.split
@click.option("--distances", default="20000-300000", show_default=True, metavar="BP-BP", help="Pairs that count.")
@click.option("--ceiling", metavar="MAP", help="Another experiment's .cool, .mcool or .hic: what two labs agree on.")
@click.option(
    "--balance",
    metavar="NAME",
    default="auto",
    show_default=True,
    help="Weights of the ceiling: auto is those of the model's data, else those that it has; a name; none for raw.",
)
@click.option("--pairs", metavar="FILE", help="bed2d or BEDPE: is log(O/E) higher there than at the same distances?")
@click.option("--curve", is_flag=True, help="The correlation of every diagonal as well.")
@options.data
@options.genome("Genome of the data")
@click.option("--allow-other-assembly", is_flag=True, help="Take a ceiling whose contigs have other lengths.")
@click.option("--draws", default=500, show_default=True, help="Resamples for intervals and nulls.")
@options.seed("the resamples")
@options.device
@options.out(many=False, terminal=False)
def command(
    model, split, distances, ceiling, balance, pairs, curve, config, data, fasta, allow_other_assembly, draws, seed,
    device, out,
):  # fmt: skip
    """Evaluate the contact maps of a run folder or of the published model NAME on one split of its data.

    Windows are put together into maps of whole contigs.  Every figure of log(observed / expected) stands beside that of
    distance alone, which is 0, and beside that of another experiment, where one is given.  Intervals come from
    resampled blocks of the genome.  A model of several cell types is also evaluated on each other's map.
    """
    from zoo.errors import ConfigError
    from zoo.files.tables import write_table
    from zoo.training.model_and_data import open_evaluated
    from zoo_hic.evaluation import predict_stretches
    from zoo_hic.metrics.bands import cut_bands
    from zoo_hic.metrics.distance import pearson_curve
    from zoo_hic.metrics.summary import compare_maps, lines
    from zoo_hic.metrics.transfer import transfer, transfer_lines
    from zoo_hic.predictor import Predictor
    from zoo_hic.windows import SquareWindows

    span = _span(distances)
    opened = open_evaluated(model, config=config, data=data, fasta=fasta, device=device)
    examples = opened.source.examples(split)
    if not isinstance(examples, SquareWindows):
        raise ConfigError(f"the data of {model!r} are no contact maps: give --data name=contact_maps and its arguments")
    predictor = Predictor.of(opened.model)
    maps = predict_stretches(predictor, examples, progress=True)
    table = []
    for channel in predictor.channels:
        predicted, observed = maps.predicted[channel], maps.observed[channel]
        other = None
        if ceiling:
            other = _ceiling(ceiling, balance, opened.source, predictor, maps, allow_other_assembly)
        rows = compare_maps(
            predicted, observed, predictor.bin_size, distances=span, ceiling=other, draws=draws, seed=seed
        )
        click.echo(f"{channel}, {split}: {', '.join(predicted)}")
        click.echo("\n".join(lines(rows)))
        table += [{"channel": channel, "split": split, **vars(row)} for row in rows]
        if pairs:
            table += _at_pairs(pairs, opened.source, channel, split, maps, predictor, draws, seed)
        if curve:
            each = pearson_curve(cut_bands(predicted, observed, predictor.bin_size, span))
            for d, r, n in zip(each.distances, each.pearson, each.n, strict=True):
                click.echo(f"{d / 1000:g} kb\t{r:.3f}\t{int(n):,}")
    if len(predictor.channels) > 1:
        transferred = transfer(maps.predicted, maps.observed, predictor.bin_size, distances=span, draws=draws)
        click.echo("\n".join(transfer_lines(transferred)))
    if out:
        columns = list(dict.fromkeys(key for row in table for key in row))
        write_table(out, columns, ([row.get(c) for c in columns] for row in table), {"model": opened.name})
        click.echo(f"{out}: {len(table):,} rows", err=True)


def _span(text: str) -> tuple[float, float]:
    from zoo.errors import ConfigError

    try:
        low, high = (float(part.replace(",", "").replace("_", "")) for part in text.split("-"))
    except ValueError:
        low, high = 1.0, 0.0
    if not 0 < low < high:
        raise ConfigError(f"distances {text!r} must be two numbers of bp, the lower first, such as 20000-300000")
    return low, high


def _ceiling(path, balance, source, predictor, maps, allow_other_assembly):
    """log(O/E) of another experiment for the stretches that are evaluated, after the same steps."""
    from dataclasses import replace

    from zoo.errors import ConfigError
    from zoo_hic.readers import read_map
    from zoo_hic.source import extend_square

    if not hasattr(source, "preprocess"):
        raise ConfigError("simulated maps have no other experiment: leave out --ceiling")
    contacts = read_map(
        path,
        resolution=predictor.bin_size,
        balance=source.preprocess.balance if balance == "auto" else balance,
        any_balance=balance == "auto",
        fasta=source.genome,
        allow_other_assembly=allow_other_assembly,
    )
    for note in contacts.notes:
        click.echo(f"note: {note}", err=True)
    steps = replace(source.preprocess, balance=contacts.origin["balance"])
    made = steps.of_map(contacts, sorted({contig for contig, _ in maps.offsets.values()}))
    out = {}
    for name, (contig, first) in maps.offsets.items():
        size = len(next(iter(maps.observed.values()))[name])
        out[name] = extend_square(made[contig][first : first + size, first : first + size], size)
    return out


def _at_pairs(path, source, channel, split, maps, predictor, draws, seed):
    import numpy as np

    from zoo.errors import ConfigError
    from zoo_hic.metrics.pairs import enrichment, read_pairs

    if not hasattr(source, "maps"):
        raise ConfigError("simulated maps have no listed pairs: leave out --pairs")
    sizes = {c: m.bins(c) * m.resolution for m in source.maps.values() for c in m.contigs}
    notes: list[str] = []
    listed, here = read_pairs(path, sizes, predictor.bin_size, notes), {}
    for note in notes:
        click.echo(f"note: {note}", err=True)
    for name, (contig, first) in maps.offsets.items():
        inside = listed.get(contig, np.empty((0, 2), int)) - first
        kept = ((inside >= 0) & (inside < len(maps.observed[channel][name]))).all(1)
        here[name] = inside[kept]
    rows = []
    for what, squares in (("predicted", maps.predicted[channel]), ("observed", maps.observed[channel])):
        enriched = enrichment(squares, here, draws=draws, seed=seed)
        click.echo(f"{what} log(O/E) at the pairs less that at their distances: {enriched.excess} p {enriched.p:.3f}")
        excess = {key: getattr(enriched.excess, key) for key in ("value", "low", "high", "n")}
        rows.append({"channel": channel, "split": split, "name": f"{what} at pairs", **excess, "p": enriched.p})
    return rows
