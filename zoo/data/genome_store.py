"""One FASTA file as a flat, memory-mapped array of codes, built once.

    hg38.fa.gz -> hg38.fa.gz.zoo/<key>.codes (one byte a base, then the few ambiguity codes) and <key>.json
                  (contigs, lengths, checksums)

The key is a digest of the FASTA's bytes, and the store's format.  The digest is computed again when the file may have
changed, which its status tells (zoo.data.known_digest), at about 1 GB/s.  Where the FASTA's folder may not be written,
the store goes to `$ZOO_CACHE` (default ~/.cache/zoo).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from zoo.data.fasta_index import NotIndexed, Pieces, readers
from zoo.data.known_digest import KnownDigest, known_digest
from zoo.errors import DataError
from zoo.files.compressed import is_gzip
from zoo.files.locations import cache_root
from zoo.files.locks import lock
from zoo.terminal.progress import counting

FORMAT = 2
AMBIGUITY = np.dtype([("at", "<i8"), ("letter", "u1")])
"""Where the flat array has N for an ambiguity code of the FASTA, and its upper-case letter."""
_ENDING = f"-v{FORMAT}"
_BIG = 50_000_000

_log = logging.getLogger("zoo.genome")


@dataclass(frozen=True)
class Contig:
    """One sequence: where it begins in the flat array, how long it is, and the BLAKE2b of its codes."""

    name: str
    header: str
    offset: int
    length: int
    checksum: str


@dataclass(frozen=True)
class Store:
    """codes: (sum of lengths,) uint8, read-only, contigs one after another.  ambiguity: AMBIGUITY, sorted by place."""

    codes: np.ndarray
    contigs: tuple[Contig, ...]
    ambiguity: np.ndarray


def open_store(fasta: str | Path) -> Store:
    """The store of a FASTA file; it is built where there is none of what the file holds.

    Several processes may ask at once: one builds, the others wait for it.
    """
    fasta = Path(fasta).expanduser()
    is_gzip(fasta)  # a missing or unreadable file is an error even where an old store exists
    folders = [_beside(fasta), _in_cache(fasta)]
    key = known_digest(fasta, folders)
    if key is not None:
        for folder in folders:
            if (store := _load(folder, key)) is not None:
                return store
    known = KnownDigest.of(fasta)
    for folder in folders:
        if (store := _load(folder, known.digest)) is not None:
            known.remember(fasta, [folder, *folders])
            return store
    folder = _writable_folder(fasta)
    with lock(folder / "lock") as alone:
        store = _load(folder, known.digest)
        if store is None:
            _build(fasta, folder, known, alone)
            store = _load(folder, known.digest)
    if store is None:
        raise DataError(f"{fasta} changed while it was read: try again when nobody writes it")
    known.remember(fasta, [folder])
    return store


def _beside(fasta: Path) -> Path:
    return fasta.with_name(fasta.name + ".zoo")


def _in_cache(fasta: Path) -> Path:
    digest = hashlib.blake2b(str(fasta.resolve()).encode(), digest_size=6).hexdigest()
    return cache_root() / "genomes" / f"{fasta.name}-{digest}"


def _writable_folder(fasta: Path) -> Path:
    """The folder beside the file if its mode allows writing (also for root, whom no mode stops), else the cache."""
    for folder in (_beside(fasta), _in_cache(fasta)):
        mode = fasta.parent.stat().st_mode
        if folder.parent == fasta.parent and not (mode & 0o222 and os.access(fasta.parent, os.W_OK)):
            continue
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    raise DataError(
        f"neither {_beside(fasta)} nor {_in_cache(fasta)} can be written: set ZOO_CACHE to a folder that can"
    )


def _load(folder: Path, key: str) -> Store | None:
    """The store of this key, None where it is absent or incomplete."""
    try:
        index = json.loads((folder / f"{key}{_ENDING}.json").read_text())
        contigs = tuple(Contig(**c) for c in index["contigs"])
        total = sum(c.length for c in contigs)
        path = folder / f"{key}{_ENDING}.codes"
        n = int(index["ambiguous"])
        if path.stat().st_size != total + n * AMBIGUITY.itemsize:
            return None
        codes = np.memmap(path, np.uint8, "r", shape=(total,)) if total else np.empty(0, np.uint8)
        return Store(np.asarray(codes), contigs, np.fromfile(path, AMBIGUITY, n, offset=total))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(fasta: Path, folder: Path, known: KnownDigest, alone: bool) -> None:
    """Write beside the final names, then rename; the index comes last and makes the store valid."""
    key = known.digest
    codes, index = folder / f"{key}.{os.getpid()}.tmp", folder / f"{key}.json.{os.getpid()}.tmp"
    try:
        size = fasta.stat().st_size * (4 if is_gzip(fasta) else 1)
        bar = counting(size, label=f"unpacking {fasta.name}", unit="bp", enabled=size >= _BIG)
        with codes.open("wb") as out, bar as advance:
            contigs, ambiguous = _read(fasta, folder, out, advance)
            out.write(ambiguous.tobytes())
            out.flush()
            os.fsync(out.fileno())
        if not known.holds(fasta):
            raise DataError(f"{fasta} changed while it was read: try again when nobody writes it")
        held = {"source": fasta.name, "ambiguous": len(ambiguous), "contigs": [vars(c) for c in contigs]}
        index.write_text(json.dumps(held))
        os.replace(codes, folder / f"{key}{_ENDING}.codes")
        os.replace(index, folder / f"{key}{_ENDING}.json")
    except OSError as error:
        raise DataError(
            f"the store of {fasta} cannot be written to {folder} ({error.strerror or error}): "
            "make room (one byte a base), or set ZOO_CACHE to another folder"
        ) from error
    finally:
        codes.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
    for old in (*folder.glob("*.codes"), *folder.glob("*.json"), *folder.glob("*.tmp")):
        # What others left unfinished is rubbish only if nobody else can be writing.
        if alone if old.suffix == ".tmp" else not old.name.startswith(key):
            old.unlink(missing_ok=True)


def _read(fasta: Path, folder: Path, out: BinaryIO, advance: Callable[[int], None]) -> tuple[list[Contig], np.ndarray]:
    for pieces in readers(fasta, folder):
        out.seek(0)
        out.truncate()
        try:
            return _unpack(fasta, pieces, out, advance)
        except NotIndexed as error:
            _log.debug("read without this index: %s", error)
    raise DataError(f"{fasta} cannot be read")


def _unpack(
    fasta: Path, pieces: Pieces, out: BinaryIO, advance: Callable[[int], None]
) -> tuple[list[Contig], np.ndarray]:
    """Write the codes of every contig; the contigs in file order, and the ambiguity codes (AMBIGUITY)."""
    contigs: list[Contig] = []
    ambiguous = [np.zeros(0, AMBIGUITY)]
    lines: dict[str, int] = {}
    name, header, start, written = "", None, 0, 0
    digest = hashlib.blake2b(digest_size=16)

    def finish() -> None:
        if header is not None:
            contigs.append(Contig(name, header, start, written - start, digest.hexdigest()))

    for line, text, codes in pieces:
        if text is None:
            codes, letters = _split_ambiguity(codes, written)
            ambiguous += [letters] if len(letters) else []
            out.write(codes)
            digest.update(codes)
            written += len(codes)
            advance(len(codes))
            continue
        finish()
        if not text:
            raise DataError(f"{fasta} line {line}: '>' is not followed by a name: give the contig one")
        name, header, start, digest = text.split()[0], text, written, hashlib.blake2b(digest_size=16)
        if name in lines:
            raise DataError(
                f"{fasta} line {line}: contig {name!r} is already on line {lines[name]}: rename one of them"
            )
        lines[name] = line
    finish()
    return contigs, np.concatenate(ambiguous)


def _split_ambiguity(piece: bytes, at: int) -> tuple[bytes, np.ndarray]:
    """(codes, with N for ambiguity codes; AMBIGUITY of these) of a piece that begins at place `at`."""
    letters = np.frombuffer(piece, np.uint8)
    places = np.flatnonzero(letters > 4)
    ambiguous = np.zeros(len(places), AMBIGUITY)
    ambiguous["at"], ambiguous["letter"] = at + places, letters[places]
    return (np.minimum(letters, 4).tobytes() if len(places) else piece), ambiguous
