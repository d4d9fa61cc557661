"""How tests share the processes of pytest-xdist, where zoo keeps its cache, and how hypothesis draws examples."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent

# A check of a change sees the same examples each time; on a desk every run tries new ones.
settings.register_profile("zoo", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("zoo")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """With `--dist loadgroup` a file is one group, so that what its fixtures train is trained once.

    Tests with a group of their own are the longest and come first, then files with a slow test: no worker is left with
    a long one at the end.
    """
    if not config.pluginmanager.hasplugin("xdist"):
        return
    own = {item for item in items if item.get_closest_marker("xdist_group")}
    slow = {item.path for item in items if item.get_closest_marker("slow") and item not in own}
    for item in items:
        if item not in own:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))
    items.sort(key=lambda item: 0 if item in own else 1 if item.path in slow else 2)


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """No test reads or fills the user's cache; every process has its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
