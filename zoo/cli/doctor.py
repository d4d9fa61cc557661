"""`zoo doctor`: what is installed, broken, cached and reachable."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click

from zoo.cli import options
from zoo.errors import EXTRAS, installed

_SECONDS = 3.0
"""How long a server may take to answer."""


@click.command(
    "doctor",
    short_help="What is installed, broken, cached and reachable",
    epilog="Example: zoo doctor --json",
)
@options.json()
@click.pass_context
def command(context, as_json):
    """Look at this installation and say what is wrong with it; exit code 1 if something is.

    With ZOO_OFFLINE=1 no server is asked.
    """
    findings = [{"what": what, "status": status, "detail": detail} for what, status, detail in _look()]
    if as_json:
        click.echo(json.dumps(findings, indent=2))
    else:
        width = max(len(finding["what"]) for finding in findings)
        for finding in findings:
            click.echo(f"{finding['what'].ljust(width)}  {finding['status'].ljust(7)}  {finding['detail']}")
    context.exit(int(any(finding["status"] == "broken" for finding in findings)))


def _look() -> Iterator[tuple[str, str, str]]:
    """(what, ok | broken | absent | skipped, detail)."""
    yield "python", "ok", f"{platform.python_version()} at {sys.executable}"
    yield "zoo-core", "ok", version("zoo-core")
    yield from _torch()
    for extra, (purpose, modules) in EXTRAS.items():
        absent = [module for module in modules if not installed(module)]
        remedy = f"; without {', '.join(absent)}: pip install 'zoo-core[{extra}]'" if absent else ""
        yield f"extra {extra}", "absent" if absent else "ok", purpose + remedy
    yield from _plugins()
    yield from _cache()
    yield from _models()
    yield from _server()
    yield _writable("run folder", Path("runs").resolve(), "go to a folder of your own, or set output_dir")


def _torch() -> Iterator[tuple[str, str, str]]:
    try:
        import torch
    except Exception as error:
        yield "torch", "broken", f"{type(error).__name__}: {error}"
        return
    yield "torch", "ok", f"{torch.__version__}, {torch.get_num_threads()} threads"
    if not torch.cuda.is_available():
        built = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "built for CPU"
        yield "gpu", "absent", f"none is visible; this torch is {built}"
        return
    for i in range(torch.cuda.device_count()):
        card = torch.cuda.get_device_properties(i)
        yield "gpu", "ok", f"{card.name}, {card.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"


def _plugins() -> Iterator[tuple[str, str, str]]:
    from zoo.composition.option_files import groups
    from zoo.registry import registry

    known = registry()
    for plugin in known.plugins:
        if plugin.distribution != "zoo-core":
            status = "broken" if plugin.error else "ok"
            yield f"plugin {plugin.distribution}", status, plugin.error or plugin.version
    for (kind, name), message in sorted(known.contested.items()):
        yield f"name {kind}/{name}", "broken", message
    available = groups()
    for package, reason in available.broken.items():
        yield "configuration", "broken", f"{package}: {reason}"
    for name, files in available.contested().items():
        yield f"configuration {name}", "broken", f"is in both {files[0]} and {files[1]}: uninstall one of them"


def _cache() -> Iterator[tuple[str, str, str]]:
    from zoo.files.locations import cache_root

    root = cache_root()
    what, status, detail = _writable("cache", root, "set ZOO_CACHE to a folder of your own")
    if status == "ok" and root.is_dir():
        size = sum(file.lstat().st_size for file in root.rglob("*") if file.is_file())
        detail += f", {size / 2**20:,.1f} MiB"
    yield what, status, detail


def _models() -> Iterator[tuple[str, str, str]]:
    """The registries, and names that more than one of them has."""
    from zoo.errors import ZooError
    from zoo.hub.names import published

    for variable in ("ZOO_REGISTRY", "ZOO_HUB"):
        if os.environ.get(variable):
            yield variable, "ok", os.environ[variable]
    try:
        models = published()
    except ZooError as error:
        yield "published models", "broken", str(error)
        return
    yield "published models", "ok", f"{len(models)} names (`zoo list models`)"
    for model in models:
        if model.clash:
            yield (
                f"model {model.name}",
                "ok",
                f"taken from {model.registry}, though {', '.join(model.clash)} has one too",
            )


def _server() -> Iterator[tuple[str, str, str]]:
    """Is the Hugging Face endpoint there?  It is needed only for hf:// models."""
    from zoo.hub.cache import offline

    endpoint = os.environ.get("HF_ENDPOINT") or "https://huggingface.co"
    if offline():
        yield "hub", "skipped", "ZOO_OFFLINE is set: models come from packages, folders and the cache"
        return
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(urllib.request.Request(endpoint, method="HEAD"), timeout=_SECONDS):
            yield "hub", "ok", f"{endpoint} answers"
    except urllib.error.HTTPError as error:
        yield "hub", "ok", f"{endpoint} answers ({error.code})"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        needed = os.environ.get("ZOO_HUB", "").startswith("hf://")
        remedy = "hf:// models cannot be pulled: check the network or HF_ENDPOINT, or set ZOO_OFFLINE=1"
        yield "hub", "broken" if needed else "absent", f"{endpoint} does not answer ({reason}): {remedy}"


def _writable(what: str, folder: Path, remedy: str) -> tuple[str, str, str]:
    """Whether a folder can be written, or made."""
    there = next(p for p in (folder, *folder.parents) if p.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return what, "ok", str(folder)
    return what, "broken", f"{folder} cannot be written: {remedy}"
