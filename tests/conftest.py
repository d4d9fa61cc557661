"""Distributions that exist for one test, and a `zoo` that starts in no time."""

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from zoo.registry import registry


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install("zoo-toy", {"__init__.py": code, "conf/encoder/toy.yaml": text}) puts a plugin on the path, as pip would.

    The package is called like the distribution, with underscores; its hook is in __init__.py.
    """
    site = tmp_path / "site-packages"
    site.mkdir()
    packages = []
    monkeypatch.syspath_prepend(str(site))

    def put(name, files, requires=()):
        package = name.replace("-", "_")
        packages.append(package)
        for path, text in files.items():
            file = site / package / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        info = site / f"{package}-1.0.dist-info"
        info.mkdir()
        needed = "".join(f"Requires-Dist: {r}\n" for r in requires)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needed}")
        (info / "entry_points.txt").write_text(f"[zoo]\n{package} = {package}\n")
        _forget()
        return site / package

    yield put
    for module in [m for m in sys.modules if m.partition(".")[0] in packages]:
        del sys.modules[module]
    _forget()


def _forget():
    registry.cache_clear()


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """A folder with a `zoo` and a `python` that are forks of one process, which has imported torch and friends."""
    folder = tmp_path_factory.mktemp("bin")
    server = Path(__file__).with_name("zoo_server.py")
    for name, words in (("zoo", 'zoo "$@"'), ("python", 'python "$2"')):  # python -c CODE
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -SEs "{server}" "{folder}/socket" {words}\n')
        (folder / name).chmod(stat.S_IRWXU)
    command = [sys.executable, str(server), str(folder / "socket")]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as running:
        assert running.stdout.readline() == b"ready\n"
        yield folder
        running.stdin.close()
