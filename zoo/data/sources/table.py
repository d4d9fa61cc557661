"""`data=table`: a CSV or TSV of sequences with one or more labels or measured values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.codes import encode
from zoo.data.leakage_audit import audit_source
from zoo.data.sequences import Sequences, hash_by_length
from zoo.data.source import SPLITS, Source
from zoo.data.sources.domains import Cohort, RowAnnotations, described_domains, hold_out, numbers
from zoo.data.sources.sequence_examples import ReadyExamples, most_common
from zoo.data.sources.table_columns import (
    MISSING,
    Choice,
    Column,
    TableText,
    choose_targets,
    read_text,
    refuse_mixed_kinds,
    split_column_of,
)
from zoo.data.splits import Fractions, draw_splits, split_column
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.fields import Field
from zoo.files.compressed import file_identity, resolve_paths
from zoo.outputs import as_name


@dataclass(frozen=True, kw_only=True)
class TableSplits(Fractions):
    """column: that says train, validation or test.

    None takes a column that is called split, fold, set or the like and says it, else draws the fractions by a hash of
    the sequence; "" always draws.
    """

    column: str | None = None


class Table(Source):
    """Rows of a table; every column of `targets` is one channel of one prediction.

    root: folder that a relative path is in.  table: CSV or TSV, plain or gzip; lines that begin with ## are comments.
    header: False where the first line is data; columns are then called 1, 2, ...
    sequence, row_name: columns.
    splits: settings, see `TableSplits`.
    targets: columns; where not given, every other column of numbers or labels (0 and 1, true and false, yes and no,
        positive and negative), but for those that are called like row names, places and parts of the rows.
    values: "binary" (0 and 1), "real", or "auto": binary where all of them are 0, 1 or missing; labels beside other
        numbers are refused.
    target: name of the prediction.
    cohort: settings, see `Cohort`: the domain and the covariates of a row, and a domain that is held out.

    A missing value (empty, NA, nan, .) has weight 0.  `notes` say what was left out.  Raises DataError naming line and
    column, also where nearly all cells of a column are numbers and one is not.
    """

    def __init__(
        self,
        *,
        root: str | None = None,
        table: str | None = None,
        header: bool = True,
        sequence: str = "sequence",
        row_name: str | None = None,
        splits: TableSplits | Mapping[str, Any] | None = None,
        targets: Sequence[str] | str | None = None,
        values: str = "auto",
        target: str = "value",
        cohort: Cohort | Mapping[str, Any] | None = None,
        licence: str = "",
        seed: int = 0,
    ):
        if not table:
            raise ConfigError("data=table needs a file: set data.table=/path/to/table.tsv")
        if values not in ("auto", "binary", "real"):
            raise ConfigError(f"data.values {values!r} must be auto, binary or real")
        splits = settings_of(TableSplits, "data.splits", splits)
        self.path = resolve_paths(root, table)[0]
        self.target, self.licence = target, licence
        text = read_text(self.path, header)
        cohort = settings_of(Cohort, "data.cohort", cohort)
        domain, covariates = cohort.domain, cohort.names
        self._refuse_unknown(text, (sequence, row_name, splits.column, domain, *_listed(targets)))
        column = splits.column
        if column is None:
            column = split_column_of(text, [sequence, row_name or "", domain or "", *_listed(targets)])
        taken = [name for name in (sequence, row_name, column, domain, *covariates) if name]
        choice = choose_targets(text, _listed(targets), taken)
        if not choice.columns:
            left = "".join(f"; {note}" for note in choice.notes)
            raise DataError(
                f"{self.path} has no column of numbers beside {sequence!r} to predict: name one with data.targets{left}"
            )
        self.values = np.stack([c.values for c in choice.columns], 1)
        self.targets = {target: Field("C", channels=self._names(choice), values=self._kind(choice.columns, values))}
        self.sequences = _sequences(text, sequence, row_name)
        self.input_length = most_common(self.sequences.lengths)
        self._hashes, _ = hash_by_length(self.sequences.lengths, self.sequences.batch)
        cells = text.cells(domain) if domain else None
        self.annotations = RowAnnotations.read(self.sequences, cells, covariates, lambda name: _covariate(text, name))
        self.domains, self.covariates = self.annotations.domains, self.annotations.names
        self.dropped: dict[str, int] = {}
        how = self._split(text, column, splits, cohort.held_out, seed)
        self.notes = [*choice.notes, how]

    def _refuse_unknown(self, text: TableText, names: Sequence[str | None]) -> None:
        for name in names:
            if name and name not in text.columns:
                raise DataError(f"{self.path} has no column {name!r}{did_you_mean(name, text.columns)}")

    def _names(self, choice: Choice) -> tuple[str, ...]:
        """Names of the tasks: those of the columns, as an output can be called by them."""
        names = {c.name: as_name(c.name) for c in choice.columns}
        for name, task in names.items():
            if list(names.values()).count(task) > 1:
                raise DataError(f"{self.path}: several columns would be called {task!r}: rename {name!r}")
            if task != name:
                choice.notes.append(f"column {name!r} is called {task!r}, as outputs are named without blanks and @:*,")
        return tuple(names.values())

    def _kind(self, columns: Sequence[Column], values: str) -> str:
        """binary or real; ConfigError where the values contradict what data.values says, or each other."""
        binary = bool(np.isin(self.values[np.isfinite(self.values)], (0.0, 1.0)).all())
        if values == "binary" and not binary:
            names = ", ".join(c.name for c in columns)
            raise DataError(f"{self.path}: columns {names} hold more than 0 and 1: set data.values=real")
        if values == "auto" and not binary:
            refuse_mixed_kinds(columns)
        return "binary" if values == "binary" or (values == "auto" and binary) else "real"

    def _split(self, text: TableText, column: str | None, splits: TableSplits, held_out: str | None, seed: int) -> str:
        """Rows of every split; returns how they were drawn, in words."""
        held = np.zeros(len(self.sequences), bool)
        if held_out is not None:
            held = self.annotations.held_out(held_out)
        if column:
            codes = split_column(text.cells(column), f"{self.path} column {column!r}", text.lines)
            self._how, words = {"by": f"column {column}"}, f"splits are those of column {column!r}"
        else:
            labels = self.values if self.targets[self.target].values == "binary" else self.values[:, :0]
            test = 0.0 if held_out is not None else splits.test
            codes = np.full(len(held), SPLITS.index("test"), np.int8)
            codes[~held], note = draw_splits(self._hashes[~held], labels[~held], splits.validation, test, seed)
            fractions = {"validation": splits.validation, "test": test}
            self._how = {"by": "hash of the sequence", **fractions, "seed": seed}
            words = f"splits are drawn by a hash of the sequence{'; ' if note else ''}{note}"
        if held_out is not None:
            codes, self.dropped = hold_out(codes, held, self._hashes, test_is_stated=bool(column))
            self._how |= {"held_out_domain": str(held_out)}
            words += f"; test is {held_out!r} of the domains, the others train and validate"
        self._rows = {s: np.flatnonzero(codes == i) for i, s in enumerate(SPLITS)}
        if not len(self._rows["train"]):
            raise DataError(f"{self.path} leaves no row for training: check its split column")
        return words

    def examples(self, split: str) -> ReadyExamples:
        """Rows of one split."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        missing = not np.isfinite(self.values).all()
        return ReadyExamples(self.sequences, self._rows[split], self.target, self.values, missing, self.annotations)

    def describe(self) -> dict[str, Any]:
        """File, columns, splits with n, missing values, the leakage audit."""
        field = self.targets[self.target]
        missing = (~np.isfinite(self.values)).sum(0).tolist()
        return {
            "source": "table",
            "files": [file_identity(self.path)],
            "licence": self.licence,
            "columns": list(field.channels),
            "values": field.values,
            "missing": dict(zip(field.channels, missing, strict=True)),
            "lengths": [int(self.sequences.lengths.min()), int(self.sequences.lengths.max())],
            "splits": self._how,
            "n": {split: len(rows) for split, rows in self._rows.items()},
            **described_domains(self.annotations, self._rows, self.dropped),
            "audit": audit_source(self),
        }


def _sequences(text: TableText, column: str, name: str | None) -> Sequences:
    codes, number = [], text.columns.index(column) + 1
    for line, letters in zip(text.lines, text.cells(column), strict=True):
        try:
            codes.append(encode(letters))
        except DataError as error:
            raise DataError(f"{text.path} line {line}, column {number}: {error}") from None
        if letters.lower() in MISSING:  # NA and nan are letters of nucleotides too
            what = repr(letters) if letters else "empty"
            raise DataError(f"{text.path} line {line}, column {number}: the sequence is {what}: drop the line")
    headers = text.cells(name) if name else [f"row_{i + 1}" for i in range(len(codes))]
    lines = np.array(text.lines, np.int64)
    return replace(Sequences.from_codes(codes), headers=headers, line=lines, path=str(text.path))


def _covariate(text: TableText, name: str) -> np.ndarray | None:
    return numbers(text.cells(name), f"{text.path} column {name!r}") if name in text.columns else None


def _listed(value: Sequence[str] | str | None) -> list[str]:
    if not value:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]
