"""The modules of MMSplice: files as Keras writes them, a second way to compute them, and the original's numbers."""

from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import ZooError
from zoo.importing.import_model import import_model
from zoo_splice.networks.mmsplice import PARTS
from zoo_splice.networks.mmsplice_module import MMSpliceModule

h5py = pytest.importorskip("h5py")

LAYERS = {
    "Acceptor": {"convSpliceSite": (15, 4, 32), "batch_normalization_1": 32, "conv1by1": (1, 32, 32),
                 "batch_normalization_2": 32, "denseSS": (53 * 32, 1)},
    "Donor": {"dense1": (72, 128), "batch_normalization_1": 128, "dense2": (128, 64), "batch_normalization_2": 64,
              "dense_1": (64, 1)},
    "Exon": {"conv": (11, 4, 128), "batch_normalization_1": 128, "dense3": (128, 1)},
    "Intron3": {"conv": (13, 4, 256), "dense3": (256, 1)},
    "Intron5": {"conv": (13, 4, 256), "dense5": (256, 1)},
}  # fmt: skip
ORIGINAL = {
    "Acceptor": [0.023856256, 0.02488403], "Donor": [0.03825845, 0.023044616], "Exon": [-4.988532, -3.792749],
    "Intron3": [-3.9974253, -2.6785176], "Intron5": [0.23527396, 0.23603779],
}  # fmt: skip
"""Of mmsplice 2.4.0 in TensorFlow 2.21: what its modules give for two random windows, the second exon of 150 bp."""


def installed():
    try:
        return distribution("mmsplice").version == "2.4.0"
    except PackageNotFoundError:
        return False


def keras_file(folder, name, seed=0):
    """A file of this module with random weights, and the weights {layer: {part: array}}."""
    random, weights = np.random.default_rng(seed), {}
    for layer, shape in LAYERS[name].items():
        if isinstance(shape, int):
            parts = ("gamma", "beta", "moving_mean", "moving_variance")
            weights[layer] = {p: random.uniform(0.5, 1.5, shape).astype(np.float32) for p in parts}
        else:
            spread = np.prod(shape[:-1]) ** -0.5
            weights[layer] = {"kernel": random.normal(0, spread, shape), "bias": random.normal(0, 0.1, shape[-1])}
            weights[layer] = {p: x.astype(np.float32) for p, x in weights[layer].items()}
    with h5py.File(folder / f"{name}.h5", "w") as file:
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer.encode() for layer in weights]
        for layer, parts in weights.items():
            inner = group.create_group(layer).create_group(f"{layer}_4")
            group[layer].attrs["weight_names"] = [f"{layer}_4/{part}:0".encode() for part in parts]
            for part, x in parts.items():
                inner[f"{part}:0"] = x
    return folder / f"{name}.h5", weights


def by_hand(name, weights, x):
    """x (N, L, 4), as Keras has it -> (N,) in float64, layer by layer."""
    known = x.max(2, keepdims=True)
    if name == "Donor":
        x = x.reshape(len(x), -1)
    for layer, parts in list(weights.items())[:-1]:
        if "gamma" in parts:
            scale = parts["gamma"] / np.sqrt(parts["moving_variance"] + 1e-3)
            x = (x - parts["moving_mean"]) * scale + parts["beta"]
            x = np.maximum(x, 0) if name in ("Donor", "Exon") else x
        elif layer.startswith("dense"):
            x = x @ parts["kernel"] + parts["bias"]
        else:
            width = len(parts["kernel"])
            padded = np.pad(x, ((0, 0), (width // 2, width // 2), (0, 0)))
            x = sum(padded[:, i : i + x.shape[1]] @ parts["kernel"][i] for i in range(width)) + parts["bias"]
            x = x if name == "Exon" else np.maximum(x, 0)
    if name == "Exon":
        x = (x * known).sum(1) / known.sum(1)
    x = x.mean(1) if name.startswith("Intron") else x.reshape(len(x), -1)
    last = list(weights.values())[-1]
    y = (x @ last["kernel"] + last["bias"])[:, 0]
    return 1 / (1 + np.exp(-y)) if name in ("Acceptor", "Donor") else y


def windows(name, seed=1):
    codes = np.random.default_rng(seed).integers(0, 4, (4, PARTS[name].length)).astype(np.uint8)
    codes[1, 3:7] = 4
    return codes


@pytest.mark.parametrize("name", PARTS)
def test_a_module_is_the_same_as_computed_layer_by_layer(name, tmp_path):
    path, weights = keras_file(tmp_path, name)
    import_model([path], "mmsplice", tmp_path / "m")
    codes = windows(name)
    one_hot = np.vstack([np.eye(4), np.zeros(4)])[codes]
    with torch.no_grad():
        answer = zoo.load(tmp_path / "m").predict({"codes": torch.from_numpy(codes)})["score"][:, 0].numpy()
    expected = by_hand(name, weights, one_hot)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-5)


@pytest.mark.skipif(not installed(), reason="mmsplice 2.4.0 is not installed")
@pytest.mark.parametrize("name", PARTS)
def test_the_installed_weights_give_the_numbers_of_the_original(name):
    codes = np.random.default_rng(0).integers(0, 4, (2, PARTS[name].length)).astype(np.uint8)
    if name == "Exon":
        codes[1, 150:] = 4
    published = {"Intron3": "acceptor-intron", "Intron5": "donor-intron"}.get(name, name.lower())
    with torch.no_grad():
        answer = zoo.load(f"mmsplice-{published}").predict({"codes": torch.from_numpy(codes)})["score"][:, 0]
    np.testing.assert_allclose(answer.numpy(), ORIGINAL[name], rtol=0, atol=1e-5)


def test_an_exon_that_is_padded_scores_as_it_is(tmp_path):
    path, _ = keras_file(tmp_path, "Exon")
    import_model([path], "mmsplice", tmp_path / "m")
    model = zoo.load(tmp_path / "m")
    codes = torch.from_numpy(np.random.default_rng(2).integers(0, 4, (1, 120)).astype(np.uint8))
    padded = torch.nn.functional.pad(codes, (50, 230), value=4)
    with torch.no_grad():
        both = [model.predict({"codes": x})["score"].item() for x in (codes, padded)]
    assert both[0] == pytest.approx(both[1], abs=1e-5)


def test_another_file_is_refused_in_one_sentence(tmp_path):
    path, _ = keras_file(tmp_path, "Intron3")
    with pytest.raises(ZooError, match=r"under its own name: give one of Acceptor\.h5"):
        import_model([path.rename(tmp_path / "model.h5")], "mmsplice", tmp_path / "m")
    (tmp_path / "model.h5").rename(tmp_path / "Donor.h5")
    with pytest.raises(ZooError, match="which are not those of MMSplice's donor"):
        import_model([tmp_path / "Donor.h5"], "mmsplice", tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_a_module_of_a_site_reads_its_window_alone():
    with pytest.raises(ZooError, match="reads 53 bp, not 60"):
        MMSpliceModule(module="acceptor").grid(60)
    with pytest.raises(ZooError, match="must be one of"):
        MMSpliceModule(module="branchpoint")
