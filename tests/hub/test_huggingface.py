"""The real huggingface_hub client against a server on loopback."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch

import zoo
from zoo.errors import HubError
from zoo.files.locations import cache_root
from zoo.hub import manifest
from zoo.hub.loader import pull

pytestmark = [
    pytest.mark.network,
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),  # the client's own, in its lfs upload
]

PLACE = "hf://genomics"


@pytest.fixture
def published(hub, bundle):
    """Source with revision of a model on the server."""
    return zoo.publish(bundle, "tiny", PLACE)


def files_of(hub, name="genomics/tiny"):
    repository = hub.repositories[name]
    return repository.commits[repository.refs["main"]]


def test_a_published_model_comes_back_to_the_bit(hub, published, model, batch):
    assert published == f"hf://genomics/tiny@{hub.repositories['genomics/tiny'].refs['main']}"
    for name in ("hf://genomics/tiny", published):
        loaded = zoo.load(name)
        assert loaded.source == published
        torch.testing.assert_close(loaded.predict(batch), model.eval().predict(batch), rtol=0, atol=0)


def test_publishing_is_one_commit_of_the_manifests_files(hub, published, bundle):
    repository = hub.repositories["genomics/tiny"]
    assert len(repository.titles) == 2
    listed = {entry.path for entry in manifest.read(pull(published))}
    assert set(files_of(hub)) == {*listed, manifest.MANIFEST, ".gitattributes"}


def test_large_files_travel_by_lfs(hub, published):
    assert any("/info/lfs/objects/batch" in request for request in hub.requests)


def test_a_pinned_and_cached_model_asks_the_server_nothing(hub, published):
    pull(published)
    before = len(hub.requests)
    zoo.load(published)
    assert len(hub.requests) == before


def test_publishing_again_moves_main_and_keeps_the_first(hub, published, make_model, batch, tmp_path):
    from zoo.hub.model_folder import save_bundle

    save_bundle(make_model(seed=9), tmp_path / "second", batch)
    second = zoo.publish(tmp_path / "second", "tiny", PLACE)
    assert second != published
    assert zoo.load("hf://genomics/tiny").source == second
    assert zoo.load(published).source == published


def test_a_file_that_a_stranger_added_is_not_downloaded(hub, published):
    repository = hub.repositories["genomics/tiny"]
    sha = repository.commit({**files_of(hub), "weights.pkl": b"cos\nsystem\n"}, "helpful addition")
    folder = pull(f"hf://genomics/tiny@{sha}")
    assert not (folder / "weights.pkl").exists()
    assert not any("weights.pkl" in request for request in hub.requests)


def test_bytes_that_the_client_does_not_compare_are_refused_by_the_manifest(hub, published):
    good = files_of(hub)["model.safetensors"]
    hub.corrupt["model.safetensors"] = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(HubError, match=r"model\.safetensors does not have the sha256.*pull"):
        pull("hf://genomics/tiny")
    assert [p.name for p in (cache_root() / "models").rglob("model.safetensors")] == []
    hub.corrupt.clear()
    zoo.load("hf://genomics/tiny")


def test_a_download_that_is_cut_once_is_taken_up_again(hub, published, batch):
    hub.cut["model.safetensors"] = 100
    zoo.load("hf://genomics/tiny")
    assert hub.cut == {}


def test_a_pull_that_was_killed_is_completed_by_the_next(hub, published, monkeypatch):
    from zoo.hub import huggingface

    whole = huggingface.download

    def killed_at_the_weights(url, headers, path, size):
        if path.name == "model.safetensors":
            raise KeyboardInterrupt
        return whole(url, headers, path, size)

    monkeypatch.setattr(huggingface, "download", killed_at_the_weights)
    with pytest.raises(KeyboardInterrupt):
        pull("hf://genomics/tiny")
    monkeypatch.setattr(huggingface, "download", whole)
    zoo.load("hf://genomics/tiny")
    fetched = [r for r in hub.requests if r.startswith("GET") and "/resolve/" in r]
    assert len(fetched) == len(set(fetched)) == len(files_of(hub)) - 1
    assert list((cache_root() / "models").rglob(".partial-*")) == []


def test_a_line_that_is_cut_again_and_again_is_one_sentence_and_leaves_nothing(hub, published):
    hub.cut["model.safetensors"], hub.cut_always = 0, True
    with pytest.raises(HubError, match=r"cut|does not answer"):
        pull("hf://genomics/tiny")
    assert list((cache_root() / "models").glob("*/[!.]*/manifest.json")) == []
    hub.cut.clear()
    zoo.load("hf://genomics/tiny")


def test_two_processes_pull_at_once(hub, published):
    code = f"from zoo.hub.loader import pull; print(pull({published!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=60)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0] == answers[1]
    gets = [r for r in hub.requests if r.startswith("GET") and r.endswith("model.safetensors")]
    assert len(gets) == 1


def test_a_wrong_revision_and_an_unknown_name_are_one_sentence(hub, published):
    with pytest.raises(HubError, match="has no revision 'v9'"):
        zoo.load("hf://genomics/tiny@v9")
    with pytest.raises(HubError, match="has no hf://genomics/nonesuch"):
        zoo.load("hf://genomics/nonesuch")


def test_a_tag_is_a_revision(hub, published):
    repository = hub.repositories["genomics/tiny"]
    repository.refs["v1.0"] = repository.refs["main"]
    assert zoo.load("hf://genomics/tiny@v1.0").source == published


def test_a_repository_that_is_no_zoo_model_is_refused(hub):
    hub.repositories["genomics/bert"] = loopback_repository({"pytorch_model.bin": b"..."})
    with pytest.raises(HubError, match="no model of the zoo"):
        zoo.load("hf://genomics/bert")


def test_without_the_token_a_server_refuses_to_be_written(hub, bundle, monkeypatch):
    hub.token = "secret"
    with pytest.raises(HubError, match=r"refuses writing.*hf auth login"):
        zoo.publish(bundle, "tiny", PLACE)
    monkeypatch.setenv("HF_TOKEN", "secret")
    zoo.publish(bundle, "tiny", PLACE, private=True)
    assert hub.repositories["genomics/tiny"].private
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubError, match="or it is private"):
        zoo.load("hf://genomics/tiny")


def test_somebody_else_who_publishes_meanwhile_is_noticed(hub, published, bundle, monkeypatch):
    import huggingface_hub

    plain = huggingface_hub.HfApi.create_commit

    def overtaken(self, *args, **kwargs):
        hub.repositories["genomics/tiny"].commit(files_of(hub), "meanwhile")
        return plain(self, *args, **kwargs)

    monkeypatch.setattr(huggingface_hub.HfApi, "create_commit", overtaken)
    with pytest.raises(HubError, match="at the same moment"):
        zoo.publish(bundle, "tiny", PLACE)


def test_a_server_that_is_down_is_said_in_seconds(hub, published, monkeypatch, caplog):
    pull("hf://genomics/tiny")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    start = time.monotonic()
    assert zoo.load("hf://genomics/tiny").source == published
    assert "using the cached copy" in caplog.text
    with pytest.raises(HubError, match=r"does not answer.*no copy of hf://genomics/other is cached"):
        zoo.load("hf://genomics/other")
    assert time.monotonic() - start < 5


def test_a_server_that_fails_is_said_in_seconds(hub, published):
    hub.down = True
    start = time.monotonic()
    with pytest.raises(HubError, match="answers 503"):
        zoo.load("hf://genomics/tiny")
    assert time.monotonic() - start < 5


def test_offline_only_the_cache_is_used(hub, published, monkeypatch):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    with pytest.raises(HubError, match=r"not cached.*ZOO_OFFLINE is set"):
        zoo.load("hf://genomics/tiny")
    monkeypatch.delenv("ZOO_OFFLINE")
    pull("hf://genomics/tiny")
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    before = len(hub.requests)
    assert zoo.load("hf://genomics/tiny").source == published
    assert len(hub.requests) == before


def test_zoo_hub_is_looked_in_first_and_lists_its_models(hub, published, monkeypatch):
    monkeypatch.setenv("ZOO_HUB", PLACE)
    assert [m["name"] for m in zoo.list_models() if m["source"] == "hf://genomics/tiny"] == ["tiny"]
    assert zoo.load("tiny").source == published
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert zoo.load("tiny").source == published


def test_a_model_of_many_revisions_is_pinned_by_the_registry(hub, published, make_model, batch, tmp_path, monkeypatch):
    from zoo.hub.model_folder import save_bundle

    save_bundle(make_model(seed=9), tmp_path / "second", batch)
    zoo.publish(tmp_path / "second", "tiny", PLACE)
    (tmp_path / "registry.yaml").write_text(
        f"models:\n  ctcf:\n    source: hf://genomics/tiny\n    revision: {published.partition('@')[2]}\n"
    )
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "registry.yaml"))
    assert zoo.load("ctcf").source == published
    assert zoo.load("ctcf@main").source != published


@pytest.mark.parametrize("part", ["/api/models/", "/manifest.json", "/model.safetensors"])
def test_a_server_that_trickles_ends_in_a_sentence(part, hub, published, monkeypatch):
    monkeypatch.setattr("zoo.hub.download.PATIENCE", 0.4)
    hub.trickle.add(part)
    start = time.monotonic()
    with pytest.raises(HubError, match=r"is too slow: \d+ bytes came in 0\.4 s"):
        pull("hf://genomics/tiny")
    assert time.monotonic() - start < 3
    hub.trickle.clear()
    pull("hf://genomics/tiny", force=True)


@pytest.mark.parametrize("part", ["/api/models/", "/manifest.json", "/model.safetensors"])
def test_a_server_that_never_stops_is_read_no_further_than_the_manifest_says(part, hub, published):
    hub.endless.add(part)
    with pytest.raises(HubError, match=r"sends more than the [\d,]+ bytes that it may have"):
        pull("hf://genomics/tiny")
    assert hub.sent < hub.most_endless / 2
    assert not [p for p in (cache_root() / "models").rglob("*") if p.suffix in (".safetensors", ".part")]


def test_a_size_that_is_announced_too_large_is_not_read_at_all(hub, published):
    hub.corrupt["model.safetensors"] = b"x" * (1 << 22)
    with pytest.raises(HubError, match="sends more than"):
        pull("hf://genomics/tiny")


def test_a_file_that_is_too_short_is_refused(hub, published):
    hub.corrupt["model.safetensors"] = b"x" * 10
    with pytest.raises(HubError, match=r"has 10 bytes instead of the [\d,]+ of its manifest"):
        pull("hf://genomics/tiny")


@pytest.mark.parametrize("sha", ["../../../etc", "a/b", "", None, 7, "x" * 500, "\x1b[2J"])
def test_a_commit_that_is_no_name_is_refused(sha, hub, published, tmp_path, monkeypatch):
    monkeypatch.setattr("loopback._Handler._info", lambda self, name, found: {"id": name, "sha": sha})
    with pytest.raises(HubError) as caught:
        pull("hf://genomics/tiny")
    assert "\x1b" not in str(caught.value)


def test_names_that_no_model_can_have_do_not_spoil_the_list(hub, published, monkeypatch):
    hub.repositories["genomics/BERT Large\x1b[2J"] = hub.repositories["genomics/tiny"]
    monkeypatch.setenv("ZOO_HUB", PLACE)
    assert [m["name"] for m in zoo.list_models() if m["source"].startswith("hf://genomics")] == ["tiny"]


def loopback_repository(files):
    import loopback

    repository = loopback.Repository()
    repository.commit(files, "initial commit")
    return repository
