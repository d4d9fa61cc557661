"""`zoo report`: one HTML file that tells a biologist what a model is, how good it is, and what it has learnt."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "report",
    short_help="A report on a model, as one HTML file",
    epilog="Example: zoo report ctcf-motif-cnn --bed peaks.bed --fasta hg19.fa -o report.html",
)
@options.model_argument
@options.out((".html", ".htm"), many=False, terminal=False, default="report.html", show_default=True)
@options.output(help="One output to explain, as in CTCF:raw; by default the model's first.")
@options.interpreter("What explains it; by default deeplift_shap, or ism where that does not run.")
@click.option("--bed", help="Intervals whose windows are explained, in place of the test split's.")
@options.genome("Genome of --bed, or of the model's data")
@click.option("--sequences", help="A FASTA file whose records are explained, in place of the test split's.")
@options.further_inputs
@options.data
@options.motif
@click.option("--n", default=200, show_default=True, help="Sequences that stand for the data, at most.")
@click.option("--n-validation", default=50, show_default=True, help="Of these, how many validate the attributions.")
@click.option("--no-validation", is_flag=True, help="Leave out the validation of the attributions; the report says so.")
@options.seed("whatever is drawn at random")
@options.device
@click.pass_context
def command(context, model, out, interpreter, settings, no_validation, **options):
    """Report on MODEL, a run folder or a published model.

    The file needs no network: pictures and styles lie within.  A section that fails stands in the report with its
    reason; the report is then written all the same, and the exit code is 1.
    """
    import sys
    from time import perf_counter

    from zoo.attribution.arguments import named_interpreter
    from zoo.errors import ConfigError
    from zoo.report.subject import open_subject
    from zoo.report.writer import write_report

    if settings and not interpreter:
        raise ConfigError("--set changes an argument of --interpreter: name that too")
    began = perf_counter()
    if no_validation:
        options["n_validation"] = 0
    named = named_interpreter(interpreter, settings) if interpreter else None
    subject = open_subject(model, interpreter=named, progress=True, **options)
    for note in subject.notes:
        click.echo(f"note: {note}", err=True)
    chapters = write_report(subject, out, command=_typed(context), tell=lambda line: click.echo(line, err=True))
    failed = [chapter for chapter in chapters if chapter.failure]
    click.echo(f"wrote {out}: {len(chapters)} sections, {perf_counter() - began:.1f} s", err=True)
    sys.stderr.flush()
    return int(bool(failed))


def _typed(context):
    """The command line, put together from what was given."""
    import shlex

    from click.core import ParameterSource

    words = ["zoo", "report"]
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name) is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[parameter.name]
        if isinstance(parameter, click.Argument):
            words.append(str(value))
        elif parameter.is_flag:
            words.append(parameter.opts[0])
        else:
            for one in value if parameter.multiple else [value]:
                words += [parameter.opts[0], str(one)]
    return shlex.join(words)
