"""`zoo plugins`: what is installed, what it brought, and why something did not load."""

from __future__ import annotations

import json

import click

from zoo.cli import options


@click.command(
    "plugins",
    short_help="Installed plugins, what they register, and why one did not load",
    epilog="Example: zoo plugins --json",
)
@options.json()
def command(as_json):
    """List installed plugins: distribution, version, status and what each registered.

    A broken plugin is skipped by every other command, and named where something of it is asked for.
    """
    from zoo.composition.option_files import groups
    from zoo.registry import registry

    known = registry()
    available = groups()
    contested = {"/".join(key): message for key, message in sorted(known.contested.items())}
    contested |= {
        f"conf/{name}": f"{name} is in both {' and '.join(map(str, files))}: uninstall one of them"
        for name, files in available.contested().items()
    }
    if as_json:
        plugins = [plugin.to_dict() for plugin in known.plugins]
        click.echo(json.dumps({"plugins": plugins, "contested": contested, "unreadable": available.broken}, indent=2))
        return
    rows = [("PLUGIN", "VERSION", "STATUS", "REGISTERS")]
    for plugin in known.plugins:
        status = "broken" if plugin.error else "ok"
        rows.append((plugin.distribution, plugin.version, status, plugin.error or _brought(plugin)))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for *cells, last in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + f"  {last}")
    for package, reason in available.broken.items():
        click.echo(f"configuration {package} cannot be read: {reason}", err=True)
    for message in contested.values():
        click.echo(f"contested: {message}", err=True)


def _brought(plugin) -> str:
    """`encoder dilated_cnn; head scalar, profile; command call-cnv`."""
    kinds: dict[str, list[str]] = {}
    for kind, name in plugin.components:
        kinds.setdefault(kind, []).append(name)
    if plugin.commands:
        kinds["command"] = plugin.commands
    return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items()) or "nothing"
