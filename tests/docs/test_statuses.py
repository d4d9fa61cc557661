"""docs/statuses.md names every status that code can write, and no other."""

import ast
import re
from pathlib import Path

import pytest

from zoo.variants import haplotypes, variants
from zoo_hic.effects import structural_variants

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "statuses.md"
WORD = re.compile(r"[a-z]+(_[a-z]+)*")
CODE = [p for folder in ("zoo", "plugins") for p in (ROOT / folder).rglob("*.py") if "tests" not in p.parts]


def constant(file, name):
    """Keys of a dictionary that a file of the code defines, wherever it lies."""
    (path,) = (path for path in CODE if path.name == file)
    values = [
        n.value for n in ast.parse(path.read_text()).body if isinstance(n, ast.Assign) and n.targets[0].id == name
    ]
    return set(ast.literal_eval(values[0]))


def on_page(heading=None):
    """Statuses of the first columns of the page's tables, of one section or of all."""
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    statuses = set()
    for section in sections:
        if heading in (None, section.partition("\n")[0]):
            for row in re.findall(r"^\| (?:`zoo \w+` \| )?((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE):
                statuses |= set(re.findall(r"`([a-z_]+)`", row))
    return statuses


def in_code(path):
    """Texts that a file of code compares with, or puts into, something called status."""
    tree = ast.parse(path.read_text())
    texts = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "status":
            texts |= _texts(node.value)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "status":
                    texts |= _texts(value)
        elif isinstance(node, ast.Assign) and any(_is_status(target) for target in node.targets):
            texts |= _texts(node.value)
        elif isinstance(node, ast.Compare) and _is_status(node.left):
            texts |= set().union(*map(_texts, node.comparators))
    return {text for text in texts if WORD.fullmatch(text)}


def _is_status(node):
    while isinstance(node, ast.Subscript):
        node = node.value
    return getattr(node, "id", getattr(node, "attr", "")) == "status"


def _texts(node):
    """Texts that an expression may be; not those that it only looks up or compares."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.IfExp):
        return _texts(node.body) | _texts(node.orelse)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # np.where(...).astype(object)
        return set().union(*map(_texts, [*node.args, node.func.value]))
    if isinstance(node, ast.Dict):
        return set().union(*map(_texts, node.values))
    return set()


def test_every_status_of_the_code_is_on_the_page():
    statuses = {path.relative_to(ROOT).as_posix(): in_code(path) for path in CODE}
    assert len(set().union(*statuses.values())) >= 12
    page = on_page() | set(variants.STATUSES)
    assert {path: missing for path, texts in statuses.items() if (missing := texts - page - {"status"})} == {}


@pytest.mark.parametrize(
    ("heading", "statuses"),
    [
        (
            "zoo score",
            {*variants.STATUSES, "too_many_n", "not_finite", "contig_aliased", "ref_ambiguous", "alt_is_ref"}
            | {"no_gene", "not_normal"},
        ),
        ("Haplotypes", {*haplotypes._RULES.values()} - set(variants.STATUSES)),
        ("zoo epistasis", {"ok", "overlap", "out_of_bounds", "too_many_n", "not_finite"}),
        ("Structural variants", set(structural_variants.SV_STATUSES)),
    ],
)
def test_a_table_lists_the_statuses_of_its_command(heading, statuses):
    assert on_page(heading) == statuses


def test_the_page_names_no_status_that_no_code_writes():
    text = "".join(path.read_text() for path in CODE)
    assert len(on_page()) >= 25
    assert [status for status in on_page() if f'"{status}"' not in text and f'"{status}:' not in text] == []
