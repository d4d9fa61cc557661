"""Sets of known motifs: JASPAR, as it comes with `pyjaspar`, or a file of motifs.

jaspar() -> 1,019 matrices of CORE, vertebrates, the latest version of each
database("jaspar"), database("jaspar:plants"), database("hocomoco.meme")
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from zoo.data.motifs import RELEASE, Motif
from zoo.errors import DataError, did_you_mean
from zoo_motifs.motif_files import read_motifs

_LATEST = """
    select m.ID, m.BASE_ID || '.' || m.VERSION, m.NAME from MATRIX m
    join MATRIX_ANNOTATION a on a.ID = m.ID and a.TAG = 'tax_group'
    where m.COLLECTION = ? and a.VAL = ?
      and m.VERSION = (select max(VERSION) from MATRIX where BASE_ID = m.BASE_ID)
    order by m.BASE_ID
"""


@dataclass(frozen=True)
class Family:
    """JASPAR's structural annotation (TFClass) of a matrix; a dimer has one of each protein."""

    classes: tuple[str, ...]
    families: tuple[str, ...]

    def shares(self, other: Family) -> bool:
        """Whether both have a family in common."""
        return bool(set(self.families) & set(other.families))


def database(name: str | Path) -> tuple[list[Motif], str, list[str]]:
    """(motifs, what they are in words, notes) of `jaspar`, `jaspar:GROUP` or a file of motifs.

    Raises DataError for a group that JASPAR does not have, and as `read_motifs` does.
    """
    text = str(name)
    if text == "jaspar" or text.startswith("jaspar:"):
        group = text.partition(":")[2] or "vertebrates"
        motifs = jaspar(tax_group=group)
        return motifs, f"{RELEASE} CORE {group}, {len(motifs):,} matrices", []
    file = read_motifs(text)
    return file.motifs, f"{Path(text).name}, {len(file.motifs):,} matrices", file.notes


def jaspar(collection: str = "CORE", tax_group: str = "vertebrates", release: str = RELEASE) -> list[Motif]:
    """The latest version of every matrix of a JASPAR collection and taxonomic group, by identifier.

    The same matrices as `pyjaspar.jaspardb(release).fetch_motifs(collection, tax_group=[tax_group])`, in two
    queries instead of several thousand.
    """
    return list(_jaspar(collection.upper(), tax_group, release))


@lru_cache(maxsize=4096)
def family(identifier: str, release: str = RELEASE) -> Family:
    """Class and family of a JASPAR matrix ("MA0139.2"; "MA0139" is its latest version).

    Raises DataError for an identifier that the release does not have.

    >>> family("MA0080.6").families
    ('Ets-related',)
    """
    base, _, version = identifier.partition(".")
    with _connection(release) as connection:
        row = connection.execute(
            "select ID from MATRIX where BASE_ID = ? and (? = '' or VERSION = ?) order by VERSION desc limit 1",
            (base.upper(), version, version),
        ).fetchone()
        if row is None:
            raise DataError(f"{release} has no matrix {identifier!r}: give an identifier like MA0139.2")
        tags = connection.execute(
            "select TAG, VAL from MATRIX_ANNOTATION where ID = ? and TAG in ('class', 'family') order by LOCAL_ID", row
        ).fetchall()
    return Family(tuple(v for t, v in tags if t == "class"), tuple(v for t, v in tags if t == "family"))


@lru_cache(maxsize=8)
def _jaspar(collection: str, tax_group: str, release: str) -> tuple[Motif, ...]:
    with _connection(release) as connection:
        rows = connection.execute(_LATEST, (collection, tax_group)).fetchall()
        if not rows:
            known = connection.execute("select distinct VAL from MATRIX_ANNOTATION where TAG = 'tax_group'").fetchall()
            groups = sorted(group for (group,) in known)
            raise DataError(
                f"{release} {collection} has no matrix of the group {tax_group!r}" + did_you_mean(tax_group, groups)
            )
        cells = connection.execute(
            f"select ID, row, col, val from MATRIX_DATA where ID in ({','.join(str(int(r[0])) for r in rows)})"
        ).fetchall()
    widths: dict[int, int] = {}
    for key, _, column, _ in cells:
        widths[key] = max(column, widths.get(key, 0))
    counts = {key: np.zeros((4, width)) for key, width in widths.items()}
    for key, base, column, value in cells:
        counts[key]["ACGT".index(base), column - 1] = value
    return tuple(Motif(name, identifier, counts[key]) for key, identifier, name in rows)


@contextmanager
def _connection(release: str) -> Iterator[sqlite3.Connection]:
    """pyjaspar's own file, read only."""
    import pyjaspar

    if release not in pyjaspar.jaspar_releases:
        raise DataError(f"no JASPAR release {release!r}" + did_you_mean(release, pyjaspar.jaspar_releases))
    path = os.path.join(os.path.dirname(pyjaspar.__file__), "data", pyjaspar.jaspar_releases[release])
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro", uri=True)) as connection:
        yield connection
