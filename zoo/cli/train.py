"""`zoo train`: groups, options and values to a run folder."""

from __future__ import annotations

import click


class _Train(click.Command):
    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        from zoo.composition.option_files import groups

        with formatter.section("Groups and their options"):
            formatter.write_dl([(group, ", ".join(options)) for group, options in sorted(groups().options.items())])


@click.command(
    "train",
    cls=_Train,
    short_help="Train a model, or with -m a sweep of models",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
    options_metavar="[-m] [--cfg job] [--explain] [--dry-run] [--config-dir DIR]",
)
@click.argument("overrides", nargs=-1, type=click.UNPROCESSED, metavar="[group=option | key=value]...")
@click.pass_context
def command(context: click.Context, overrides: tuple[str, ...]) -> None:
    """Train a model, or with -m a sweep of models.

    \b
    Examples:
      zoo train experiment=demo
      zoo train experiment=ctcf encoder=dilated_cnn encoder.channels=128 trainer=gpu
      zoo train experiment=ctcf -m seed=1,2,3
      zoo train experiment=ctcf encoder=dilated_cnn --cfg job
      zoo train experiment=demo --explain
      zoo train experiment=demo --dry-run

    --cfg job prints the configuration. --explain builds data and model, trains nothing, and prints what fills every
    argument: the configuration, a default, or the run itself, as with the names of the tasks. --dry-run times a few
    steps that it throws away, and prints the examples of each split and class, what was left out, the model's size, the
    seconds of an epoch, the memory, and where the run would write; neither writes anything.
    """
    from zoo.composition.flags import read_flags
    from zoo.config import compose, run

    flags = read_flags(list(overrides))
    if flags.dry_run:
        from zoo.training.dry_run import dry_run

        for line in dry_run(compose(flags.overrides, folders=flags.folders), with_arguments=flags.explain):
            click.echo(line)
        return
    if flags.explain:
        from zoo.training.plan import TrainingPlan

        click.echo(TrainingPlan.of(compose(flags.overrides, folders=flags.folders)).explain())
        return
    context.exit(run(train, list(overrides)))


def train(config: dict) -> object:
    """The task of every job of a sweep, wherever it runs."""
    from zoo.training.run import train

    return train(config)
