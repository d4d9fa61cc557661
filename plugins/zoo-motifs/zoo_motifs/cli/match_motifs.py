"""`zoo match-motifs`: which known motifs are like these, by TOMTOM."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "match-motifs",
    short_help="Which known motifs are like these, by TOMTOM",
    epilog="Example: zoo match-motifs filters.meme --database jaspar -o matches.tsv",
)
@click.argument("query", metavar="QUERY.meme")
@click.option(
    "--database",
    "known",
    default="jaspar",
    show_default=True,
    help="jaspar (CORE vertebrates), jaspar:plants and other groups, or a MEME file.",
)
@options.out()
@click.option("--best", default=10, show_default=True, type=click.IntRange(1), help="Rows a query, at most.")
@click.option("--max-q", default=1.0, show_default=True, type=click.FloatRange(0, 1), help="Largest q-value.")
@click.option(
    "--min-agreement", type=click.FloatRange(-1, 1), help="Least agreement of the aligned bases; 0.7 by default."
)
@click.option("--all", "every", is_flag=True, help="Every target of every query, whatever its agreement.")
@click.option(
    "--per-query",
    is_flag=True,
    help="Correct q-values within each query, as MEME's tomtom does, not over all comparisons.",
)
def command(query, known, outs, best, max_q, min_agreement, every, per_query):
    """Compare the motifs of QUERY.meme with a database, in both orientations.

    Columns: query, target, p_value, q_value, offset (the column of the target, as it is oriented, on which the first
    column of the query lies), overlap, orientation.  Rows are sorted by p-value within a query.

    TOMTOM's p-value is tiny for a vague query on the vague stretch of a long target, so targets that do not prefer
    the same bases are left out: see --min-agreement.
    """
    from importlib.metadata import version
    from time import perf_counter

    from zoo.files.tables import write_table
    from zoo_motifs.databases import database
    from zoo_motifs.letter_similarity import AGREES
    from zoo_motifs.meme import read_meme
    from zoo_motifs.tomtom import COLUMNS, match

    queries = read_meme(query)
    targets, name, notes = database(known)
    began = perf_counter()
    matches = match(queries.motifs, targets, over="query" if per_query else "table")
    seconds = perf_counter() - began
    for note in [*queries.notes, *notes, *matches.notes]:
        click.echo(f"note: {note}", err=True)
    least = -1.0 if every and min_agreement is None else AGREES if min_agreement is None else min_agreement
    rows = list(matches.rows(None if every else best, max_q=max_q, agree=least))
    corrected = "within each query" if per_query else f"over {matches.p.size:,} comparisons"
    comments = {
        "queries": query,
        "database": name,
        "method": f"TOMTOM by memelite {version('memelite')}",
        "q_value": f"Benjamini-Hochberg {corrected}",
        "rows": ("all targets" if every else f"at most {best} a query")
        + f" with q <= {max_q:g}"
        + (f" and an agreement of at least {least:g}" if least > -1 else ""),
    }
    for out in outs:
        write_table(out, COLUMNS, rows, comments)
        if out != "-":
            click.echo(f"wrote {out}", err=True)
    _print_summary(matches, rows, least, name, seconds)


def _print_summary(matches, rows, least, name, seconds):
    """How many queries match, and what was left out."""
    fits = matches.q <= 0.05
    agreeing = fits & (matches.agreement >= least)
    vague = int((fits.any(1) & ~agreeing.any(1)).sum())
    click.echo(
        f"{len(matches.queries):,} motifs against {name}: {int(agreeing.any(1).sum()):,} have a match with "
        f"q <= 0.05, {len(rows):,} rows, {seconds:.2g} s",
        err=True,
    )
    if vague:
        click.echo(
            f"note: {vague} motifs match with q <= 0.05 only targets that prefer other bases, which are left out; "
            "--all shows them",
            err=True,
        )
