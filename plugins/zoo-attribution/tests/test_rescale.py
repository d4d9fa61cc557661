"""Multipliers add up, whatever the network is made of, and are those of captum and tangermeme where these are right."""

import importlib.util
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder, Head
from zoo.layers.one_hot import one_hot
from zoo.model import Model
from zoo.outputs import Output
from zoo.spec import ModelSpec
from zoo_attribution.deeplift_shap import DeepLiftShap
from zoo_attribution.references import reference_codes
from zoo_attribution.rescale.network import record_network


class Wrapped(Encoder):
    """A module of one-hot (N, 4, L) to (N, D) as an encoder."""

    pools = True
    receptive_field = None

    def __init__(self, module, width):
        super().__init__()
        self.module, self.out_channels = module, width

    def grid(self, length):
        return Grid(0, length, 1)

    def forward(self, inputs):
        return self.module(inputs["one_hot"]).flatten(1).unsqueeze(2)


class First(Head):
    field = Field("C", channels=("y",))

    def forward(self, embedding, inputs):
        return embedding[:, :1, 0]


def model_of(module, length=60, width=1):
    torch.manual_seed(0)
    spec = ModelSpec("wrapped", {"name": "wrapped"}, {"y": {"name": "first"}}, length)
    return Model(spec, Wrapped(module.eval(), width), {"y": First()})


def sequences(n=3, length=60, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 4, (n, length)).astype(np.uint8))


def explained(model, codes, **options):
    return DeepLiftShap(**options).attribute(model, {"codes": codes}, Output.parse("y", model.spec))


def chain(*parts, last=None):
    """The parts, a dense layer to one number, and what comes last; made for 60 bp."""
    made = nn.Sequential(*parts, nn.Flatten(), nn.LazyLinear(1), *([last] if last else []))
    made.eval()(torch.zeros(1, 4, 60))
    return made


def plain(pool=None):
    pool = [] if pool is None else [pool]
    return chain(nn.Conv1d(4, 8, 7, padding=3), nn.ReLU(), *pool, nn.Conv1d(8, 6, 5), nn.ReLU())


class Reused(nn.Module):
    """One ReLU module three times, a functional one, and a residual sum."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv1d(4, 8, 7, padding=3), nn.Conv1d(8, 8, 3, padding=2, dilation=2)
        self.act, self.out = nn.ReLU(), nn.Linear(8, 1)

    def forward(self, x):
        x = self.act(self.a(x))
        x = x + self.act(self.b(x))
        x = x + torch.relu(self.b(x))
        return self.out(self.act(x.mean(2)))


class Attending(nn.Module):
    """Softmax made in forward, layer norm, a product of two branches and a GELU."""

    def __init__(self):
        super().__init__()
        self.a, self.score, self.value = nn.Conv1d(4, 8, 5), nn.Conv1d(8, 1, 1), nn.Conv1d(8, 8, 1)
        self.norm, self.out = nn.LayerNorm(8), nn.Linear(8, 1)

    def forward(self, x):
        x = nn.functional.gelu(self.a(x))
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        weights = torch.softmax(self.score(x), dim=-1)
        return self.out((weights * self.value(x)).sum(2))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.gru, self.out = nn.Conv1d(4, 6, 5), nn.GRU(6, 5, batch_first=True), nn.Linear(5, 1)

    def forward(self, x):
        states, _ = self.gru(torch.relu(self.a(x)).transpose(1, 2))
        return self.out(states[:, -1])


class Stepped(nn.Module):
    """A comparison cuts the gradient."""

    def __init__(self):
        super().__init__()
        self.gate, self.out = nn.Conv1d(4, 3, 5), nn.Linear(3, 1)

    def forward(self, x):
        y = self.gate(x)
        return self.out((y * (y > 0.1)).sum(2))


ADDITIVE = {
    "relu": lambda: plain(),
    "max pool": lambda: plain(nn.MaxPool1d(3)),
    "overlapping max pool": lambda: plain(nn.MaxPool1d(5, stride=2, padding=1)),
    "average pool": lambda: plain(nn.AvgPool1d(4)),
    "batch norm": lambda: chain(nn.Conv1d(4, 8, 7), nn.BatchNorm1d(8), nn.ELU(), nn.AdaptiveMaxPool1d(1)),
    "smooth": lambda: chain(nn.Conv1d(4, 8, 7), nn.SiLU(), nn.Conv1d(8, 4, 3), nn.Tanh(), last=nn.Softplus()),
    "reused": Reused,
    "gated": lambda: chain(nn.Conv1d(4, 8, 7), nn.GLU(dim=1), last=nn.Sigmoid()),
}


@pytest.mark.parametrize("name", ADDITIVE)
@pytest.mark.parametrize("references", ["zero", "gc", "dinucleotide"])
def test_contributions_add_up_to_the_difference(name, references):
    module = ADDITIVE[name]()
    model = model_of(module).double()
    found = explained(model, sequences(), references=references, n_references=4)
    assert found.delta.abs().max() < 1e-9
    actual = (found.values["one_hot"] * model.prepare({"codes": sequences()})["one_hot"]).sum((1, 2))
    with torch.no_grad():
        reached = model.predict({"codes": sequences()})["y"][:, 0]
        if references == "zero":
            at = model.predict({"one_hot": torch.zeros(3, 4, 60, dtype=torch.float64)})["y"][:, 0]
        else:
            refs = [reference_codes(row, references, 4, 0) for row in sequences().numpy()]
            at = torch.stack([model.predict({"codes": torch.from_numpy(r)})["y"][:, 0].mean() for r in refs])
    torch.testing.assert_close(actual, reached - at)


@pytest.mark.parametrize(("module", "most"), [(Attending, 1e-4), (Recurrent, 1e-4)])
def test_calls_without_a_closed_rule_add_up_by_quadrature(module, most):
    torch.manual_seed(0)
    model = model_of(module()).double()
    network = record_network(model, Output.parse("y", model.spec))
    assert network.approximate
    found = explained(model, sequences(), n_references=4)
    change = found.values["one_hot"].abs().sum((1, 2))
    assert (found.delta.abs() < most * change).all()


def test_a_layer_that_breaks_additivity_is_named_before_anything_runs():
    model = model_of(Stepped())
    with pytest.raises(ConfigError, match=r"encoder\.module \(gt\) has no gradient.*integrated_gradients"):
        explained(model, sequences())
    allowed = explained(model, sequences(), broken="allow")
    assert allowed.delta.abs().max() > 1e-3


def test_a_model_that_branches_on_values_is_refused_with_the_remedy():
    class Branching(nn.Module):
        def forward(self, x):
            return x.sum((1, 2)) if x.sum() > 0 else x.mean((1, 2))

    with pytest.raises(ConfigError, match="integrated_gradients"):
        explained(model_of(Branching()), sequences())


@pytest.mark.parametrize("name", ["relu", "average pool"])
def test_multipliers_are_those_of_captum(name):
    """Where captum's own add up, which they do not through a max pool (its convergence delta says so)."""
    captum = pytest.importorskip("captum.attr", reason="captum is the oracle")
    module = ADDITIVE[name]()
    model = model_of(module.double()).double()
    codes = sequences()
    found = explained(model, codes, n_references=5, kind="contribution").values["one_hot"]
    for i, row in enumerate(codes):
        x = one_hot(row[None], dtype=torch.float64).contiguous()
        refs = one_hot(torch.from_numpy(reference_codes(row.numpy(), "dinucleotide", 5, 0)), dtype=torch.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = captum.DeepLiftShap(module).attribute(x, refs.contiguous()).detach()
        # captum multiplies by (x - reference); ours is the projection onto the base that is there.
        torch.testing.assert_close(found[i].sum(0), theirs[0].sum(0), atol=1e-8, rtol=1e-6)


@pytest.mark.parametrize("name", ["relu", "max pool", "overlapping max pool", "average pool"])
def test_hypothetical_contributions_are_those_of_tangermeme(name):
    dls = pytest.importorskip("tangermeme.deep_lift_shap", reason="tangermeme is the oracle")
    module = ADDITIVE[name]()
    model = model_of(module)
    codes = sequences()
    found = explained(model, codes, n_references=5).values["one_hot"]
    refs = torch.stack([one_hot(torch.from_numpy(reference_codes(r, "dinucleotide", 5, 0))) for r in codes.numpy()])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = dls.deep_lift_shap(
            module,
            one_hot(codes).contiguous(),
            references=refs.contiguous(),
            n_shuffles=5,
            device="cpu",
            hypothetical=True,
        )
    torch.testing.assert_close(found, theirs, atol=2e-6, rtol=1e-4)


def test_networks_of_the_core_add_up():
    """Every network that incremental inference is tested on, except for those with a stepped call."""
    path = Path(__file__).parents[3] / "tests" / "effects" / "networks.py"
    if not path.exists():
        pytest.skip("the core's tests are not here")
    spec = importlib.util.spec_from_file_location("networks_of_the_core", path)
    networks = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = networks
    spec.loader.exec_module(networks)
    checked = 0
    for name, (module, length) in networks.networks().items():
        width = module(torch.zeros(2, 4, length)).flatten(1).shape[1]
        model = model_of(module, length, width).double()
        network = record_network(model, Output.parse("y", model.spec))
        if network.broken:
            continue
        codes = sequences(2, length)
        found = explained(model, codes, n_references=2)
        size = found.values["one_hot"].abs().sum((1, 2))
        most = 2e-2 if network.approximate else 1e-9
        assert (found.delta.abs() <= most * size + 1e-9).all(), (name, found.delta, size, network.approximate)
        checked += 1
    assert checked >= 15
