"""TF-MoDISco: the motifs in attributions of many sequences (Shrikumar et al. 2018), by `modisco-lite`.

    attributions.h5 -> middle of each sequence -> seqlets, clusters -> patterns.h5 -> motifs (MEME)

A seqlet is a stretch of high attribution; a pattern is a cluster of seqlets that look alike, aligned.  Patterns of
positive attributions raise the output, negative ones lower it.  The settings are those of the package's own command,
which differ from the defaults of its function; its files are written by its own writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.motifs import Motif
from zoo.errors import ConfigError, DataError, need
from zoo.files.hdf5 import hdf5_by_name

if TYPE_CHECKING:
    from zoo.attribution.result import Attributed

MAX_SEQLETS, WINDOW = 20_000, 400
LEAST_SEQLETS = 100
"""TF-MoDISco looks for patterns where more seqlets than these are of one sign."""

LEAST_WINDOW = 60
TRIM = 0.3
SETTINGS = {
    "sliding_window_size": 20,
    "flank_size": 5,
    "trim_to_window_size": 30,
    "initial_flank_to_add": 10,
    "final_flank_to_add": 0,
    "target_seqlet_fdr": 0.05,
    "n_leiden_runs": 2,
}


@dataclass(frozen=True, eq=False)
class Pattern:
    """A pattern of W positions.

    name: as in the file, such as pos_patterns.pattern_0.
    n_seqlets: how many seqlets it joins.
    frequencies: (4, W) of A C G T among them.
    contributions: (4, W) mean contribution of the letters that are there.
    """

    name: str
    n_seqlets: int
    frequencies: np.ndarray
    contributions: np.ndarray

    def core(self, trim: float = TRIM) -> slice:
        """From the first to the last position whose absolute contribution is `trim` of the largest or more.

        The default is that of `modisco report`.
        """
        weight = np.abs(self.contributions).sum(0)
        kept = np.flatnonzero(weight >= trim * weight.max())
        return slice(int(kept[0]), int(kept[-1]) + 1)

    def motif(self, trim: float = TRIM) -> Motif:
        """Letters of the seqlets in the core, as counts; a position where nothing is known counts all four alike."""
        frequencies = self.frequencies[:, self.core(trim)]
        known = frequencies.sum(0) > 0
        return Motif(self.name, self.name, np.where(known, frequencies, 0.25) * self.n_seqlets)


@dataclass(frozen=True)
class Patterns:
    """What TF-MoDISco found in N sequences: the largest patterns first within each sign."""

    positive: Sequence[Pattern]
    negative: Sequence[Pattern]
    n: int
    window: int

    def __len__(self) -> int:
        return len(self.positive) + len(self.negative)

    def motifs(self, trim: float = TRIM) -> list[Motif]:
        """The trimmed patterns, positive before negative."""
        return [p.motif(trim) for p in (*self.positive, *self.negative)]


def modisco(
    attributions: Attributed | str | Path,
    out: str | Path | None = None,
    *,
    max_seqlets: int = MAX_SEQLETS,
    window: int = WINDOW,
) -> Patterns:
    """Find the patterns of attributions.

    attributions: of kind hypothetical or effect, or an HDF5 file of them as `zoo attribute -o x.h5` writes it, and
        chrombpnet and bpnet-lite do (zoo.attribution.hdf5).
    out: HDF5 file for the package's own results, which `modisco report` reads: pos_patterns and neg_patterns with
        their seqlets, whose places count from the start of the window.
    max_seqlets: at most so many of each sign, in the order of the sequences.
    window: bp in the middle of each sequence that are looked at; all of a shorter sequence.

    Raises ZooError where modisco-lite is not installed, DataError for a file of another layout and where there are
    no patterns to be found.
    """
    need_modisco()
    from modiscolite.tfmodisco import TFMoDISco

    if max_seqlets < 1:
        raise ConfigError(f"max_seqlets {max_seqlets} must be 1 or more")
    if window < LEAST_WINDOW:
        raise ConfigError(f"window {window} must be {LEAST_WINDOW} bp or more, since a seqlet takes 50")
    attributed = _read(attributions)
    one_hot, values = _windows(attributed, window)
    n, width, _ = one_hot.shape
    contributions = (one_hot * values).sum(2)
    if not contributions.any():
        raise DataError(f"all contributions of {n:,} sequences are 0: there is nothing to find, check the output")
    try:
        signs = TFMoDISco(
            one_hot=one_hot, hypothetical_contribs=values, max_seqlets_per_metacluster=max_seqlets, **SETTINGS
        )
    except (ValueError, IndexError) as error:
        raise DataError(f"{_nothing(n, width)} (modisco-lite: {error})") from error
    positive, negative = ([*(patterns or ())] for patterns in signs)
    if not positive and not negative:
        raise DataError(_nothing(n, width))
    if out is not None:
        _write(out, positive, negative, width, attributed)
    return Patterns(_patterns("pos", positive), _patterns("neg", negative), n, width)


def need_modisco() -> None:
    """Raises ZooError where a package is missing."""
    need("TF-MoDISco", "modiscolite", "h5py", install="zoo-motifs[modisco]")


def _read(attributions: Attributed | str | Path) -> Attributed:
    if isinstance(attributions, (str, Path)):
        from zoo.attribution.hdf5 import read_h5

        return read_h5(attributions)
    if attributions.kind not in ("hypothetical", "effect"):
        raise ConfigError(
            f"TF-MoDISco needs what all four letters would contribute, not kind {attributions.kind!r}: "
            "use an interpreter with hypothetical values"
        )
    return attributions


def _windows(attributed: Attributed, window: int) -> tuple[np.ndarray, np.ndarray]:
    """One-hot and hypothetical contributions of the middle: (N, W, 4) float32 each."""
    length = attributed.codes.shape[1]
    if length < LEAST_WINDOW:
        raise DataError(
            f"sequences of {length} bp are too short: TF-MoDISco needs {LEAST_WINDOW} bp, since a seqlet takes 50"
        )
    width = min(window, length)
    first = (length - width) // 2
    codes, values = attributed.codes[:, first : first + width], attributed.values[:, :, first : first + width]
    if attributed.kind == "effect":
        values = values - values.mean(1, keepdims=True)
    one_hot = (codes[:, :, None] == np.arange(4, dtype=np.uint8)).astype(np.float32)
    return one_hot, np.ascontiguousarray(values.transpose(0, 2, 1), dtype=np.float32)


def _nothing(n: int, width: int) -> str:
    return (
        f"TF-MoDISco finds no pattern in {n:,} sequences of {width} bp: it needs more than {LEAST_SEQLETS} seqlets "
        "of one sign that resemble one another, so give more sequences, or those that the output is high for"
    )


def _write(out: str | Path, positive: list[Any], negative: list[Any], width: int, attributed: Attributed) -> None:
    import h5py
    from modiscolite.io import save_hdf5

    with hdf5_by_name(out) as name:
        save_hdf5(name, positive or None, negative or None, width)
        with h5py.File(name, "r+") as file:
            origin = {**attributed.comments, "output": attributed.output, "sequences": len(attributed)}
            for key, value in origin.items():
                if key not in file.attrs:
                    file.attrs[key] = str(value).replace("\0", " ")[:10_000]


def _patterns(sign: str, clusters: list[Any]) -> list[Pattern]:
    arrays = [[np.asarray(x, np.float64).T for x in (p.sequence, p.contrib_scores)] for p in clusters]
    return [Pattern(f"{sign}_patterns.pattern_{i}", len(clusters[i].seqlets), *x) for i, x in enumerate(arrays)]
