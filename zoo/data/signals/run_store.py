"""The runs of one track on one genome, memory-mapped, built once into the cache.

atac.bw + contigs of the genome -> <ZOO_CACHE>/signals/atac.bw-<path>/<key>.runs and <key>.json

The key is a digest of the file's bytes, how it is read, and the genome's contigs and their lengths.  12 bytes a run:
about what the track takes as a bedGraph that is packed.  The bins are made when a window is read, so that one store
serves every bin size and a window may begin at any base.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from zoo.data.known_digest import KnownDigest, known_digest
from zoo.data.signals.bin_kernels import BLOCK
from zoo.data.signals.runs import BinGuess, Runs
from zoo.data.signals.track_files import Counted, read_runs
from zoo.errors import DataError
from zoo.files.locations import cache_root
from zoo.files.locks import lock

FORMAT = 1
_ENDING = f"-v{FORMAT}"


@dataclass(frozen=True)
class RunStore:
    """runs: (n, 3) int32, start and end in its first columns.  values: (n,) float32.  first: (contigs + 1,) int64.

    index: (blocks,) int64, the first run that ends behind the beginning of each block of BLOCK bp.
    index_first: (contigs,) int64, where each contig's blocks begin.
    kind: one of zoo.data.signals.track_files.FORMATS.  digest: of the file.
    facts: least and greatest value, bases with a value and their sum, what was left out, `bins`, bp that the file was
        written with (1: not known).
    """

    runs: np.ndarray
    values: np.ndarray
    first: np.ndarray
    index: np.ndarray
    index_first: np.ndarray
    kind: str
    digest: str
    folder: Path
    key: str
    facts: Mapping[str, Any]


def open_run_store(path: Path, kind: str, contigs: Mapping[str, int]) -> RunStore:
    """The store of a track; it is built where there is none of what the file holds.

    Several processes may ask at once: one builds, the others wait for it.
    Raises DataError and GenomeMismatch as `read_runs` does, and DataError where there is no room in the cache.
    """
    place = hashlib.blake2b(str(path.resolve()).encode(), digest_size=6).hexdigest()
    folder = cache_root() / "signals" / f"{path.name}-{place}"
    digest = known_digest(path, [folder])
    if digest is not None and (store := _load(folder, digest, kind, contigs)) is not None:
        return store
    known = KnownDigest.of(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with lock(folder / "lock") as alone:
            store = _load(folder, known.digest, kind, contigs)
            if store is None:
                _build(path, folder, known, kind, contigs, alone)
                store = _load(folder, known.digest, kind, contigs)
    except OSError as error:
        raise DataError(
            f"the signals of {path} cannot be written to {folder} ({error.strerror or error}): make room, "
            "or set ZOO_CACHE to another folder"
        ) from error
    if store is None:
        raise DataError(f"{path} changed while it was read: try again when nobody writes it")
    known.remember(path, [folder])
    return store


def _key(digest: str, kind: str, contigs: Mapping[str, int]) -> str:
    text = json.dumps([digest, kind, list(contigs.items())])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest() + _ENDING


def _blocks(contigs: Mapping[str, int]) -> np.ndarray:
    """(contigs + 1,) int64: where each contig's blocks begin."""
    return np.cumsum([0, *(length // BLOCK + 1 for length in contigs.values())]).astype(np.int64)


def _load(folder: Path, digest: str, kind: str, contigs: Mapping[str, int]) -> RunStore | None:
    """The store, None where it is absent or incomplete."""
    key = _key(digest, kind, contigs)
    try:
        facts = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        blocks, first = _blocks(contigs), np.array(facts.pop("first"), np.int64)
        path, n = folder / f"{key}.runs", int(first[-1])
        if path.stat().st_size != 8 * int(blocks[-1]) + 12 * n or len(first) != len(contigs) + 1:
            return None
        index = np.asarray(np.memmap(path, np.int64, "r", shape=(int(blocks[-1]),)))
        runs = np.empty((0, 3), np.int32)
        if n:
            runs = np.asarray(np.memmap(path, np.int32, "r", offset=index.nbytes, shape=(n, 3)))
        return RunStore(runs, runs.view(np.float32)[:, 2], first, index, blocks[:-1], kind, digest, folder, key, facts)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(path: Path, folder: Path, known: KnownDigest, kind: str, contigs: Mapping[str, int], alone: bool) -> None:
    """Write beside the final names, then rename; the facts come last and make the store valid."""
    key = _key(known.digest, kind, contigs)
    runs, facts = folder / f"{key}.runs.{os.getpid()}.tmp", folder / f"{key}.json.{os.getpid()}.tmp"
    try:
        with runs.open("wb") as out:
            told = _write(path, kind, contigs, out)
            out.flush()
            os.fsync(out.fileno())
        if not known.holds(path):
            raise DataError(f"{path} changed while it was read: try again when nobody writes it")
        facts.write_text(json.dumps(told), encoding="utf-8")
        os.replace(runs, folder / f"{key}.runs")
        os.replace(facts, folder / f"{key}.json")
    finally:
        runs.unlink(missing_ok=True)
        facts.unlink(missing_ok=True)
    if alone:  # what others left unfinished is rubbish only if nobody else can be writing
        for old in folder.glob("*.tmp"):
            old.unlink(missing_ok=True)


def _write(path: Path, kind: str, contigs: Mapping[str, int], out: BinaryIO) -> dict[str, Any]:
    """The index, then the runs of every contig; returns the facts."""
    counted, guess = Counted(), BinGuess()
    blocks, lengths = _blocks(contigs), list(contigs.values())
    index = np.zeros(int(blocks[-1]), np.int64)
    first, at, n = np.zeros(len(contigs) + 1, np.int64), 0, 0
    least, greatest, bases, total = 0.0, 0.0, 0, 0.0
    out.write(index.tobytes())

    def place(contig: int, runs: Runs) -> None:
        nonlocal n
        begins = np.arange(blocks[contig + 1] - blocks[contig]) * BLOCK
        index[blocks[contig] : blocks[contig + 1]] = n + np.searchsorted(runs.ends, begins, side="right")
        n += len(runs)
        first[contig + 1] = n

    nothing = Runs(*np.empty((3, 0), np.int32))
    for contig, runs in read_runs(path, kind, contigs, counted):
        for empty in range(at, contig):
            place(empty, nothing)
        place(contig, runs)
        at = contig + 1
        guess.add(runs, lengths[contig])
        packed = np.empty((len(runs), 3), np.int32)
        packed[:, 0], packed[:, 1], packed[:, 2] = runs.starts, runs.ends, runs.values.view(np.int32)
        out.write(packed.tobytes())
        if len(runs):
            least, greatest = min(least, float(runs.values.min())), max(greatest, float(runs.values.max()))
            width = runs.ends.astype(np.int64) - runs.starts
            bases, total = bases + int(width.sum()), total + float((runs.values.astype(np.float64) * width).sum())
    for empty in range(at, len(contigs)):
        place(empty, nothing)
    out.seek(0)
    out.write(index.tobytes())
    return {
        "first": first.tolist(),
        "least": least,
        "greatest": greatest,
        "bases": bases,
        "sum": total,
        "not_finite": counted.not_finite,
        "elsewhere": counted.elsewhere,
        "bins": guess.bin_size if kind in ("bigwig", "bedgraph") else 1,
    }
