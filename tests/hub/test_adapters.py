"""Models stored as a difference: a stranger's pairs and bases are compared before anything is built of them."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

import zoo
from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.adapters import describe_base
from zoo.hub.loader import fetch, pull
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.hub.names import find
from zoo.training.publication import publish

WEIGHT = "encoder.convolutions.0.weight"


@pytest.fixture
def base(bundle, tmp_path):
    """The source, with its revision, of a published model."""
    return publish(bundle, "base", str(tmp_path / "hub"))


@pytest.fixture
def tuned(make_model, base, batch, tmp_path):
    """A model folder whose weights are the base's, a pair of rank 2 added, with a head of its own."""
    pulled = fetch(base)
    model = make_model(seed=7)
    model.encoder.load_state_dict(zoo.load(base).encoder.state_dict())
    torch.manual_seed(3)
    pair = torch.randn(2, 12), torch.randn(4, 2)
    with torch.no_grad():
        weight = model.encoder.convolutions[0].weight
        weight.copy_(weight + (pair[1] @ pair[0]).view_as(weight))
    model.adapters = {WEIGHT: pair}
    stated = describe_base(model.spec, pulled.source.at(pulled.revision), pulled.folder, 0)
    model.spec = model.spec.replace(name="tuned", base=stated)
    save_bundle(model, tmp_path / "tuned", batch)
    return tmp_path / "tuned"


def edit(folder, base=None, tensors=None, config=None):
    """Rewrite a model folder as a stranger could, manifest included."""
    plain = json.loads((folder / "config.json").read_text())
    plain["base"].update(base or {})
    (config or dict)(plain)
    (folder / "config.json").write_text(json.dumps(plain))
    if tensors:
        stored = load_file(folder / "model.safetensors")
        tensors(stored)
        save_file(stored, folder / "model.safetensors")
    (folder / "manifest.json").unlink()
    manifest.write(folder)


def test_a_difference_is_stored_and_loads_to_the_bit(tuned, base, batch):
    stored = load_file(tuned / "model.safetensors")
    assert set(stored) == {f"{WEIGHT}.lora_A", f"{WEIGHT}.lora_B", "heads.CTCF.linear.weight", "heads.CTCF.linear.bias"}
    model = load_bundle(tuned)
    change = (model.encoder.convolutions[0].weight - zoo.load(base).encoder.convolutions[0].weight).flatten(1)
    torch.testing.assert_close(change, stored[f"{WEIGHT}.lora_B"] @ stored[f"{WEIGHT}.lora_A"])
    again = publish(tuned, "again", f"{base.rpartition('/')[0]}")
    torch.testing.assert_close(zoo.load(again).predict(batch), model.predict(batch), rtol=0, atol=0)
    assert set(load_file(pull(again) / "model.safetensors")) == set(stored)


def test_a_whole_model_says_nothing_of_a_base(bundle):
    assert "base" not in json.loads((bundle / "config.json").read_text())


def swap(name, made):
    return lambda stored: stored.update({name: made})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swap(f"{WEIGHT}.lora_A", torch.ones(3, 12)), "which make no"),
        (swap(f"{WEIGHT}.lora_A", torch.ones(2, 13)), "which make no"),
        (swap(f"{WEIGHT}.lora_A", torch.ones(24)), "which make no"),
        (swap(f"{WEIGHT}.lora_B", torch.ones(5, 2)), "which make no"),
        (lambda t: t.update({f"{WEIGHT}.lora_A": torch.ones(9, 12), f"{WEIGHT}.lora_B": torch.ones(4, 9)}), "make no"),
        (lambda t: t.update({f"{WEIGHT}.lora_A": torch.ones(0, 12), f"{WEIGHT}.lora_B": torch.ones(4, 0)}), "make no"),
        (lambda t: t.pop(f"{WEIGHT}.lora_B"), "which make no"),
        (lambda t: t.pop(f"{WEIGHT}.lora_A"), "which make no"),
        (swap("encoder.other.weight.lora_A", torch.ones(2, 12)), "does not have"),
        (swap("heads.CTCF.linear.weight.lora_A", torch.ones(1, 4)), "does not have"),
        (swap(WEIGHT, torch.ones(4, 4, 3)), "does not have"),
        (swap("encoder.more", torch.ones(2)), "do not belong together"),
        (swap("encoder.convolutions.0.bias", torch.ones(9)), "do not belong together"),
        (lambda t: t.pop("heads.CTCF.linear.bias"), "do not belong together"),
        (swap(f"{WEIGHT}.lora_A", torch.full((2, 12), torch.nan)), "NaN or infinity"),
        (swap(f"{WEIGHT}.lora_A", torch.full((2, 12), 3e38)), "NaN or infinity"),
        (swap(f"{WEIGHT}.lora_A", torch.ones(2, 12, dtype=torch.int64)), "another type"),
        (swap(f"{WEIGHT}.lora_A", torch.ones(2, 12, dtype=torch.float16)), "another type"),
        (swap(f"{WEIGHT}.lora_A", torch.ones(2, 12)), "golden|differ"),
    ],
)
def test_a_strangers_pair_is_refused_in_one_sentence(tuned, change, message):
    edit(tuned, tensors=change)
    with pytest.raises(HubError, match=message) as error:
        load_bundle(tuned)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": None}, "by other words"),
        ({"surprise": "x"}, "by other words"),
        ({"source": ""}, "without its source"),
        ({"manifest": "12"}, "without its source"),
        ({"manifest": "0" * 64}, "with the manifest 000000000000, but that of"),
        ({"members": 0}, "not whole numbers"),
        ({"members": [True]}, "not whole numbers"),
        ({"members": [-1]}, "not whole numbers"),
        ({"members": [0, 0]}, "2 members for 1 networks"),
        ({"members": [1]}, "member 1 of .*, which has 1"),
        ({"source": "http://evil/x"}, "is no source"),
        ({"revision": "../../etc"}, "may hold letters"),
        ({"source": "file:///nowhere/base"}, "cannot be had: folder /nowhere is not there"),
    ],
)
def test_a_strangers_base_is_refused_in_one_sentence(tuned, change, message):
    edit(tuned, base=change)
    with pytest.raises(HubError, match=message) as error:
        load_bundle(tuned)
    assert "\n" not in str(error.value)


def test_a_base_of_another_encoder_is_refused(tuned):
    edit(tuned, config=lambda plain: plain["encoder"].update(width=5))
    with pytest.raises(HubError, match="whose encoder has other arguments"):
        load_bundle(tuned)


def test_a_damaged_base_is_no_base(tuned, base, tmp_path):
    load_bundle(tuned)
    weights = fetch(base).folder / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(HubError, match=r"does not have the sha256 .* run `zoo pull .*base@.* --force`"):
        load_bundle(tuned)


def test_a_difference_to_a_difference_is_refused(tuned, base, tmp_path):
    middle = publish(tuned, "middle", str(tmp_path / "hub"))
    pulled = fetch(middle)
    edit(tuned, base={"source": middle.partition("@")[0], "revision": pulled.revision, "manifest": pulled.revision})
    with pytest.raises(HubError, match="which is a difference itself"):
        load_bundle(tuned)


def test_no_file_of_this_machine_is_opened_on_a_servers_word(tuned, hub, batch):
    with pytest.raises(HubError, match=r"is a difference to file://.*, a folder of its publisher's"):
        from zoo.hub.sources import parse_source

        load_bundle(tuned, origin=parse_source("hf://org/tuned"))


@pytest.mark.network
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # the client's own, in its lfs upload
def test_through_a_server_the_base_comes_along_and_stays(tuned, bundle, hub, batch, monkeypatch):
    on_server = publish(bundle, "base", "hf://org")
    pulled = fetch(on_server)
    edit(
        tuned,
        base={
            "source": "hf://org/base",
            "revision": pulled.revision,
            "manifest": manifest.revision_of(pulled.folder),
        },
    )
    expected = load_bundle(tuned).predict(batch)
    published = publish(tuned, "tuned", "hf://org")
    monkeypatch.setenv("ZOO_CACHE", str(tuned.parent / "another"))
    folder = pull(published)
    assert "lora_A" in " ".join(load_file(folder / "model.safetensors"))
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    torch.testing.assert_close(zoo.load(published).predict(batch), expected, rtol=0, atol=0)
    monkeypatch.setenv("ZOO_CACHE", str(tuned.parent / "third"))
    with pytest.raises(HubError, match="not cached"):
        zoo.load(published)
    with pytest.raises(
        HubError, match=r"difference to hf://org/base@.*, which cannot be had: .* run `zoo pull hf://org"
    ):
        load_bundle(tuned)


def test_a_registry_lists_it_like_any_other(tuned, tmp_path, monkeypatch, batch):
    published = publish(tuned, "tuned", str(tmp_path / "hub"))
    source, revision = published.split("@")
    registry = tmp_path / "registry.yaml"
    registry.write_text(f"models:\n  listed:\n    source: {source}\n    revision: {revision}\n    task: CTCF\n")
    monkeypatch.setenv("ZOO_REGISTRY", str(registry))
    assert find("listed")[1].task == "CTCF"
    torch.testing.assert_close(zoo.load("listed").predict(batch), load_bundle(tuned).predict(batch), rtol=0, atol=0)
