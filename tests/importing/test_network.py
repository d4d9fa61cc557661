"""`zoo import --module`: somebody's network through a plugin of ten lines."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.errors import ConfigError, ZooError
from zoo.importing.import_model import import_model
from zoo.importing.network import Network, importer_of

pytestmark = pytest.mark.usefixtures("plugin")


def test_a_network_is_imported_checked_and_gives_its_own_numbers(run, tmp_path):
    name, importer = importer_of("published_plugin:Published")
    report = import_model(run[:1], name, tmp_path / "mine", golden=run[1:], importer=importer)
    assert (report.windows, report.used) == (4, 9)
    assert report.difference < 1e-6
    model = zoo.load(str(tmp_path / "mine"))
    assert model.spec.encoder == {"name": "published"}
    letters = "".join("NAGCT"[int(row @ [1, 2, 3, 4])] for row in np.load(run[1])[0])
    table = zoo.predict(model, sequences=[letters])
    np.testing.assert_allclose([table[task][0] for task in "abc"], np.load(run[2])[0], atol=1e-6)


@pytest.mark.parametrize("wrap", ["state_dict", "model_state_dict", "module.", "deep"])
def test_the_ways_in_which_states_are_saved(run, tmp_path, wrap):
    state = torch.load(run[0], weights_only=True)
    if wrap == "module.":
        state = {f"module.{key}": x for key, x in state.items()}
    elif wrap == "deep":
        state = {"epoch": 3, "state_dict": {f"net.{key}": x for key, x in state.items()}, "optimizer": {"lr": 0.1}}
    else:
        state = {wrap: state, "epoch": 3}
    torch.save(state, run[0])
    _, importer = importer_of("published_plugin:Published")
    assert import_model(run[:1], "published", tmp_path / "m", golden=run[1:], importer=importer).difference < 1e-6


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_tensors_in_other_files(run, tmp_path, ending):
    state = torch.load(run[0], weights_only=True)
    path = tmp_path / f"weights.{ending}"
    if ending == "npz":
        np.savez(path, **{key: x.numpy() for key, x in state.items()})
    else:
        from safetensors.torch import save_file

        save_file(state, path)
    _, importer = importer_of("published_plugin:Published")
    assert import_model([path], "published", tmp_path / "m", golden=run[1:], importer=importer).difference < 1e-6


def test_several_files_are_an_ensemble(run, tmp_path):
    _, importer = importer_of("published_plugin:Published")
    import_model([run[0], run[0]], "published", tmp_path / "m", golden=run[1:], importer=importer)
    assert zoo.load(str(tmp_path / "m")).spec.members == 2


def test_a_profile_lies_in_the_middle(tmp_path):
    torch.manual_seed(1)
    network = nn.Conv1d(4, 2, 11)
    torch.save({f"first.{k}": x for k, x in network.state_dict().items()}, tmp_path / "w.pt")
    name, importer = importer_of("published_plugin:Profile")
    import_model([tmp_path / "w.pt"], name, tmp_path / "m", importer=importer)
    model = zoo.load(str(tmp_path / "m"))
    field, grid = model.spec.outputs["output"]
    assert (field.axes, grid.offset, grid.length) == ("CT", 5, 30)
    x = torch.eye(4)[torch.randint(0, 4, (2, 40))].transpose(1, 2)
    assert torch.allclose(model({"one_hot": x})["output"], network(x), atol=1e-6)


def test_names_that_do_not_fit_are_told_and_renamed(run, tmp_path, monkeypatch):
    state = torch.load(run[0], weights_only=True)
    torch.save({key.replace("0.", "conv.", 1) if key.startswith("0.") else key: x for key, x in state.items()}, run[0])
    _, importer = importer_of("published_plugin:Published")
    with pytest.raises(ZooError, match=r"no tensor for 0.weight, 0.bias of the network, but beside it conv.weight"):
        import_model(run[:1], "published", tmp_path / "m", importer=importer)
    from published_plugin import Published

    monkeypatch.setattr(Published, "renames", {"conv.": "0."})
    assert import_model(run[:1], "published", tmp_path / "m", golden=run[1:], importer=importer).difference < 1e-6


def test_a_module_around_the_network_needs_no_rename(run, tmp_path, monkeypatch):
    from published_plugin import Published

    inner = Published.network
    monkeypatch.setattr(Published, "network", lambda self: nn.Sequential(inner(self)))
    _, importer = importer_of("published_plugin:Published")
    assert import_model(run[:1], "published", tmp_path / "m", golden=run[1:], importer=importer).difference < 1e-6


def test_small_outputs_are_held_to_small_differences(run, tmp_path):
    state = torch.load(run[0], weights_only=True)
    torch.save({**state, "5.bias": state["5.bias"] - 12}, run[0])  # before a sigmoid
    before = np.load(run[2]).astype(float)
    outputs = before / (before + (1 - before) * np.exp(12))
    assert outputs.max() < 1e-4
    _, importer = importer_of("published_plugin:Published")
    np.save(run[2], outputs)
    assert import_model(run[:1], "published", tmp_path / "m", golden=run[1:], importer=importer).difference < 1e-9
    for wrong, words in ((1.01 * outputs, "differs from"), (0 * outputs, "holds nothing but 0")):
        np.save(run[2], wrong)
        with pytest.raises(ZooError, match=words):
            import_model(run[:1], "published", tmp_path / "x", golden=run[1:], importer=importer)
    assert not (tmp_path / "x").exists()


def test_a_network_that_gives_a_tuple_is_named(run, tmp_path, monkeypatch):
    from published_plugin import Published

    class Two(nn.Module):
        def forward(self, x):
            return x.sum(2), x

    monkeypatch.setattr(Published, "network", lambda self: Two())
    _, importer = importer_of("published_plugin:Published")
    with pytest.raises(ConfigError, match="the network of Published gives a tuple: let network"):
        import_model(run[:1], "published", tmp_path / "m", importer=importer)


def test_other_shapes_and_tensors_left_over_are_refused(run, tmp_path):
    state = torch.load(run[0], weights_only=True)
    _, importer = importer_of("published_plugin:Published")
    torch.save({**state, "5.weight": torch.zeros(3, 41)}, run[0])
    with pytest.raises(ZooError, match=r"'5.weight' has the shape \(3, 41\) where \(3, 40\) is expected"):
        import_model(run[:1], "published", tmp_path / "m", importer=importer)
    torch.save({**state, "7.weight": torch.zeros(3, 41)}, run[0])
    with pytest.raises(ZooError, match=r"holds 1 of 10 tensors that 'published' does not use \(7.weight \(3, 41\)\)"):
        import_model(run[:1], "published", tmp_path / "m", importer=importer)
    torch.save({**state, "5.bias": torch.full((3,), torch.nan)}, run[0])
    with pytest.raises(ZooError, match="NaN or infinity"):
        import_model(run[:1], "published", tmp_path / "m", importer=importer)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("published_plugin", "does not read package.module:Class"),
        ("published_plugin:Nothing", "no installed plugin registers"),
        ("published_plugin:published", "did you mean published_plugin:Published?"),
        ("os:system", "no installed plugin registers"),
        ("zoo.encoders.motif_cnn:MotifCNN", "is no zoo.importing.network.Network"),
    ],
)
def test_what_is_no_network_of_a_plugin(module, words):
    with pytest.raises(ConfigError, match=words):
        importer_of(module)


def test_a_class_that_states_another_output_than_it_has(run, tmp_path, monkeypatch):
    from published_plugin import Published

    _, importer = importer_of("published_plugin:Published")
    for attribute, value, words in (
        ("tasks", ("a", "b"), r"gives \(3, 1\) a window where its tasks and positions say \(2, 1\)"),
        ("length", 50, "does not take NCL windows of 50 bp"),
        ("layout", "NC1L", "does not take NC1L windows"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Published, attribute, value)
            with pytest.raises(ConfigError, match=words):
                import_model(run[:1], "published", tmp_path / "m", importer=importer)


def test_a_layout_or_letters_that_are_none():
    class Wrong(Network):
        length, tasks, layout = 10, ("a",), "LNC"

    with pytest.raises(ConfigError, match="must be NCL, NLC or NC1L"):
        Wrong()
