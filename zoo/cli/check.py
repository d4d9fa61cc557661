"""`zoo check`: the contract of a component or a plugin, measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from zoo.cli import options
from zoo.errors import ZooError


@click.command()
@click.argument("target", required=False)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--length", type=click.IntRange(min=1), help="bp of the window to measure encoders in.")
@click.option("--failed", "only_failed", is_flag=True, help="Print only what is broken.")
@click.option(
    "--all-published", is_flag=True, help="Every published model against its golden outputs, on every device."
)
@options.out((".json",), "with --all-published", many=False, terminal=False)
@options.json("the checks")
@click.pass_context
def command(context, target, arguments, length, only_failed, all_published, out, as_json):
    """Measure what a component or a plugin promises: shapes, gradients, receptive field, strand, saving.

    With --all-published every model that a name finds here is loaded and asked for its golden outputs, on the CPU and
    on a GPU of each kind, in float32; the file keeps rows of other torch versions and devices.

    TARGET is a component (encoder/dilated_cnn), an installed distribution (zoo-dilated-cnn), or the folder of
    a plugin (./zoo-mine), which need not be installed.  KEY=VALUE sets an argument of a component.
    Exits with 1 if a promise is broken.

    \b
    Examples:
      zoo check encoder/dilated_cnn
      zoo check encoder/dilated_cnn layers=14 first_width=1 first_dilation=1
      zoo check zoo-dilated-cnn
      zoo check ./zoo-mine
      zoo check --all-published -o compatibility.json
    """
    if all_published:
        if target or length:
            raise ZooError("--all-published checks models, no component or plugin: leave out TARGET and --length")
        context.exit(_published(out, only_failed, as_json))
    if not target or out:
        raise ZooError("nothing to check: give a component, a plugin or its folder, or --all-published [-o FILE.json]")
    checks = _run(target, arguments, length)
    shown = [c for c in checks if c.ok is False] if only_failed else checks
    if as_json:
        import json

        rows = [{"subject": c.subject, "check": c.name, "status": c.status, "detail": c.detail} for c in shown]
        click.echo(json.dumps(rows, indent=2))
    else:
        _print(shown)
    counts = {status: sum(c.status == status for c in checks) for status in ("ok", "failed", "skipped")}
    click.echo(
        f"{target}: {counts['ok']} of {len(checks)} promises kept, {counts['skipped']} do not apply here, "
        f"{counts['failed']} broken",
        err=as_json,
    )
    context.exit(int(counts["failed"] > 0))


def _published(out: str | None, only_failed: bool, as_json: bool) -> int:
    """The exit code: 1 where a model failed."""
    from collections import Counter
    from dataclasses import asdict

    from zoo.terminal.printable import printable
    from zoo.testing.compatibility import check_published, devices, write_compatibility

    rows = check_published(devices())
    shown = [row for row in rows if row.status == "fail"] if only_failed else rows
    if as_json:
        import json

        click.echo(json.dumps([asdict(row) for row in shown], indent=2))
    else:
        width = max((len(row.model) for row in shown), default=0)
        for row in shown:
            detail = row.reason if row.difference is None else f"largest difference {row.difference:.2g}"
            click.echo(
                f"{row.status:<11}  {row.model.ljust(width)}  {row.device}, torch {row.torch}: {printable(detail)}"
            )
    counts = Counter(row.status for row in rows)
    told = ", ".join(f"{counts[status]} {status}" for status in ("pass", "fail", "unavailable"))
    where = f"{out}: {write_compatibility(out, rows)} rows, of which now " if out else ""
    click.echo(f"{where}{told}", err=True)
    return int(counts["fail"] > 0)


def _run(target: str, arguments: tuple[str, ...], length: int | None) -> list:
    from zoo.registry import registry

    kind, _, name = target.partition("/")
    is_path = target.startswith((".", "/", "~")) or target.endswith("/")
    if name and not is_path and kind in registry().kinds():
        from zoo.composition.key_value import key_values
        from zoo.testing import check_component

        return check_component(kind, name, key_values(arguments, "layers=14"), length=length)
    if arguments:
        raise ZooError(f"{arguments[0]!r} sets an argument, but {target!r} is no component such as encoder/dilated_cnn")
    from zoo.testing import as_if_installed, check_plugin

    installed = {p.distribution for p in registry().plugins}
    folder = Path(target).expanduser()
    if is_path or (target not in installed and folder.is_dir()):
        with as_if_installed(folder.resolve()) as distribution:
            return check_plugin(distribution, length=length)
    if name:
        raise ZooError(f"{target!r}: {kind!r} is no kind of component ({', '.join(registry().kinds())}) and no folder")
    return check_plugin(target, length=length)


def _print(checks: Iterable) -> None:
    subject = None
    for check in checks:
        if check.subject != subject:
            subject = check.subject
            click.echo(subject)
        mark = {"ok": "ok     ", "failed": "FAILED ", "skipped": "-      "}[check.status]
        click.echo(f"  {mark} {check.name:<28} {check.detail}".rstrip())
