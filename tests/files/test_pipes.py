"""What comes out of a pipe is read once and whole, or the pipe is refused by name."""

import contextlib
import gc
import gzip
import io
import os
import pickle
import sys
import threading

import pytest

from zoo.data.intervals import read_intervals
from zoo.data.sequences import read_sequences
from zoo.errors import DataError
from zoo.files import pipes
from zoo.files.compressed import file_identity, read_chunks, resolve_paths
from zoo.files.pipes import is_pipe, refuse_pipe, seekable, with_names


@pytest.fixture
def pipe():
    """pipe(bytes) -> /dev/fd/N, out of which they come."""
    ends = []

    def fill(content: bytes) -> str:
        reading, writing = os.pipe()

        def write():
            try:
                with open(writing, "wb") as file:
                    file.write(content)
            except BrokenPipeError:
                pass

        thread = threading.Thread(target=write)
        thread.start()
        ends.append((reading, thread))
        return f"/dev/fd/{reading}"

    yield fill
    for reading, thread in ends:
        os.close(reading)
        thread.join()


@pytest.fixture
def stdin(monkeypatch):
    def fill(content: bytes) -> str:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return "-"

    return fill


def feed(path, content):
    """Write into a named pipe from a thread, whose reader may go away first."""

    def write():
        with contextlib.suppress(BrokenPipeError):
            path.write_bytes(content)

    threading.Thread(target=write, daemon=True).start()


@pytest.mark.parametrize("way", ["pipe", "stdin", "fifo"])
def test_a_pipe_becomes_a_file_that_is_deleted_with_its_last_reference(tmp_path, pipe, stdin, way):
    content = bytes(range(256)) * 9000  # more than a pipe holds
    if way == "fifo":
        os.mkfifo(tmp_path / "calls")
        path = tmp_path / "calls"
        feed(path, content)
    else:
        path = (pipe if way == "pipe" else stdin)(content)
    assert is_pipe(path)
    held = seekable(path)
    assert held.path.read_bytes() == content == held.path.read_bytes()
    assert (held.piped, held.name) == (True, "standard input" if way == "stdin" else str(path))
    assert with_names(f"{held.path} line 3") == f"{held.name} line 3"
    copied = held.path
    borrowed = pickle.loads(pickle.dumps(held))
    del borrowed
    gc.collect()
    assert copied.exists()
    del held
    gc.collect()
    assert not copied.parent.exists()
    if way != "stdin":
        with pytest.raises(DataError, match=r"is a pipe that was read before, and gives its bytes once"):
            if way == "fifo":
                feed(path, b"x")
            seekable(path)


def test_a_file_is_itself(tmp_path):
    (tmp_path / "x").write_bytes(b"x")
    assert not is_pipe(tmp_path / "x")
    assert not is_pipe(tmp_path / "none")
    assert seekable(tmp_path / "x").path == tmp_path / "x"


def test_devices_and_endless_pipes_are_refused(monkeypatch, pipe):
    for path in ("/dev/null", "/dev/zero"):
        with pytest.raises(DataError, match=f"{path} is a device"):
            seekable(path)
        with pytest.raises(DataError, match=f"{path} is a device"):
            next(read_chunks(path))
    monkeypatch.setattr(pipes, "LARGEST", 1 << 21)
    before = {p for p in os.listdir("/tmp") if p.startswith("zoo-")}
    with pytest.raises(DataError, match="gives more than 2,097,152 bytes"):
        seekable(pipe(b"y" * (1 << 22)))
    gc.collect()
    assert {p for p in os.listdir("/tmp") if p.startswith("zoo-")} <= before
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(DataError, match="standard input, which is closed"):
        seekable("-")


def test_what_is_read_more_than_once_is_refused_by_name(pipe):
    path = pipe(b"")
    with pytest.raises(DataError, match="is a pipe, but it is read more than once: save it as a file first"):
        file_identity(path)
    with pytest.raises(DataError, match="is a pipe, but what a model is trained on is read more than once"):
        resolve_paths(None, path)
    with pytest.raises(DataError, match="standard input is a pipe"):
        refuse_pipe("-")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_intervals_and_sequences_come_out_of_pipes(pipe, stdin, pack):
    bed = "".join(f"chr1\t{i}\t{i + 5}\tname{i}\n" for i in range(30_000))
    for way in (pipe, stdin):
        assert read_intervals(way(pack(bed.encode()))).start.tolist() == list(range(30_000))
    fasta = "".join(f">s{i}\nACGT\n" for i in range(20_000))
    for way in (pipe, stdin):
        assert len(read_sequences(way(pack(fasta.encode())))) == 20_000
