"""`zoo design`: sequences with a high objective that keep a list of constraints."""

from __future__ import annotations

import click

from zoo.cli import options

EXAMPLES = """\
\b
Examples:
  zoo design random:10 --model ctcf-motif-cnn --objective CTCF:raw --edits 5 -o designs.fasta
  zoo design starts.fasta --model my-promoters --objective activity --constraint avoid=BsaI,BsmBI \\
      --constraint gc=40-60% --constraint protect=1-20 --judge another --natural library.fasta -o designs.gb
  zoo design plasmid.gb --region 101-265 --model leaf=runs/leaf --model root=runs/root --objective '2*leaf - root' \\
      --method anneal --constraint protect=ori -o designs.tsv -o designs.png
"""


@click.command("design", short_help="Design sequences under constraints, and judge them", epilog=EXAMPLES)
@click.argument("start", metavar="START")
@click.option(
    "--model",
    "models",
    multiple=True,
    required=True,
    metavar="[NAME=]MODEL",
    help="A published model's name, or a run's folder; may be given several times, with a NAME for the objective.",
)
@click.option("--objective", metavar="EXPRESSION", help="What to raise, as in CTCF:raw or '2*leaf - root'.")
@click.option(
    "--method",
    default="greedy",
    show_default=True,
    type=click.Choice(["greedy", "beam", "anneal", "gradient", "insert"]),
    help="How to search.",
)
@click.option("--edits", default=20, show_default=True, help="Letters that may differ from the start.")
@click.option(
    "--constraint",
    "words",
    multiple=True,
    metavar="KEY=VALUE",
    help="protect=10-30 or a part, gc=40-60% or gc=30-70%/50, avoid=BsaI, homopolymer=5, repeats=12, codons=31-90, "
    "distance=15; may be given several times.",
)
@click.option("--constraints", "file", metavar="FILE", help="The same as YAML, as in avoid: [BsaI, BsmBI].")
@click.option("--steps", type=int, help="Steps of the search; default: edits, 5 times as many to anneal, 100 to climb.")
@click.option("--beam-width", default=8, show_default=True, help="Sequences that --method beam keeps of every start.")
@click.option("--temperature", type=float, help="First temperature of anneal, in units of the objective.")
@click.option(
    "--insert",
    "insertions",
    multiple=True,
    metavar="MOTIF[@PLACE]",
    help="With --method insert: JASPAR name or letters, as in CTCF, CTCF@40 or TGACTCA@20-60.",
)
@click.option("--region", metavar="FIRST-LAST", help="The part of each start to design, counted from 1.")
@click.option("--left-flank", default="", metavar="DNA", help="Letters before each start; they stay as they are.")
@click.option("--right-flank", default="", metavar="DNA", help="Letters behind each start; they stay as they are.")
@click.option(
    "--judge",
    "judges",
    multiple=True,
    metavar="[NAME=]MODEL",
    help="A model that has no part in the search and judges the designs; may be given several times.",
)
@click.option("--judge-objective", metavar="EXPRESSION", help="In outputs of the judges; default that of the search.")
@click.option("--training", metavar="FILE", help="What the search's model has learned from, to find copies of it.")
@click.option(
    "--natural",
    metavar="FILE",
    help="Natural sequences that a design should be better than, 200 or more: FASTA, or a table with their column.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that did not end.")
@click.option(
    "-o",
    "--out",
    "outs",
    multiple=True,
    default=["-"],
    help="File to write: .fasta, .csv, .tsv, .parquet, .gb, .png, .svg, .pdf; - is a table on the terminal, the "
    "default.  May be given several times.",
)
@options.seed("the search")
@options.device
def command(start, outs, resume, **rest):
    """Change START base by base until the objective is high, within the constraints.

    START is a FASTA or GenBank file, a sequence, or random:N.  Positions count from 1 and both ends belong to them.
    DNA Chisel judges the constraints of every design.  A start that breaks them is repaired first; such edits count.
    """
    from zoo.errors import DataError
    from zoo_design.cli.session import run

    notes, ok, total = run(start, outs, resume, rest)
    for note in notes:
        click.echo(note, err=True)
    if not ok:
        raise DataError(f"none of {total:,} starts has a design: see the column status")
