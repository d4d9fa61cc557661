"""`zoo design`: sequences with a high objective that keep a list of constraints."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "design",
    short_help="Design sequences under constraints, and judge them",
    epilog="Example: zoo design starts.fasta --model ctcf-motif-cnn --objective CTCF:raw --edits 10 "
    "--constraint gc=40-60% --constraint avoid=BsaI -o designs.fasta",
)
@click.argument("start", metavar="START")
@options.seed("the search")
@options.device
def command(start, seed, device):
    """Change START base by base until the objective is high, within the constraints."""
    from zoo.errors import ConfigError

    raise ConfigError(f"no search is built in yet for {start!r}")
