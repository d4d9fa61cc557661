"""Every registered component keeps its contract, and the count shows that none was overlooked."""

import pytest

from zoo.registry import registry
from zoo.testing import check_component, failures

KINDS = {"encoder": 2, "head": 3, "objective": 7, "interpreter": 1}
"""Kinds that can be measured without data, and how many of each the core brings."""

CORE = [(kind, name) for kind in KINDS for name in registry().names(kind)]


def test_the_registry_holds_at_least_what_the_core_brings():
    for kind, least in KINDS.items():
        owned = [name for name in registry().names(kind) if registry().component(kind, name).owner == "zoo-core"]
        assert len(owned) == least, f"{kind}: {owned}"
    assert len(CORE) >= sum(KINDS.values())


@pytest.mark.parametrize(("kind", "name"), CORE, ids=lambda x: x)
def test_every_component_keeps_its_promises(kind, name):
    checks = check_component(kind, name)
    assert len(checks) >= 8
    assert failures(checks) == []


def test_the_simulated_source_keeps_its_promises():
    checks = check_component("data", "simulated")
    assert failures(checks) == []
    assert sum(c.ok is True for c in checks) >= 8


def test_a_receptive_field_of_32767_bp_is_measured():
    if "dilated_cnn" not in registry().names("encoder"):
        pytest.skip("zoo-dilated-cnn is not installed")
    from zoo.testing import check_encoder

    deep = {"layers": 14, "first_width": 1, "first_dilation": 1, "channels": 8}
    checks = check_encoder(lambda: registry().build("encoder", "dilated_cnn", deep))
    assert failures(checks) == []
    found = next(c for c in checks if c.name == "receptive field")
    assert found.detail == "32,767 bp declared and measured, window 65,536 bp"
