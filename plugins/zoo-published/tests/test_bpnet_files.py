"""BPNet and ChromBPNet: a file that Keras wrote, states as bpnet-lite names them, and files that are neither."""

import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import zoo
from zoo.data.codes import decode
from zoo.effects.saturation_mutagenesis import mutate
from zoo.errors import ZooError
from zoo.importing.import_model import import_model
from zoo.outputs import Output
from zoo.prediction.predict import predict_codes

KERAS = Path(__file__).with_name("keras")
"""A ChromBPNet of 6 and 4 filters with random weights, written by tf_keras 2.21, and what it made of two windows."""


@pytest.fixture(scope="module")
def reference():
    return dict(np.load(KERAS / "reference.npz"))


@pytest.fixture
def golden(reference, tmp_path):
    """Files as a user would save them: one-hot (N, L, 4), and the two outputs of the original in their order."""
    x = np.eye(4, dtype=np.float32)[reference["codes"]]
    np.save(tmp_path / "inputs.npy", x)
    np.savez(tmp_path / "outputs.npz", reference["profile_with_bias"], reference["counts_with_bias"])
    names = ("profile", "counts", "profile_with_bias", "counts_with_bias")
    np.savez(tmp_path / "all.npz", **{name: reference[name] for name in names})
    return tmp_path


def raw(folder, codes):
    with torch.no_grad():
        return zoo.load(str(folder))({"codes": torch.from_numpy(codes)})


def test_what_keras_wrote_gives_what_keras_predicted_with_and_without_bias(golden, reference):
    report = import_model(
        [KERAS / "chrombpnet.h5"],
        "chrombpnet",
        golden / "model",
        golden=(golden / "inputs.npy", golden / "all.npz"),
    )
    assert (report.used, report.left_out, report.windows) == (36, {}, 2)
    assert report.difference < 1e-5
    ours = raw(golden / "model", reference["codes"])
    for head in ("profile", "counts", "profile_with_bias", "counts_with_bias"):
        expected = reference[head].reshape(ours[head].shape)
        assert np.abs(ours[head].numpy() - expected).max() < 1e-5
    assert np.abs(reference["profile"] - reference["profile_with_bias"]).max() > 0.1
    assert np.abs(reference["counts"] - reference["counts_with_bias"]).max() > 0.1


def test_outputs_without_names_are_those_of_the_original_and_the_card_says_what_was_compared(golden):
    files = (golden / "inputs.npy", golden / "outputs.npz")
    import_model([KERAS / "chrombpnet.h5"], "chrombpnet", golden / "model", golden=files)
    card = (golden / "model" / "README.md").read_text()
    assert "whose channels are taken as A C G T (counts_with_bias, profile_with_bias)" in card
    assert "not verified" not in card


def test_probabilities_add_up_and_counts_are_reads(golden, reference):
    import_model([KERAS / "chrombpnet.h5"], "chrombpnet", golden / "model")
    model = zoo.load(str(golden / "model"))
    prediction = model.predict({"codes": torch.from_numpy(reference["codes"])})
    assert torch.allclose(prediction["profile"].sum(2), torch.ones(2, 1))
    expected = torch.from_numpy(np.exp(reference["counts"]))
    assert torch.allclose(prediction["counts"], expected, rtol=1e-4)
    assert "not verified against the original" in (golden / "model" / "README.md").read_text()


def part_of_keras(path, group):
    """A file of one of the two networks, as chrombpnet saves them beside the whole."""
    with h5py.File(KERAS / "chrombpnet.h5") as whole, h5py.File(path, "w") as new:
        weights = new.create_group("model_weights")
        for layer in whole["model_weights"][group]:
            whole.copy(whole["model_weights"][group][layer], weights.create_group(layer), name=layer)
    return path


def test_two_files_are_one_chrombpnet_in_whichever_order(golden, reference):
    accessibility = part_of_keras(golden / "chrombpnet_nobias.h5", "model_wo_bias")
    bias = part_of_keras(golden / "bias_model_scaled.h5", "model")
    for files in ([accessibility, bias], [bias, accessibility]):
        import_model(files, "chrombpnet", golden / "model", golden=(golden / "inputs.npy", golden / "all.npz"))
    import_model([accessibility], "bpnet", golden / "alone")
    ours = raw(golden / "alone", reference["codes"])
    assert np.abs(ours["profile"].numpy()[:, 0] - reference["profile"]).max() < 1e-5
    assert np.abs(ours["counts"].numpy() - reference["counts"]).max() < 1e-5


class Lite(nn.Module):
    """A BPNet by the names and the arithmetic of bpnet-lite."""

    def __init__(self, filters=5, layers=3, tracks=1, controls=0, trimming=60):
        super().__init__()
        self.trimming, self.n_layers = trimming, layers
        self.iconv = nn.Conv1d(4, filters, 21, padding=10)
        self.rconvs = nn.ModuleList(
            nn.Conv1d(filters, filters, 3, padding=2**i, dilation=2**i) for i in range(1, layers + 1)
        )
        self.fconv = nn.Conv1d(filters + controls, tracks, 75, padding=37)
        self.linear = nn.Linear(filters + (controls > 0), 1)

    def forward(self, x, control=None):
        start, end = self.trimming, x.shape[2] - self.trimming
        x = self.iconv(x).relu()
        for layer in self.rconvs:
            x = x + layer(x).relu()
        wide = x if control is None else torch.cat([x, control], 1)
        profile = self.fconv(wide)[:, :, start:end]
        x = x[:, :, max(start - 37, 0) : end + 37].mean(2)
        if control is not None:
            reads = control[:, :, max(start - 37, 0) : end + 37].sum((1, 2)).unsqueeze(1)
            x = torch.cat([x, torch.log(reads + 1)], 1)
        return profile, self.linear(x)


def lite(seed=0, **arguments):
    torch.manual_seed(seed)
    return Lite(**arguments).eval()


@pytest.fixture
def windows():
    codes = np.random.default_rng(4).integers(0, 4, (3, 300)).astype(np.uint8)
    return codes, functional.one_hot(torch.from_numpy(codes).long(), 4).transpose(1, 2).float()


@pytest.mark.parametrize("trimming", [60, 20, 0])
def test_a_state_of_bpnet_lite_is_read_with_any_trimming(windows, tmp_path, trimming):
    codes, x = windows
    network = lite(trimming=trimming)
    torch.save({**network.state_dict(), "trimming": trimming}, tmp_path / "lite.torch")
    assert network.trimming == trimming
    import_model([tmp_path / "lite.torch"], "bpnet", tmp_path / "model", settings={"length": 300})
    ours, (profile, counts) = raw(tmp_path / "model", codes), network(x)
    assert torch.allclose(ours["profile"], profile, atol=1e-5)
    assert torch.allclose(ours["counts"], counts, atol=1e-5)


def test_a_whole_module_is_read_as_data_and_its_class_is_never_imported(windows, tmp_path, monkeypatch):
    network = lite(trimming=25)
    network.__class__ = type("BPNet", (Lite,), {"__module__": "bpnetlite.bpnet"})
    module = ModuleType("bpnetlite.bpnet")
    module.BPNet = type(network)
    monkeypatch.setitem(sys.modules, "bpnetlite", ModuleType("bpnetlite"))
    monkeypatch.setitem(sys.modules, "bpnetlite.bpnet", module)
    torch.save(network, tmp_path / "lite.torch")
    monkeypatch.delitem(sys.modules, "bpnetlite.bpnet")
    monkeypatch.delitem(sys.modules, "bpnetlite")
    import_model([tmp_path / "lite.torch"], "bpnet", tmp_path / "model", settings={"length": 300})
    codes, x = windows
    assert torch.allclose(raw(tmp_path / "model", codes)["profile"], network(x)[0], atol=1e-5)
    assert "bpnetlite" not in sys.modules


def test_two_strands_share_their_reads_and_controls_are_zeros(windows, tmp_path):
    codes, x = windows
    network = lite(tracks=2, controls=2, trimming=61)
    torch.save(network.state_dict(), tmp_path / "lite.torch")
    profile, counts = network(x, torch.zeros(3, 2, 300))
    np.savez(tmp_path / "outputs.npz", profile.detach().numpy(), counts.detach().numpy())
    np.save(tmp_path / "inputs.npy", x.numpy())
    report = import_model(
        [tmp_path / "lite.torch"],
        "bpnet",
        tmp_path / "model",
        settings={"length": 300},
        golden=(tmp_path / "inputs.npy", tmp_path / "outputs.npz"),
    )
    assert report.difference < 1e-5
    assert report.left_out == {}
    model = zoo.load(str(tmp_path / "model"))
    prediction = model.predict({"codes": torch.from_numpy(codes)})
    assert torch.allclose(prediction["profile"].sum((1, 2)), torch.ones(3), atol=1e-5)
    expected = torch.softmax(profile.flatten(1), 1).view_as(profile)
    assert torch.allclose(prediction["profile"], expected, atol=1e-6)
    assert model.heads["profile"].field.rc == (1, 0)
    assert "control tracks are read as zeros" in (tmp_path / "model" / "README.md").read_text()


@pytest.mark.slow
def test_effects_of_mutations_are_those_of_full_inference(golden, reference):
    import_model([KERAS / "chrombpnet.h5"], "chrombpnet", golden / "model")
    model, codes = zoo.load(str(golden / "model")), reference["codes"][0]
    mutants = np.repeat(codes[None], 8, 0)
    mutants[np.arange(8), np.repeat([1000, 1003], 4)] = np.tile(np.arange(4), 2)
    for text in ("counts_with_bias:raw", "profile@-20..20:raw:mean"):
        output = Output.parse(text, model.spec)
        effects = mutate(model, decode(codes), output=text, start=1000, end=1004).numpy()[:, [0, 3]]
        full = predict_codes(model, mutants, output) - predict_codes(model, codes[None], output)
        np.testing.assert_allclose(effects.T.ravel(), np.asarray(full)[:, 0], atol=2e-5)
        assert np.abs(effects).max() > 1e-4


def refusal(files, architecture, folder, **more):
    with pytest.raises(ZooError) as error:
        import_model(files, architecture, folder, **more)
    assert not Path(folder).exists()
    return str(error.value)


def test_a_file_of_another_architecture_is_refused_in_one_sentence(golden):
    whole = KERAS / "chrombpnet.h5"
    assert "--as chrombpnet" in refusal([whole], "bpnet", golden / "model")
    alone = part_of_keras(golden / "alone.h5", "model_wo_bias")
    assert "holds no bias model" in refusal([alone], "chrombpnet", golden / "model")
    assert "expected" in refusal([alone], "basset", golden / "model")
    np.savez(golden / "other.npz", weight=np.zeros((3, 3)))
    assert "holds no BPNet" in refusal([golden / "other.npz"], "bpnet", golden / "model")


def test_weights_that_are_missing_or_of_another_shape_are_named(golden):
    path = golden / "broken.h5"
    shutil.copy(KERAS / "chrombpnet.h5", path)
    with h5py.File(path, "a") as file:
        layer = file["model_weights/model_wo_bias/wo_bias_bpnet_3conv"]
        del layer["kernel:0"]
    assert "wo_bias_bpnet_3conv/kernel" in refusal([path], "chrombpnet", golden / "model")
    with h5py.File(path, "a") as file:
        file["model_weights/model_wo_bias/wo_bias_bpnet_3conv"]["kernel:0"] = np.zeros((3, 6, 7), np.float32)
    text = refusal([path], "chrombpnet", golden / "model")
    assert "encoder.accessibility.blocks.2.convolution.weight" in text
    assert "(7, 6, 3)" in text


def test_a_truncated_file_is_refused(golden):
    content = (KERAS / "chrombpnet.h5").read_bytes()
    path = golden / "cut.h5"
    for size in (0, 4, 8, 100, 4000, len(content) // 2, len(content) - 2000):
        path.write_bytes(content[:size])
        assert str(path) in refusal([path], "chrombpnet", golden / "model")


def test_links_that_lead_out_of_the_file_are_not_followed(golden):
    path = golden / "linked.h5"
    shutil.copy(KERAS / "chrombpnet.h5", path)
    with h5py.File(path, "a") as file:
        layer = file["model_weights/model_wo_bias/wo_bias_bpnet_3conv"]
        del layer["kernel:0"]
        layer["kernel:0"] = h5py.ExternalLink(os.fspath(KERAS / "chrombpnet.h5"), "/model_weights")
    assert "is a link to another place" in refusal([path], "chrombpnet", golden / "model")


def test_a_reference_run_of_other_sequences_channels_or_shapes_is_refused(golden, reference):
    x, y = np.load(golden / "inputs.npy"), dict(np.load(golden / "outputs.npz"))
    whole, model = [KERAS / "chrombpnet.h5"], golden / "model"

    def against(inputs, outputs):
        np.save(golden / "x.npy", inputs)
        np.savez(golden / "y.npz", **outputs)
        return refusal(whole, "chrombpnet", model, golden=(golden / "x.npy", golden / "y.npz"))

    assert "differs from" in against(x[:, :, [0, 2, 1, 3]], y)
    assert "differs from" in against(x[::-1], y)
    assert "2,113" in against(x[:, :-1], y)
    assert "is not of the 2 sequences" in against(x, {k: v[:1] for k, v in y.items()})
    assert "(2, 999)" in against(x, {"arr_0": y["arr_0"][:, 1:], "arr_1": y["arr_1"]})
    assert "1 outputs, but the original has 2" in against(x, {"arr_0": y["arr_0"]})
    assert "no finite numbers" in against(x, {**y, "arr_1": y["arr_1"] * np.nan})
    assert "no base" in against(x * 0.5, y)


def test_golden_outputs_of_the_original_are_compared_at_every_load(golden):
    from safetensors.torch import load_file, save_file

    from zoo.hub import manifest

    files = (golden / "inputs.npy", golden / "outputs.npz")
    import_model([KERAS / "chrombpnet.h5"], "chrombpnet", golden / "model", golden=files)
    weights = load_file(golden / "model" / "model.safetensors")
    weights["encoder.accessibility.first.weight"][0, 0, 0] += 0.5
    save_file(weights, golden / "model" / "model.safetensors")
    manifest.write(golden / "model")
    with pytest.raises(ZooError, match="differs from its golden outputs"):
        zoo.load(str(golden / "model"))
