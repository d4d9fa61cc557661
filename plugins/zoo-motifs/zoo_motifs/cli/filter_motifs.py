"""`zoo filter-motifs`: what the first filters of a model read, and which of them matter."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES

RANDOM = 2_000


@click.command(
    "filter-motifs",
    short_help="What the first filters of a model read",
    epilog="Example: zoo filter-motifs ctcf-motif-cnn --output CTCF:raw --bed peaks.bed --fasta hg19.fa --match jaspar "
    "-o filters.meme -o filters.tsv -o filters.png",
)
@options.model_argument
@click.option("--sequences", type=click.Path(), help="FASTA file whose records of the model's length are scanned.")
@click.option("--bed", type=click.Path(), help="Intervals whose windows are scanned, with --fasta.")
@options.genome("Genome of the intervals")
@click.option("--n", default=RANDOM, show_default=True, type=click.IntRange(1), help="Sequences, at most.")
@click.option(
    "--threshold",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of a filter's maximal activation that a site must reach.",
)
@click.option("--min-sites", default=10, show_default=True, type=click.IntRange(1), help="Below it a filter is silent.")
@click.option("--trim", default=0.25, show_default=True, help="Bits below which columns are cut from both ends.")
@options.output(help="What filters are ranked by: task, task:raw; default all, before their activation.")
@click.option("--match", "known", help="Match the filters to jaspar, jaspar:plants, ..., or a file of motifs.")
@options.out((".meme", *TABLES, *PICTURES))
@options.seed("the sequences that are drawn")
@options.device
def command(model, sequences, bed, fasta, n, threshold, min_sites, trim, output, known, outs, seed, device):
    """Turn the filters of MODEL's first convolution into motifs, and rank them by how much they matter.

    A filter's motif counts the bases at the positions, on both strands, where its activation is at least half of its
    maximum.  Its importance is the standard deviation over sequences of what happens to the output when it
    is held at its mean.  Without sequences, random ones are taken: they show what a filter prefers, not what it meets.

    A match has q <= 0.05; of several that agree in the bases that they prefer the one of smallest p is named.  Where
    none agrees, match_status is low_agreement, see `zoo match-motifs --help`.
    """
    from dataclasses import replace
    from time import perf_counter

    from zoo.hub.loader import load
    from zoo.outputs import Output
    from zoo_motifs.databases import database
    from zoo_motifs.filter_ranking import rank_filters

    targets, database_name, notes = database(known) if known else (None, None, [])
    network = load(model, device=device)
    scanned = _read_sequences(network.spec.input_length, sequences, bed, fasta, n, seed)
    began = perf_counter()
    # Without a name, every output before its activation, which hides what saturates.
    ranked_by = Output.parse(output, network.spec) if output else replace(Output.every(network.spec), raw=True)
    limits = {"threshold": threshold, "min_sites": min_sites, "trim": trim}
    ranking = rank_filters(network, scanned.codes, output=ranked_by, targets=targets, **limits, progress=True)
    seconds = perf_counter() - began
    for note in [*notes, *ranking.notes]:
        click.echo(f"note: {note}", err=True)
    if scanned.random:
        click.echo(f"note: no sequences were given, so {scanned.origin} were scanned (seed {seed})", err=True)
    for out in outs:
        _write(ranking, out, _comments(network, ranking, scanned.origin, database_name, trim))
        if out != "-":
            click.echo(f"wrote {out}", err=True)
    _print_summary(ranking, scanned.origin, database_name, seconds)


def _read_sequences(length, sequences, bed, fasta, n, seed):
    from zoo.errors import ConfigError
    from zoo.report.sequences import of_fasta, of_intervals, random_sequences

    if sequences and (bed or fasta):
        raise ConfigError("--sequences stands alone: leave out --bed and --fasta")
    if bool(bed) != bool(fasta):
        raise ConfigError("intervals and their genome go together: give --bed and --fasta")
    if sequences:
        return of_fasta(sequences, length, n, seed)
    return of_intervals(bed, fasta, length, n, seed) if bed else random_sequences(length, n, seed)


def _comments(network, ranking, origin, database_name, trim):
    from importlib.metadata import version

    return {
        "model": network.spec.name,
        "revision": str(getattr(network, "revision", "") or ""),
        "sequences": origin,
        "threshold": f"{ranking.threshold:g} of a filter's maximal activation",
        "importance": f"standard deviation over {ranking.n_ablated} sequences of the change when a filter is ablated",
        "drop": "mean of that change",
        "trim": f"columns of less than {trim:g} bits at both ends",
        **({"database": database_name} if database_name else {}),
        "versions": f"zoo-motifs {version('zoo-motifs')}, memelite {version('memelite')}",
    }


def _write(ranking, out, comments):
    from zoo.files.tables import write_table
    from zoo.pictures.figure_files import save_figure
    from zoo_motifs.filter_ranking import COLUMNS

    if out.lower().endswith(".meme"):
        from zoo.errors import DataError
        from zoo_motifs.meme import write_meme

        if not ranking.filters:
            raise DataError(f"no filter is active at enough sites, so {out} would be empty: lower --min-sites")
        write_meme(out, [one.motif for one in ranking.filters])
    elif out.lower().endswith(PICTURES):
        from zoo_motifs.motif_logos import draw_filters

        save_figure(out, draw_filters(ranking))
    else:
        write_table(out, COLUMNS, ranking.rows(), comments)


def _print_summary(ranking, origin, database_name, seconds):
    from zoo_motifs.letter_similarity import AGREES

    every = len(ranking.filters) + len(ranking.silent)
    click.echo(
        f"{every} filters over {origin}, both strands: {len(ranking.filters)} motifs, {len(ranking.silent)} silent, "
        f"{seconds:.2g} s",
        err=True,
    )
    if ranking.silent:
        names = ", ".join(one.name for one in ranking.silent[:8]) + (", ..." if len(ranking.silent) > 8 else "")
        click.echo(f"silent: {names}", err=True)
    if database_name:
        statuses = [ranking.match_status(one) for one in ranking.filters]
        ok, low = (statuses.count(status) for status in ("ok", "low_agreement"))
        click.echo(
            f"{ok + low} of {len(ranking.filters)} motifs match {database_name}"
            + (f", {low} of them with an agreement below {AGREES:g} (low_agreement)" if low else ""),
            err=True,
        )
    for one in ranking.filters[:3]:
        change = f", importance {one.importance.change:.3g}" if one.importance else ""
        known = f", {ranking.name_match(one, mark=True)}" if one.target is not None else ""
        click.echo(f"  {one.filter.name}{change}: {one.motif.consensus}{known}", err=True)
    if not database_name:
        click.echo("next: the same command with --match jaspar names the known motifs that they match", err=True)
