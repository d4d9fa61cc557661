"""`zoo pull`: bring a published model to this machine."""

from __future__ import annotations

import click


@click.command(
    "pull",
    short_help="Bring a published model to this machine and check it",
    epilog="Example: zoo pull hf://genomics/ctcf-dilated-cnn@main",
)
@click.argument("name", metavar="NAME")
@click.option("--force", is_flag=True, help="Fetch it again, which mends a damaged copy.")
@click.option("--check", is_flag=True, help="Also load it and compare its golden outputs with what it predicts here.")
def command(name, force, check):
    """Fetch the model NAME and compare every file with its manifest.

    The base of a model that is a difference to another (tune=lora) is fetched and compared too.

    NAME is a registered name, name@revision, hf://org/name, file:///folder/name, pkg://package/path,
    dist://distribution/path or the path of a folder.
    """
    from zoo.hub import manifest
    from zoo.hub.adapters import base_source
    from zoo.hub.config_file import read_spec
    from zoo.hub.loader import load, pull

    folder = pull(name, force=force)
    size = sum(entry.size for entry in manifest.read(folder))
    click.echo(f"{name}: {size:,} bytes, every sha256 as published, revision {manifest.revision_of(folder)[:12]}")
    spec = read_spec(folder)
    if spec.base:
        click.echo(f"it is a difference to {base_source(spec)}, which is here too, as its publisher had it")
    if check:
        from zoo.hub.golden import check_golden

        worst = check_golden(load(str(folder.resolve())), folder)
        click.echo(f"golden outputs: equal within tolerance, largest difference {worst:.2g}")
    click.echo(f"it is in {folder}")
    click.echo(f"next: zoo predict {name} --fasta GENOME.fa --bed INTERVALS.bed -o predictions.tsv", err=True)
