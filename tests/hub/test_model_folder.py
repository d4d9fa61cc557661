"""Model folders: what is written is what is loaded."""

from __future__ import annotations

import json
import random

import pytest
import torch

import zoo
from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.config_file import read_spec
from zoo.hub.golden import check_golden
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.hub.verify import verify_files


def test_a_loaded_model_predicts_the_same_to_the_bit(model, batch, bundle):
    loaded = load_bundle(bundle)
    assert not loaded.training
    torch.testing.assert_close(loaded.predict(batch), model.eval().predict(batch), rtol=0, atol=0)
    assert check_golden(loaded, bundle) == 0.0


def test_saving_changes_neither_the_model_nor_the_random_state(model, batch, tmp_path):
    model.train()
    before = {k: x.clone() for k, x in model.state_dict().items()}
    state = torch.random.get_rng_state()
    save_bundle(model, tmp_path / "m", batch)
    load_bundle(tmp_path / "m")
    assert model.training
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[k], x) for k, x in model.state_dict().items())


def test_the_revision_is_a_function_of_the_content(model, make_model, batch, tmp_path):
    first, again = (save_bundle(model, tmp_path / name, batch) for name in ("a", "b"))
    other = save_bundle(make_model(seed=1), tmp_path / "c", batch)
    assert first == again == verify_files(tmp_path / "a")
    assert other != first


def test_an_earlier_model_folder_is_replaced_and_any_other_is_not(model, make_model, batch, bundle, tmp_path):
    save_bundle(make_model(seed=1), bundle, batch)
    assert check_golden(load_bundle(bundle), bundle) == 0.0
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("words")
    with pytest.raises(HubError, match="no model folder"):
        save_bundle(model, tmp_path / "thesis", batch)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "words"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bundle", "thesis"]


def test_tensors_that_share_memory_are_stored_apart(model, batch, tmp_path):
    linear = model.heads["CTCF"].linear
    linear.bias = torch.nn.Parameter(linear.weight.view(-1)[:1])
    save_bundle(model, tmp_path / "m", batch)
    torch.testing.assert_close(load_bundle(tmp_path / "m").predict(batch), model.eval().predict(batch))


def test_load_by_path_says_what_was_loaded(bundle):
    model = zoo.load(str(bundle))
    assert model.source == str(bundle)
    assert model.revision == manifest.revision_of(bundle)


def test_a_run_folder_is_loaded_by_its_model(bundle, tmp_path):
    (tmp_path / "run").mkdir()
    bundle.rename(tmp_path / "run" / "model")
    assert zoo.load(tmp_path / "run").spec.name == "tiny-ctcf"


def test_an_ensemble_is_saved_and_loaded_as_one(make_model, batch, tmp_path):
    from zoo.model import Ensemble

    members = [make_model(seed=s) for s in range(3)]
    both = Ensemble(members[0].spec, members)
    save_bundle(both, tmp_path / "m", batch)
    loaded = load_bundle(tmp_path / "m")
    assert loaded.spec.members == 3
    torch.testing.assert_close(loaded.predict(batch), both.eval().predict(batch), rtol=0, atol=0)


def edit_config(bundle, change):
    """Rewrite config.json as a stranger could, manifest included."""
    plain = json.loads((bundle / "config.json").read_text())
    change(plain)
    (bundle / "config.json").write_text(json.dumps(plain))
    (bundle / "manifest.json").unlink()
    manifest.write(bundle)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["encoder"].update(_target_="os.system"), "class path"),
        (lambda c: c["encoder"].update(name="os.system"), "no encoder named"),
        (lambda c: c["encoder"].update(command="rm -rf /"), "has no 'command'"),
        (lambda c: c["encoder"].update(channels=8), "do not belong together"),
        (lambda c: c["encoder"].update(channels=10**9), "larger model"),
        (lambda c: c["encoder"].update(layers=10**7), "larger model"),
        (lambda c: c["encoder"].update(channels="many"), "cannot be built"),
        (lambda c: c["encoder"].update(channels=-1), "cannot be built"),
        (lambda c: c.update(members=900), "larger model|do not belong together"),
        (lambda c: c.update(format=99), "not of format"),
        (lambda c: c.update(surprise=1), "unknown keys"),
        (lambda c: c["outputs"]["CTCF"]["field"].update(channels=["REST"]), "declares other inputs or outputs"),
        (lambda c: c.update(inputs={}), "declares other inputs or outputs"),
        (lambda c: c.update(requires={"zoo-nonesuch": "~=0.3"}), "pip install 'zoo-nonesuch~=0.3'"),
        (
            lambda c: c.update(requires={"zoo-core": ">=99"}),
            "but .* is installed; the publisher says: pip install 'zoo-core>=99'",
        ),
        (lambda c: c.update(requires={"x; rm -rf /": "~=1"}), "names no version range"),
    ],
)
def test_a_strangers_config_is_refused_in_one_sentence(bundle, change, message):
    edit_config(bundle, change)
    with pytest.raises(HubError, match=message) as caught:
        load_bundle(bundle)
    assert "\n" not in str(caught.value)


def test_a_config_that_is_too_large_is_not_parsed(bundle):
    (bundle / "config.json").write_text(" " * (1 << 24) + "{}")
    with pytest.raises(HubError, match="larger than"):
        read_spec(bundle)


def test_no_byte_of_a_model_folder_can_change_unseen(bundle):
    draw = random.Random(0)
    for path in sorted(bundle.iterdir()):
        good = path.read_bytes()
        at = draw.randrange(len(good))
        path.write_bytes(good[:at] + bytes([good[at] ^ 1 << draw.randrange(8)]) + good[at + 1 :])
        with pytest.raises(HubError, match=r"manifest|" + path.name):
            load_bundle(bundle)
        path.write_bytes(good)
    load_bundle(bundle)
