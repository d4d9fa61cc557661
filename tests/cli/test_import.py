"""`zoo import`: from a file to a model folder that every command takes."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo as library


@pytest.fixture
def files(tmp_path):
    """A DeepSTARR by PyTorch's names, and a reference run of another network."""
    if not any(p["distribution"] == "zoo-published" for p in _plugins()):
        pytest.skip("zoo-published is not installed")
    torch.manual_seed(0)
    layers, channels = [], 4
    for filters, width in ((256, 7), (60, 3), (60, 5), (120, 3)):
        layers += [nn.Conv1d(channels, filters, width, padding=width // 2), nn.BatchNorm1d(filters), nn.ReLU()]
        layers, channels = [*layers, nn.MaxPool1d(2)], filters
    layers += [nn.Flatten(), nn.Linear(1800, 256), nn.BatchNorm1d(256), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 2)).eval()
    torch.save(network.state_dict(), tmp_path / "deepstarr.pt")
    codes = np.random.default_rng(0).integers(0, 4, (3, 249))
    x = np.eye(4, dtype=np.float32)[codes]
    np.save(tmp_path / "inputs.npy", x)
    np.save(tmp_path / "outputs.npy", network(torch.from_numpy(x).transpose(1, 2)).detach().numpy())
    return tmp_path


def _plugins():
    from zoo.registry import registry

    return [plugin.to_dict() for plugin in registry().plugins]


def test_a_file_becomes_a_model_that_says_what_it_is(zoo, files):
    weights, model = str(files / "deepstarr.pt"), str(files / "model")
    golden = ("--golden", str(files / "inputs.npy"), str(files / "outputs.npy"))
    code, out, err = zoo("import", weights, "--as", "deepstarr", "-o", model, "--name", "my-starr", *golden)
    assert code == 0, err
    assert "tensors, every name and shape as deepstarr has them" in out
    assert "equal to the reference run in 3 windows" in out
    assert "their channels are A C G T is taken on trust" in out
    code, out, _ = zoo("show", model)
    assert code == 0
    assert "my-starr" in out
    assert "imported as deepstarr; checked equal to a reference run of the original" in out
    fasta = files / "s.fa"
    fasta.write_text(">a\n" + "ACGTT" * 49 + "ACGT\n")
    code, _, err = zoo("predict", model, "--sequences", str(fasta), "-o", str(files / "p.tsv"))
    assert code == 0, err
    assert library.load(model).spec.name == "my-starr"


def test_without_a_reference_run_it_says_so(zoo, files):
    code, out, _ = zoo("import", str(files / "deepstarr.pt"), "--as", "deepstarr", "-o", str(files / "model"))
    assert code == 0
    assert "not verified against the original" in out
    code, out, _ = zoo("show", str(files / "model"), "--card")
    assert "not verified against the original" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--as", "deepstar"], "no importer named 'deepstar': did you mean 'deepstarr'?"),
        ([], "one of --as ARCHITECTURE and --module PACKAGE.MODULE:CLASS is needed"),
        (["--as", "deepstarr", "--module", "a.b:C"], "one of --as ARCHITECTURE and --module"),
        (["--as", "deepstarr", "--set", "lenght=2"], "has no 'lenght': did you mean 'length'?"),
        (["--as", "deepstarr", "--name", "My Starr"], "cannot name a model"),
        (["--as", "basset"], "is expected: it is of another architecture"),
        (["--module", "zoo_nowhere.encoder:Mine"], "no installed plugin registers zoo_nowhere.encoder:Mine"),
    ],
)
def test_what_is_refused_is_refused_in_one_sentence_and_writes_nothing(zoo, files, words, sentence):
    code, out, err = zoo("import", str(files / "deepstarr.pt"), *words, "-o", str(files / "model"))
    assert (code, out) == (1, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1
    assert not (files / "model").exists()


def test_a_folder_that_is_something_else_is_left_alone(zoo, files):
    (files / "mine").mkdir()
    (files / "mine" / "thesis.txt").write_text("x")
    code, _, _ = zoo("import", str(files / "deepstarr.pt"), "--as", "deepstarr", "-o", str(files / "mine"))
    assert code == 1
    assert (files / "mine" / "thesis.txt").read_text() == "x"
