"""Names, clashes and arguments."""

import pytest

from zoo.errors import ConfigError, NameClash, UnknownComponent, ZooError
from zoo.registry import Registry


class Part:
    def __init__(self, *, in_channels: int, width: int = 3, names: tuple = ("a",)):
        self.arguments = (in_channels, width, names)


HERE = f"{__name__}:Part"


@pytest.fixture
def registry():
    registry = Registry()
    registry.add("encoder", "part", HERE)
    return registry


def test_a_name_is_built_with_defaults_injected_and_given_arguments(registry):
    assert registry.build("encoder", "part", {"width": 5}, {"in_channels": 7, "tasks": ["x"]}).arguments == (
        7,
        5,
        ["a"],
    )


def test_given_arguments_win_over_injected_ones(registry):
    assert registry.resolve("encoder", "part", {"in_channels": 1}, {"in_channels": 7})["in_channels"] == 1


def test_an_unknown_argument_gets_a_suggestion(registry):
    with pytest.raises(ConfigError, match="has no 'widht': did you mean 'width'"):
        registry.resolve("encoder", "part", {"widht": 5}, {"in_channels": 1})


def test_a_missing_argument_says_how_to_set_it(registry):
    with pytest.raises(ConfigError, match=r"set encoder\.in_channels="):
        registry.resolve("encoder", "part")


def test_an_unknown_name_gets_a_suggestion_and_names_broken_plugins(registry):
    registry.broken["zoo-broken"] = "ModuleNotFoundError: No module named 'x'"
    with pytest.raises(UnknownComponent, match=r"did you mean 'part'.*zoo-broken.*No module named 'x'"):
        registry.get("encoder", "prt")


def test_a_clash_names_both_owners_and_neither_wins(registry):
    with pytest.raises(NameClash, match=r"both here .* and zoo-other"), registry.registering("zoo-other"):
        registry.add("encoder", "fine", "other:Fine")
        registry.add("encoder", "part", "other:Part")
    with pytest.raises(NameClash, match="zoo-other"):
        registry.get("encoder", "part")
    assert registry.names("encoder") == ["part"], "what the refused plugin added is taken back"


def test_a_target_must_name_module_and_attribute(registry):
    with pytest.raises(ZooError, match=r"package\.module:Class"):
        registry.add("encoder", "x", "module.Class")


def test_a_target_that_cannot_be_imported_is_named(registry):
    registry.add("encoder", "gone", "no_such_module:Gone")
    with pytest.raises(UnknownComponent, match="no_such_module"):
        registry.get("encoder", "gone")
