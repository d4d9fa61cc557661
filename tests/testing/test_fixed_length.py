"""`zoo check` of a network that reads windows of one length alone."""

import sys

import pytest

from zoo.cli.main import main
from zoo.registry import registry
from zoo.testing.encoder import check_encoder


@pytest.fixture
def networks(monkeypatch):
    """encoder/dense and encoder/positions for the length of a test."""
    monkeypatch.syspath_prepend(__file__.rpartition("/")[0])
    monkeypatch.setattr(registry(), "components", dict(registry().components))
    registry().add("encoder", "dense", "fixed_length:Dense")
    registry().add("encoder", "positions", "fixed_length:Positions")
    yield
    sys.modules.pop("fixed_length", None)


@pytest.mark.parametrize("name", ["dense", "positions"])
@pytest.mark.parametrize("given", [False, True])
def test_its_length_is_found_or_given(networks, name, given):
    kind = registry().get("encoder", name)
    length = {"dense": 601, "positions": 500}[name]
    checks = {c.name: c for c in check_encoder(kind, length=length if given else None)}
    assert {c.status for c in checks.values()} <= {"ok", "skipped"}
    assert checks["shape"].detail.startswith(f"(N, 4, {length})")
    assert len(checks) > 10
    if name == "positions":
        assert "would need a longer window" in checks["receptive field"].detail


def test_as_a_component_it_joins_heads(networks, capsys):
    main(["check", "encoder/dense", "length=64", "--json"])
    out = capsys.readouterr().out
    assert "(N, 4, 64) -> (N, 6, 1)" in out
    assert '"check": "joins heads"' in out
    assert out.count('"status": "failed"') == 1  # it has no YAML here


def test_a_grid_that_promises_more_than_the_network_reads_is_named(networks):
    checks = {c.name: c for c in check_encoder(lambda: registry().get("encoder", "dense")(refuses=False))}
    assert checks["shape"].status == "failed"
    assert "let grid raise ContractError for lengths that cannot be read, or give --length" in checks["shape"].detail
