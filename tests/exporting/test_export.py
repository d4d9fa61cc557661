"""An exported file computes what the model computes, says what it holds, and is not written where it does not."""

import json
import warnings
from functools import cache

import numpy as np
import onnxruntime
import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.errors import ConfigError, ZooError
from zoo.exporting import export as exporting
from zoo.exporting.export import TOLERANCE, export, export_model, format_of
from zoo.hub.config_file import read_spec
from zoo.hub.loader import pull
from zoo.model import Ensemble, build
from zoo.spec import ModelSpec
from zoo.testing.samples import sample

SHIPPED = [m["name"] for m in zoo.list_models() if m["source"].startswith("pkg://")]
OF_SEQUENCES = [name for name in SHIPPED if "one_hot" in read_spec(pull(name)).inputs]

RECURRENT = [
    {"name": "cnn_rnn_attention", "filters": 8, "hidden": 4, "cell": "gru", "tied": True},
    {"name": "cnn_rnn_attention", "filters": 8, "hidden": 4, "cell": "lstm", "heads": 2},
]
SCALAR = {"name": "scalar", "tasks": ["CTCF", "YY1"]}


def model_of(encoder, head=SCALAR, **changes):
    """A model of 96 bp with random weights whose logits are spread, so that a wrong one shows."""
    torch.manual_seed(0)
    spec = ModelSpec("m", encoder, {"h": head}, 96, activation={"h": "sigmoid"})
    encoder_module = zoo.registry.registry().build("encoder", encoder["name"], _arguments(encoder))
    heads = {"h": {**head, "in_channels": encoder_module.out_channels}}
    model = build(spec.replace(heads=heads, **changes)).eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return model


def _arguments(part):
    return {k: v for k, v in part.items() if k != "name"}


def codes(n, length=96, seed=1):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 5, (n, length)).astype(np.uint8))


def answers_of(path, batch):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, {k: x.numpy() for k, x in batch.items()}), strict=True))


def test_the_shipped_models_of_sequences_are_counted():
    assert {"ci-spliceai", "ctcf-motif-cnn", "ctcf-dilated-cnn", "hic-simulated"} <= set(OF_SEQUENCES)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """shipped(name) -> the ONNX file of a shipped model."""
    folder = tmp_path_factory.mktemp("onnx")

    @cache
    def exported(name):
        done = export(name, folder / f"{name}.onnx")
        assert done.worst <= TOLERANCE
        return done.path

    return exported


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if "splice" in n else n for n in OF_SEQUENCES]
)
def test_each_shipped_model_of_sequences_is_the_same_in_onnxruntime(name, shipped):
    model = zoo.load(name)
    batch = {"codes": codes(2, model.spec.input_length)}
    answers = answers_of(shipped(name), batch)
    with torch.no_grad():
        expected = model.predict(batch)
    assert answers.keys() == expected.keys()
    for head, value in expected.items():
        np.testing.assert_allclose(answers[head], value.numpy(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("encoder", RECURRENT, ids=lambda e: f"{e['name']}-{e['cell']}")
def test_recurrent_layers_read_any_number_of_sequences(encoder, tmp_path):
    model = model_of(encoder, conjoined=not encoder.get("tied"))
    export_model(model, {"codes": codes(4)}, tmp_path / "m.onnx", "onnx")
    for n in (1, 2, 7):
        batch = {"codes": codes(n, seed=n)}
        with torch.no_grad():
            expected = model.predict(batch)["h"].numpy()
        np.testing.assert_allclose(answers_of(tmp_path / "m.onnx", batch)["h"], expected, rtol=0, atol=1e-5)


def test_an_ensemble_of_conjoined_members_that_read_quarters_is_their_mean(tmp_path):
    of_one = model_of({"name": "motif_cnn", "filters": 8}, conjoined=True, n_encoding="quarter")
    members = [of_one, model_of({"name": "motif_cnn", "filters": 8}, conjoined=True, n_encoding="quarter")]
    with torch.no_grad():
        for p in members[1].parameters():
            p.mul_(-0.5)
    model = Ensemble(of_one.spec, members).eval()
    export_model(model, {"codes": codes(2)}, tmp_path / "m.onnx", "onnx", raw=True)
    batch = {"codes": codes(5)}
    batch["codes"][:, 20:60] = 4
    with torch.no_grad():
        separate = torch.stack([m(batch)["h"] for m in members])
    assert (separate[0] - separate[1]).abs().max() > 0.1
    np.testing.assert_allclose(answers_of(tmp_path / "m.onnx", batch)["h"], separate.mean(0), rtol=0, atol=1e-5)


def test_inputs_that_may_be_missing_come_with_a_flag(tmp_path):
    signal = {"channels": ["ATAC"], "bin_size": 8, "unit": "reads", "transform": "log1p"}
    encoder = {"name": "multi_modal", "channels": 8, "heads": 2, "layers": 1, "signal": signal, "contexts": ["A", "B"]}
    model = model_of(encoder)
    batch = {"codes": codes(3)} | {
        k: x for k, x in sample(model.input_fields, 3, 96).items() if k.removeprefix("present/") != "one_hot"
    }
    exported = export_model(model, batch, tmp_path / "m.onnx", "onnx")
    optional = [k for k, f in model.input_fields.items() if not f.required]
    assert optional == ["signal", "context"]
    assert set(exported.inputs) == {
        "codes",
        *(set(model.input_fields) - {"one_hot"}),
        *(f"present/{k}" for k in optional),
    }
    absent = {k: torch.zeros_like(x) if k.removeprefix("present/") in optional else x for k, x in batch.items()}
    with torch.no_grad():
        expected = model.predict({k: x for k, x in batch.items() if k.removeprefix("present/") not in optional})["h"]
    np.testing.assert_allclose(answers_of(tmp_path / "m.onnx", absent)["h"], expected, rtol=0, atol=1e-5)


def test_the_metadata_say_names_units_and_revision(shipped):
    session = onnxruntime.InferenceSession(str(shipped("hic-simulated")), providers=["CPUExecutionProvider"])
    facts = session.get_modelmeta().custom_metadata_map
    spec = read_spec(pull("hic-simulated"))
    assert facts["revision"] == zoo.load("hic-simulated").revision
    assert (facts["name"], facts["licence"], facts["input_length"]) == ("hic-simulated", "MIT", "131072")
    out = json.loads(facts["outputs"])["contacts"]
    assert (out["unit"], out["channels"], out["axes"]) == ("log(observed / expected)", ["log_oe"], "NCTT")
    assert out["positions"] == {"offset": 0, "bin_size": 1024, "length": 128}
    assert out["shape"] == "(N, 1, 128, 128)"
    assert "A C G T N = 0 1 2 3 4" in json.loads(facts["inputs"])["codes"]["meaning"]
    assert spec.outputs["contacts"][0].unit == out["unit"]


def test_torch_export_takes_one_hot_with_gradients(tmp_path):
    export("ctcf-dilated-cnn", tmp_path / "m.pt2", sequence="one_hot", raw=True)
    extra = {"zoo.json": ""}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.export.load(tmp_path / "m.pt2", extra_files=extra).module()
    assert json.loads(extra["zoo.json"])["name"] == "ctcf-dilated-cnn"
    x = torch.nn.functional.one_hot(torch.randint(4, (2, 200)), 4).transpose(1, 2).float().requires_grad_()
    answer = module(x)["binding"]
    answer.sum().backward()
    assert x.grad.abs().sum() > 0
    torch.testing.assert_close(answer, zoo.load("ctcf-dilated-cnn")({"one_hot": x})["binding"], rtol=0, atol=1e-5)


def test_a_file_that_differs_is_not_written_and_the_earlier_one_stays(tmp_path, monkeypatch):
    path, run = tmp_path / "m.onnx", exporting.run_onnx
    path.write_text("earlier")

    def off(file, batches):
        return [{k: x + 2e-5 for k, x in answer.items()} for answer in run(file, batches)]

    monkeypatch.setattr(exporting, "run_onnx", off)
    with pytest.raises(ZooError, match=r"differs from the model by 2e-05 .* it was not written"):
        export("ctcf-motif-cnn", path)
    assert path.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_what_onnx_does_not_have_is_named(tmp_path, capsys):
    assert main(["export", "copy-number", "-o", str(tmp_path / "m.onnx")]) == 1
    assert "computes aten." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_a_name_and_the_format_agree():
    assert (format_of("a.onnx"), format_of("a.pt2"), format_of("a.ONNX", "onnx")) == ("onnx", "torch-export", "onnx")
    with pytest.raises(ConfigError, match=r"end it in \.pt2 for torch-export"):
        format_of("a.onnx", "torch-export")
    with pytest.raises(ConfigError, match=r"\.onnx for onnx or \.pt2 for torch-export"):
        format_of("a.pt")
