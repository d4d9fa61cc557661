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
@click.option("--citation", help="What to cite, in words.")
@click.option("--cite", multiple=True, metavar="DOI", help="What to cite, by its DOI.  May be given several times.")
@click.option(
    "--author", "authors", multiple=True, metavar="'NAME <ORCID>'", help="Who made it.  May be given several times."
)
@click.option("--support", help="Where questions go: https://... or mailto:...")
@click.option("--parent", metavar="MODEL", help="The model that this one was made from.")
@click.option("--version", help="As in 1.0.0; the same version with other contents is refused.")
@click.option("--changes", help="What this version changed.")
@click.option(
    "--evaluate/--no-evaluate", "evaluated", default=True, help="Evaluate an ensemble as its first member was."
)
@click.option(
    "--whole", is_flag=True, help="All weights of a tuned model (tune=lora), in place of its difference to the base."
)
@click.option("--private", is_flag=True, help="Make a new Hugging Face repository private.")
def command(runs, name, to, licence, citation, evaluated, whole, private, authors, **card):
    """Publish the model of each RUN folder under one name; several become one model that answers with their mean.

    What was published before stays where it is, under its revision.
    """
    from zoo.hub.card_fields import parse_author
    from zoo.training.publication import publish

    stated = {"licence": licence, "citation": citation, "evaluated": evaluated, "whole": whole}
    card["authors"] = [parse_author(author) for author in authors]
    source = publish(runs, name, to, private, card=card, **stated)
    what = f"{len(runs)} runs as one ensemble" if len(runs) > 1 else runs[0]
    click.echo(f"published {what} as {source}")
    click.echo(f"next: zoo pull {source}", err=True)
