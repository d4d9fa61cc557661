"""Every YAML of the core and of the plugins beside it: it composes, and every key of it is read."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from zoo.composition.option_files import SEARCH, groups
from zoo.composition.signature_check import COMPONENTS, SETTINGS
from zoo.config import compose
from zoo.files.locations import core_file
from zoo.registry import registry

CORE = core_file("conf")
REPOSITORY = CORE.parent
PLUGINS = sorted((REPOSITORY / "plugins").glob("*/*/conf"))
FILES = sorted(file for folder in (CORE, *PLUGINS) for file in folder.rglob("*.yaml"))
GENOME = ("name", "fasta")  # read by the sources that take a genome


def folder_of(file):
    return next(folder for folder in (CORE, *PLUGINS) if file.is_relative_to(folder))


def name_of(file):
    return str(file.relative_to(REPOSITORY))


def group_of(file):
    return file.parent.relative_to(folder_of(file)).as_posix()


def keys_of(file):
    return [key for key in yaml.safe_load(file.read_text()) or {} if key not in ("defaults", "hydra")]


def parameters(kind, name):
    return set(inspect.signature(registry().get(kind, name)).parameters)


def accepted(group, file):
    """Keys that somebody reads."""
    if group in COMPONENTS:
        return {"name"} | parameters(COMPONENTS[group], yaml.safe_load(file.read_text())["name"])
    if group in SETTINGS:
        module, _, attribute = SETTINGS[group].partition(":")
        return set(inspect.signature(getattr(import_module(module), attribute)).parameters)
    return set(GENOME)


def demanded(group, file):
    """What has to be given besides: ??? in an experiment, arguments without a default."""
    text = file.read_text()
    if group == "experiment":
        return [f"{key}=/nowhere" for key in groups().demanded(file.stem)]
    if group == "data":
        taken = inspect.signature(registry().get("data", yaml.safe_load(text)["name"])).parameters
        needed = [k for k, p in taken.items() if p.default is p.empty and k not in ("genome", "seed")]
        return [f"data.{key}=/nowhere" for key in needed]
    return []


def test_no_file_is_forgotten():
    """The recursive search finds what is there: a count by group, so that a new file is a decision."""
    found = {}
    for file in FILES:
        found.setdefault(group_of(file), []).append(file.stem)
    core = {group for group in found if group != "."}
    assert core == {
        "augmentation",
        "data",
        "encoder",
        "experiment",
        "genome",
        "head",
        "interpreter",
        "objective",
        "optimizer",
        "search",
        "trainer",
        "tune",
    }
    assert found["."] == ["train"]
    assert len(FILES) == sum(map(len, found.values())) >= 27
    registered = {kind: set(registry().names(kind)) for kind in ("data", "head", "interpreter", "objective", "encoder")}
    for kind, names in registered.items():
        assert names <= set(found[kind]), f"a {kind} without a YAML file cannot be chosen"


def test_nothing_but_yaml_and_packages_lies_in_conf():
    strange = [
        file
        for folder in (CORE, *PLUGINS)
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in (".yaml", ".pyc") and file.name != "__init__.py"
    ]
    assert strange == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_the_first_comment_is_a_command(file):
    lines = [line for line in file.read_text().splitlines() if line.strip()]
    first = lines[1] if lines[0].startswith("# @package") else lines[0]
    assert re.match(r"# (zoo|sbatch|objectives:) ?", first), first
    if first.startswith("# zoo train") and group_of(file) != ".":
        assert re.search(rf"{group_of(file)}(@[\w.]+)?={file.stem}\b", first)


@pytest.mark.parametrize("file", [f for f in FILES if group_of(f) not in (".", SEARCH)], ids=name_of)
def test_it_composes(file):
    group = group_of(file)
    config = compose([f"{group}={file.stem}", *demanded(group, file)])
    if group == "experiment":
        assert config["name"] != "run"
    else:
        assert (
            config[group].items()
            >= {
                k: v for k, v in yaml.safe_load(file.read_text()).items() if isinstance(v, str) and "$" not in v
            }.items()
        )


@pytest.mark.parametrize("file", [f for f in FILES if group_of(f) not in (".", SEARCH, "experiment")], ids=name_of)
def test_every_key_is_read(file):
    assert set(keys_of(file)) <= accepted(group_of(file), file)


def test_every_key_of_the_run_is_read():
    source = "\n".join(file.read_text() for file in (Path(REPOSITORY) / "zoo").rglob("*.py"))
    for key in keys_of(CORE / "train.yaml"):
        assert re.search(rf"""(config|plain)(\.get\(|\[)"{key}["]""", source), f"nobody reads {key}"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_class_path_is_stored(file):
    text = file.read_text()
    assert "_target_" not in text
    assert "!!python" not in text


@pytest.mark.parametrize("file", [f for f in FILES if group_of(f) == "experiment"], ids=name_of)
def test_an_experiment_lets_every_encoder_take_its_place(file):
    """Every encoder meets a third of the experiments, and the other way round: all pairs take minutes."""
    turn = sorted(f for f in FILES if group_of(f) == "experiment").index(file)
    for encoder in registry().names("encoder")[turn % 3 :: 3]:
        config = compose([f"experiment={file.stem}", f"encoder={encoder}", *demanded("experiment", file)])
        assert config["encoder"]["name"] == encoder


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_key_is_written_twice(file):
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"{name_of(file)} line {node.start_mark.line + 1}: {keys}"
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    yaml.load(file.read_text(), Strict)
