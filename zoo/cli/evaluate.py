"""`zoo evaluate`: a model's metrics on held-out data, beside baselines."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "evaluate",
    short_help="Metrics with intervals, beside baselines on equal rows",
    epilog="Example: zoo evaluate runs/ctcf/2025-01-31 --motif CTCF --stratum 'chrom==chrX' -o table.tsv",
)
@options.model_argument
@options.split
@options.motif
@click.option("--baselines/--no-baselines", default=True, show_default=True, help="GC content, k-mers, motifs.")
@click.option("--kmer", default=6, show_default=True, help="Length of the k-mers of the baseline.")
@click.option("--rival", "rivals", multiple=True, type=click.Choice(["gkm-svm"]), help="A slow baseline beside it.")
@click.option("--rival-rows", type=click.IntRange(2), help="Training rows of it; by default about 100 seconds' worth.")
@click.option("--stratum", "strata", multiple=True, help="A subset to evaluate too, as in 'peak_width<=2000'.")
@click.option("--by", multiple=True, help="A column, as domain or chrom: results for each of its values too.")
@options.data
@options.genome("Genome of the data")
@click.option("--bootstrap", default=1000, show_default=True, help="Resamples for the intervals, 0 for none.")
@options.seed("the resamples")
@click.option("--batch-size", type=int, help="Examples a forward pass; by default what suits the device.")
@options.device
@options.out(note="every prediction beside its label", many=False, terminal=False)
@click.option("--table", "tasks_file", metavar="FILE", help="Write a table with a line a task (of --against: a pair).")
@click.option("--against", multiple=True, metavar="MODEL", help="Compare with these on equal rows, task by task.")
@options.json("the metrics")
def command(
    model, split, motifs, kmer, rivals, rival_rows, by, config, data, fasta, bootstrap, device, out, as_json, **options
):
    """Evaluate MODEL, a run folder or a published model, on one split of its data.

    Each metric comes with its n and a 95 % interval from resampled examples.  Baselines are fitted to the
    training split and judged on the same rows as the model; a paired bootstrap tells whether the model is
    better than the one that does best on them.

    --against holds the model against other models, as a network of many tasks against networks of a single one:
    both predict the examples of MODEL's data that have a label of a task, and nothing else is evaluated.
    """
    import json

    from zoo.evaluation.evaluate import evaluate
    from zoo.training.model_and_data import open_evaluated

    opened = open_evaluated(model, config=config, data=data, fasta=fasta, device=device)
    tasks_file, against = options.pop("tasks_file"), options.pop("against")
    if against:
        _compare(opened, against, split, device, tasks_file, as_json, n_bootstrap=bootstrap, seed=options["seed"])
        return
    options |= {"motif": motifs, "n_bootstrap": bootstrap, "k": kmer, "rivals": dict.fromkeys(rivals, rival_rows)}
    options["strata"] += by
    evaluation = evaluate(opened.model, opened.source, split, **options)
    if as_json:
        click.echo(json.dumps({"model": opened.name, "rows": evaluation.rows}, indent=2, allow_nan=False))
    else:
        click.echo(evaluation.table())
    if out:
        revision = str(getattr(opened.model, "revision", "") or "")
        n = evaluation.write(out, {"model": opened.model.spec.name, "source": opened.name, "revision": revision})
        click.echo(f"{out}: {n:,} rows", err=True)
    if tasks_file:
        n = evaluation.write_tasks(tasks_file, {"model": opened.model.spec.name, "source": opened.name})
        click.echo(f"{tasks_file}: {n:,} rows", err=True)


def _compare(opened, against, split, device, tasks_file, as_json, **resamples):
    """Print, and write where a file is named, how the model does against others on its own data."""
    import json

    from zoo.evaluation.model_comparison import compare_models, names_of
    from zoo.hub.loader import load

    others = {name: load(name, device=device) for name in against}
    others = dict(zip(names_of(others), others.values(), strict=True))
    comparison = compare_models(opened.model, others, opened.source, split, **resamples)
    if as_json:
        result = {"model": opened.name, "rows": comparison.rows, "means": comparison.means}
        click.echo(json.dumps(result, indent=2, allow_nan=False))
    else:
        click.echo(comparison.text(opened.model.spec.name))
    if tasks_file:
        n = comparison.write(tasks_file, {"model": opened.model.spec.name, "source": opened.name, "split": split})
        click.echo(f"{tasks_file}: {n:,} rows", err=True)
