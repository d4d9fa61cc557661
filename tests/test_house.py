"""The shape of the code: which file imports which, how long things are, and what they are called."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONFIGURATION = {"hydra", "omegaconf"}

PARTICIPLES = set(
    """
asked attributed chosen drawn explaining fitted found given judged kept known made named placing planted
predicted read said seen simulated told wanted worth
""".split()
)
"""What a file is not called: the result of an action is a noun (kept -> cache, judged -> evaluation)."""

LONG_FILES = {"zoo/effects/engine/plan.py": "one class, whose steps share its state and are read in their order"}
"""Files over 300 lines and why they stay whole; at most five."""

VAGUE = {"asked", "found", "given", "said", "told", "wanted"}
"""What a variable is not called that lives for more than five lines: it says how a thing came, not what it is."""


@cache
def sources():
    """{module: (path, tree)} of the core and of every plugin, without tests and templates."""
    modules = {}
    for base in (ROOT, *sorted((ROOT / "plugins").iterdir())):
        for path in sorted(base.glob("zoo/**/*.py" if base == ROOT else "zoo_*/**/*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            if not {"tests", "templates"} & set(parts):
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                modules[name] = path, ast.parse(path.read_text(encoding="utf-8"))
    return modules


def imports(nodes, package):
    """Dotted names that some nodes import, inside functions too, but not for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from imports(node.orelse, package)
        else:
            yield from imports(ast.iter_child_nodes(node), package)


@cache
def graph():
    """{module: modules of ours that it imports}."""
    modules = sources()

    def ours(name):
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name

    edges = {}
    for name, (path, tree) in modules.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        edges[name] = {ours(target) for target in imports(tree.body, package)} - {"", name}
    return edges


def circle(edges):
    """The modules of one circle in their order, [] where there is none."""
    done = set()

    def walk(name, road):
        if name in road:
            return [*road[road.index(name) :], name]
        if name in done:
            return []
        for target in sorted(edges[name]):
            if met := walk(target, [*road, name]):
                return met
        done.add(name)
        return []

    return next((met for name in edges if (met := walk(name, []))), [])


def test_a_circle_is_found_and_named():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_lazy_and_relative_imports_count_and_those_of_type_checkers_do_not():
    text = (
        "if TYPE_CHECKING:\n    import never\nelse:\n    import always\n"
        "def f():\n    from .near import x\n    from ..far import y\n"
    )
    assert list(imports(ast.parse(text).body, "zoo.data")) == ["always", "zoo.data.near.x", "zoo.far.y"]


def test_no_imports_go_round_in_a_circle():
    assert len(sources()) > 300
    assert " -> ".join(circle(graph())) == ""


def test_the_core_imports_no_plugin():
    plugins = {path.name.replace("-", "_") for path in (ROOT / "plugins").iterdir()}
    for name, (_, tree) in sources().items():
        if name.partition(".")[0] == "zoo":
            assert not plugins & {target.partition(".")[0] for target in imports(tree.body, name)}, name


def test_hydra_is_imported_in_one_file():
    users = [
        name
        for name, (_, tree) in sources().items()
        if CONFIGURATION & {target.partition(".")[0] for target in imports(tree.body, name)}
    ]
    assert users == ["zoo.config"]


def test_no_name_of_a_file_or_folder_is_a_participle():
    names = {part.removesuffix(".py") for path, _ in sources().values() for part in path.relative_to(ROOT).parts}
    assert sorted(PARTICIPLES & names) == []


def functions():
    """(path:name, node) of every function."""
    for path, tree in sources().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path.relative_to(ROOT)}:{node.name}", node


def is_wide_by_nature(node):
    """Compiled kernels take arrays one by one, commands have an argument an option."""
    decorators = " ".join(ast.unparse(d) for d in node.decorator_list)
    return any(word in decorators for word in ("jit", "vectorize", "CompiledLoop", "click.", "command", "option"))


def test_a_caller_writes_at_most_12_arguments():
    def width(arguments):
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        return len([name for name in names if name not in ("self", "cls")])

    assert [name for name, node in functions() if width(node.args) > 12 and not is_wide_by_nature(node)] == []


def test_functions_have_at_most_60_lines():
    assert [name for name, node in functions() if node.end_lineno - node.lineno >= 60] == []


def test_files_have_at_most_300_lines_but_for_a_few_with_a_reason():
    long = {str(path.relative_to(ROOT)) for path, _ in sources().values() if len(path.read_text().splitlines()) > 300}
    assert long == set(LONG_FILES)
    assert len(LONG_FILES) <= 5


def test_no_variable_that_lives_longer_than_five_lines_has_a_vague_name():
    vague = []
    for name, node in functions():
        lines = {}
        for inner in ast.walk(node):
            word = inner.id if isinstance(inner, ast.Name) else inner.arg if isinstance(inner, ast.arg) else ""
            if word in VAGUE:
                lines.setdefault(word, []).append(inner.lineno)
        vague += [f"{name} {word}" for word, at in lines.items() if max(at) - min(at) > 5]
    assert vague == []


def test_the_tests_of_a_file_share_a_process(request):
    """Where tests run side by side: what a module's fixtures train would else be trained in every process."""
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@tests/test_house.py")
