"""The plugin keeps its contract; importers are registered beside the architectures."""

import pytest

from zoo.registry import registry
from zoo.testing import check_encoder, failures
from zoo_published.networks.bpnet import BPNet
from zoo_published.networks.chrombpnet import ChromBPNet


def test_every_architecture_has_an_importer():
    ours = [c.name for c in registry().components.values() if c.owner == "zoo-published" and c.kind == "importer"]
    assert ours == ["basset", "deepsea", "deepstarr", "danq", "bpnet", "chrombpnet"]
    assert all(callable(registry().get("importer", name)) for name in ours)
    assert set(ours) <= set(registry().names("encoder"))


@pytest.mark.parametrize(
    "build",
    [
        lambda: BPNet(filters=4, layers=3, preactivation=True),
        lambda: ChromBPNet(filters=5, layers=3, bias_filters=3, bias_layers=2),
    ],
)
def test_small_networks_keep_the_contract(build):
    assert failures(check_encoder(build)) == []
