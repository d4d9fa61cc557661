"""The reference, written while the site is built, so that it cannot lag behind the code.

    zoo.__all__, zoo.testing.__all__ -> Python, checks     click -> commands     registry -> components, kinds
    YAML of every group -> configuration                   notebooks, READMEs of plugins -> pages

A hook of mkdocs (see mkdocs.yml); mkdocstrings fills in `::: path` from the docstrings, without importing anything.
"""

import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from pygments.formatters import HtmlFormatter

import zoo
import zoo.testing
from zoo.cli.main import cli
from zoo.composition.option_files import groups
from zoo.plugins import Hooks
from zoo.registry import INJECTED, Registry, registry

NOTEBOOKS = Path(__file__).with_name("notebooks")
READMES = sorted(Path(__file__).parents[1].glob("plugins/*/README.md"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by mkdocs with its configuration: adds the plugins' pages to the navigation."""
    config.nav.insert(-1, {"Plugins": [{readme.parent.name: plugin_path(readme)} for readme in READMES]})
    return config


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """Called by mkdocs with each page: a link to a plugin's README leads to its page of the site."""
    return re.sub(r"\]\(\.\./plugins/([\w-]+)/README\.md", r"](plugins/\1.md", markdown)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs with the files of docs/: adds the generated pages."""
    pages: dict[str, Callable[[], Iterator[str]]] = {
        "reference/python.md": python_page,
        "reference/commands.md": commands_page,
        "reference/components.md": components_page,
        "reference/configuration.md": configuration_page,
        "reference/hook.md": hook_page,
    }
    for path, page in pages.items():
        files.append(File.generated(config, path, content="\n".join(page())))
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    files.append(File.generated(config, "highlight.css", content=colours))
    for readme in READMES:
        text = readme.read_text(encoding="utf-8").replace("](../../docs/", "](../")
        files.append(File.generated(config, plugin_path(readme), content=text))
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        text = "\n\n".join(notebook_page(json.loads(notebook.read_text(encoding="utf-8"))))
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=text))
    return files


def python_page() -> Iterator[str]:
    """Every name of `zoo.__all__`."""
    yield "# Python\n\nWhat `import zoo` offers. Everything is imported at its first use.\n"
    public = {name: getattr(zoo, name) for name in zoo.__all__}
    for name, value in public.items():
        yield section(f"zoo.{name}", definition(name, value))
    yield "## What these name\n\nClasses and functions that stand in the signatures and texts above.\n"
    named = {definition(v.__name__, v): v for value in public.values() for v in named_by(value)}
    for path, value in sorted(named.items(), key=lambda item: item[1].__name__):
        if value not in public.values():
            yield section(path, path, level=3)


def named_by(value: Any) -> Iterator[Any]:
    """Classes and functions of zoo that an object's signature, or code in its docstring, names."""
    value = inspect.unwrap(value)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    methods = [f for name, f in vars(value).items() if inspect.isfunction(f)] if inspect.isclass(value) else [value]
    public = [f for f in methods if f.__name__[0] != "_" or f.__name__ == "__init__"]
    annotations = [str(a) for f in public for a in f.__annotations__.values()]
    words = re.findall(r"\b[A-Z]\w+", " ".join(annotations))
    words += map("".join, re.findall(r"`([a-zA-Z_.]+)`|\b(zoo\.[\w.]*\w)", value.__doc__ or ""))
    names = imports(value.__module__)
    for word in words:
        module, _, attribute = names.get(word, word).rpartition(".")
        if module.startswith("zoo."):
            target = getattr(import_module(module), attribute, None)
            if inspect.isclass(target) or inspect.isfunction(target):
                yield target


def imports(module: str) -> dict[str, str]:
    """{name: dotted path} of what a module of zoo imports, for checkers of types too, and of what it defines."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    names = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in imported for alias in node.names}
    defined = [node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    return {name: path for name, path in names.items() if path.startswith("zoo.")} | {
        name: f"{module}.{name}" for name in defined if name[0] != "_"
    }


def commands_page() -> Iterator[str]:
    """Every command, with every argument and option."""
    yield "# Commands\n"
    yield "Exit codes: 0; 1 where the user can mend something, which one line on stderr says; 2 for a mistake of ours,"
    yield "with a traceback; 130 when interrupted.\n"
    context = click.Context(cli, info_name="zoo")
    for name in cli.list_commands(context):
        plugin = registry().commands.get(name)
        yield f"## zoo {name} {{#{name}}}\n"
        yield f"From {plugin.owner if plugin else 'zoo-core'}.\n"
        yield from command_section(cli.get_command(context, name), click.Context(cli, info_name="zoo"), name)


def command_section(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    """Usage, help and options of one command."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield help_text(command.help or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield f"- {option_line(parameter, context)}"
    yield f"\n{help_text(command.epilog or '')}"


def option_line(option: click.Option, context: click.Context) -> str:
    """`-o`, `--out` TEXT, default `-`: what it does."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    words = [names if option.is_flag else f"{names} `{option.make_metavar(context)}`"]
    words += ["required"] * option.required + ["repeatable"] * option.multiple
    default = option.default
    if not option.is_flag and isinstance(default, (str, int, float, list, tuple)) and default not in ("", [], ()):
        shown = ", ".join(map(str, default)) if isinstance(default, (list, tuple)) else default
        words.append(f"default `{shown}`")
    return f"{', '.join(words)}: {escaped(option.help or '')}"


def components_page() -> Iterator[str]:
    """Everything registered, by kind."""
    known = registry()
    yield "# Components\n"
    yield "What the core and the plugins of this repository register. `zoo list components` shows those that are"
    yield "installed, `zoo show KIND/NAME` the arguments of one. A configuration sets arguments, as in"
    names = dict.fromkeys(name for filled in INJECTED.values() for name in filled)
    yield f"`encoder.channels=128`; {', '.join(f'`{name}`' for name in names)} are filled in by the run, from the"
    yield "data and the other parts; `zoo train --explain` prints what fills which.\n"
    for kind in known.kinds():
        yield f"## {kind}\n"
        for name in known.names(kind):
            component = known.component(kind, name)
            module, _, attribute = component.target.partition(":")
            path = module if kind == "rule" else f"{module}.{attribute}"  # the rules of a module stand together
            yield section(f"{kind}/{name}", path, level=3, members=False)
            yield f"From {component.owner}: `{component.target}`.\n"


def configuration_page() -> Iterator[str]:
    """Every YAML file of every group."""
    known = groups()
    yield "# Configuration\n\nThe files that `zoo train` puts together, with all keys. `group=option` chooses one.\n"
    yield f"## train.yaml\n\n{fenced((known.folders[0] / 'train.yaml').read_text(encoding='utf-8'), 'yaml')}\n"
    for group, options in sorted(known.options.items()):
        yield f"## {group}\n"
        for option, files in sorted(options.items()):
            yield f"### {group}={option}\n\n{fenced(files[0].read_text(encoding='utf-8'), 'yaml')}\n"


def hook_page() -> Iterator[str]:
    """The hook, what it may call, and the checks of what it registers."""
    yield "# The plugin hook\n\nAll that a plugin implements; the guide is [Write a plugin](../plugins.md).\n"
    for name in public(Hooks):
        yield section(name, f"zoo.plugins.Hooks.{name}")
    yield "## The registry\n\nWhat the hook may call.\n"
    for name in ("add", "configs", "models", "command"):
        yield section(f"registry.{name}", f"{Registry.__module__}.Registry.{name}", level=3)
    yield "## Checks\n\nWhat `zoo check` runs, for the tests of a plugin.\n"
    for name in zoo.testing.__all__:
        yield section(f"zoo.testing.{name}", definition(name, getattr(zoo.testing, name)), level=3)


def notebook_page(notebook: dict[str, Any]) -> Iterator[str]:
    """Cells as Markdown: text, code, and what the code printed."""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        language = "sh" if source.startswith("!") else "python"
        yield source if cell["cell_type"] == "markdown" else fenced(source, language)
        for output in cell.get("outputs", ()):
            text = output.get("text") or output.get("data", {}).get("text/plain") or ()
            yield fenced("".join(text), "text")


def plugin_path(readme: Path) -> str:
    """The page of the site that a plugin's README becomes."""
    return f"plugins/{readme.parent.name}.md"


def section(heading: str, path: str, level: int = 2, members: bool = True) -> str:
    """One object of the Python API under a heading of its own, which is also its anchor."""
    options = {
        "heading": heading,
        "toc_label": heading,
        "heading_level": level,
        **({} if members else {"members": False}),
    }
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in options.items())
    return f'<a id="{heading}"></a>\n\n::: {path}\n    options:\n{re.sub("^", "    ", lines, flags=re.M).rstrip()}\n'


def definition(name: str, value: Any) -> str:
    """The dotted path where a public name is defined."""
    value = inspect.unwrap(getattr(value, name) if inspect.ismodule(value) else value)
    if inspect.isclass(value) or inspect.isfunction(value):
        return f"{value.__module__}.{value.__qualname__}"
    modules = [m for m, module in sys.modules.items() if m.startswith("zoo.") and vars(module).get(name) is value]
    return f"{min(modules, key=lambda module: (module.count('.'), module))}.{name}"


def public(holder: type) -> list[str]:
    """Functions of a class that are not private, in their order."""
    return [name for name, value in vars(holder).items() if inspect.isfunction(value) and name[0] != "_"]


def help_text(text: str) -> str:
    r"""Help of click as Markdown: paragraphs after a line `\b` keep their lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "".join(
        f"{fenced(p.removeprefix(chr(8)).strip(chr(10)), 'text')}\n\n" if p.startswith("\b") else f"{escaped(p)}\n\n"
        for p in paragraphs
        if p.strip()
    )


def escaped(text: str) -> str:
    """Text in which only backticks mean something."""
    parts = text.split("`")
    parts[::2] = [p.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*") for p in parts[::2]]
    return "`".join(parts)


def fenced(text: str, language: str) -> str:
    """A block of code."""
    return f"````{language}\n{text.rstrip()}\n````"
