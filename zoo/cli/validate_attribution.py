"""`zoo validate-attribution`: is what an interpreter shows true of the model, and the model worth explaining?"""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES


@click.command(
    "validate-attribution",
    short_help="Hold an attribution against all substitutions",
    epilog="Example: zoo validate-attribution ctcf-motif-cnn --output CTCF:raw --interpreter deeplift_shap "
    "--bed peaks.bed --fasta hg19.fa -o agreement.png",
)
@options.model_argument
@options.interpreter("What is to be held against the substitutions.", required=True)
@options.output(help="One output, as in CTCF:raw; by default the model's first.")
@click.option("--bed", help="Intervals whose windows are taken, in place of the test split's.")
@options.genome("Genome of --bed, or of the model's data")
@click.option("--sequences", help="A FASTA file whose records are taken, in place of the test split's.")
@options.further_inputs
@options.data
@click.option("--n", default=200, show_default=True, help="Sequences, at most.")
@click.option("--shuffles", default=100, show_default=True, help="Shuffles of the scores that show what chance does.")
@options.seed("whatever is drawn at random")
@options.out((*TABLES, *PICTURES), "a table has a row for each sequence", terminal=False)
@options.json("the numbers and verdicts")
@options.device
def command(model, interpreter, settings, shuffles, seed, outs, as_json, **more):
    """Two questions on MODEL, a run folder or a published model, with thresholds that were fixed beforehand.

    \b
    Is the attribution faithful to the model?  Yes if its mean correlation with the effects of all
      substitutions is 0.5 or more, the whole 95 % interval, and beyond that of shuffled scores.
    Is the model worth explaining?  Yes if its test metric is above every baseline's, interval by interval.
    """
    from zoo.attribution.arguments import named_interpreter
    from zoo.attribution.baseline_check import check_baselines, task_of
    from zoo.attribution.validation import validate
    from zoo.errors import ConfigError
    from zoo.report.subject import open_subject

    if shuffles < 20:
        raise ConfigError(f"{shuffles} shuffles are too few to show what chance does: use 20 or more")
    named = named_interpreter(interpreter, settings)
    subject = open_subject(model, interpreter=named, seed=seed, progress=True, **more)
    for note in subject.notes:
        click.echo(f"note: {note}", err=True)
    validation = validate(
        subject.model,
        subject.codes,
        interpreter=subject.interpreter,
        output=subject.output,
        names=list(subject.names),
        inputs=subject.inputs,
        n_shuffles=shuffles,
        seed=seed,
        progress=True,
    )
    rows = _metrics(subject, seed)
    verdicts = [*validation.verdicts(), check_baselines(rows, *task_of(subject.output, subject.model.spec))]
    _print(validation, verdicts, subject, as_json)
    for out in outs:
        _write(validation, out)
        click.echo(f"wrote {out}", err=True)


def _metrics(subject, seed):
    """Rows of the model beside its baselines: measured on its data where they are at hand, else as published."""
    if subject.opened is None:
        return subject.model.spec.metrics
    from zoo.evaluation.evaluate import evaluate

    return evaluate(subject.model, subject.opened.source, seed=seed).rows


def _print(validation, verdicts, subject, as_json):
    import json

    if as_json:
        plain = [{"question": v.question, "answer": v.answer, "words": v.words} for v in verdicts]
        click.echo(json.dumps({"rows": validation.rows, "verdicts": plain, "sequences": subject.origin}, indent=2))
        return
    click.echo(f"sequences: {subject.origin}\n\n{validation.table()}\n")
    for verdict in verdicts:
        click.echo(str(verdict))
    if subject.random:
        click.echo("note: the sequences are random, so that this says little of real ones: give --bed or --sequences")


def _write(validation, out):
    from zoo.files.endings import is_table

    if is_table(out):
        validation.write(out)
        return
    from zoo.pictures.faithfulness import draw_faithfulness
    from zoo.pictures.figure_files import save_figure

    save_figure(out, draw_faithfulness(validation))
