"""`zoo match-motifs`: which known motifs are like these, by TOMTOM."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "match-motifs",
    short_help="Which known motifs are like these, by TOMTOM",
    epilog="Example: zoo match-motifs filters.meme --database jaspar -o matches.tsv",
)
@click.argument("query", metavar="QUERY")
@click.option(
    "--database",
    "known",
    default="jaspar",
    show_default=True,
    help="jaspar (CORE vertebrates), jaspar:plants and other groups, or a file of motifs.",
)
@options.out()
@click.option("--best", type=click.IntRange(1), help="Rows a query, at most; without it every match.")
@click.option(
    "--max-q", type=click.FloatRange(0, 1), help="Largest q-value of what is called a match; 0.05 by default."
)
@click.option("--min-agreement", type=click.FloatRange(-1, 1), help="Leave out targets that agree less; default none.")
@click.option("--all", "every", is_flag=True, help="Every target of every query, whatever its q-value and agreement.")
@click.option(
    "--per-query",
    is_flag=True,
    help="Correct q-values within each query, as MEME's tomtom does, not over all comparisons.",
)
def command(query, known, outs, best, max_q, min_agreement, every, per_query):
    """Compare the motifs of the file QUERY with a database, in both orientations.

    Files of motifs are MEME's, JASPAR's, TRANSFAC's, HOMER's, HOCOMOCO's or CisBP's, told by what stands in them.

    Columns: query, target, p_value, q_value, offset (the column of the target, as it is oriented, on which the first
    column of the query lies), overlap, orientation, agreement of the aligned columns in the bases that they prefer (1
    is equal), status.  Rows are sorted by p-value within a query.

    Every target with a q-value of at most 0.05 is written; a query without any has one row, no_match, of its best
    target.  TOMTOM's p-value is tiny for a vague query on the vague stretch of a long target: where the agreement is
    below 0.7, the status is low_agreement.
    """
    from importlib.metadata import version
    from time import perf_counter

    from zoo.files.tables import write_table
    from zoo_motifs.databases import database
    from zoo_motifs.motif_files import read_motifs
    from zoo_motifs.tomtom import COLUMNS, MAX_Q, match

    queries = read_motifs(query)
    targets, name, notes = database(known)
    began = perf_counter()
    matches = match(queries.motifs, targets, over="query" if per_query else "table")
    seconds = perf_counter() - began
    for note in [*queries.notes, *notes, *matches.notes]:
        click.echo(f"note: {note}", err=True)
    threshold = MAX_Q if max_q is None else max_q
    chosen = {"max_q": threshold, "agree": -1.0 if min_agreement is None else min_agreement}
    rows = list(matches.rows(best, **chosen, every=every and max_q is None))
    rows += [[one.name, *[None] * (len(COLUMNS) - 2), "malformed"] for one in queries.skipped]
    corrected = "within each query" if per_query else f"over {matches.p.size:,} comparisons"
    what = "all targets" if every and max_q is None else f"targets with q <= {threshold:g}"
    what += "" if best is None else f", at most {best} a query"
    what += "" if min_agreement is None else f", an agreement of at least {min_agreement:g}"
    comments = {
        "queries": query,
        "database": name,
        "method": f"TOMTOM by memelite {version('memelite')}",
        "q_value": f"Benjamini-Hochberg {corrected}",
        "rows": what,
    }
    for out in outs:
        write_table(out, COLUMNS, rows, comments)
        if out != "-":
            click.echo(f"wrote {out}", err=True)
    _print_summary(matches, rows, threshold, name, seconds)


def _print_summary(matches, rows, threshold, name, seconds):
    """How many queries match, the statuses of the rows, and which matches they leave out."""
    from collections import Counter

    from zoo_motifs.letter_similarity import AGREES
    from zoo_motifs.tomtom import COLUMNS

    fits = matches.q <= threshold
    agreeing = fits & (matches.agreement >= AGREES)
    counts = Counter(row[COLUMNS.index("status")] for row in rows)
    click.echo(
        f"{len(matches.queries):,} motifs against {name}: {int(fits.any(1).sum()):,} have a match with "
        f"q <= {threshold:g}, {int(agreeing.any(1).sum()):,} of them one with an agreement of at least {AGREES:g}; "
        f"rows: {', '.join(f'{status} {n:,}' for status, n in counts.most_common())}; {seconds:.2g} s",
        err=True,
    )
    left = int(fits.sum()) - counts["ok"] - counts["low_agreement"]
    if left > 0:
        click.echo(f"note: --best or --min-agreement leave out {left:,} of {int(fits.sum()):,} matches", err=True)
    if counts["low_agreement"]:
        click.echo(
            f"note: the aligned columns of {counts['low_agreement']:,} matches agree less than {AGREES:g} in the bases "
            "that they prefer (status low_agreement): vague columns are like each other",
            err=True,
        )
