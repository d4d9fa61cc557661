"""Authors, versions, parents and where to ask: checked when they are stated and when they are read, and shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zoo
from zoo.cli.main import main
from zoo.errors import ContractError, HubError
from zoo.hub import manifest
from zoo.hub.card import write_card
from zoo.hub.card_fields import check_card_fields, is_orcid, parse_author
from zoo.hub.config_file import read_spec
from zoo.hub.model_folder import load_bundle, save_bundle

JOSIAH = {"name": "Josiah Carberry", "orcid": "0000-0002-1825-0097", "affiliation": "Brown University"}
CARD = {
    "version": "1.1.0",
    "parent": {"name": "ctcf-motif-cnn", "source": "pkg://zoo/weights/ctcf-motif-cnn", "revision": "3433d6f15388"},
    "changelog": [{"version": "1.1.0", "changes": "More cells."}, {"version": "1.0.0"}],
    "authors": [JOSIAH, {"name": "Somebody Else"}],
    "cite": ["10.1371/journal.pone.0269159"],
    "support": "https://example.org/issues",
}


@pytest.mark.parametrize("orcid", ["0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X"])
def test_orcids_that_their_owners_publish_are_right(orcid):
    assert is_orcid(orcid)


@given(st.integers(0, 14), st.integers(1, 9))
def test_any_one_wrong_digit_of_an_orcid_is_noticed(at, step):
    digits = list("0000-0002-1825-0097".replace("-", ""))
    digits[at] = str((int(digits[at]) + step) % 10)
    text = "".join(digits)
    assert not is_orcid("-".join(text[i : i + 4] for i in range(0, 16, 4)))


def test_addresses_are_taken_off_orcids_and_dois():
    author = {"name": "J", "orcid": "https://orcid.org/0000-0002-1825-0097"}
    checked = check_card_fields({"authors": [author], "cite": ["https://doi.org/10.1000/a.b"], "version": ""})
    assert checked == {"authors": ({"name": "J", "orcid": "0000-0002-1825-0097"},), "cite": ("10.1000/a.b",)}
    assert parse_author(" Josiah Carberry ") == {"name": "Josiah Carberry"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("authors", [{"name": "J", "orcid": "0000-0002-1825-0098"}], "has a wrong digit"),
        ("authors", [{"orcid": "0000-0002-1825-0097"}], "give texts name, orcid"),
        ("authors", "J", "no list"),
        ("authors", [{"name": "J", "email": "x"}], "give texts"),
        ("cite", ["Carberry 1929"], "a DOI"),
        ("support", "javascript:alert(1)", r"https://\.\.\. or mailto"),
        ("support", "http://example.org", "https"),
        ("version", "latest", "numbers with dots"),
        ("version", "1.0.0/../..", "numbers with dots"),
        ("changelog", [{"version": "1.0"}, {"version": "1.0"}], "twice"),
        ("parent", {"source": "x"}, "give texts name"),
        ("editor", "J", "no field 'editor'"),
    ],
)
def test_a_field_that_cannot_be_is_refused_in_one_sentence(field, value, message):
    with pytest.raises(ContractError, match=message) as error:
        check_card_fields({field: value})
    assert "\n" not in str(error.value)


def test_fields_survive_a_folder_and_stand_on_the_card(make_model, batch, tmp_path, capsys):
    model = make_model(**check_card_fields(CARD))
    save_bundle(model, tmp_path / "m", batch)
    spec = load_bundle(tmp_path / "m").spec
    assert {key: getattr(spec, key) for key in CARD} == check_card_fields(CARD)
    assert main(["show", str(tmp_path / "m")]) == 0
    shown = capsys.readouterr().out
    for text in (
        "Josiah Carberry (Brown University, https://orcid.org/0000-0002-1825-0097); Somebody Else",
        "1.1.0: More cells.",
        "https://doi.org/10.1371/journal.pone.0269159",
        "https://example.org/issues",
        "ctcf-motif-cnn, pkg://zoo/weights/ctcf-motif-cnn@3433d6f15388",
    ):
        assert text in shown
    card = (tmp_path / "m" / "README.md").read_text()
    assert "changes of 1.1.0: More cells." in card
    assert "changes of 1.0.0: none stated" in card


def test_a_model_without_them_is_written_as_before(make_model, batch, tmp_path):
    save_bundle(make_model(), tmp_path / "m", batch)
    assert not set(CARD) & set(json.loads((tmp_path / "m" / "config.json").read_text()))
    assert "## History" not in write_card(read_spec(tmp_path / "m"))


def test_a_stranger_s_orcid_with_a_wrong_digit_is_refused_when_it_is_read(make_model, batch, tmp_path):
    save_bundle(make_model(**check_card_fields(CARD)), tmp_path / "m", batch)
    path = tmp_path / "m" / "config.json"
    path.write_text(path.read_text().replace("1825-0097", "1825-0079"))
    manifest.write(tmp_path / "m")
    with pytest.raises(HubError, match="wrong digit"):
        zoo.load(tmp_path / "m")


def test_a_version_is_published_once(make_model, bundle, batch, tmp_path):
    place = f"file://{tmp_path}/hub"
    first = zoo.publish(bundle, "tiny", place, card={"version": "1.0.0", "authors": [JOSIAH]})
    assert zoo.publish(bundle, "tiny", place, card={"version": "1.0.0", "authors": [JOSIAH]}) == first
    save_bundle(make_model(seed=3), tmp_path / "other", batch)
    with pytest.raises(HubError, match=r"version 1\.0\.0 of .*tiny is published already, with other contents"):
        zoo.publish(tmp_path / "other", "tiny", place, card={"version": "1.0.0", "authors": [JOSIAH]})
    with pytest.raises(HubError, match=r"has versions, the last is 1\.0\.0"):
        zoo.publish(tmp_path / "other", "tiny", place)
    assert zoo.load(f"{place}/tiny").source == first
    second = zoo.publish(tmp_path / "other", "tiny", place, card={"version": "1.1.0", "changes": "Other weights."})
    assert zoo.load(f"{place}/tiny").source == second
    assert zoo.load(f"{place}/tiny@1.0.0").source == first
    log = zoo.load(f"{place}/tiny").spec.changelog
    assert log == ({"version": "1.1.0", "changes": "Other weights."}, {"version": "1.0.0"})
    with pytest.raises(HubError, match=r"version 1\.0\.0 of"):
        zoo.publish(bundle, "tiny", place, card={"version": "1.0.0", "changes": "Back."})


def test_the_command_states_authors_parent_and_changes(bundle, tmp_path, capsys):
    arguments = ["publish", str(bundle), "--name", "tiny", "--to", f"{tmp_path}/hub", "--version", "2.0.0"]
    arguments += ["--author", "Josiah Carberry <0000-0002-1825-0097>", "--changes", "First of its kind."]
    arguments += ["--parent", "ctcf-motif-cnn", "--cite", "10.1000/x", "--support", "mailto:zoo@example.org"]
    assert main(arguments) == 0
    spec = zoo.load(f"file://{tmp_path}/hub/tiny").spec
    assert spec.authors == ({"name": "Josiah Carberry", "orcid": "0000-0002-1825-0097"},)
    assert (spec.parent["name"], spec.parent["licence"]) == ("ctcf-motif-cnn", "MIT")
    assert spec.parent["revision"] == zoo.load("ctcf-motif-cnn").revision
    assert (spec.cite, spec.support, spec.version) == (("10.1000/x",), "mailto:zoo@example.org", "2.0.0")
    assert main(["publish", str(bundle), "--name", "tiny2", "--to", f"{tmp_path}/hub", "--author", "J <1>"]) == 1
    assert "ORCID '1' of 'J' is none" in capsys.readouterr().err
