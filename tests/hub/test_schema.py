"""The JSON schemas describe what is written and read: all shipped folders, fresh ones, and what readers refuse."""

import json
from pathlib import Path

import jsonschema
import pytest

import zoo
from zoo.errors import HubError
from zoo.hub import manifest
from zoo.hub.config_file import read_spec
from zoo.hub.golden import check_golden
from zoo.hub.loader import pull
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.spec import ModelSpec

SCHEMAS = Path(zoo.__file__).parent / "hub" / "schemas"
SHIPPED = [m["name"] for m in zoo.list_models() if m["source"].startswith("pkg://")]


def schema(file):
    plain = json.loads((SCHEMAS / f"{file}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(plain)
    return jsonschema.Draft202012Validator(plain)


def complaints(folder):
    return [
        error.message
        for file in ("config", "manifest")
        for error in schema(file).iter_errors(json.loads((folder / f"{file}.json").read_text()))
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_folder_keeps_the_schemas(name):
    assert complaints(pull(name)) == []


def test_the_shipped_folders_are_counted():
    assert len(SHIPPED) >= 5


def test_a_fresh_folder_keeps_them_whatever_its_card_states(make_model, batch, tmp_path):
    author = {"name": "Josiah Carberry", "orcid": "0000-0002-1825-0097"}
    parent = {"name": "tiny", "source": "hf://org/tiny", "revision": "main"}
    card = {"version": "1.0.0", "authors": (author,), "parent": parent, "changelog": ({"version": "1.0.0"},)}
    for i, changes in enumerate([{}, {"conjoined": True, "members": 2}, card, {"cite": ("10.1000/x",)}]):
        save_bundle(make_model(**changes), tmp_path / str(i), batch)
        assert complaints(tmp_path / str(i)) == []


def test_the_schema_has_the_keys_of_the_spec():
    plain = json.loads((SCHEMAS / "config.schema.json").read_text())
    assert set(plain["properties"]) == {"format", *ModelSpec.__dataclass_fields__}
    fields = set(zoo.Field.__dataclass_fields__)
    assert set(plain["$defs"]["field"]["properties"]) == fields


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"format": "1"},
        {"format": True},
        {"colour": 1},
        {"name": ["m"]},
        {"encoder": {"channels": 4}},
        {"encoder": {"name": "tiny_conv", "_target_": "os.system"}},
        {"input_length": 0},
        {"n_encoding": "guess"},
        {"activation": {"CTCF": "eval"}},
        {"members": 1001},
        {"requires": {"zoo-core": "; rm -rf /"}},
        {"metrics": {}},
        {"versions": {"torch": 2}},
        {"inputs": {"one_hot": {"channels": ["A"]}}},
        {"outputs": {"CTCF": {"field": {"axes": "C", "values": "guess"}, "grid": None}}},
        {"authors": [{"orcid": "0000-0002-1825-0097"}]},
        {"authors": [{"name": "J", "orcid": "12"}]},
        {"cite": ["Carberry 1929"]},
        {"support": "http://example.org"},
        {"version": "latest"},
    ],
    ids=str,
)
def test_what_the_schema_refuses_no_reader_takes(bundle, change):
    path = bundle / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    manifest.write(bundle)
    assert complaints(bundle) != []
    with pytest.raises(HubError) as error:
        load_bundle(bundle)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "path", ["../a.json", "/a.json", "a.py", "a/b/c/d.json", "manifest.json", ".a.json", "a b.json"]
)
def test_what_the_schema_of_a_manifest_refuses_no_reader_takes(bundle, path):
    plain = json.loads((bundle / "manifest.json").read_text())
    plain["files"] = sorted([*plain["files"], {"path": path, "size": 1, "sha256": "0" * 64}], key=lambda f: f["path"])
    assert list(schema("manifest").iter_errors(plain))
    with pytest.raises(HubError):
        manifest.parse(json.dumps(plain).encode(), "here")


@pytest.mark.parametrize("number", [2, 99])
@pytest.mark.parametrize("file", ["config.json", "manifest.json"])
def test_a_newer_number_is_refused_in_one_sentence(bundle, file, number):
    path = bundle / file
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": number}))
    if file == "config.json":
        manifest.write(bundle)
    with pytest.raises(HubError, match=rf"{file} is of format {number}, not .*1.*: upgrade zoo-core") as error:
        zoo.load(bundle)
    assert "\n" not in str(error.value)


def test_a_folder_without_numbers_is_read_as_the_first_format(bundle):
    expected = read_spec(bundle)
    for file in ("config.json", "manifest.json"):
        plain = json.loads((bundle / file).read_text())
        del plain["format"]
        if file == "config.json":
            (bundle / file).write_text(json.dumps(plain))
            manifest.write(bundle)
        else:
            (bundle / file).write_text(json.dumps({"files": json.loads((bundle / file).read_text())["files"]}))
    assert complaints(bundle) == []
    model = zoo.load(bundle)
    assert model.spec == expected
    assert check_golden(model, bundle) == 0
