"""What guides and READMEs point at is there: files, headings, commands, options, modules, configuration keys."""

import importlib
import re
from pathlib import Path

import click
import pytest

from zoo.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
ALIASES = {"--help", "--version"}


def anchors(page):
    """Anchors of a page's headings, as code-hosting sites and mkdocs make them."""
    heads = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def typed(page):
    """(command, its words) of every `zoo COMMAND ...` in a page: blocks for a shell and code in the text."""
    text = page.read_text()
    lines = [line for block in SHELL.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    lines += [span.replace("\n", " ") for span in re.findall(r"`(zoo [^`]+)`", FENCE.sub("", text))]
    for line in lines:
        for part in re.split(r"&&|\|\||[;|] |\$\(", line.partition(" # ")[0]):
            words = part.removeprefix("$ ").split()
            if len(words) > 1 and words[0] == "zoo":
                yield words[1], words[2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_their_options_exist(page):
    context = click.Context(cli)
    for name, words in typed(page):
        if not re.fullmatch(r"[a-z][a-z-]*", name):
            continue  # `zoo COMMAND`, `zoo --help`
        command = cli.get_command(context, name)
        assert command is not None, f"zoo {name}"
        known = ALIASES | {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if re.match(r"--?[a-z]", word) and name != "train":
                assert word.partition("=")[0].strip("'\"`,.") in known, f"zoo {name} {word}"


def test_the_guides_mention_commands():
    assert sum(1 for page in PAGES for _ in typed(page)) >= 80


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=lambda page: page.stem)
def test_files_and_modules_named_in_the_text_exist(page):
    text = FENCE.sub("", page.read_text())
    for path in re.findall(r"`((?:zoo|conf|docs|tests|benchmarks|plugins)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for dotted in re.findall(r"`(zoo(?:_[a-z_]+)?(?:\.\w+)+)(?:\(.*?\))?`", text):
        assert _resolves(dotted), dotted


def _resolves(dotted):
    """Whether a dotted name is a module, or leads from one to a value."""
    parts = dotted.split(".")
    for i in range(len(parts), 0, -1):
        try:
            value = importlib.import_module(".".join(parts[:i]))
        except ImportError:
            continue
        for part in parts[i:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False
