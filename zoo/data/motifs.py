"""JASPAR motifs by name or identifier, and the best match of a motif in sequences.

    get_motif("CTCF") -> Motif.log_odds() (4, W) -> scan(log_odds, codes) -> (N,)

The matrices come with `pyjaspar`, as an SQLite file: nothing is downloaded.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zoo.errors import DataError, did_you_mean, need

RELEASE = "JASPAR2026"
UNIFORM = (0.25, 0.25, 0.25, 0.25)
_IDENTIFIER = re.compile(r"[A-Z]{2}\d{4}(\.\d+)?", re.IGNORECASE)
_CHUNK = 1 << 21


@dataclass(frozen=True, eq=False)
class Motif:
    """A count matrix with its name.

    counts: (4, W) in the order A C G T.
    """

    name: str
    id: str
    counts: np.ndarray

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts, np.float64)
        if counts.ndim != 2 or counts.shape[0] != 4 or counts.shape[1] < 1 or (counts.sum(0) <= 0).any():
            raise DataError(f"motif {self.name!r} has counts of shape {counts.shape}: it needs (4, W), no column empty")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)

    def __len__(self) -> int:
        return self.counts.shape[1]

    @property
    def consensus(self) -> str:
        """The most frequent base of every column."""
        return "".join("ACGT"[i] for i in self.counts.argmax(0))

    @property
    def information(self) -> np.ndarray:
        """(W,) bits of every column against equal base frequencies."""
        p = self.probabilities()
        return 2 + (p * np.log2(p)).sum(0)

    def probabilities(self, pseudocount: float = 0.8, background: Sequence[float] = UNIFORM) -> np.ndarray:
        """(4, W), columns summing to one.

        pseudocount: counts added to a column in all, shared out as the background (Nishida et al. 2009
            found 0.8 to serve most motifs).
        background: frequencies of A C G T.
        """
        share = np.asarray(background, np.float64)[:, None]
        return (self.counts + pseudocount * share) / (self.counts.sum(0) + pseudocount)

    def log_odds(self, pseudocount: float = 0.8, background: Sequence[float] = UNIFORM) -> np.ndarray:
        """(4, W) log2 of probability over background: the position weight matrix that `scan` takes."""
        return np.log2(self.probabilities(pseudocount, background) / np.asarray(background)[:, None])

    def reverse_complement(self) -> Motif:
        """The same motif read from the other strand."""
        return Motif(self.name, self.id, self.counts[::-1, ::-1])

    def sample(self, rng: np.random.Generator, n: int | None = None) -> np.ndarray:
        """Sites drawn column by column from the counts: codes (n, W) uint8, or (W,) without n."""
        steps = np.cumsum(self.probabilities(pseudocount=0.0), axis=0)
        drawn = (rng.random((1 if n is None else n, 1, len(self))) >= steps[:3]).sum(1).astype(np.uint8)
        return drawn[0] if n is None else drawn


def get_motif(name: str, release: str = RELEASE) -> Motif:
    """A motif of JASPAR by name ("CTCF"), identifier ("MA0139": its latest version) or version ("MA0139.2").

    Of several motifs of one name the first of these is taken: CORE before other collections, vertebrates
    before other groups, the lowest identifier, its latest version.  Raises DataError for an unknown one.

    >>> get_motif("ctcf").id, get_motif("MA0139.1").consensus
    ('MA0139.2', 'TGGCCACCAGGGGGCGCTA')
    """
    return _get(str(name).strip(), release)


def get_motifs(names: Sequence[str], release: str = RELEASE) -> list[Motif]:
    """`get_motif` for every name."""
    return [get_motif(name, release) for name in names]


@lru_cache(maxsize=2)
def core_motifs(release: str = RELEASE) -> tuple[Motif, ...]:
    """The latest version of every CORE motif, of all groups of organisms, by identifier."""
    latest: dict[str, tuple[int, str]] = {}
    for base, version, name, core, _ in _index(release):
        if core:
            latest[base] = max(latest.get(base, (0, "")), (version, name))
    cells: dict[str, list[tuple[str, int, float]]] = {base: [] for base in latest}
    with _database(release) as connection:
        rows = connection.execute(
            "select m.BASE_ID, m.VERSION, d.row, d.col, d.val from MATRIX_DATA d join MATRIX m on m.ID = d.ID"
        ).fetchall()
    for base, version, letter, column, value in rows:
        if base in latest and int(version) == latest[base][0]:
            cells[base].append((letter, column, value))
    return tuple(
        Motif(name, f"{base}.{version}", _counts(cells[base])) for base, (version, name) in sorted(latest.items())
    )


def motif_names(release: str = RELEASE) -> list[str]:
    """Names of all CORE motifs, sorted, each once."""
    return sorted({name for _, _, name, core, _ in _index(release) if core})


def scan(log_odds: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Best score of a motif over all positions and both strands.

    log_odds: (4, W); codes: (N, L) or (L,) with L >= W.  A site that holds an N counts its worst base there.
    Returns (N,) float64, or a scalar for one sequence.
    """
    return best_hits(log_odds, codes)[0]


def best_hits(log_odds: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score, start (0-based) and strand ("+" or "-") of the best site of every sequence, as `scan` finds it.

    >>> motif = Motif("x", "x", [[9, 0], [0, 9], [0, 0], [0, 0]])
    >>> _, start, strand = best_hits(motif.log_odds(), np.array([[3, 3, 0, 1], [3, 2, 3, 3]], np.uint8))
    >>> start.tolist(), strand.tolist()
    ([2, 1], ['+', '-'])
    """
    rows = np.atleast_2d(np.asarray(codes, np.uint8))
    width, length = log_odds.shape[1], rows.shape[1]
    if length < width:
        raise DataError(f"sequences of {length} bp are shorter than the motif of {width} bp: use longer windows")
    tables = [np.vstack([m, m.min(0)]) for m in (log_odds, log_odds[::-1, ::-1])]
    positions = length - width + 1
    score = np.empty(len(rows))
    start = np.empty(len(rows), np.int64)
    strand = np.empty(len(rows), "<U1")
    step = max(1, _CHUNK // positions)
    for first in range(0, len(rows), step):
        block = rows[first : first + step]
        sums = np.zeros((2, len(block), positions))
        for column in range(width):
            bases = block[:, column : column + positions]
            for side, table in enumerate(tables):
                sums[side] += table[:, column][bases]
        where = sums.argmax(2)
        best = np.take_along_axis(sums, where[..., None], 2)[..., 0]
        side = best.argmax(0)
        chosen = np.arange(len(block))
        here = slice(first, first + len(block))
        score[here], start[here] = best[side, chosen], where[side, chosen]
        strand[here] = np.where(side == 0, "+", "-")
    if np.ndim(codes) == 1:
        return score[0], start[0], strand[0]
    return score, start, strand


@lru_cache(maxsize=256)
def _get(name: str, release: str) -> Motif:
    index = _index(release)
    upper = name.upper()
    if _IDENTIFIER.fullmatch(name):
        rows = [row for row in index if upper in (row[0], f"{row[0]}.{row[1]}")]
    else:
        rows = [row for row in index if row[2] == name] or [row for row in index if row[2].upper() == upper]
    if not rows:
        known = [row[2] for row in index] + [row[0] for row in index]
        near = did_you_mean(upper, {k.upper(): k for k in known}, command="zoo.data.motifs.motif_names()")
        raise DataError(f"{release} has no motif {name!r}{near}")
    base, version, found_name, *_ = min(rows, key=lambda row: (not row[3], not row[4], row[0], -row[1]))
    with _database(release) as connection:
        cells = connection.execute(
            "select d.row, d.col, d.val from MATRIX_DATA d join MATRIX m on m.ID = d.ID "
            "where m.BASE_ID = ? and m.VERSION = ?",
            (base, version),
        ).fetchall()
    return Motif(found_name, f"{base}.{version}", _counts(cells))


def _counts(cells: Sequence[tuple[str, int, float]]) -> np.ndarray:
    """(4, W) of the database's cells: base, column from 1, count."""
    counts = np.zeros((4, max(col for _, col, _ in cells)))
    for base_letter, col, value in cells:
        counts["ACGT".index(base_letter), col - 1] = value
    return counts


@lru_cache(maxsize=4)
def _index(release: str) -> tuple[tuple[str, int, str, bool, bool], ...]:
    """(base identifier, version, name, in CORE, vertebrate) of every motif."""
    with _database(release) as connection:
        rows = connection.execute(
            "select m.BASE_ID, m.VERSION, m.NAME, m.COLLECTION, a.VAL from MATRIX m "
            "left join MATRIX_ANNOTATION a on a.ID = m.ID and a.TAG = 'tax_group'"
        ).fetchall()
    return tuple((b, int(v), n, collection == "CORE", group == "vertebrates") for b, v, n, collection, group in rows)


@contextmanager
def _database(release: str) -> Iterator[sqlite3.Connection]:
    need("JASPAR", "pyjaspar")
    from pyjaspar import jaspar_releases, jaspardb

    if release not in jaspar_releases:
        raise DataError(f"no JASPAR release {release!r}" + did_you_mean(release, jaspar_releases))
    connection = jaspardb(release=release).conn
    try:
        yield connection
    finally:
        connection.close()
