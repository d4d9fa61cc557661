"""The command `zoo`: commands in the order of the story, each its own file, imported when it is asked for."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click

from zoo.errors import UnknownComponent, ZooError, did_you_mean, explain
from zoo.files.atomic import reason_of_full_disk
from zoo.files.pipes import with_names
from zoo.registry import registry
from zoo.terminal.printable import clean_streams, printable
from zoo.terminal.standard_streams import open_closed_streams, silence_stdout

STORY = (
    "list", "show", "doctor", "pull", "import", "train", "evaluate", "probe", "predict", "score", "mutate", "epistasis",
    "attribute", "validate-attribution", "match-motifs", "report", "publish", "export", "check", "new-plugin",
    "plugins", "demo",
)  # fmt: skip

_LONGEST = 4000
_LIBRARIES = ("click", "hydra", "omegaconf", "lightning", "lightning_fabric", "pytorch_lightning", "torch", "submitit")


def main(args: list[str] | None = None) -> int:
    """Run one command; returns 0, 1 for what the user can mend, 2 for our own mistakes."""
    open_closed_streams()
    with clean_streams():
        return _flushed(_run(args))


def _run(args: list[str] | None) -> int:
    try:
        with _rare_collections():
            code = cli.main(args, prog_name="zoo", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except click.ClickException as error:
        return _fail(error.format_message())
    except ZooError as error:
        return _fail(str(error))
    except ModuleNotFoundError as error:
        sentence = explain(error)
        if sentence is None:
            _show(error)
        return 2 if sentence is None else _fail(str(sentence))
    except BrokenPipeError:
        silence_stdout()
        return 1  # as click answers a reader that left
    except Exception as error:
        reason = reason_of_full_disk(error)
        if reason is not None:
            return _fail(f"no room is left on a disk that is written to ({reason}): free some and run it again")
        _show(error)
        return 2


def _flushed(code: int) -> int:
    """The exit code, once all that was printed has arrived."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        return code or 1
    except OSError as error:
        silence_stdout()
        return code or _fail(f"standard output takes no more ({error.strerror or error}): free some room and try again")
    return code


@contextmanager
def _rare_collections() -> Iterator[None]:
    """PyTorch makes hundreds of thousands of objects that stay: to look for garbage among them takes 0.2 s."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Commands(click.Group):
    """Core commands in story order, then the plugins'."""

    def list_commands(self, context: click.Context) -> list[str]:
        return [name for name in STORY if _file(name).exists()] + sorted(registry().commands)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in STORY and _file(name).exists():
            return import_module(f"zoo.cli.{_file(name).stem}").command
        if name in registry().commands:
            return _load(name)
        return None

    def resolve_command(self, context: click.Context, args: list[str]):
        name = args[0]
        if ("command", name) in registry().contested and name not in STORY:
            raise ZooError(registry().contested["command", name])
        if self.get_command(context, name) is None:
            message = f"no command {name!r}" + did_you_mean(name, self.list_commands(context), command="zoo --help")
            for plugin, reason in registry().broken.items():
                message += f"; plugin {plugin}, which might provide it, did not load: {reason}"
            raise ZooError(message)
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        known = registry()
        core = [name for name in self.list_commands(context) if name not in known.commands]
        commands = ((name, self.get_command(context, name)) for name in core)
        rows = [(name, command.get_short_help_str(90)) for name, command in commands if command]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        if known.commands:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(c.name, f"{c.help} ({c.owner})") for _, c in sorted(known.commands.items())])
        if known.broken:
            with formatter.section("Plugins that did not load (`zoo plugins` says more)"):
                formatter.write_dl(sorted(known.broken.items()))


@click.command(cls=Commands, invoke_without_command=True)
@click.version_option(package_name="zoo-core", prog_name="zoo")
@click.pass_context
def cli(context: click.Context) -> None:
    """Find, train, check, explain and share networks that read DNA.

    \b
    Examples:
      zoo list models
      zoo train experiment=demo
      zoo predict ctcf-motif-cnn --fasta genome.fa --bed peaks.bed -o scores.tsv
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _file(name: str) -> Path:
    return Path(__file__).with_name(name.replace("-", "_") + ".py")


def _load(name: str) -> click.Command:
    command = registry().commands[name]
    module, _, attribute = command.target.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        raise UnknownComponent(
            f"command {name!r} of {command.owner} cannot be loaded from {command.target}: {error}"
        ) from error


def _show(error: Exception) -> None:
    """Where one of our mistakes happened: our own frames; all of them if HYDRA_FULL_ERROR=1."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f for f in frames if not any(f"site-packages{os.sep}{library}{os.sep}" in f.filename for library in _LIBRARIES)
    ]
    full = os.environ.get("HYDRA_FULL_ERROR") == "1"
    if full or not ours:
        traceback.print_exception(error)
        return
    shown = ours if ours[-1] is frames[-1] else [*ours, frames[-1]]
    print("Traceback (most recent call last):\n", *traceback.format_list(shown), sep="", end="", file=sys.stderr)
    print(*traceback.format_exception_only(error), sep="", end="", file=sys.stderr)
    if len(shown) < len(frames):
        hidden = len(frames) - len(shown)
        print(f"({hidden} frames of libraries are left out: HYDRA_FULL_ERROR=1 shows them)", file=sys.stderr)


def _fail(message: str) -> int:
    print(f"zoo: error: {_shortened(printable(with_names(message)))}", file=sys.stderr)
    return 1


def _shortened(message: str) -> str:
    """A sentence may quote a value of any length."""
    half = _LONGEST // 2
    return message if len(message) <= _LONGEST else f"{message[:half]} ... {message[-half:]}"


if __name__ == "__main__":
    sys.exit(main())
