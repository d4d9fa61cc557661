"""Files of an installed distribution: pinned, confined, bounded, and made into a model once."""

from __future__ import annotations

import hashlib
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import HubError
from zoo.hub.distribution import KIND, InstalledWeights, distribution_files, fingerprint, read_installed
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.registry import registry
from zoo.spec import ModelSpec

SOURCE = "dist://their-weights/theirs/models"


class TheirWeights(InstalledWeights):
    """A tiny model whose one bias is what the file says."""

    install, terms = "their-weights==1.0", "for tests only"
    runs = 0

    def convert(self, files, folder):
        type(self).runs += 1
        spec = ModelSpec("theirs", {"name": "tiny_conv"}, {"tiny": {"name": "tiny_mean", "in_channels": 4}}, 20)
        model = build(spec)
        with torch.no_grad():
            model.heads["tiny"].linear.bias.fill_(float(files[0].read_text()))
        save_bundle(model, folder, {"codes": np.zeros((2, 20), np.uint8)})


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site-packages folder with the distribution in it, as pip leaves it."""
    folder = tmp_path / "site-packages"
    (folder / "theirs" / "models" / "deeper").mkdir(parents=True)
    (folder / "theirs" / "models" / "b.txt").write_text("0.5")
    (folder / "theirs" / "models" / "a.txt").write_text("0.25")
    (folder / "theirs" / "models" / "unrecorded.txt").write_text("9")
    (folder / "theirs" / "models" / "deeper" / "c.txt").write_text("9")
    info = folder / "their_weights-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-weights\nVersion: 1.0\n")
    recorded = ["theirs/models/b.txt", "theirs/models/a.txt", "theirs/models/deeper/c.txt", "../outside.txt"]
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in recorded))
    (tmp_path / "outside.txt").write_text("secret")
    monkeypatch.syspath_prepend(str(folder))
    module = ModuleType("their_converter")
    module.TheirWeights = TheirWeights
    monkeypatch.setitem(sys.modules, "their_converter", module)
    monkeypatch.setattr(TheirWeights, "runs", 0)
    registry().add(KIND, "their-weights/theirs/models", "their_converter:TheirWeights")
    return folder


def pin(site) -> str:
    """What `sha256sum *.txt | sha256sum` prints for the recorded files."""
    lines = [f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in (("a.txt", b"0.25"), ("b.txt", b"0.5"))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_recorded_files_of_a_folder_are_fingerprinted_as_sha256sum_does(site):
    files = distribution_files("their-weights", "theirs/models")
    assert [f.name for f in files] == ["a.txt", "b.txt"]
    assert fingerprint(files) == pin(site)
    assert fingerprint(files[:1]) == hashlib.sha256(b"0.25").hexdigest()


def test_a_model_is_made_once_and_stays_when_the_distribution_goes(site, monkeypatch):
    model = zoo.load(f"{SOURCE}@{pin(site)}")
    assert model.heads["tiny"].linear.bias.item() == 0.25
    assert model.revision == pin(site)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(site)])
    assert zoo.load(f"{SOURCE}@{pin(site)}").heads["tiny"].linear.bias.item() == 0.25
    assert TheirWeights.runs == 1


def test_other_bytes_than_were_pinned_are_not_converted(site):
    revision = pin(site)
    (site / "theirs" / "models" / "a.txt").write_text("0.75")
    with pytest.raises(HubError, match=r"has the sha256 .* not .*their-weights==1\.0"):
        zoo.load(f"{SOURCE}@{revision}")
    assert TheirWeights.runs == 0


def test_without_the_distribution_one_sentence_says_what_to_install_and_under_which_terms(site, monkeypatch):
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(site)])
    with pytest.raises(HubError) as caught:
        zoo.load(f"{SOURCE}@{'0' * 64}")
    assert "pip install --no-deps 'their-weights==1.0', under its terms (for tests only)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_changed_while_they_were_converted_are_no_model(site, monkeypatch):
    convert = TheirWeights.convert

    def meddle(self, files, folder):
        convert(self, files, folder)
        files[1].write_text("7")

    monkeypatch.setattr(TheirWeights, "convert", meddle)
    with pytest.raises(HubError, match="changed while"):
        zoo.load(f"{SOURCE}@{pin(site)}")


def test_nothing_outside_the_distribution_is_read(site, tmp_path):
    with pytest.raises(HubError):
        read_installed(f"dist://their-weights/../outside.txt@{hashlib.sha256(b'secret').hexdigest()}", 100)
    with pytest.raises(HubError, match="recorded no file"):
        distribution_files("their-weights", "theirs/models/unrecorded.txt")
    (site / "theirs" / "models" / "a.txt").unlink()
    (site / "theirs" / "models" / "a.txt").symlink_to(tmp_path / "outside.txt")
    with pytest.raises(HubError, match="is a link"):
        distribution_files("their-weights", "theirs/models")


def test_a_folder_that_is_a_link_is_not_followed(site, tmp_path):
    (site / "theirs").rename(tmp_path / "elsewhere")
    (site / "theirs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HubError, match="is a link"):
        distribution_files("their-weights", "theirs/models/a.txt")


def test_one_file_is_read_with_its_sha256_and_a_bound(site):
    source, digest = "dist://their-weights/theirs/models/b.txt", hashlib.sha256(b"0.5").hexdigest()
    assert read_installed(f"{source}@{digest}", 3) == b"0.5"
    with pytest.raises(HubError, match="larger than 2 bytes"):
        read_installed(f"{source}@{digest}", 2)
    with pytest.raises(HubError, match="has the sha256"):
        read_installed(f"{source}@{'0' * 64}", 3)
    with pytest.raises(HubError, match="with its sha256"):
        read_installed(source, 3)
    with pytest.raises(HubError, match="folder of 2 files"):
        read_installed(f"dist://their-weights/theirs/models@{digest}", 3)


def test_a_path_for_which_no_plugin_has_a_converter_is_no_model(site):
    with pytest.raises(HubError, match="no installed plugin makes a model"):
        zoo.load("dist://their-weights/theirs/models/deeper")
