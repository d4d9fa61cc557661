"""`data=constructs`: a library of constructs with measured activities, from a table, FASTA or GenBank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.sources.table_columns import TableText, split_column_of
from zoo.data.splits import split_column
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.files.compressed import file_identity, resolve_paths
from zoo_constructs.library.examples import ConstructSource
from zoo_constructs.library.files import read_library
from zoo_constructs.library.measurements import measure
from zoo_constructs.library.splits import ConstructSplits, draw
from zoo_constructs.library.table import read_rows


class Constructs(ConstructSource):
    """Every row is a construct: its sequence, or parts that are joined, and one or several activities.

    root: folder that a relative path is in.
    library: .csv or .tsv; .fasta, whose headers say activity=1.5; .gb, whose features are parts; plain or gzip.
    header: False where the first line of a table is data; columns are then called 1, 2, ...
    sequence: column of the whole construct; None joins the parts, or takes the column `sequence`.
    parts: columns of the parts in 5' to 3' order, as [left_flank, promoter, right_flank]; their names are the roles.
    targets: columns to predict, or names of `replicates` and `barcodes`; where not given, all of these, else every
        other column of numbers.
    replicates: {activity: [rep1, rep2]}: the target is their mean; the batch has the variance of that mean.
    barcodes: {activity: {rna: [columns], dna: [columns]}} of counts, a column a barcode: the target is the mean of the
        log2 ratios of the barcodes, each a replicate.
    splits: settings, see `ConstructSplits`.
    other_letters: what becomes of a row with letters beyond A C G T N: error, n (read as N) or drop.

    Rows without a sequence, a part or any activity are left out and counted in `dropped`.  Raises ConfigError and
    DataError naming line and column.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        library: str | None = None,
        header: bool = True,
        sequence: str | None = None,
        parts: Sequence[str] | str | None = None,
        targets: Sequence[str] | str | None = None,
        replicates: Mapping[str, Sequence[str]] | None = None,
        barcodes: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
        splits: ConstructSplits | Mapping[str, Any] | None = None,
        other_letters: str = "error",
        licence: str = "",
        seed: int = 0,
    ):
        if not library:
            raise ConfigError("data=constructs needs a file: set data.library=/path/to/library.csv")
        splits = settings_of(ConstructSplits, "data.splits", splits)
        self.path, self.licence, self.identity = resolve_paths(root, library)[0], licence, splits.identity
        text = read_library(self.path, header)
        roles, named = _listed(parts), _listed(targets)
        if sequence is None and not roles:
            if "sequence" not in text.columns:
                raise DataError(
                    f"{self.path} has no column 'sequence': name it with data.sequence, or the parts 5' to 3' with "
                    f"data.parts; its columns are {', '.join(text.columns[:12])}"
                )
            sequence = "sequence"
        rows = read_rows(text, sequence, roles, other_letters)
        letters = [*([sequence] if sequence else []), *roles]
        column = splits.column
        if column is None:
            column = split_column_of(text, [*letters, *named])
        elif column and column not in text.columns:
            raise DataError(f"{self.path} has no column {column!r}{did_you_mean(column, text.columns)}")
        taken = [*letters, *([column] if column else [])]
        measured = measure(text, named, dict(replicates or {}), dict(barcodes or {}), taken).select(rows.kept)
        seen = np.flatnonzero(np.isfinite(measured.values).any(1))
        if not len(seen):
            raise DataError(f"{self.path}: no construct has an activity: check {', '.join(measured.names)}")
        self.dropped = {**rows.dropped, "without_an_activity": len(rows.kept) - len(seen)}
        self.kept = rows.kept[seen]
        self.hold(rows.sequences.select(seen), {role: x[seen] for role, x in rows.parts.items()}, measured.select(seen))
        words = self._split(text, column, splits, seed)
        left = [f"{count:,} rows {reason.replace('_', ' ')}" for reason, count in self.dropped.items() if count]
        self.notes = [*measured.notes, words, *([f"left out: {', '.join(left)}"] if left else [])]

    def _split(self, text: TableText, column: str | None, splits: ConstructSplits, seed: int) -> str:
        if column:
            cells = text.cells(column)
            lines = [text.lines[i] for i in self.kept]
            codes = split_column([cells[i] for i in self.kept], f"{self.path} column {column!r}", lines)
            self.how: dict[str, Any] = {"by": f"column {column}"}
            self.split_by(codes)
            return f"splits are those of column {column!r}"
        drawn = draw(self.kmers, self.hashes, self.parts, splits, seed)
        self.how = drawn.how
        self.split_by(drawn.codes)
        return drawn.words

    def describe(self) -> dict[str, Any]:
        """File, columns, splits with n, what was left out, the leakage audits."""
        return {
            "source": "constructs",
            "files": [file_identity(self.path)],
            "licence": self.licence,
            "splits": self.how,
            **self.described(),
        }


def _listed(value: Sequence[str] | str | None) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]
