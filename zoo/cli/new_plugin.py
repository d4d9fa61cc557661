"""`zoo new-plugin`: a folder with a plugin that works, to be changed into one's own."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

import click

from zoo.errors import ZooError

_NAME = re.compile(r"zoo-[a-z][a-z0-9]*(-[a-z0-9]+)*")


@click.command()
@click.argument("name")
@click.option(
    "--to", "parent", type=click.Path(path_type=Path), default=Path(), help="Folder to write into, this one by default."
)
@click.option("--network", is_flag=True, help="For a network with weights that are there already, for zoo import.")
def command(name: str, parent: Path, network: bool) -> None:
    """Write a plugin with one encoder, its configuration, a test, a README and a CI file.

    NAME begins with zoo-; the folder, the package (zoo_NAME) and the encoder are called after it.

    \b
    Examples:
      zoo new-plugin zoo-mine
      zoo new-plugin zoo-mine --to plugins
      zoo new-plugin zoo-mine --network
    """
    folder = write_plugin(name, parent, network)
    click.echo(f"wrote {folder} ({sum(1 for p in folder.rglob('*') if p.is_file())} files)")
    click.echo(f"next: zoo check {_typed(folder)}, then pip install -e {_typed(folder)}")


def write_plugin(name: str, parent: Path, network: bool = False) -> Path:
    """Write the plugin `name` into a new folder of `parent`, whole or not at all; returns the folder.

    network: its encoder is a zoo.importing.network.Network.
    Raises ZooError for a name that cannot be a distribution, and for a folder that is there already.
    """
    if not _NAME.fullmatch(name):
        raise ZooError(f"{name!r} must read zoo-NAME in lower-case letters, digits and hyphens, as in zoo-mine")
    slug = name.removeprefix("zoo-")
    package = name.replace("-", "_")
    if slug == "core" or keyword.iskeyword(slug) or package in sys.stdlib_module_names:
        raise ZooError(f"{name!r} is taken: choose another name")
    folder = parent.expanduser() / name
    if folder.exists():
        raise ZooError(f"{folder} is there already: choose another name, or remove it")
    from importlib.metadata import version

    major, minor = version("zoo-core").split(".")[:2]
    words = {
        "distribution": name,
        "slug": slug,
        "package": package,
        "name": slug.replace("-", "_"),
        "class_name": "".join(part.capitalize() for part in slug.split("-")),
        "core": f"{major}.{minor}",
        "next_core": f"{major}.{int(minor) + 1}",
    }
    _write(folder, words, ("network", "plugin") if network else ("plugin",))
    return folder


def _write(folder: Path, words: dict[str, str], kinds: tuple[str, ...]) -> None:
    """kinds: folders of templates, of which the first that has a file gives it."""
    import shutil
    import tempfile

    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    root = Path(__file__).resolve().parents[1] / "templates"
    environment = Environment(
        loader=FileSystemLoader([root / kind for kind in kinds]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise ZooError(
            f"{folder.parent} cannot be written to ({error.strerror}): give another folder with --to"
        ) from error
    try:
        for name in environment.list_templates(extensions=["jinja"]):
            path = draft / _renamed(name.removesuffix(".jinja"), words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(environment.get_template(name).render(words), encoding="utf-8")
        draft.chmod(0o755)
        draft.rename(folder)
    except OSError as error:
        raise ZooError(f"{folder} cannot be written ({error.strerror}): make room, or give another folder") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _renamed(path: str, words: dict[str, str]) -> str:
    """`__package__/dot-x` to `zoo_mine/.x`: names that tools would act on lie disguised among the templates."""
    parts = [f".{p[4:]}" if p.startswith("dot-") else p for p in path.split("/")]
    return "/".join(parts).replace("__package__", words["package"]).replace("__name__", words["name"])


def _typed(folder: Path) -> str:
    """The folder as an argument that cannot be taken for a name."""
    text = str(folder)
    return text if folder.is_absolute() or text.startswith(".") else f"./{text}"
