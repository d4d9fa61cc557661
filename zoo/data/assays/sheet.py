"""The sheet of experiments of `data=assays`: one row an experiment, or one replicate of it.

experiments.tsv -> read_sheet -> [Experiment] -> choose_experiments (by name, pattern or column) -> labels and inputs
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from zoo.composition.name_patterns import fits, is_pattern, match_names, parse_conditions
from zoo.data.sources.table_columns import MISSING, TableText, read_text
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.files.compressed import read_chunks
from zoo.files.pipes import refuse_pipe
from zoo.outputs import as_name

COLUMNS = ("name", "assay", "target", "cell", "batch", "peaks", "signal", "control", "replicate", "role")
FILES = ("peaks", "signal", "control")
ROLES = ("label", "input")
_SHARED = ("assay", "target", "cell", "batch", "role")
_MOST_BYTES, _MOST_ROWS = 1 << 24, 20_000


@dataclass(frozen=True)
class Replicate:
    """Files of one row of the sheet, None where its cell is empty.  line: of the sheet."""

    line: int
    peaks: Path | None = None
    signal: Path | None = None
    control: Path | None = None
    replicate: str = ""


@dataclass(frozen=True)
class Experiment:
    """One experiment: the rows of the sheet that have its name.

    name: of the task.  assay, target, cell, batch: "" where the sheet says nothing.
    role: "label" (it is predicted) or "input" (its signal is read by the model).
    columns: {column: value} of its first row, files left out; for `data.where` and the model card.
    """

    name: str
    assay: str
    target: str
    cell: str
    batch: str
    role: str
    replicates: tuple[Replicate, ...]
    columns: Mapping[str, str]

    def files(self, column: str) -> list[Path]:
        """Those of one column of its replicates."""
        return [path for r in self.replicates if (path := getattr(r, column)) is not None]


@dataclass(frozen=True)
class Sheet:
    """Experiments in the order of the sheet.  columns: of the sheet.  notes: what a person should know of it."""

    path: Path
    experiments: tuple[Experiment, ...]
    columns: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


def read_sheet(path: str | Path) -> Sheet:
    """Read a TSV or CSV of experiments, plain or gzip; files are looked for beside the sheet.

    Raises DataError naming line and column for a name that is missing or comes twice, a role that is none, a file that
    is not there, replicates that differ in assay, target, cell, batch or role, and for a sheet of more than 16 MB.
    """
    path = Path(path).expanduser()
    refuse_pipe(path, "a sheet of experiments")
    _require_size(path)
    text = read_text(path, header=True)
    columns = [column.strip().lower() if column.strip().lower() in COLUMNS else column for column in text.columns]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise DataError(f"{path} line 1: column {twice!r} comes twice, in capitals or not: rename one")
    text = TableText(text.path, columns, text.lines, text.rows)
    if "name" not in columns:
        raise DataError(
            f"{path} has no column 'name', which names every experiment{did_you_mean('name', columns)}; "
            f"zoo reads the columns {', '.join(COLUMNS)}"
        )
    if len(text.rows) > _MOST_ROWS:
        raise DataError(f"{path} has {len(text.rows):,} rows, zoo reads at most {_MOST_ROWS:,}: split the sheet")
    rows = [_row(text, i) for i in range(len(text.rows))]
    _require_files(path, rows)
    notes = _column_notes(columns)
    experiments = tuple(_experiments(path, rows, notes))
    return Sheet(path, experiments, tuple(columns), [*notes, *_input_notes(experiments)])


def choose_experiments(
    sheet: Sheet, tasks: str | Sequence[str] | None, where: str | Sequence[str] | Mapping[str, Any] | None
) -> tuple[list[Experiment], list[Experiment]]:
    """(label experiments, input experiments), in the order of the sheet.

    tasks: names or patterns of label experiments; all where not given.  where: see `parse_conditions`; all columns must
    fit.  Inputs are not chosen: those that are of no cell, or of the cell of a chosen label, stay.
    Raises ConfigError for a name, pattern, column or value that fits nothing.
    """
    labels = [e for e in sheet.experiments if e.role == "label"]
    names = [e.name for e in labels]
    if not labels:
        raise ConfigError(f"{sheet.path} has no experiment to predict: every row has the role input")
    patterns = [tasks] if isinstance(tasks, str) else list(tasks or ())
    chosen = set() if patterns else set(names)
    for pattern in map(str, patterns):
        matches = match_names(pattern, names)
        if not matches:
            raise ConfigError(f"data.tasks: {sheet.path} names no experiment {pattern!r}" + _near(pattern, names))
        chosen |= set(matches)
    labels = [e for e in labels if e.name in chosen]
    for column, values in parse_conditions(where, "data.where").items():
        if column not in sheet.columns or column in FILES:
            known = [c for c in sheet.columns if c not in FILES]
            raise ConfigError(f"data.where: {sheet.path} has no column {column!r}" + did_you_mean(column, known))
        known = dict.fromkeys(e.columns.get(column, "") for e in labels)
        labels = [e for e in labels if fits(e.columns.get(column, ""), values)]
        if not labels:
            raise ConfigError(
                f"data.where: no chosen experiment has {column}={'|'.join(values)}" + did_you_mean(values[0], known)
            )
    cells = {e.cell for e in labels} | {""}
    return labels, [e for e in sheet.experiments if e.role == "input" and e.cell in cells]


def _near(pattern: str, names: Sequence[str]) -> str:
    if is_pattern(pattern):
        return f": they are {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}"
    return did_you_mean(pattern, names, "zoo train data=assays ... --dry-run")


def _require_size(path: Path) -> None:
    size = 0
    for chunk in read_chunks(path):
        size += len(chunk)
        if size > _MOST_BYTES:
            raise DataError(
                f"{path} is larger than {_MOST_BYTES >> 20} MB unpacked, which no sheet of experiments is: "
                "data.sheet names the table whose rows name the files, not one of the files"
            )


def _column_notes(columns: Sequence[str]) -> list[str]:
    """A sentence for every column whose name is nearly one that zoo reads and the sheet lacks."""
    absent = [c for c in COLUMNS if c not in columns]
    near = {c: get_close_matches(c.lower(), absent, n=1, cutoff=0.75) for c in columns if c not in COLUMNS}
    return [
        f"column {c!r} of the sheet is none that zoo reads: did you mean {match[0]!r}?"
        for c, match in near.items()
        if match
    ]


def _input_notes(experiments: Sequence[Experiment]) -> list[str]:
    """A sentence where inputs are of a cell of which nothing is to be predicted, and so never read."""
    cells = {e.cell for e in experiments if e.role == "label"} | {""}
    unread = [e for e in experiments if e.role == "input" and e.cell not in cells]
    if not unread:
        return []
    return [
        f"{len(unread):,} inputs are not read, since their cells have no row of the role label: "
        f"{unread[0].name!r} is of {unread[0].cell!r}"
    ]


@dataclass(frozen=True)
class _Row:
    name: str
    role: str
    values: dict[str, str]
    files: Replicate


def _row(text: TableText, i: int) -> _Row:
    line = text.lines[i]
    cells = dict(zip(text.columns, text.rows[i], strict=True))
    values = {k: "" if v.lower() in MISSING else v for k, v in cells.items()}
    if not values["name"]:
        raise DataError(f"{text.path} line {line}: the experiment has no name: write one")
    role = (values.get("role") or "label").lower()
    if role not in ROLES:
        raise DataError(f"{text.path} line {line}, column 'role': {role[:40]!r} must be label or input")
    folder = text.path.parent
    paths = {k: folder / Path(values[k]).expanduser() for k in FILES if values.get(k)}
    return _Row(values["name"], role, values, Replicate(line, **paths, replicate=values.get("replicate", "")))


def _require_files(sheet: Path, rows: Sequence[_Row]) -> None:
    """DataError for the first file that is not there, or no plain file; and how many more there are."""
    missing = [
        (row.files.line, column, path)
        for row in rows
        for column in FILES
        if (path := getattr(row.files, column)) is not None and not _is(Path.is_file, path)
    ]
    if missing:
        line, column, path = missing[0]
        more = f" ({len(missing):,} such cells)" if len(missing) > 1 else ""
        what = "is no plain file" if _is(Path.exists, path) else "does not exist"
        raise DataError(
            f"{sheet} line {line}, column {column!r}: {path} {what}{more}: correct it, paths are relative to the sheet"
        )


def _is(test: Callable[[Path], bool], path: Path) -> bool:
    """`test(path)`, False also for a text that no system takes for a path, as one that is too long."""
    try:
        return test(path)
    except (OSError, ValueError):
        return False


def _experiments(sheet: Path, rows: Sequence[_Row], notes: list[str]) -> Iterator[Experiment]:
    """Rows of one name as one experiment."""
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    names: dict[str, str] = {}
    for name, group in by_name.items():
        first, task = group[0], as_name(name)
        if task in names:
            raise DataError(
                f"{sheet} line {first.files.line}: experiment {name!r} would be called {task!r}, as {names[task]!r} "
                "is: rename one"
            )
        names[task] = name
        if task != name:
            notes.append(f"experiment {name!r} is called {task!r}, as outputs are named without blanks and @:*,")
        _require_replicates(sheet, group)
        values = {k: first.values.get(k, "") for k in ("assay", "target", "cell", "batch")}
        columns = {k: v for k, v in first.values.items() if k not in (*FILES, "replicate", "role")} | {"name": task}
        yield Experiment(task, **values, role=first.role, replicates=tuple(row.files for row in group), columns=columns)


def _require_replicates(sheet: Path, group: Sequence[_Row]) -> None:
    """DataError unless several rows of one name are numbered replicates of one experiment."""
    first = group[0]
    if len(group) == 1:
        return
    numbers = [row.files.replicate for row in group]
    for row, number in zip(group, numbers, strict=True):
        if not number or numbers.count(number) > 1:
            raise DataError(
                f"{sheet} line {row.files.line}: experiment {row.name!r} comes {len(group)} times: give each a name of "
                "its own, or tell its replicates apart in a column 'replicate'"
            )
        differs = next((k for k in _SHARED if row.values.get(k, "") != first.values.get(k, "")), None)
        if differs is not None:
            raise DataError(
                f"{sheet} line {row.files.line}: replicate {number!r} of {row.name!r} has the {differs} "
                f"{row.values.get(differs, '')!r}, another has {first.values.get(differs, '')!r}: name them apart, "
                "replicates are of one experiment"
            )
