"""Reading plain and gzip files as bytes or lines; what is inside decides, not the name."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.files.pipes import refuse_pipe, seekable

_CHUNK = 1 << 22
_BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_OTHERS = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x43\x27\x41\x1a": "a 2bit genome",
    b"\xeb\xf2\x89\x87": "a bigBed file",
    b"\x26\xfc\x8f\x88": "a bigWig file",
    b"\x89HDF": "an HDF5 file",
}


def is_gzip(path: Path) -> bool:
    """True for gzip and BGZF, whatever the file is called."""
    return _head(path)[:2] == b"\x1f\x8b"


def compression(path: Path) -> str:
    """plain, gzip or bgzf.  Raises DataError for a file that is packed in another way, and for BGZF that is cut off."""
    head = _head(path)
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise DataError(f"{path} is {what}, not text or gzip: convert it first")
    if head[:2] != b"\x1f\x8b":
        return "plain"
    if len(head) < 14 or not head[3] & 4 or head[12:14] != b"BC":
        return "gzip"
    with path.open("rb") as file:
        file.seek(-min(28, path.stat().st_size), 2)
        if file.read() != _BGZF_END:  # SAM specification 4.1.2; without it a cut at a block border goes unseen
            raise DataError(f"{path} lacks the block that ends a BGZF file: fetch it again, it was cut off")
    return "bgzf"


def read_chunks(path: str | Path, size: int = _CHUNK) -> Iterator[bytes]:
    """The unpacked bytes of a plain, gzip or BGZF file, `size` at a time; a pipe, or `-`, can be read once.

    Raises DataError for a file that is missing, cut off, damaged, or packed in another way.
    """
    held = seekable(path)  # the copy of a pipe lives as long as this does
    packed = compression(held.path) != "plain"
    try:
        with gzip.open(held.path, "rb") if packed else held.path.open("rb") as file:
            while chunk := file.read(size):
                yield chunk
    except EOFError as error:
        raise DataError(f"{path} ends in the middle of its gzip stream: fetch it again, it was cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged ({error}): fetch it again") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error}): check the disk") from error


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, line without its end) of a text file, LF or CRLF.

    Raises DataError where the file is no UTF-8 text, and as `read_chunks` does.
    """
    rest, number = b"", 0
    for chunk in read_chunks(path):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            number += 1
            yield number, _text(line, path, number)
    if rest:
        yield number + 1, _text(rest, path, number + 1)


def file_identity(path: str | Path) -> dict[str, Any]:
    """Name, size and sha256 of a file, for model cards."""
    path = Path(path)
    refuse_pipe(path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest}


def resolve_paths(root: str | Path | None, paths: str | Path | Sequence[str | Path] | None) -> list[Path]:
    """One path, several or none, to a list; relative ones are taken from `root`.

    Raises DataError for a pipe: what a run was trained on is read again, by its checksum and by the next run.
    """
    if not paths:
        return []
    listed = [paths] if isinstance(paths, (str, Path)) else list(paths)
    for path in listed:
        refuse_pipe(path, "what a model is trained on")
    return [Path(root or "").expanduser() / Path(p).expanduser() for p in listed]


def _text(line: bytes, path: str | Path, number: int) -> str:
    if b"\0" in line:
        raise DataError(f"{path} line {number} holds a zero byte: it is binary or UTF-16, save it as plain text")
    if number == 1:
        line = line.removeprefix(b"\xef\xbb\xbf")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} line {number} holds byte 0x{line[error.start]:02x}, which is no UTF-8 text: "
            "the file is binary or in another encoding, save it as UTF-8"
        ) from error
    text = text.removesuffix("\r")
    if "\r" in text:
        raise DataError(f"{path} line {number} holds a lone carriage return: convert the line ends to LF")
    return text


def _head(path: Path) -> bytes:
    refuse_pipe(path)
    try:
        with Path(path).open("rb") as file:
            return file.read(18)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist: check the path") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder: name the file inside it") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
