"""Distributions that exist for one test."""

import sys
import textwrap

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
