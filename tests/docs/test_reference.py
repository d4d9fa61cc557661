"""The reference names all that is public, with words on each: Python, commands, components, configuration, hook."""

import doctest
import html
import importlib.util
import inspect
import re
from pathlib import Path

import click
import pytest

import zoo
import zoo.testing
from zoo.cli.main import cli
from zoo.composition.option_files import groups
from zoo.plugins import Hooks
from zoo.registry import Registry, registry

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = cli.list_commands(click.Context(cli))
COMPONENTS = sorted(registry().components)


@pytest.fixture(scope="session")
def sections(site):
    """sections(page): {heading: text below it, up to the next heading of its rank or a higher one}."""
    pages = {}

    def read(page):
        if page not in pages:
            body = (site / "reference" / f"{page}.html").read_text()
            pages[page] = _sections(body[body.index('role="main"') : body.index("<footer")])
        return pages[page]

    return read


def _sections(body):
    heads = list(re.finditer(r"<h([1-6])[^>]*>(.*?)</h\1>", body, re.S))
    texts = {}
    for i, head in enumerate(heads):
        end = next((h.start() for h in heads[i + 1 :] if h[1] <= head[1]), len(body))
        texts[_name(head[2])] = body[head.end() : end]
    return texts


def _name(heading):
    """A heading without its labels (class, abstract, ...) and its link."""
    heading = re.sub(r'<span class="doc doc-labels">.*|<a [^>]*class="headerlink".*', "", heading, flags=re.S)
    return " ".join(_text(heading).split())


def _text(markup):
    return html.unescape(re.sub(r"<[^>]+>", "", markup))


def _prose(markup):
    """Words of a section outside of signatures and headings."""
    markup = re.sub(r"<h[1-6].*?</h[1-6]>|<div class=\"[^\"]*highlight.*?</pre></div>", "", markup, flags=re.S)
    return " ".join(_text(markup).split())


@pytest.mark.parametrize("name", zoo.__all__)
def test_a_public_name_has_a_section_with_words(sections, name):
    assert len(_prose(sections("python")[f"zoo.{name}"]).split()) >= 4


def test_what_public_names_name_is_on_the_page_too(sections):
    page = sections("python")
    for path in ("zoo.spec.ModelSpec", "zoo.fields.Grid", "zoo.interfaces.Attribution", "zoo.training.run.Result"):
        assert _prose(page[path])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_section_with_every_option(sections, name):
    command = cli.get_command(click.Context(cli), name)
    section = sections("commands")[f"zoo {name}"]
    text = _text(section)
    assert len(_prose(section).split()) >= 8
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"zoo {name} {parameter.opts[0]} has no help"
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text), option


def test_all_commands_and_components_are_there(sections):
    assert len(COMMANDS) >= 26
    assert len(COMPONENTS) >= 44
    assert {"encoder", "head", "objective", "interpreter", "data", "metric", "rule", "score", "section"} <= {
        kind for kind, _ in COMPONENTS
    }


@pytest.mark.parametrize(("kind", "name"), COMPONENTS, ids=lambda word: word)
def test_a_component_has_a_section_with_its_arguments(sections, kind, name):
    section = sections("components")[f"{kind}/{name}"]
    text = _text(section)
    target = registry().get(kind, name)
    assert registry().component(kind, name).owner in text
    assert len(_prose(section).split()) >= 6, "no docstring"
    if callable(target) and kind != "rule":
        for argument in inspect.signature(target).parameters:
            assert re.search(rf"\b{argument}\b", text), argument


def test_every_option_of_every_group_is_shown(sections):
    shown = sections("configuration")
    for group, options in groups().options.items():
        for option, files in options.items():
            words = _text(shown[f"{group}={option}"]).split()
            assert words == files[0].read_text().split()


def test_the_checks_of_a_plugin_are_shown(sections):
    assert len(zoo.testing.__all__) >= 8
    for name in zoo.testing.__all__:
        assert _prose(sections("hook")[f"zoo.testing.{name}"])


@pytest.mark.parametrize("hook", [name for name, f in vars(Hooks).items() if inspect.isfunction(f)])
def test_a_hook_is_documented_with_its_arguments(sections, hook):
    arguments = [name for name in inspect.signature(getattr(Hooks, hook)).parameters if name != "self"]
    assert f"{hook}({', '.join(arguments)})" in (ROOT / "docs" / "plugins.md").read_text()
    assert _prose(sections("hook")[hook])


@pytest.mark.parametrize("method", ["add", "configs", "models", "command"])
def test_what_the_hook_may_call_is_documented_with_its_arguments(sections, method):
    arguments = [name for name in inspect.signature(getattr(Registry, method)).parameters if name != "self"]
    assert f"registry.{method}({', '.join(arguments)})" in (ROOT / "docs" / "plugins.md").read_text()
    assert _prose(sections("hook")[f"registry.{method}"])


def test_the_guide_names_every_kind():
    guide = (ROOT / "docs" / "plugins.md").read_text()
    assert registry().kinds()
    assert [kind for kind in registry().kinds() if f"| `{kind}` |" not in guide] == []


def test_docstrings_become_markdown_that_keeps_their_lists_and_examples():
    spec = importlib.util.spec_from_file_location("docstrings", ROOT / "docs" / "docstrings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    failed, tried = doctest.testmod(module)
    assert (failed, tried) == (0, 2)
