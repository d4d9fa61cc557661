"""`zoo show`: what a published model or an installed component is."""

from __future__ import annotations

import json

import click

from zoo.cli import options


@click.command(
    "show",
    short_help="Show a model's card, or a component's arguments",
    epilog="Example: zoo show ctcf-motif-cnn   or   zoo show encoder/dilated_cnn",
)
@click.argument("name", metavar="NAME")
@click.option("--card", is_flag=True, help="The whole model card, as Markdown.")
@options.json()
def command(name, card, as_json):
    """Show the model NAME, or the component KIND/NAME with its arguments and their defaults."""
    import os

    from zoo.registry import registry

    kind, slash, component = name.partition("/")
    is_path = "://" in name or name.startswith((".", "/", "~")) or os.path.isdir(name)
    if slash and not is_path:
        _show_component(kind, component, as_json, registry())
    else:
        _show_model(name, card, as_json)


def _show_model(name, card, as_json):
    from zoo.evaluation.result import metrics_text
    from zoo.hub.card import facts, read_card
    from zoo.hub.config_file import read_spec
    from zoo.hub.loader import fetch
    from zoo.hub.verify import verify_files
    from zoo.terminal.printable import printable, printable_lines

    pulled = fetch(name)
    verify_files(pulled.folder, f"run `zoo pull {name} --force`")
    spec = read_spec(pulled.folder)
    source = str(pulled.source.at(pulled.revision))
    if as_json:
        found = {"source": source, "revision": pulled.revision, "folder": str(pulled.folder)}
        click.echo(json.dumps({**found, "spec": json.loads(spec.to_json())}, indent=2))
    elif card:
        click.echo(printable_lines(read_card(pulled.folder)))
    else:
        rows = {"name": printable(spec.name), **facts(spec), "source": source, "folder": str(pulled.folder)}
        width = max(map(len, rows))
        for key, value in rows.items():
            click.echo(f"{key.ljust(width)}  {value}")
        if spec.metrics:
            click.echo("\n" + metrics_text(spec.metrics) + "\n")
        click.echo(f"next: zoo predict {name} --fasta GENOME.fa --bed INTERVALS.bed -o predictions.tsv", err=True)


def _show_component(kind, name, as_json, known):
    import dataclasses
    import inspect
    import typing

    from zoo.composition.signature_check import argument_types
    from zoo.errors import UnknownComponent, did_you_mean
    from zoo.registry import INJECTED

    if kind not in known.kinds():
        raise UnknownComponent(f"no kind {kind!r}" + did_you_mean(kind, known.kinds()))
    component = known.component(kind, name)
    target, filled = known.get(kind, name), INJECTED.get(kind, {})
    arguments = [
        {
            "name": p.name,
            "type": "" if p.annotation is p.empty else str(getattr(p.annotation, "__name__", p.annotation)),
            "default": None if p.default is p.empty else repr(p.default),
            "injected": p.name in filled,
            "filled_by": filled.get(p.name),
        }
        for p in inspect.signature(target).parameters.values()
    ]
    text = inspect.getdoc(target) or "No description."
    if as_json:
        found = {"kind": kind, "name": name, "plugin": component.owner, "target": component.target}
        click.echo(json.dumps({**found, "arguments": arguments, "description": text}, indent=2))
        return
    click.echo(f"{kind}/{name}, from {component.owner}\n")
    for a in arguments:
        default = f" = {a['default']}" if a["default"] is not None else "" if a["filled_by"] else "  (required)"
        run = f"  (filled by the run: {a['filled_by']})" if a["filled_by"] else ""
        click.echo(f"  {a['name']}: {a['type']}{default}{run}")
    click.echo(f"\n{text}")
    for key, annotation in argument_types(target).items():
        for group in filter(dataclasses.is_dataclass, typing.get_args(annotation)):
            click.echo("")
            for field in dataclasses.fields(group):
                click.echo(f"  {key}.{field.name}: {field.type} = {field.default!r}")
            click.echo(f"\n{inspect.getdoc(group)}")
