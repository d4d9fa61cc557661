"""A published-style network under a name of its own, its weights, and a reference run."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

from zoo.importing.network import Network
from zoo.registry import registry


def published():
    """What a paper's repository would hold: one convolution, a pool, a dense layer and a sigmoid."""
    return nn.Sequential(
        nn.Conv1d(4, 5, 7),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.MaxPool1d(4),
        nn.Flatten(),
        nn.Linear(5 * 8, 3),
        nn.Sigmoid(),
    )


class Published(Network):
    """It, with its channels in DeepSEA's order."""

    length, tasks, letters = 40, ("a", "b", "c"), "AGCT"

    def network(self):
        return published()


class Profile(Network):
    """A prediction for each of 30 bases in the middle, channels last."""

    length, tasks, positions, layout = 40, ("plus", "minus"), 30, "NLC"

    def network(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.first = nn.Conv1d(4, 2, 11)

            def forward(self, x):
                return self.first(x.transpose(1, 2))

        return Net()


@pytest.fixture
def plugin(monkeypatch):
    """Networks `published` and `published_profile` as an installed plugin registers them."""
    module = ModuleType("published_plugin")
    module.Published, module.Profile = Published, Profile
    monkeypatch.setitem(sys.modules, "published_plugin", module)
    known = registry()
    monkeypatch.setattr(known, "components", dict(known.components))
    with known.registering("zoo-core"):
        known.add("encoder", "published", "published_plugin:Published")
        known.add("encoder", "published_profile", "published_plugin:Profile")


@pytest.fixture
def original():
    """The network as its authors have it, with weights that were trained."""
    torch.manual_seed(0)
    network = published()
    network(torch.randn(50, 4, 40))
    return network.eval()


@pytest.fixture
def run(original, tmp_path):
    """(weights, inputs, outputs): files of a state and of a reference run on four windows, channels last, A G C T."""
    codes = np.random.default_rng(0).integers(0, 4, (4, 40))
    x = np.eye(4, dtype=np.float32)[:, [0, 2, 1, 3]][codes]
    x[0, 3] = 0
    with torch.no_grad():
        y = original(torch.from_numpy(x).transpose(1, 2)).numpy()
    paths = [tmp_path / name for name in ("weights.pt", "inputs.npy", "outputs.npy")]
    torch.save(original.state_dict(), paths[0])
    np.save(paths[1], x)
    np.save(paths[2], y)
    return paths
