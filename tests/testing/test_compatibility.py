"""`zoo check --all-published`: a row a published model and device, and why one did not pass."""

import json

import pytest
import torch

import zoo
from zoo.cli.main import main
from zoo.errors import DataError
from zoo.hub import manifest
from zoo.hub.loader import pull
from zoo.testing.compatibility import Compatibility, check_on, devices, write_compatibility

SHIPPED = [m["name"] for m in zoo.list_models() if m["source"].startswith("pkg://")]


def test_every_shipped_model_passes_and_the_file_says_where(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("ZOO_HUB", raising=False)
    path = tmp_path / "compatibility.json"
    assert main(["check", "--all-published", "-o", str(path)]) == 0
    rows = {row["model"]: row for row in json.loads(path.read_text())["rows"] if row["device"] == "cpu"}
    assert len(SHIPPED) >= 5
    assert {rows[name]["status"] for name in SHIPPED} == {"pass"}
    for name in SHIPPED:
        assert 0 <= rows[name]["difference"] < 1e-4
        assert rows[name]["revision"] == manifest.revision_of(pull(name))
        assert rows[name]["torch"] == torch.__version__
    out, err = capsys.readouterr()
    assert f"pass         {'ctcf-motif-cnn'.ljust(max(map(len, rows)))}  cpu" in out
    assert "0 fail" in err


@pytest.fixture
def registry_of_two(tmp_path, monkeypatch):
    """A registry of a model whose weights were changed, with a manifest to fit, and of one that is nowhere."""
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "changed"
    folder.mkdir()
    for path in pull("ctcf-motif-cnn").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    save_file({k: x * 1.5 if x.is_floating_point() else x for k, x in weights.items()}, folder / "model.safetensors")
    manifest.write(folder)
    entries = {"changed": str(folder), "gone": f"{tmp_path}/nowhere"}
    registry = tmp_path / "registry.yaml"
    registry.write_text("models:\n" + "".join(f"  {n}:\n    source: {s}\n" for n, s in entries.items()))
    monkeypatch.setenv("ZOO_REGISTRY", str(registry))


def test_other_weights_fail_and_what_is_not_here_is_unavailable(registry_of_two):
    changed, gone = check_on("changed", "cpu"), check_on("gone", "cpu")
    assert (changed.status, changed.difference) == ("fail", None)
    assert "differs from its golden outputs by" in changed.reason
    assert gone.status == "unavailable"
    assert "there is no folder" in gone.reason


def test_a_failure_is_the_exit_code(registry_of_two, monkeypatch, capsys):
    from zoo.hub.names import published
    from zoo.testing import compatibility

    monkeypatch.setattr(compatibility, "published", lambda: [e for e in published() if e.name in ("changed", "gone")])
    assert main(["check", "--all-published", "--failed"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("fail")
    assert "gone" not in out
    assert "0 pass, 1 fail, 1 unavailable" in err


def test_rows_of_other_versions_and_devices_stay(tmp_path):
    path = tmp_path / "c.json"
    old = [Compatibility("m", "r", v, d, "pass", 1e-7) for v, d in [("2.6", "cpu"), ("2.7", "cpu"), ("2.7", "H200")]]
    assert write_compatibility(path, old) == 3
    assert write_compatibility(path, [Compatibility("m", "r", "2.7", "cpu", "fail", reason="drift")]) == 3
    rows = json.loads(path.read_text())["rows"]
    assert [(r["torch"], r["device"], r["status"]) for r in rows] == [
        ("2.6", "cpu", "pass"), ("2.7", "H200", "pass"), ("2.7", "cpu", "fail"),
    ]  # fmt: skip
    path.write_text("[1]")
    with pytest.raises(DataError, match="no table of compatibility"):
        write_compatibility(path, old)
    assert path.read_text() == "[1]"


def test_the_cpu_is_a_device():
    assert devices()[0] == "cpu"


@pytest.mark.parametrize("args", [[], ["zoo-core", "-o", "c.json"], ["zoo-core", "--all-published"]])
def test_what_cannot_be_meant_is_one_sentence(args, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["check", *args]) == 1
    assert "--all-published" in capsys.readouterr().err
