"""Options that several commands share: one word has one name, one meaning and one wording in all of them.

    @options.model
    @options.genome(required=True)
    @options.out((*TABLES, ".png"))
    @options.device
    def command(model, fasta, outs, device): ...

Plugins' commands use them too.  Nothing but click and the endings of files is imported.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import click

from zoo.files.endings import TABLES, check_output

_OUTPUT = "task, task:raw, task:sum, task@-50..50:mean"

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

model_argument = click.argument("model", metavar="MODEL")
"""MODEL: a name, a run's folder, or whatever else `zoo.load` takes."""

model = click.option("--model", required=True, metavar="MODEL", help="A published model's name, or a run's folder.")
"""--model: whatever `zoo.load` takes."""

device = click.option("--device", default="auto", show_default=True, help="cpu, cuda, or auto.")

compare_devices = click.option(
    "--compare-devices",
    type=click.IntRange(min=1),
    metavar="N",
    help="First compute N rows on the CPU in float64 too, and stop where the device differs by more than 1e-4.",
)

anchor = click.option(
    "--anchor",
    type=click.Choice(["both", "left", "right"]),
    default="both",
    show_default=True,
    help="Which rim of the window stays for insertions and deletions.",
)

any_assembly = click.option(
    "--any-assembly",
    is_flag=True,
    help="Go on where contig lengths or REF say that the file is of another assembly, and score what matches.",
)

on_error = click.option(
    "--on-error",
    type=click.Choice(["skip", "raise"]),
    default="skip",
    show_default=True,
    help="skip marks malformed lines with a status and goes on; raise stops at the first.",
)

motif = click.option(
    "--motif", "motifs", multiple=True, help="JASPAR name or identifier, or `best`: its best match is a baseline."
)

split = click.option(
    "--split", type=click.Choice(["train", "validation", "test"]), default="test", show_default=True, help="Which rows."
)


def genome(of: str = "Genome", required: bool = False) -> Decorator:
    """--fasta, as a tuple `fasta` of the files that make one genome.  of: what the genome is for."""
    return click.option("--fasta", multiple=True, required=required, help=f"{of}; may be given several times.")


def output(many: bool = False, help: str | None = None) -> Decorator:
    """--output: one output of the model, or with `many` any number of them.  help: in place of that."""
    one = f"One output: {_OUTPUT}; needed where the model has several."
    return click.option(
        "--output",
        help=help or (f"Which outputs: {_OUTPUT}, or many: 'CTCF*', cell=K562; default all." if many else one),
    )


def out(
    endings: tuple[str, ...] = TABLES, note: str = "", many: bool = True, terminal: bool = True, **more: Any
) -> Decorator:
    """-o/--out: the files to write, as a tuple `outs`; without `many` one file, as `out`.

    Another name, a folder that is missing and a library that is not installed are refused before the command runs.

    endings: those that the command writes.  note: what to know of them.
    terminal: - is a table on the terminal, and the default; without it nothing is written by default.
    more: of click.option, as default and required.
    """

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        for name in value if many else [value] * (value is not None):
            check_output(name, endings, terminal)
        return value

    kinds = ", ".join(endings) + (f" ({note})" if note else "")
    text = f"File to write: {kinds}" + ("; - is a table on the terminal, the default." if terminal else ".")
    more = {"callback": check, **more}
    if terminal:
        more = {"default": ["-"] if many else "-", **more}
    if many:
        return click.option("-o", "--out", "outs", multiple=True, help=f"{text}  May be given several times.", **more)
    return click.option("-o", "--out", help=text, **more)


def max_n(fate: str = "get no score") -> Decorator:
    """--max-n: the part of a window that may be N.  fate: what becomes of windows with more."""
    return click.option("--max-n", default=0.5, show_default=True, help=f"Windows with a larger part of N {fate}.")


def seed(of: str) -> Decorator:
    """--seed, 0 by default.  of: what is drawn with it."""
    return click.option("--seed", default=0, show_default=True, help=f"Of {of}.")


def json(what: str = "everything") -> Decorator:
    """--json, as `as_json`.  what: is printed."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print {what} as JSON, for programs.")


def interpreter(help: str, **more: Any) -> Decorator:
    """--interpreter, and -s/--set as `settings`.  more: of click.option, as default and required."""
    named = click.option("--interpreter", metavar="NAME", help=help, **more)
    settings = click.option(
        "-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="An argument of the interpreter."
    )
    return lambda function: named(settings(function))


def data(function: Callable[..., Any]) -> Callable[..., Any]:
    """--config and --data: which data a model is evaluated on, where it does not name them itself."""
    config = click.option("--config", help="A run's config.json, where the model itself does not name its data.")
    changes = click.option(
        "--data", multiple=True, metavar="KEY=VALUE", help="Change an argument of the data, or name=... them."
    )
    return config(changes(function))


def further_inputs(function: Callable[..., Any]) -> Callable[..., Any]:
    """--signal, as a tuple `signals` of texts NAME=FILE, and --context, as `model_context`."""
    signal = click.option(
        "--signal",
        "signals",
        multiple=True,
        metavar="NAME=FILE",
        help="A track that the model reads beside the sequence: bigWig, bedGraph, BED or fragments.  May be given "
        "several times.",
    )
    context = click.option(
        "--context", "model_context", metavar="NAME", help="The model's context, as a cell type that it was trained in."
    )
    return signal(context(function))


def command_line(context: click.Context) -> str:
    """What was typed, as a shell would take it: "zoo score calls.vcf --top 50"."""
    words = context.command_path.split()
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is not click.core.ParameterSource.COMMANDLINE:
            continue
        value = context.params[str(parameter.name)]
        for one in value if isinstance(value, (tuple, list)) else [value]:
            words += (
                [*parameter.opts[:1], *([] if one is True else [str(one)])] if _is_option(parameter) else [str(one)]
            )
    return shlex.join(words)


def _is_option(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Option)
