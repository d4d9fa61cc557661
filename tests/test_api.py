"""What `import zoo` offers: few names, each one object."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import zoo
from zoo import attribute
from zoo.hub.loader import as_model

NAMES = """Encoder Field Genome Head Interpreter Model Objective Output ZooError attribute compose hookimpl list_models
load mutate predict publish score_variants train""".split()

SAME_OBJECTS = """
import importlib, pkgutil, types, zoo
before = {name: getattr(zoo, name) for name in zoo.__all__}
modules = [m.name for m in pkgutil.walk_packages(zoo.__path__, "zoo.") if not m.name.endswith("__main__")]
for name in modules:
    importlib.import_module(name)
assert len(modules) > 150, len(modules)
for name, value in before.items():
    assert not isinstance(value, types.ModuleType), name
    assert getattr(zoo, name) is value, name
"""


def test_the_names_are_these():
    assert sorted(zoo.__all__) == sorted(NAMES) == sorted(zoo._LAZY)
    assert dir(zoo) == zoo.__all__


def test_a_name_is_the_same_object_whatever_else_is_imported():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", SAME_OBJECTS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_type_checkers_see_the_names_where_they_come_from():
    tree = ast.parse(Path(zoo.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = {alias.name: node.module for node in block.body for alias in node.names}
    assert imports == zoo._LAZY
    assert zoo.__all__ == ast.literal_eval(next(n.value for n in tree.body if _assigns(n, "__all__")))


def _assigns(node, name):
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name


@pytest.mark.parametrize("name", NAMES)
def test_every_name_says_what_it_is(name):
    assert inspect.getdoc(getattr(zoo, name))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'haplotypes'"):
        zoo.haplotypes  # noqa: B018


def test_every_package_is_marked_as_typed():
    root = Path(zoo.__file__).parents[1]
    packages = [root / "zoo", *(path.parent for path in root.glob("plugins/*/zoo_*/__init__.py"))]
    assert len(packages) >= 7
    assert [package.name for package in packages if (package / "py.typed").read_bytes()] == []


def test_sequences_are_attributed_by_their_letters():
    found = attribute("ctcf-motif-cnn", sequences=["ACGT" * 50, "GGCC" * 50], output="CTCF:raw")
    assert found.values.shape == (2, 4, 200)
    assert list(found.rows.status) == ["ok", "ok"]


def test_a_model_stands_for_itself_and_a_name_for_what_is_loaded():
    model = as_model("ctcf-motif-cnn")
    assert as_model(model) is model
    assert model.spec == zoo.load("ctcf-motif-cnn").spec
