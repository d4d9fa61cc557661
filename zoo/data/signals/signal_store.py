"""`SignalStore`: tracks of one genome as binned windows.

tracks + genome -> store -> windows (N, A, T) float32, transformed as `field` says
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.genome import Genome
from zoo.data.signals import bin_kernels
from zoo.data.signals.run_store import RunStore, open_run_store
from zoo.data.signals.track_files import format_of
from zoo.data.signals.transforms import LEAST, PERCENTILE, TRANSFORMS, transform_name
from zoo.errors import ConfigError, DataError
from zoo.fields import Field
from zoo.files.atomic import write_file

MOST_BINS = 10_000_000
"""Of which a percentile is made, evenly spread."""
_SMALL = 100
"""Contigs of less than this fraction of the genome need not be in a track."""
_TOLD = ("bases", "sum", "least", "greatest", "not_finite")
_log = logging.getLogger("zoo.signals")


@dataclass(frozen=True)
class Track:
    """A file of values along a genome.

    name: of the channel, as in `atac`.  path: bigWig, bedGraph, BED or fragments, plain or gzip.
    format: one of zoo.data.signals.track_files.FORMATS, where the file's name does not say it.
    """

    name: str
    path: str | Path
    format: str | None = None


def tracks_by_file(paths: Sequence[Path]) -> list[Track]:
    """A track a path, called by the file's name, or by the path where two files have one name."""
    names = [path.name for path in paths]
    return [Track(path.name if names.count(path.name) == 1 else str(path), path) for path in paths]


class SignalStore:
    """Tracks of one genome.

    names: of the tracks, in their order.  bin_size: bp.  transform: one of zoo.data.signals.transforms.TRANSFORMS.
    notes: what a person should know of how the files were read, a sentence each.
    """

    def __init__(
        self, tracks: Sequence[Track], stores: Sequence[RunStore], genome: Genome, bin_size: int, transform: str
    ):
        self.tracks, self.stores, self.genome = tuple(tracks), tuple(stores), genome
        self.names = tuple(track.name for track in tracks)
        self.bin_size, self.transform = bin_size, transform
        self.notes = [
            note for track, store in zip(tracks, stores, strict=True) for note in _notes(track, store, genome.contigs)
        ]

    @classmethod
    def open(
        cls,
        tracks: Iterable[Track],
        genome: Genome,
        bin_size: int = 32,
        transform: str | None = "none",
    ) -> SignalStore:
        """The store of these tracks; what is not in the cache yet is built.

        Raises ConfigError for two tracks of one name, an unknown transform or bin size; DataError for a file that
        breaks its format, has coarser bins, or values that the transform makes no number of; GenomeMismatch for one
        of another assembly.
        """
        tracks, transform = list(tracks), transform_name(transform)
        names = [track.name for track in tracks]
        if not tracks or len(set(names)) < len(names):
            raise ConfigError(f"signal tracks {names or 'none'} must each have a name of their own: name each once")
        if isinstance(bin_size, bool) or not isinstance(bin_size, int) or bin_size < 1:
            raise ConfigError(f"signal bin size {bin_size!r} must be a whole number of bp, at least 1")
        stores = []
        for track in tracks:
            path = Path(track.path).expanduser()
            store = open_run_store(path, format_of(path, track.format), genome.contigs)
            _check(track, store, bin_size, transform)
            stores.append(store)
        store = cls(tracks, stores, genome, bin_size, transform)
        for note in store.notes:
            _log.info("%s", note)
        return store

    def __reduce__(self):
        return SignalStore.open, (self.tracks, self.genome, self.bin_size, self.transform)

    @property
    def field(self) -> Field:
        """What `windows` gives, as an encoder's input."""
        transform = None if self.transform == "none" else self.transform
        return Field("CT", channels=self.names, bin_size=self.bin_size, required=False, transform=transform)

    def windows(self, contigs: Any, starts: Any, length: int) -> np.ndarray:
        """Values of N windows of `length` bp in bins from each window's first base on: (N, A, length // bin_size).

        contigs: (N,) ids of `Genome.contig_ids`, or names.  starts: (N,) 0-based, any base; outside of a contig 0.
        A bin's value is the mean over its bases (bigWig, bedGraph: a base without a value is 0; BED: coverage), or for
        fragments its number of cut sites; then transformed.
        """
        from zoo.data.window_kernels import as_int64, default_threads, in_threads

        if length < 1 or length % self.bin_size:
            raise ConfigError(
                f"a window of {length:,} bp is no whole number of bins of {self.bin_size} bp: "
                f"use {max(1, length // self.bin_size) * self.bin_size:,} bp"
            )
        contigs = np.asarray(contigs)
        ids = as_int64(contigs if contigs.dtype.kind in "iu" else self.genome.contig_ids(contigs.tolist()))
        starts = as_int64(starts)
        if ids.shape != starts.shape or ids.ndim != 1:
            raise DataError(f"contigs {ids.shape} and starts {starts.shape} must be of one length, (N,)")
        if len(ids) and (ids.min() < 0 or ids.max() >= len(self.genome.contigs)):
            raise DataError(f"contig ids must be 0 to {len(self.genome.contigs) - 1}: use genome.contig_ids")
        out = np.empty((len(ids), len(self.names), length // self.bin_size), np.float32)
        kernel = bin_kernels.bin_windows.of(len(ids) * length // 4)
        threads = self.genome.threads or default_threads()
        for i, store in enumerate(self.stores):
            arguments = (
                *(store.runs, store.values, store.first, store.index, store.index_first, self._sizes, ids, starts),
                *(self.bin_size, store.kind != "fragments", TRANSFORMS[self.transform], self._limits[i], out[:, i]),
            )
            in_threads(lambda a, b, x=arguments: kernel(*x, a, b), len(ids), length, threads)
        return out

    def describe(self) -> list[dict[str, Any]]:
        """What a model card says of every track: plain JSON."""
        return [
            {
                "name": track.name,
                "file": Path(track.path).name,
                "digest": store.digest,
                "format": store.kind,
                **{
                    k: v
                    for k, v in store.facts.items()
                    if k in ("bases", "sum", "least", "greatest", "not_finite") and v
                },
                **({"contigs_without_sequence": len(store.facts["elsewhere"])} if store.facts["elsewhere"] else {}),
                **({"clipped_at": float(limit)} if self.transform == "clip99" else {}),
            }
            for track, store, limit in zip(self.tracks, self.stores, self._limits, strict=True)
        ]

    @cached_property
    def _sizes(self) -> np.ndarray:
        return np.array(list(self.genome.contigs.values()), np.int64)

    @cached_property
    def _limits(self) -> list[float]:
        """Of every track, what clip99 leaves."""
        if self.transform != "clip99":
            return [0.0] * len(self.stores)
        return [self._percentile(i) for i in range(len(self.stores))]

    def _percentile(self, i: int) -> float:
        """Of the bins of one track that are not 0, on the grid of each contig; kept beside its runs."""
        store = self.stores[i]
        path = store.folder / f"{store.key}.clip{PERCENTILE}-{self.bin_size}.json"
        try:
            return float(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            pass
        one = SignalStore([self.tracks[i]], [store], self.genome, self.bin_size, "none")
        every = -(-int((self._sizes // self.bin_size).sum()) // MOST_BINS) * self.bin_size
        values = []
        for contig, size in enumerate(self._sizes.tolist()):
            starts = np.arange(0, size, every or self.bin_size)
            bins = one.windows(np.full(len(starts), contig), starts, self.bin_size).ravel()
            values.append(bins[bins != 0])
        bins = np.concatenate(values) if values else np.empty(0, np.float32)
        limit = float(np.percentile(bins, PERCENTILE)) if len(bins) else 0.0
        write_file(path, json.dumps(limit))
        return limit


def _check(track: Track, store: RunStore, bin_size: int, transform: str) -> None:
    bins, least = store.facts["bins"], store.facts["least"]
    if bins > bin_size:
        raise DataError(
            f"track {track.name!r} ({track.path}) has bins of {bins} bp but bins of {bin_size} bp are to be read: "
            f"write it with bins of {bin_size} bp or less, or for a new model take bins of {bins} bp"
        )
    if transform in LEAST and least < 0 and least <= LEAST[transform]:
        raise DataError(
            f"track {track.name!r} ({track.path}) has values down to {least:g}, of which transform {transform} makes "
            "no number: use transform none or clip99"
        )


def _notes(track: Track, store: RunStore, contigs: Mapping[str, int]) -> list[str]:
    notes = []
    large = sum(contigs.values()) / _SMALL
    runs = zip(contigs.items(), np.diff(store.first).tolist(), strict=True)
    bare = [name for (name, size), n in runs if not n and size >= large]
    if store.facts["not_finite"]:
        notes.append(
            f"{store.facts['not_finite']:,} bp of track {track.name!r} have no finite value: they are read as 0"
        )
    if store.facts["elsewhere"]:
        names = ", ".join(list(store.facts["elsewhere"])[:3])
        notes.append(
            f"track {track.name!r} has records on {len(store.facts['elsewhere']):,} contigs that the genome lacks "
            f"({names}): they are left out"
        )
    if not len(store.runs):
        notes.append(f"track {track.name!r} holds no value: it is 0 everywhere")
    elif bare:
        more = ", ..." if len(bare) > 3 else ""
        notes.append(
            f"track {track.name!r} holds no value on {len(bare):,} contigs of the genome "
            f"({', '.join(bare[:3])}{more}): it is 0 there"
        )
    return notes
