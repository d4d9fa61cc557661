"""Plain files alone, and no more of them than was announced."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from zoo.files.regular_files import copy_bounded, open_regular, read_bounded, sha256_of


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "plain").write_bytes(b"0123456789")
    return tmp_path / "plain"


def test_a_plain_file_is_read_copied_and_measured(plain):
    assert read_bounded(plain, 10) == b"0123456789"
    copy_bounded(plain, plain.with_name("copy"), 10)
    assert plain.with_name("copy").read_bytes() == b"0123456789"
    assert sha256_of(plain, 10) == hashlib.sha256(b"0123456789").hexdigest()


@pytest.mark.parametrize("most", [0, 5, 9])
def test_a_longer_file_is_refused_and_leaves_nothing(plain, most):
    for read in (read_bounded, sha256_of, lambda path, n: copy_bounded(path, path.with_name("copy"), n)):
        with pytest.raises(OSError, match=f"larger than {most} bytes"):
            read(plain, most)
    assert [p.name for p in plain.parent.iterdir()] == ["plain"]


def test_anything_else_is_refused_at_once(plain, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(plain)
    (tmp_path / "device").symlink_to("/dev/zero")
    begun = time.monotonic()
    for name, words in [("pipe", "a named pipe"), ("link", "a link"), ("device", "a link"), ("", "a folder")]:
        with pytest.raises(OSError, match=f"it is {words}"):
            open_regular(tmp_path / name)
    for path in ("/dev/zero", "/dev/null", tmp_path / "device"):
        with pytest.raises(OSError, match="it is a device"):
            open_regular(path, follow_links=True)
    with open_regular(tmp_path / "link", follow_links=True) as file:
        assert file.read() == b"0123456789"
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "nothing")
    assert time.monotonic() - begun < 2


def test_what_takes_the_place_of_a_file_meanwhile_is_refused_too(plain, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    status = os.stat(plain)
    monkeypatch.setattr(os, "stat", lambda *args, **options: status)
    with pytest.raises(OSError, match="a named pipe"):
        open_regular(tmp_path / "pipe")
