"""`zoo publish`: a run, or several as an ensemble, for others to load by name."""

from __future__ import annotations

import click


@click.command(
    "publish",
    short_help="Publish a run, or several as an ensemble",
    epilog="Example: zoo publish runs/ctcf/2026-05-01_12-00-00 --name ctcf-motif-cnn --to file:///shared/zoo",
)
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--name", required=True, help="Lower-case letters, digits and . _ - only.")
@click.option("--to", help="hf://org, file:///folder or a folder's path; default is the place that ZOO_HUB names.")
@click.option("--licence", help="Of the weights, as in MIT or CC-BY-4.0; default is what the run says.")
@click.option("--citation", help="What to cite.")
@click.option(
    "--evaluate/--no-evaluate", "evaluated", default=True, help="Evaluate an ensemble as its first member was."
)
@click.option(
    "--whole", is_flag=True, help="All weights of a tuned model (tune=lora), in place of its difference to the base."
)
@click.option("--private", is_flag=True, help="Make a new Hugging Face repository private.")
def command(runs, name, to, licence, citation, evaluated, whole, private):
    """Publish the model of each RUN folder under one name; several become one model that answers with their mean.

    What was published before stays where it is, under its revision.
    """
    from zoo.training.publication import publish

    source = publish(runs, name, to, private, licence=licence, citation=citation, evaluated=evaluated, whole=whole)
    what = f"{len(runs)} runs as one ensemble" if len(runs) > 1 else runs[0]
    click.echo(f"published {what} as {source}")
    click.echo(f"next: zoo pull {source}", err=True)
