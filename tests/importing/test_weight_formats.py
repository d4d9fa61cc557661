"""Files of weights from strangers: read as data, within bounds, or refused in one sentence."""

import os
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo.errors import ZooError
from zoo.importing.weight_file import WeightFile
from zoo.importing.weight_formats import read_weights, weight_files


def refusal(path, **more):
    with pytest.raises(ZooError) as error:
        read_weights(path, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


class Opens:
    """Unpickled as a stranger would like it, it leaves a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, legacy):
    torch.save(
        {"weight": torch.zeros(2), "x": Opens(tmp_path / "ran")},
        tmp_path / "w.pt",
        _use_new_zipfile_serialization=not legacy,
    )
    assert "would run code" in refusal(tmp_path / "w.pt")
    assert "would run code" in refusal(tmp_path / "w.pt", classes=("bpnetlite.", "builtins.fake"))
    assert not (tmp_path / "ran").exists()


def test_a_plain_pickle_is_refused(tmp_path):
    import pickle

    (tmp_path / "w.pkl").write_bytes(pickle.dumps(Opens(tmp_path / "ran")))
    assert str(tmp_path / "w.pkl") in refusal(tmp_path / "w.pkl")
    np.save(tmp_path / "w.npy", np.array([Opens(tmp_path / "ran")]), allow_pickle=True)
    np.savez(tmp_path / "w.npz", a=np.array([Opens(tmp_path / "ran")]))
    assert "pickled objects" in refusal(tmp_path / "w.npz")
    assert not (tmp_path / "ran").exists()


def test_a_whole_module_needs_an_importer_that_admits_its_class(tmp_path):
    torch.save(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), tmp_path / "w.pt")
    assert "would run code" in refusal(tmp_path / "w.pt")
    file = read_weights(tmp_path / "w.pt", classes=("torch.nn.",))
    assert file.names == ["0.weight", "0.bias"]
    assert file.settings["0.out_features"] == 2


def test_torchscript_is_refused(tmp_path):
    module = zipfile.ZipFile(tmp_path / "w.pt", "w")
    with module:
        module.writestr("w/data.pkl", b"\x80\x02}q\x00.")
        module.writestr("w/constants.pkl", b"\x80\x02}q\x00.")
    assert "TorchScript" in refusal(tmp_path / "w.pt")


def test_what_unpacks_to_more_than_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\0" * 200_000)
    assert os.path.getsize(tmp_path / "w.npz") < 1000
    assert "unpacks to 200,000 bytes" in refusal(tmp_path / "w.npz", most=100_000)
    torch.save({"a": torch.zeros(1).expand(1000, 1000)}, tmp_path / "w.pt")
    assert os.path.getsize(tmp_path / "w.pt") < 10_000
    assert "tensors of more than" in refusal(tmp_path / "w.pt", most=1_000_000)
    assert "more than the 10 that are read" in refusal(tmp_path / "w.pt", most=10)


def test_what_is_not_there_or_no_plain_file(tmp_path):
    assert "there is no file" in refusal(tmp_path / "w.pt")
    os.mkfifo(tmp_path / "pipe.pt")
    assert "named pipe" in refusal(tmp_path / "pipe.pt")
    (tmp_path / "w.keras").write_bytes(b"PK\3\4rest")
    assert "model.save('model.h5')" in refusal(tmp_path / "w.keras")
    (tmp_path / "w.h5").write_bytes(b"no HDF5")
    assert "no HDF5 file" in refusal(tmp_path / "w.h5")
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    assert "holds no tensor" in refusal(tmp_path / "w.pt")


def test_sparse_tensors_and_deep_nests_are_refused(tmp_path):
    torch.save({"a": torch.eye(3).to_sparse()}, tmp_path / "w.pt")
    assert "sparse" in refusal(tmp_path / "w.pt")
    deep = {"a": torch.zeros(1)}
    for _ in range(30):
        deep = {"a": deep, "b": 1}
    torch.save(deep, tmp_path / "w.pt")
    assert "nested deeper" in refusal(tmp_path / "w.pt")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "w.pt"
    torch.save(OrderedDict(a=torch.arange(6.0).view(2, 3), b=torch.ones(2, dtype=torch.float16)), path)
    return path


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_gives_tensors_of_numbers(saved, tmp_path_factory, data):
    content = bytearray(saved.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(1, len(content) - 1))]
    else:
        for _ in range(3):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("damaged") / "w.pt"
    path.write_bytes(bytes(content))
    try:
        file = read_weights(path)
    except ZooError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert all(isinstance(x, torch.Tensor) for x in file.tensors.values())


def test_files_of_a_folder_come_sorted(saved, tmp_path):
    for name in ("fold_2.pt", "fold_1.pt", "final.1.0.v2"):
        (tmp_path / name).write_bytes(saved.read_bytes())
    (tmp_path / "README.txt").write_text("x")
    (tmp_path / ".hidden.pt").write_text("x")
    assert [p.name for p in weight_files([tmp_path])] == ["final.1.0.v2", "fold_1.pt", "fold_2.pt"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZooError, match="holds no file of weights"):
        weight_files([tmp_path / "empty"])


def test_every_tensor_is_taken_or_left_out_with_a_reason(saved):
    file = read_weights(saved)
    assert file.unused == ["a", "b"]
    taken = file.take("a", 2, None)
    taken += 1
    assert torch.equal(file.take("a"), torch.arange(6.0).view(2, 3))
    assert file.unused == ["b"]
    assert file.leave_out("b*", "of training alone") == ["b"]
    assert (file.unused, file.left_out) == ([], {"b": "of training alone"})
    with pytest.raises(ZooError, match=r"shape \(2, 3\) where \(2, 4\)"):
        file.take("a", 2, 4)
    with pytest.raises(ZooError, match="did you mean 'weight'"):
        WeightFile(saved, "plain", {"weight": torch.zeros(1)}).take("weigth")
