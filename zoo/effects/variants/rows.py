"""Rows of scored variants: what a table of scores has in its columns beside the scores.

alleles of some records + their scores -> rows -> a chunk, which is written as one part
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import DataError

if TYPE_CHECKING:
    from zoo.variants.carried_alleles import CarriedAlleles
    from zoo.variants.variants import Variants

COLUMNS = ("chrom", "pos", "id", "ref", "alt", "status")
NORMAL = ("norm_pos", "norm_ref", "norm_alt", "notes")
HAPLOTYPE_COLUMNS = (*COLUMNS, "sample", "haplotype")
TEXTS = {*HAPLOTYPE_COLUMNS, *NORMAL, "gene", "strand", "feature", "feature_id"} - {"pos", "norm_pos", "haplotype"}
WHOLE = {"pos", "norm_pos", "haplotype", "variants", "nearest", "distance"}
"""Columns of text and of whole numbers; all others are scores."""

_PLACE = "DP_"
"""Scores by gene whose columns begin so are whole numbers too: bp from the variant."""


@dataclass(frozen=True)
class Scored:
    """values: (A, number of columns) float32, NaN where there is no score; status: (A,), as of the variants or new.

    profiles: (A, 2, positions of all profiles) float32 of the reference and the alternate allele, where asked for.
    notes: (A,) text for the column notes; None where that of the variants says all.
    allele: (K,) which allele each row is of, ascending, where alleles have several rows, as one a gene; values and
        status are then (K, ...).  labels: of every such row the texts in front of its scores.
    """

    values: np.ndarray
    status: np.ndarray
    profiles: np.ndarray | None = None
    notes: np.ndarray | None = None
    allele: np.ndarray | None = None
    labels: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Chunk:
    """Rows of the records first to last of the input; profiles (A, 2, T) where the output has room for them."""

    first: int
    last: int
    rows: list[list[Any]]
    record: np.ndarray
    profiles: np.ndarray | None = None

    def statuses(self, columns: Sequence[str] = COLUMNS) -> Counter:
        """How many rows have which status."""
        return Counter(row[columns.index("status")] for row in self.rows)


def is_whole(column: str) -> bool:
    """Whether a column holds whole numbers."""
    return column in WHOLE or column.startswith(_PLACE)


def rows_of(
    variants: Any, scored: Scored, columns: Sequence[str] = (), sample: str | None = None
) -> Iterator[list[Any]]:
    """A row of COLUMNS, the scores and NORMAL for every allele; of scores by gene for every allele and gene.

    variants: `Variants`, of a sample `CarriedAlleles`.  columns: names of the scores, where they are by gene.
    """
    if sample is not None:
        yield from haplotype_rows(variants, scored, sample)
        return
    if scored.allele is not None:
        yield from _gene_rows(variants, scored, scored.allele.tolist(), [is_whole(name) for name in columns])
        return
    for i in range(len(variants)):
        yield [*_written(variants, i), scored.status[i], *scored.values[i], *_normal(variants, i), variants.notes[i]]


def _gene_rows(
    variants: Variants, scored: Scored, alleles: Sequence[int], whole: Sequence[bool]
) -> Iterator[list[Any]]:
    notes = variants.notes if scored.notes is None else scored.notes
    for k, i in enumerate(alleles):
        numbers = (
            (None if np.isnan(x) else int(x)) if is_place else x
            for x, is_place in zip(scored.values[k], whole, strict=True)
        )
        yield [
            *(*_written(variants, i), scored.status[k], *scored.labels[k], *numbers),
            *(*_normal(variants, i), notes[i]),
        ]


def haplotype_rows(variants: CarriedAlleles, scored: Scored, sample: str) -> Iterator[list[Any]]:
    """A row of HAPLOTYPE_COLUMNS, the scorer's columns and NORMAL for every allele that comes out."""
    shown = variants.shown
    for i in range(len(shown)):
        status = scored.status[i]
        unknown = status in ("unphased", "phase_set")
        *effects, number, nearest = scored.values[i]
        yield [
            *(*_written(shown, i), status, sample, 0 if unknown else int(shown.haplotype[i]), *effects),
            *(None if np.isnan(x) else int(x) for x in (number, nearest)),
            *(*_normal(shown, i), "" if scored.notes is None else scored.notes[i]),
        ]


def _written(variants: Variants, i: int) -> tuple[Any, ...]:
    """chrom, pos, id, ref, alt as the file has them."""
    return variants.chrom[i], _one_based(variants, variants.pos, i), variants.id[i], variants.ref[i], variants.alt[i]


def _normal(variants: Variants, i: int) -> tuple[Any, ...]:
    return _one_based(variants, variants.norm_pos, i), variants.norm_ref[i], variants.norm_alt[i]


def _one_based(variants: Variants, pos: np.ndarray, i: int) -> int | None:
    """None where the position could not be read; 0 is that of a telomere (VCF 4.3, 1.6.1)."""
    return int(pos[i]) + 1 if pos[i] >= 0 or variants.status[i] != "malformed" else None


def by_alt(alts: Sequence[str], rows: list[Sequence[str]], place: int) -> list[Sequence[str] | None]:
    """The row of every ALT of a line, None for one that was left out; place: of ALT in a row."""
    if len(rows) == len(alts) or (len(rows) == 1 and rows[0][place] == ",".join(alts)):
        return list(rows)
    waiting = iter(rows)
    row, by_allele = next(waiting, None), []
    for alt in alts:
        by_allele.append(row if row is not None and row[place] == alt else None)
        row = next(waiting, None) if by_allele[-1] is not None else row
    if row is not None:
        raise DataError(f"the input has changed: ALT {','.join(alts)[:40]} is not what was scored: score it anew")
    return by_allele


def distinct(variants: Variants, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows by position without those whose normal spelling came before, and (repeated row, first row) of those."""
    first: dict[tuple, int] = {}
    same = []
    for row in rows.tolist():
        key = variants.contig[row], variants.norm_pos[row], variants.norm_ref[row], variants.norm_alt[row]
        if first.setdefault(key, row) != row:
            same.append((row, first[key]))
    distinct = np.array(sorted(first.values(), key=lambda r: (variants.contig[r], variants.norm_pos[r])), np.int64)
    return distinct, np.array(same, np.int64).reshape(-1, 2)
