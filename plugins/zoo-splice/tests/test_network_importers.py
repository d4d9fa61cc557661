"""Importers of splice networks: random weights in the files of the originals, beside a second way to compute them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch.nn import functional

import zoo
from zoo.errors import ZooError
from zoo.hub.distribution import distribution_files, fingerprint
from zoo.importing.import_model import import_model

KERNELS, DILATIONS = (11, 11, 21, 41), (1, 4, 10, 25)
CODES = np.random.default_rng(0).integers(0, 5, (2, 10_011)).astype(np.uint8)


class Names:
    """How a program calls its layers, and the state of a network of it with weights that keep numbers in range."""

    def __init__(self, first, skip, block, norm, stage, last, blocks_apart, skips_apart, skips_from):
        self.first, self.skip, self.block, self.norm, self.stage, self.last = first, skip, block, norm, stage, last
        self.blocks_apart, self.skips_apart, self.skips_from = blocks_apart, skips_apart, skips_from

    def skip_of(self, stage):
        return self.stage.format(self.skips_from + self.skips_apart * stage)

    def state(self, seed, stages):
        random = torch.Generator().manual_seed(seed)
        state = {}

        def convolution(name, outputs, inputs, width):
            state[f"{name}.weight"] = torch.randn(outputs, inputs, width, generator=random) / (inputs * width) ** 0.5
            state[f"{name}.bias"] = torch.randn(outputs, generator=random) / 10

        convolution(self.first, 32, 4, 1)
        convolution(self.skip, 32, 32, 1)
        for stage, width in enumerate(KERNELS[:stages]):
            for block in range(4):
                for i in (1, 2):
                    unit = self.blocks_apart * stage + block
                    convolution(self.block.format(unit, i), 32, 32, width)
                    norm = self.norm.format(unit, i)
                    for part in ("weight", "bias", "running_mean", "running_var"):
                        state[f"{norm}.{part}"] = torch.rand(32, generator=random) + (part in ("weight", "running_var"))
                    state[f"{norm}.num_batches_tracked"] = torch.tensor(7)
            convolution(self.skip_of(stage), 32, 32, 1)
        for name, outputs in self.last.items():
            convolution(name, outputs, 32, 1)
            state[f"{name}.weight"] /= 10  # probabilities of every size
        return state

    def logits(self, state, x, stages, slope, epsilon, last):
        """Padded convolutions, cropped at the end: x (N, 4, L) -> (N, C, T)."""

        def convolution(x, name, dilation=1):
            weight = state[f"{name}.weight"]
            return functional.conv1d(
                x, weight, state[f"{name}.bias"], 1, dilation * (weight.shape[2] - 1) // 2, dilation
            )

        x = convolution(x, self.first)
        y = convolution(x, self.skip)
        reach = 0
        for stage, (width, dilation) in enumerate(zip(KERNELS[:stages], DILATIONS, strict=False)):
            for block in range(4):
                z = x
                for i in (1, 2):
                    unit = self.blocks_apart * stage + block
                    norm = self.norm.format(unit, i)
                    parts = (state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
                    z = functional.leaky_relu(functional.batch_norm(z, *parts, eps=epsilon), slope)
                    z = convolution(z, self.block.format(unit, i), dilation)
                    reach += dilation * (width - 1) // 2
                x = x + z
            y = y + convolution(x, self.skip_of(stage))
        return convolution(y[:, :, reach : y.shape[2] - reach], last)


OPENSPLICEAI = Names(
    "initial_conv", "initial_skip.conv", "residual_units.{}.conv{}", "residual_units.{}.batchnorm{}",
    "residual_units.{}.conv", {"final_conv": 3}, 5, 5, 4,
)  # fmt: skip
PANGOLIN = Names(
    "conv1", "skip", "resblocks.{}.conv{}", "resblocks.{}.bn{}", "convs.{}",
    {f"conv_last{i}": 2 if i % 2 else 1 for i in range(1, 9)}, 4, 1, 0,
)  # fmt: skip
KERAS = Names("c1", "c2", "b{}.{}", "n{}.{}", "s{}", {"c39": 3}, 4, 1, 0)


def one_hot(codes):
    table = torch.cat([torch.eye(4), torch.zeros(1, 4)])
    return table[torch.from_numpy(codes).long()].transpose(1, 2)


@torch.no_grad()
def predict(folder, codes):
    return zoo.load(folder).predict({"codes": torch.from_numpy(codes)})["splice"]


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_openspliceai_is_the_mean_of_its_softmaxes(tmp_path, stages):
    states = [OPENSPLICEAI.state(seed, stages) for seed in (1, 2)]
    for i, state in enumerate(states):
        torch.save(state, tmp_path / f"model_rs1{i}.pt")
    report = import_model(sorted(tmp_path.glob("*.pt")), "openspliceai", tmp_path / "model")
    spec = zoo.load(report.folder).spec
    assert (spec.members, spec.licence, spec.input_length) == (2, "GPL-3.0", (80, 400, 2000)[stages - 1] + 1000)
    codes = CODES[:, : spec.input_length - 950]
    expected = [OPENSPLICEAI.logits(s, one_hot(codes), stages, 0.1, 1e-5, "final_conv").softmax(1) for s in states]
    ours = predict(report.folder, codes)
    assert ours.shape == (2, 3, 50)
    assert torch.allclose(ours, (expected[0] + expected[1]) / 2, atol=1e-5)
    assert (expected[0] - expected[1]).abs().max() > 0.01


def test_pangolin_reads_each_tissue_from_its_own_network(tmp_path):
    folder = tmp_path / "weights"
    folder.mkdir()
    states = {tissue: PANGOLIN.state(tissue, 4) for tissue in range(4)}
    for tissue, state in states.items():
        torch.save(state, folder / f"final.1.{2 * tissue}.3.v2")
    report = import_model(sorted(folder.iterdir()), "pangolin", tmp_path / "pangolin")
    ours = predict(report.folder, CODES[:1])
    assert zoo.load(report.folder).spec.outputs["splice"][0].channels == ("heart", "liver", "brain", "testis")
    for tissue, state in states.items():
        logits = PANGOLIN.logits(state, one_hot(CODES[:1]), 4, 0.0, 1e-5, f"conv_last{2 * tissue + 1}")
        assert torch.allclose(ours[:, tissue], logits.softmax(1)[:, 1], atol=1e-5)
    (folder / "final.1.6.3.v2").unlink()
    with pytest.raises(ZooError, match="lacks testis"):
        import_model(sorted(folder.iterdir()), "pangolin", tmp_path / "again")
    torch.save(states[0], folder / "final.1.1.3.v2")
    with pytest.raises(ZooError, match=r"final\.R\.T\.3\.v2"):
        import_model([folder / "final.1.1.3.v2"], "pangolin", tmp_path / "again")


def write_keras(path, state):
    """An .h5 as Keras 2 wrote them, layers numbered from 1."""
    h5py = pytest.importorskip("h5py")
    convolutions = ["c1", "c2"]
    for stage in range(4):
        convolutions += [f"b{4 * stage + block}.{i}" for block in range(4) for i in (1, 2)] + [f"s{stage}"]
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        for number, name in enumerate([*convolutions, "c39"], 1):
            group = weights.create_group(f"conv1d_{number}").create_group(f"conv1d_{number}")
            group["kernel:0"] = state[f"{name}.weight"].numpy().transpose(2, 1, 0)
            group["bias:0"] = state[f"{name}.bias"].numpy()
        for number, (unit, i) in enumerate([(unit, i) for unit in range(16) for i in (1, 2)], 1):
            group = weights.create_group(f"batch_normalization_{number}").create_group(f"batch_normalization_{number}")
            parts = (
                ("gamma", "weight"),
                ("beta", "bias"),
                ("moving_mean", "running_mean"),
                ("moving_variance", "running_var"),
            )
            for theirs, ours in parts:
                group[f"{theirs}:0"] = state[f"n{unit}.{i}.{ours}"].numpy()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages folder in which pip installed a distribution called spliceai."""
    models, info = tmp_path / "site" / "spliceai" / "models", tmp_path / "site" / "spliceai-1.3.1.dist-info"
    models.mkdir(parents=True)
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: spliceai\nVersion: 1.3.1\n")
    info.joinpath("RECORD").write_text("spliceai/models/spliceai1.h5,,\nspliceai/models/spliceai2.h5,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return models


def test_spliceai_is_read_from_the_user_s_installation(site):
    states = [KERAS.state(seed, 4) for seed in (1, 2)]
    for i, state in enumerate(states, 1):
        write_keras(site / f"spliceai{i}.h5", state)
    revision = fingerprint(distribution_files("spliceai", "spliceai/models"))
    model = zoo.load(f"dist://spliceai/spliceai/models@{revision}")
    assert (model.spec.name, model.spec.licence, model.spec.members) == ("spliceai-10k", "CC-BY-NC-4.0", 2)
    with torch.no_grad():
        ours = model.predict({"codes": torch.from_numpy(CODES[:1])})["splice"]
    expected = [KERAS.logits(s, one_hot(CODES[:1]), 4, 0.0, 1e-3, "c39").softmax(1) for s in states]
    assert torch.allclose(ours, (expected[0] + expected[1]) / 2, atol=1e-5)


def test_the_name_spliceai_10k_stands_for_the_published_weights_alone(site):
    for i in (1, 2):
        (site / f"spliceai{i}.h5").write_bytes(b"other weights")
    with pytest.raises(ZooError, match="has the sha256"):
        zoo.load("spliceai-10k")


def test_without_spliceai_one_sentence_says_what_to_install_and_under_which_terms(monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setattr("zoo.hub.distribution.distribution", _not_installed)
    with pytest.raises(ZooError) as caught:
        zoo.load("spliceai-10k")
    assert "pip install --no-deps 'spliceai==1.3.1', under its terms (CC BY-NC 4.0" in str(caught.value)
    assert "\n" not in str(caught.value)


def _not_installed(name):
    from importlib.metadata import PackageNotFoundError

    raise PackageNotFoundError(name)


def test_weights_of_another_architecture_are_refused(tmp_path):
    torch.save({"conv.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ZooError, match="no network of OpenSpliceAI"):
        import_model([tmp_path / "other.pt"], "openspliceai", tmp_path / "model")
    state = OPENSPLICEAI.state(1, 1)
    state["residual_units.2.conv1.weight"] = torch.zeros(32, 32, 9)
    torch.save(state, tmp_path / "narrow.pt")
    with pytest.raises(ZooError, match=r"residual_units\.2\.conv1\.weight.*has the shape"):
        import_model([tmp_path / "narrow.pt"], "openspliceai", tmp_path / "model")
    for stages, name in ((1, "a.pt"), (2, "b.pt")):
        torch.save(OPENSPLICEAI.state(1, stages), tmp_path / name)
    with pytest.raises(ZooError, match="other sizes"):
        import_model([tmp_path / "a.pt", tmp_path / "b.pt"], "openspliceai", tmp_path / "model")
