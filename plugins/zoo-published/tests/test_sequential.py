"""Basset, DeepSEA, DeepSTARR and DanQ from files in the layouts of their authors, against their own arithmetic."""

import h5py
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import zoo
from zoo.data.codes import decode
from zoo.errors import ConfigError, ZooError
from zoo.importing.import_model import import_model
from zoo.importing.weight_formats import read_weights
from zoo_published.importers.layer_reader import LayerReader
from zoo_published.networks.convolution_pooling import Basset, DeepSEA, DeepSTARR

AGCT = [0, 2, 1, 3]


def windows(n, length, order=(0, 1, 2, 3)):
    """codes (N, L), and one-hot (N, 4, L) whose channels are ACGT[order]."""
    codes = np.random.default_rng(2).integers(0, 4, (n, length)).astype(np.uint8)
    return codes, functional.one_hot(torch.from_numpy(codes).long(), 4).transpose(1, 2).float()[:, list(order)]


def spread(module):
    """Statistics of batch normalisation that are not those of a fresh one."""
    torch.manual_seed(0)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            for values, low in (
                (part.weight, 0.7),
                (part.bias, -0.3),
                (part.running_mean, -0.3),
                (part.running_var, 0.7),
            ):
                nn.init.uniform_(values, low, low + 0.6)
    return module.eval()


def raw(folder, codes):
    with torch.no_grad():
        return zoo.load(str(folder))({"codes": torch.from_numpy(codes)})["output"]


def two_dimensional_basset():
    """As it was converted from Torch7: (N, 4, L, 1), kernels (width, 1)."""

    def block(i, o, width, pool):
        return [nn.Conv2d(i, o, (width, 1)), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d((pool, 1), (pool, 1))]

    def dense(i, o):
        return [nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU(), nn.Dropout(0.3)]

    convolutions = [*block(4, 300, 19, 3), *block(300, 200, 11, 4), *block(200, 200, 7, 4), nn.Flatten()]
    return nn.Sequential(*convolutions, *dense(2000, 1000), *dense(1000, 1000), nn.Linear(1000, 164), nn.Sigmoid())


def test_basset_of_torch7(tmp_path):
    torch.manual_seed(3)
    network = spread(two_dimensional_basset())
    codes, x = windows(3, 600)
    torch.save(network.state_dict(), tmp_path / "basset.pth")
    np.save(tmp_path / "x.npy", x.unsqueeze(3).numpy())
    np.save(tmp_path / "y.npy", network(x.unsqueeze(3)).detach().numpy())
    golden = (tmp_path / "x.npy", tmp_path / "y.npy")
    report = import_model([tmp_path / "basset.pth"], "basset", tmp_path / "basset", golden=golden)
    assert report.difference < 1e-6
    assert set(report.left_out.values()) == {"counts of training batches, which no prediction reads"}
    assert raw(tmp_path / "basset", codes).shape == (3, 164)


def two_dimensional_deepsea(positions):
    """(N, 4, 1, L); what is not positive becomes 1e-6."""
    convolutions = [
        *(nn.Conv2d(4, 320, (1, 8)), nn.Threshold(0, 1e-6), nn.MaxPool2d((1, 4), (1, 4))),
        *(nn.Conv2d(320, 480, (1, 8)), nn.Threshold(0, 1e-6), nn.MaxPool2d((1, 4), (1, 4))),
        *(nn.Conv2d(480, 960, (1, 8)), nn.Threshold(0, 1e-6), nn.Flatten()),
    ]
    dense = [nn.Linear(960 * positions, 925), nn.Threshold(0, 1e-6), nn.Linear(925, 919), nn.Sigmoid()]
    return nn.Sequential(*convolutions, *dense).eval()


def test_deepsea_of_torch7_reads_agct_and_averages_probabilities_of_the_strands(tmp_path):
    torch.manual_seed(3)
    network = two_dimensional_deepsea(3)
    network[-2].weight.data *= 30  # so that a mean of logits is another number than a mean of probabilities
    codes, x = windows(2, 200, AGCT)
    torch.save(network.state_dict(), tmp_path / "deepsea.pth")
    np.save(tmp_path / "x.npy", x.unsqueeze(2).numpy())
    one = network(x.unsqueeze(2))
    turned = windows(2, 200)[1].flip(1, 2)[:, AGCT]
    both = (one + network(turned.unsqueeze(2))) / 2
    for strands, expected in (("single", one), ("averaged", both)):
        np.save(tmp_path / "y.npy", expected.detach().numpy())
        report = import_model(
            [tmp_path / "deepsea.pth"],
            "deepsea",
            tmp_path / strands,
            settings={"length": 200, "strands": strands},
            golden=(tmp_path / "x.npy", tmp_path / "y.npy"),
        )
        assert report.difference < 1e-6
    np.save(tmp_path / "y.npy", one.detach().numpy())
    np.save(tmp_path / "text.npy", np.array([decode(row) for row in codes]))
    for wrong in ({"letters": "ACGT"}, {"strands": "averaged"}):
        with pytest.raises(ZooError, match="differs from"):
            import_model(
                [tmp_path / "deepsea.pth"],
                "deepsea",
                tmp_path / "wrong",
                settings={"length": 200, **wrong},
                golden=(tmp_path / "text.npy", tmp_path / "y.npy"),
            )
    model = zoo.load(str(tmp_path / "averaged"))
    batch = {"codes": torch.from_numpy(codes)}
    other = model.flip(batch)
    assert torch.allclose(model.predict(batch)["output"], model.predict(other)["output"], atol=1e-6)


def keras_file(path, layers, config=None):
    """An .h5 as Keras writes it: {layer: {weight: array}} in their order."""
    with h5py.File(path, "w") as file:
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in arrays]
            for key, array in arrays.items():
                group[f"{name}/{key}:0"] = array
    return path


def deepstarr_layers(network, scale=1.0):
    """The weights of our network as the authors' file has them: kernels and dense layers the other way round."""
    layers = {}
    for i, (convolution, norm) in enumerate(zip(network.convolutions, network.norms, strict=True), 1):
        kernel = convolution.weight.detach().permute(2, 1, 0).numpy()
        layers[f"Conv1D_{i}"] = {"kernel": kernel, "bias": convolution.bias.detach().numpy()}
        layers[f"batch_normalization_{i}"] = norm_arrays(norm)
    for i, (dense, norm) in enumerate(zip(network.dense, network.dense_norms, strict=True), 1):
        weight = dense.weight.detach()
        if i == 1:
            weight = weight.view(256, 120, 15).transpose(1, 2).reshape(256, -1)  # Keras flattens position by position
        layers[f"Dense_{i}"] = {"kernel": weight.T.numpy(), "bias": dense.bias.detach().numpy()}
        layers[f"batch_normalization_{i + 4}"] = norm_arrays(norm)
    return layers


def norm_arrays(norm):
    names = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
    return {theirs: getattr(norm, ours).detach().numpy() for theirs, ours in names.items()}


def test_deepstarr_of_keras_has_two_heads_and_its_own_epsilon(tmp_path):
    torch.manual_seed(5)
    network, last = spread(DeepSTARR()), nn.Linear(256, 2)
    layers = deepstarr_layers(network)
    for i, name in enumerate(("Dense_Dev", "Dense_Hk")):
        kernel, bias = last.weight[i : i + 1].T.detach().numpy(), last.bias[i : i + 1].detach().numpy()
        layers[name] = {"kernel": kernel, "bias": bias}
    path = keras_file(tmp_path / "DeepSTARR.model.h5", layers)
    codes, x = windows(3, 249)
    y = last(network({"one_hot": x})[:, :, 0]).detach().numpy()
    np.save(tmp_path / "x.npy", x.transpose(1, 2).numpy())
    np.savez(tmp_path / "y.npz", y)
    golden = (tmp_path / "x.npy", tmp_path / "y.npz")
    import_model([path], "deepstarr", tmp_path / "deepstarr", golden=golden)
    model = zoo.load(str(tmp_path / "deepstarr"))
    assert model.spec.outputs["output"][0].channels == ("developmental", "housekeeping")
    assert model.spec.encoder["epsilon"] == 1e-3
    assert np.abs(raw(tmp_path / "deepstarr", codes).numpy() - y).max() < 1e-5


def test_danq_of_pytorch_and_its_bidirectional_states(tmp_path):
    torch.manual_seed(6)
    convolution, recurrent = nn.Conv1d(4, 320, 26), nn.LSTM(320, 320, batch_first=True, bidirectional=True)
    dense, last = nn.Linear(5 * 640, 925), nn.Linear(925, 7)
    parts = {"nnet.0": convolution, "bdlstm.0": recurrent, "classifier.1": dense, "classifier.3": last}
    state = {f"{name}.{key}": x for name, part in parts.items() for key, x in part.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "danq.pth.tar")
    codes, x = windows(2, 100, AGCT)
    hidden = recurrent(functional.max_pool1d(convolution(x).relu(), 13).transpose(1, 2))[0]
    expected = last(dense(hidden.flatten(1)).relu())
    (tmp_path / "tasks.txt").write_text("\n".join(f"task {i}" for i in range(7)))
    settings = {"length": 100, "tasks": str(tmp_path / "tasks.txt")}
    import_model([tmp_path / "danq.pth.tar"], "danq", tmp_path / "danq", settings=settings)
    assert torch.allclose(raw(tmp_path / "danq", codes), expected, atol=1e-5)
    assert zoo.load(str(tmp_path / "danq")).spec.outputs["output"][0].channels[6] == "task_6"


def test_a_layer_too_few_or_too_many_and_names_that_do_not_fit(tmp_path):
    network = DeepSTARR()
    path = keras_file(tmp_path / "w.h5", deepstarr_layers(network))
    with pytest.raises(ZooError, match="fewer dense layers than 'deepstarr'"):
        import_model([path], "deepstarr", tmp_path / "m")
    layers = deepstarr_layers(network) | {"Dense_Dev": {"kernel": np.zeros((256, 1)), "bias": np.zeros(1)}}
    layers["Conv1D_5"] = {"kernel": np.zeros((3, 120, 4)), "bias": np.zeros(4)}
    with pytest.raises(ZooError, match=r"holds 2 of 40 tensors that 'deepstarr' does not use \(Conv1D_5/kernel"):
        import_model([keras_file(tmp_path / "w.h5", layers)], "deepstarr", tmp_path / "m", settings={"tasks": ["a"]})
    del layers["Conv1D_5"]
    with pytest.raises(ConfigError, match="2 different names are no names of 1 outputs"):
        import_model([keras_file(tmp_path / "w.h5", layers)], "deepstarr", tmp_path / "m")
    with pytest.raises(ConfigError, match="has no 'lenght': did you mean 'length'"):
        import_model([path], "deepstarr", tmp_path / "m", settings={"lenght": 249})
    with pytest.raises(ZooError, match=r"shape \(7, 4, 256\) where \(19, 4, 300\) is expected"):
        import_model([path], "basset", tmp_path / "m")


def test_a_reader_takes_layers_in_order_whatever_they_are_called(tmp_path):
    np.savez(tmp_path / "w.npz", **{"z.weight": np.ones((2, 3)), "a.weight": np.zeros((4, 2)), "a.bias": np.ones(4)})
    reader = LayerReader(read_weights(tmp_path / "w.npz"), "mine")
    assert reader.dense(2, 3)["bias"].tolist() == [0, 0]
    assert reader.next_units() == 4
    assert reader.dense(4, 2)["bias"].tolist() == [1, 1, 1, 1]
    with pytest.raises(ZooError, match="fewer dense layers than 'mine'"):
        reader.dense(4, 4)


def test_sizes_are_those_of_the_papers():
    assert Basset().dense[0].in_features == 2000
    assert DeepSEA().dense[0].in_features == 50_880
    assert DeepSTARR().dense[0].in_features == 1_800
