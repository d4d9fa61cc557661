"""`zoo list`: published models and installed components, by name."""

from __future__ import annotations

import json
import shutil
from fnmatch import fnmatchcase

import click

from zoo.cli import options


@click.command(
    "list",
    short_help="List published models and installed components",
    epilog="Example: zoo list models 'ctcf*'   or   zoo list encoders",
)
@click.argument("what", default="all", metavar="[WHAT]")
@click.argument("pattern", default="*")
@click.option("--kind", help="With `components`: of this kind only.")
@options.json()
def command(what, pattern, kind, as_json):
    """List WHAT there is: models, components, or one kind of component (encoders, heads, data, ...).

    PATTERN narrows names down, as in 'ctcf*'.
    """
    from zoo.errors import ConfigError, did_you_mean
    from zoo.hub.names import list_models
    from zoo.registry import registry

    known = registry()
    kinds = {k if k.endswith(("s", "data")) else f"{k}s": k for k in known.kinds()}
    kinds |= {k: k for k in known.kinds()}
    if what not in ("all", "models", "components", *kinds):
        raise ConfigError(f"nothing called {what!r} to list" + did_you_mean(what, ["models", "components", *kinds]))
    kind = kinds.get(what, kinds.get(kind or "", kind))
    if kind is not None and kind not in known.kinds():
        raise ConfigError(f"no kind {kind!r}" + did_you_mean(kind, known.kinds()))
    models = components = None
    if what in ("all", "models") and kind is None:
        models = [model for model in list_models() if fnmatchcase(model["name"], pattern)]
    if what != "models":
        components = [
            {"kind": c.kind, "name": c.name, "plugin": c.owner, "target": c.target}
            for _, c in sorted(known.components.items())
            if (kind is None or c.kind == kind) and fnmatchcase(c.name, pattern)
        ]
    if as_json:
        found = {"models": models, "components": components} if what == "all" and kind is None else models
        click.echo(json.dumps(components if found is None else found, indent=2))
        return
    if models is not None:
        _print_models(models)
    if models is not None and components is not None:
        click.echo()
    if components is not None:
        _print_table([{"kind": c["kind"], "name": c["name"], "plugin": c["plugin"]} for c in components])
    for plugin, reason in known.broken.items():
        click.echo(f"plugin {plugin} did not load: {reason}", err=True)


def _print_models(models):
    rows = [
        {
            "model": m["name"],
            "task": m["task"],
            "window": f"{m['input_length']:,} bp" if m["input_length"] else "",
            "plugin": m["plugin"],
            "licence": m["licence"],
            "here": "yes" if m["cached"] else "",
            "description": m["description"],
        }
        for m in models
    ]
    _print_table(rows)
    for m in models:
        if m["clash"]:
            click.echo(f"{m['name']} is taken from {m['registry']}; also in {', '.join(m['clash'])}", err=True)


def _print_table(rows):
    """Columns as wide as their longest value, the last cut at the terminal's edge."""
    from zoo.terminal.printable import printable

    if not rows:
        click.echo("none")
        return
    columns = list(rows[0])
    rows = [dict(zip(columns, columns, strict=True)), *({k: printable(v) for k, v in row.items()} for row in rows)]
    widths = {c: max(len(row[c]) for row in rows) for c in columns}
    edge = max(shutil.get_terminal_size((120, 24)).columns, 60)
    for row in rows:
        line = "  ".join(row[c].ljust(widths[c]) for c in columns)
        click.echo(line[:edge].rstrip())
