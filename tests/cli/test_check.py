"""zoo check and zoo new-plugin, as they are typed."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from zoo.cli.main import main
from zoo.cli.new_plugin import write_plugin
from zoo.errors import ZooError
from zoo.testing import as_if_installed, check_plugin, failures

MAJOR, MINOR = map(int, version("zoo-core").split(".")[:2])
CORE_RANGE = f"zoo-core>={MAJOR}.{MINOR},<{MAJOR}.{MINOR + 1}"


def test_a_component_is_checked_and_the_table_says_how_many_promises_it_keeps(capsys):
    assert main(["check", "encoder/motif_cnn"]) == 0
    out = capsys.readouterr().out
    assert "receptive field" in out
    assert "0 broken" in out.splitlines()[-1]


def test_arguments_of_a_component_can_be_set(capsys):
    assert main(["check", "encoder/motif_cnn", "filters=3", "hidden=0", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    shape = next(c for c in checks if c["check"] == "shape")
    assert shape["detail"] == "(N, 4, 240) -> (N, 3, 1)"
    assert {c["status"] for c in checks} == {"ok", "skipped"}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["encoder/motif_cn"], "did you mean 'motif_cnn'?"),
        (["zoo-cor"], "no plugin 'zoo-cor' is installed: did you mean 'zoo-core'?"),
        (["./nowhere"], "holds no pyproject.toml: give the folder of a plugin"),
        (["encodr/motif_cnn"], "is no kind of component"),
        (["encoder/motif_cnn", "filters"], "does not read key=value"),
        (["zoo-core", "a=1"], "is no component such as encoder/dilated_cnn"),
    ],
)
def test_a_target_that_is_not_there_is_one_sentence(capsys, args, message):
    assert main(["check", *args]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_a_new_plugin_keeps_every_promise_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new-plugin", "zoo-my-net"]) == 0
    assert "zoo check ./zoo-my-net" in capsys.readouterr().out
    files = {p.relative_to("zoo-my-net").as_posix() for p in Path("zoo-my-net").rglob("*") if p.is_file()}
    assert files == {
        ".github/workflows/test.yml", ".gitignore", "README.md", "pyproject.toml", "tests/test_contract.py",
        "zoo_my_net/__init__.py", "zoo_my_net/conf/__init__.py", "zoo_my_net/conf/encoder/my_net.yaml",
        "zoo_my_net/encoder.py", "zoo_my_net/py.typed",
    }  # fmt: skip
    for target in ("zoo-my-net", "./zoo-my-net"):
        assert main(["check", target, "--json"]) == 0
        checks = json.loads(capsys.readouterr().out)
        assert len(checks) > 50
        assert {c["status"] for c in checks} == {"ok", "skipped"}


def test_a_new_plugin_is_checked_by_name_once_installed(tmp_path):
    folder = write_plugin("zoo-my-net", tmp_path)
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", site, folder]
    subprocess.run(pip, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-m", "zoo.cli.main", "check", "zoo-my-net", "--failed"],
        env={"PYTHONPATH": str(site), "PATH": "", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        cwd=site,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("name", ["mine", "zoo-", "zoo-Mine", "zoo-my_net", "zoo-../x", "zoo-core", "zoo-class"])
def test_a_name_that_cannot_be_a_plugin_is_refused(tmp_path, name):
    with pytest.raises(ZooError):
        write_plugin(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "zoo-mine").mkdir()
    with pytest.raises(ZooError, match="is there already"):
        write_plugin("zoo-mine", tmp_path)


def _edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "broken"),
    [
        ("zoo_mine/__init__.py", "from zoo import", "import torch\nfrom zoo import", "imports nothing heavy"),
        ("zoo_mine/__init__.py", "encoder:Mine", "encoder:Other", "importable"),
        ("zoo_mine/conf/encoder/mine.yaml", "kernel: 5", "kernle: 5", "configuration"),
        ("zoo_mine/conf/encoder/mine.yaml", "kernel: 5", "kernel: five", "configuration"),
        ("zoo_mine/conf/encoder/mine.yaml", "name: mine", "name: other", "configuration"),
        ("zoo_mine/encoder.py", "self, *, channels", "self, channels", "constructor"),
        ("zoo_mine/encoder.py", "= width + kernel - 1", "= width", "receptive field"),
        ("pyproject.toml", CORE_RANGE, "zoo-core", "says which zoo-core it needs"),
        ("zoo_mine/__init__.py", "def zoo_register", "def zoo_registre", "loads"),
    ],
)  # fmt: skip
def test_a_broken_plugin_fails_the_check_that_names_it(tmp_path, file, old, new, broken):
    folder = write_plugin("zoo-mine", tmp_path)
    _edit(folder / file, old, new)
    with as_if_installed(folder) as name:
        found = failures(check_plugin(name))
    assert {c.name for c in found} == {broken}


def test_nothing_of_a_folder_stays_behind(tmp_path):
    before = list(sys.path)
    with as_if_installed(write_plugin("zoo-mine", tmp_path)):
        pass
    assert sys.path == before
    with pytest.raises(ZooError, match="no plugin 'zoo-mine' is installed"):
        check_plugin("zoo-mine")
