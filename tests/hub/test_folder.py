"""A hub in a folder, and the cache in front of it."""

from __future__ import annotations

import shutil

import pytest
import torch

import zoo
from zoo.errors import HubError
from zoo.files.locations import cache_root
from zoo.hub import manifest
from zoo.hub.cache import pull_source
from zoo.hub.loader import pull
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.hub.sources import parse_source
from zoo.hub.verify import verify_files


@pytest.fixture
def root(tmp_path):
    return tmp_path / "hub"


@pytest.fixture
def published(root, bundle):
    """Source with revision of a model in a folder."""
    return zoo.publish(bundle, "tiny", f"file://{root}")


def test_what_is_published_is_loaded_to_the_bit(published, root, model, batch):
    for name in (published, f"file://{root}/tiny", published[:-50]):
        loaded = zoo.load(name)
        assert loaded.source == published
        assert loaded.spec.name == "tiny"
        torch.testing.assert_close(loaded.predict(batch), model.eval().predict(batch), rtol=0, atol=0)


def test_the_layout_is_a_revision_and_a_ref(published, root):
    revision = published.partition("@")[2]
    assert sorted(p.name for p in (root / "tiny").iterdir()) == sorted([revision, "refs"])
    assert (root / "tiny" / "refs" / "main").read_text() == revision + "\n"
    assert verify_files(root / "tiny" / revision) == revision


def test_publishing_the_same_again_changes_nothing_and_another_adds_a_revision(
    published, root, bundle, make_model, batch, tmp_path
):
    assert zoo.publish(bundle, "tiny", str(root)) == published
    save_bundle(make_model(seed=3), tmp_path / "other", batch)
    other = zoo.publish(tmp_path / "other", "tiny", str(root))
    assert other != published
    assert zoo.load(f"file://{root}/tiny").source == other
    assert zoo.load(published).source == published


def test_several_runs_become_one_model_that_answers_with_their_mean(make_model, batch, root, tmp_path):
    members = [make_model(seed=s, metrics=({"metric": "auroc", "value": 0.9 + s / 100, "n": 50},)) for s in range(3)]
    for i, member in enumerate(members):
        save_bundle(member, tmp_path / f"run{i}" / "model", batch)
    source = zoo.publish([tmp_path / f"run{i}" for i in range(3)], "trio", str(root))
    loaded = zoo.load(source)
    assert loaded.spec.members == 3
    assert [row["member"] for row in loaded.spec.metrics] == [0, 1, 2]
    mean = torch.stack([m.eval()(batch)["CTCF"] for m in members]).mean(0)
    torch.testing.assert_close(loaded(batch)["CTCF"], mean)
    assert "3 networks" in (pull(source) / "README.md").read_text()


def test_unlike_members_are_refused(make_model, make_spec, batch, root, tmp_path):
    from zoo.model import build

    save_bundle(make_model(), tmp_path / "a", batch)
    encoder = {"name": "tiny_conv", "channels": 5, "width": 3, "layers": 1}
    heads = {"CTCF": {"name": "tiny_mean", "in_channels": 5, "tasks": ["CTCF"]}}
    save_bundle(build(make_spec(encoder=encoder, heads=heads)), tmp_path / "b", batch)
    with pytest.raises(HubError, match="model 2 differs from the first in encoder"):
        zoo.publish([tmp_path / "a", tmp_path / "b"], "mixed", str(root))
    assert not root.exists()


def test_the_metrics_of_a_run_reach_the_card(bundle, root, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    bundle.rename(run / "model")
    row = '{"predictor": "tiny-ctcf", "baseline": false, "metric": "auroc", "value": 0.91, "n": 1133, "split": "test"}'
    (run / "metrics.json").write_text(f"[{row}]")
    card = (pull(zoo.publish(run, "tiny", str(root))) / "README.md").read_text()
    assert "| tiny | auroc | 0.91 | 1133 | test |" in card


def test_a_pulled_copy_is_used_when_the_folder_is_away(published, root, caplog):
    pull(published)
    pull(f"file://{root}/tiny")
    shutil.rmtree(root)
    assert zoo.load(published).source == published
    assert zoo.load(f"file://{root}/tiny").source == published
    assert "using the cached copy" in caplog.text
    with pytest.raises(HubError, match=r"is not there.*no copy of"):
        zoo.load(f"file://{root}/other")


def test_a_damaged_copy_is_noticed_and_force_mends_it(published):
    folder = pull(published)
    weights = folder / "model.safetensors"
    good = weights.read_bytes()
    for bad in (good[:-1], good[:-1] + bytes([good[-1] ^ 4])):
        weights.write_bytes(bad)
        with pytest.raises(HubError, match=r"model\.safetensors .*run `zoo pull file://.* --force`"):
            zoo.load(published)
    pull(published, force=True)
    assert weights.read_bytes() == good
    zoo.load(published)


def test_a_published_model_that_was_changed_later_is_not_pulled(published, root):
    weights = next((root / "tiny").glob("*/model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(HubError, match="sha256"):
        pull(published)
    assert list((cache_root() / "models").rglob("*.safetensors")) == []


@pytest.mark.parametrize("wanted", ["v2", "0000000", "f" * 64])
def test_a_wrong_revision_is_one_sentence(published, root, wanted):
    with pytest.raises(HubError, match="revision"):
        zoo.load(f"file://{root}/tiny@{wanted}")


def test_a_ref_that_leads_elsewhere_is_refused(published, root, tmp_path):
    (root / "tiny" / "refs" / "main").write_text("../../bundle\n")
    with pytest.raises(HubError, match="names no revision"):
        zoo.load(f"file://{root}/tiny")


def test_offline_a_folder_still_answers(published, root, monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    assert zoo.load(f"file://{root}/tiny").source == published


def test_a_link_in_a_strangers_folder_is_not_followed(published, root, tmp_path):
    revision = published.partition("@")[2]
    secret = tmp_path / "secret"
    card = root / "tiny" / revision / "README.md"
    secret.write_bytes(card.read_bytes())
    card.unlink()
    card.symlink_to(secret)
    with pytest.raises(HubError, match="link"):
        pull(published)


def test_models_inside_a_package_are_read_where_they_lie(bundle, tmp_path, monkeypatch):
    package = tmp_path / "site" / "zoo_toy"
    (package / "weights").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('a model folder is found without importing this')")
    bundle.rename(package / "weights" / "tiny")
    monkeypatch.syspath_prepend(tmp_path / "site")
    loaded = zoo.load("pkg://zoo_toy/weights/tiny")
    revision = manifest.revision_of(package / "weights" / "tiny")
    assert (loaded.source, loaded.revision) == (f"pkg://zoo_toy/weights/tiny@{revision}", revision)
    assert zoo.load("pkg://zoo_toy/weights/tiny", revision=revision[:12]).revision == revision
    assert not cache_root().exists()
    for name, message in [
        ("pkg://zoo_toy/weights/tiny@" + "0" * 64, "not 0000"),
        ("pkg://zoo_toy/weights/other", "holds no model"),
        ("pkg://zoo_nonesuch/tiny", "not installed"),
    ]:
        with pytest.raises(HubError, match=message):
            zoo.load(name)


def test_a_cached_model_of_a_read_only_cache_is_loaded(published):
    pull(published)
    pulled = pull_source(parse_source(published))
    assert load_bundle(pulled.folder).spec.name == "tiny"
