"""`zoo tune`: hyperparameters chosen on the validation split, within a budget of minutes."""

from __future__ import annotations

import click

EXAMPLES = """\
\b
Examples:
  zoo tune data=table data.table=promoters.tsv encoder=dilated_cnn name=mine --minutes 30
  zoo tune experiment=demo --trials 20 --storage tune/demo
  zoo tune experiment=demo optimizer.lr=0.003 --list-space
"""


@click.command(
    "tune",
    short_help="Choose hyperparameters within a budget of minutes",
    epilog=EXAMPLES,
    options_metavar="[--minutes N] [--trials N] [options]",
)
@click.argument("overrides", nargs=-1, metavar="[group=option | key=value]...")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Budget of this call; 30 without --trials.")
@click.option("--trials", type=click.IntRange(1), help="Trials in all, the default configuration included.")
@click.option("--storage", metavar="FOLDER", help="Folder of the search; tune/<name> by default.  A search goes on.")
@click.option("--search", "search_file", metavar="FILE", help="A search space of your own, in place of the ready one.")
@click.option(
    "--confirm",
    type=click.IntRange(0, 20),
    default=2,
    show_default=True,
    help="Seeds with which the default and the best two are trained again, to choose among them.",
)
@click.option("--list-space", is_flag=True, help="Print what would be searched, and train nothing.")
@click.option(
    "--config-dir",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    help="Folder with further options and search spaces.",
)
@click.pass_context
def command(context, overrides, minutes, trials, storage, search_file, confirm, list_space, folders):
    """Choose hyperparameters of a training run: overrides are those of `zoo train`.

    Every trial is an ordinary run, judged by its validation loss; the first is the default configuration.  What an
    override sets is fixed; the rest of the encoder's search space varies.  Trials worse than the median of earlier
    ones are ended early.  The best and the default are trained again with other seeds, and the mean decides.  The test
    split is looked at once, at the end: the best beside the default.

    The same command goes on with the search of its folder, after ctrl-C too.
    """
    from pathlib import Path

    from zoo_tune.tune import open_study, space_text, tune

    study, notes = open_study(list(overrides), [Path(folder) for folder in folders], storage, search_file)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if list_space:
        click.echo(space_text(study))
        return
    context.exit(tune(study, 30.0 if minutes is None and trials is None else minutes, trials, confirm))
