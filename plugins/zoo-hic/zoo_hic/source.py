"""`data=contact_maps`: windows of one or several contact maps of one genome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.genome import Genome
from zoo.data.source import SPLITS, Examples, Source
from zoo.data.splits import Splits
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths
from zoo_hic.context_tracks import read_tracks
from zoo_hic.maps import ContactMap
from zoo_hic.preprocess import Preprocess
from zoo_hic.readers import read_map
from zoo_hic.windows import TARGET, SquareWindows, Stretch


@dataclass(frozen=True)
class WindowSettings:
    """bins: T of a window.  step: bins from one training window to the next; the others overlap by half.
    overhang: bins by which windows may hang over the ends of a contig, where they read N."""

    bins: int = 64
    step: int = 8
    overhang: int = 0


@dataclass(frozen=True)
class PairSettings:
    """nearest, furthest: bp; pairs nearer or further apart are left out of training and evaluation.
    known: share of a window's pairs that must be known."""

    nearest: int = 20_000
    furthest: int | None = None
    known: float = 0.1

    def bins(self, resolution: int) -> tuple[int, int | None]:
        """Least and most bins apart."""
        return -(-self.nearest // resolution), None if self.furthest is None else self.furthest // resolution


class ContactMaps(Source):
    """Sequence against log(observed / expected) contacts, one channel a map.

    target: contacts (N, C, T, T), NaN where a pair is unknown or too near or far.
    maps: {name: file}, .cool, .mcool or .hic; each is a channel, such as a cell type.
    root: folder that relative paths are in.  genome: {name, fasta}, given by the configuration's `genome`.
    resolution: bp of a bin; a multiple of what the file has is made from it.
    windows: arguments of `WindowSettings` by name.  pairs: arguments of `PairSettings` by name.
    splits: {train, validation, test: [regions]}, 0-based half-open.  A region that is shorter than a window gives
        one window, whose bins beyond the region are unknown.  exclude: [contigs] that no split holds.
    preprocess: arguments of zoo_hic.preprocess.Preprocess by name: every step from contacts to target.
    allow_other_assembly: accept maps whose contigs are not as long as the genome's.
    tracks: {name: BED file}: epigenomic context that the model reads beside the sequence, as log(1 + intervals that
        begin in the bin).
    licence: of the maps, for the model card.

    Raises ConfigError for what is not given, GenomeMismatch where a map is of another genome.
    """

    def __init__(
        self,
        *,
        maps: Mapping[str, str] | None = None,
        root: str | None = None,
        genome: Mapping[str, Any] | None = None,
        resolution: int = 10_000,
        windows: Mapping[str, Any] | None = None,
        pairs: Mapping[str, Any] | None = None,
        splits: Mapping[str, Sequence[str] | None] | None = None,
        preprocess: Mapping[str, Any] | None = None,
        allow_other_assembly: bool = False,
        tracks: Mapping[str, str] | None = None,
        licence: str = "",
    ):
        arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__", "genome")}
        self._config = {"name": "contact_maps", **{k: _plain(v) for k, v in arguments.items()}}
        if not maps:
            raise ConfigError("data contact_maps names no map: set data.maps.NAME=/path/to/map.mcool")
        self.preprocess = build_settings(Preprocess, preprocess, "preprocess has no step")
        self._windows = build_settings(WindowSettings, windows, "data.windows has no key")
        self._pairs = build_settings(PairSettings, pairs, "data.pairs has no key")
        self.genome = Genome.from_config(genome)
        self._splits = Splits.from_config({k: v for k, v in (splits or {}).items() if k != "exclude"})
        self._paths = dict(zip(maps, _resolve(maps, root), strict=True))
        self.maps: dict[str, ContactMap] = {
            name: read_map(
                path,
                resolution=resolution,
                balance=self.preprocess.balance,
                fasta=self.genome,
                allow_other_assembly=allow_other_assembly,
            )
            for name, path in self._paths.items()
        }
        self._contigs = self._shared_contigs(set((splits or {}).get("exclude") or ()))
        self._bin_size, self._licence = resolution, licence
        self._near, self._far = self._pairs.bins(resolution)
        self.input_length = self._windows.bins * resolution
        self.targets = {TARGET: Field("CTT", tuple(maps), "log(observed / expected)", bin_size=resolution)}
        self._tracks: dict[str, np.ndarray] | None = None
        if tracks:
            paths = dict(zip(tracks, _resolve(tracks, root), strict=True))
            sizes = {c: self._length(c) for c in self._contigs}
            self._tracks = read_tracks(paths, sizes, resolution)
            self.inputs = {"signal": Field("AT", channels=tuple(tracks), bin_size=resolution, required=False)}
        self._squares: dict[str, np.ndarray] | None = None

    def squares(self) -> dict[str, np.ndarray]:
        """{contig: (C, T, T) float32} of all maps, after every step of `preprocess`."""
        if self._squares is None:
            made = [self.preprocess.of_map(m, self._contigs) for m in self.maps.values()]
            self._squares = {
                contig: np.stack([extend_square(squares[contig], self._length(contig)) for squares in made])
                for contig in self._contigs
            }
        return self._squares

    def examples(self, split: str) -> Examples:
        """WindowSettings of a split's regions."""
        if split not in SPLITS:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        squares, names = self.squares(), list(self.genome.contigs)
        stretches = []
        for contig_id, start, end in self._splits.of(self.genome)[split]:
            contig = names[contig_id]
            if contig in squares:
                first, last = -(-start // self._bin_size), -(-end // self._bin_size)
                reader = lambda a, b, contig=contig: self.genome.fetch(contig, a, b)  # noqa: E731
                stretches.append(Stretch(contig, first, min(last, squares[contig].shape[1]), squares[contig], reader))
        return SquareWindows(
            stretches,
            self._windows.bins,
            self._bin_size,
            step=self._windows.step if split == "train" else max(1, self._windows.bins // 2),
            known=self._pairs.known,
            nearest=self._near,
            furthest=self._far,
            signal=self._tracks,
            overhang=self._windows.overhang,
        )

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "contact_maps",
            "maps": {name: {**file_identity(self._paths[name]), **m.origin} for name, m in self.maps.items()},
            "notes": [note for m in self.maps.values() for note in m.notes],
            "genome": self.genome.identity(),
            "licence": self._licence,
            "splits": self._splits.describe(),
            "preprocessing": self.preprocess.describe(),
            "pairs": {"nearest_bins": self._near, "furthest_bins": self._far},
            "config": self._config,
        }

    def _shared_contigs(self, left_out: set[str]) -> list[str]:
        """Contigs that the genome and every map have."""
        out = {self.genome.resolve(c) for c in left_out}
        kept = [c for c in self.genome.contigs if c not in out and all(c in m.sizes for m in self.maps.values())]
        if not kept:
            raise DataError("the maps and the genome share no contig: are they of one assembly?")
        return kept

    def _length(self, contig: str) -> int:
        """Bins of a contig in the longest map."""
        return max(m.bins(contig) for m in self.maps.values())


def build_settings(settings: type, arguments: Mapping[str, Any] | None, mistake: str) -> Any:
    """The settings of these arguments; ConfigError, which begins with `mistake`, for an unknown one."""
    known = list(settings.__dataclass_fields__)
    for name in sorted(set(arguments or {}) - set(known)):
        raise ConfigError(f"{mistake} {name!r}" + did_you_mean(name, known))
    return settings(**(arguments or {}))


def extend_square(square: np.ndarray, bins: int) -> np.ndarray:
    """(bins, bins) of a square (T, T), unknown behind its end."""
    return np.pad(square, (0, bins - len(square)), constant_values=np.nan)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def _resolve(files: Mapping[str, str], root: str | None) -> list[Path]:
    return [resolve_paths(root, file)[0] for file in files.values()]
