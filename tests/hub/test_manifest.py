"""manifest.json: what may be listed and what is compared."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import HubError
from zoo.hub import manifest

GOOD = [
    {"path": name, "size": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}
    for name in ("config.json", "golden.safetensors", "model.safetensors")
]


def as_bytes(files, form=1):
    return json.dumps({"format": form, "files": files}).encode()


def with_entry(**changes):
    return sorted([*GOOD, {**GOOD[0], **changes}], key=lambda f: str(f["path"]))


def test_a_manifest_reads_back():
    assert [e.path for e in manifest.parse(as_bytes(GOOD), "here")] == [f["path"] for f in GOOD]


@pytest.mark.parametrize(
    "path",
    [
        "../evil.json", "/etc/evil.json", "a/../../evil.json", "a\\..\\evil.json", "nul\0.json", "./x.json",
        "a//b.json",
        ".hidden.json", "a/.hidden/b.json", "a/b/c/d.json", "", "new\nline.json", "C:evil.json", "x" * 200 + ".json",
        "café.json", "manifest.json", None, 7, ["a.json"],
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused(path):
    with pytest.raises(HubError, match="refused"):
        manifest.parse(as_bytes(with_entry(path=path)), "here")


@pytest.mark.parametrize(
    "name", ["w.pkl", "w.pt", "w.bin", "w.ckpt", "w.npy", "w.npz", "run.py", "lib.so", "x.yaml", "w"]
)
def test_a_file_that_could_run_is_refused(name):
    with pytest.raises(HubError, match="can run code"):
        manifest.parse(as_bytes(with_entry(path=name)), "here")


@pytest.mark.parametrize("changes", [{"size": -1}, {"size": 1 << 50}, {"size": True}, {"size": "3"}, {"size": 1.5}])
def test_sizes_are_bounded_whole_numbers(changes):
    with pytest.raises(HubError, match="beyond"):
        manifest.parse(as_bytes(with_entry(path="a.txt", **changes)), "here")


@pytest.mark.parametrize("digest", ["", "zz", "A" * 64, "a" * 63, None, 5])
def test_a_hash_is_64_digits(digest):
    with pytest.raises(HubError, match="hexadecimal"):
        manifest.parse(as_bytes(with_entry(path="a.txt", sha256=digest)), "here")


def test_duplicates_disorder_missing_parts_and_crowds_are_refused():
    for files, message in [
        ([*GOOD, GOOD[-1]], "once"),
        (GOOD[::-1], "sorted"),
        (GOOD[:2], "does not list model.safetensors"),
        ([{**GOOD[0], "path": f"{i:04}.txt"} for i in range(300)], "more than"),
    ]:
        with pytest.raises(HubError, match=message):
            manifest.parse(as_bytes(files), "here")


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda x: as_bytes(x))
)
def test_no_bytes_make_anything_but_a_manifest_or_a_sentence(raw):
    with pytest.raises(HubError) as caught:
        manifest.parse(raw, "here")
    assert "here" in str(caught.value)


def test_deep_json_is_a_sentence():
    with pytest.raises(HubError, match="damaged"):
        manifest.parse(b"[" * 200_000, "here")


@given(st.text(max_size=30))
def test_an_accepted_path_stays_inside_the_folder(path):
    from pathlib import PurePosixPath, PureWindowsPath

    try:
        manifest.parse(as_bytes(with_entry(path=path)), "here")
    except HubError:
        return
    for kind in (PurePosixPath, PureWindowsPath):
        assert not kind(path).is_absolute()
        assert ".." not in kind(path).parts
