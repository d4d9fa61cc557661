"""What guides and READMEs point at is there: files, headings, commands, options, modules, configuration keys."""

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import zoo
from zoo.cli.main import cli
from zoo.composition.option_files import groups

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
            try:
                words = shlex.split(part.removeprefix("$ "))
            except ValueError:  # an apostrophe of prose, or a quote that the split above cut
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


def trained():
    """(page, overrides) of every `zoo train ...` that a page shows in full."""
    for page in PAGES:
        if page.name != "CHANGELOG.md":
            for name, words in typed(page):
                if name == "train" and "..." not in " ".join(words):
                    yield page, [w.strip("'\"") for w in words if "=" in w and "..." not in w]


def test_every_configuration_that_is_shown_can_be_composed():
    names = {"encoder=mine", "encoder=NAME", "head=NAME", "data=NAME", "objective=NAME"}  # stand for what is not there
    shown = [(page, overrides) for page, overrides in trained() if overrides and names.isdisjoint(overrides)]
    assert len(shown) >= 15
    for page, overrides in shown:
        one = [o if re.search(r"[\[{]", o) else o.partition(",")[0] for o in overrides]  # of a sweep, its first job
        assert composes(one), f"{page.name}: zoo train {' '.join(overrides)}"


def composes(overrides):
    """Whether a configuration holds, once the files that its experiment asks for are named."""
    try:
        return bool(zoo.compose(overrides))
    except zoo.ZooError as error:
        missing = re.match(r"([\w.]+) is missing", str(error))
        if missing is None or f"{missing[1]}=." in overrides:
            raise
        return composes([*overrides, f"{missing[1]}=."])


def keys(group):
    """Dotted keys of all options of a group: data.windows.length, data.windows, ..."""
    found = set()

    def collect(prefix, mapping):
        for key, value in mapping.items():
            found.add(f"{prefix}.{key}")
            if isinstance(value, dict):
                collect(f"{prefix}.{key}", value)

    for files in groups().options[group].values():
        collect(group, yaml.safe_load(files[0].read_text()) or {})
    return found


@pytest.mark.parametrize("page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=lambda page: page.stem)
def test_keys_of_the_configuration_named_in_the_text_exist(page):
    for span in re.findall(r"`([a-z]+(?:\.[a-z_]+)+)(?:=[^`]*)?`", FENCE.sub("", page.read_text())):
        group = span.partition(".")[0]
        if group in ("data", "encoder", "head", "objective", "optimizer", "trainer", "genome"):
            assert any(key == span or span.startswith(f"{key}.") for key in keys(group)), span
