"""The files that scores of variants are written to: a table, HDF5, or the input VCF with the scores in INFO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.effects.variants.annotated_vcf import write_annotated
from zoo.effects.variants.rows import TEXTS, is_whole
from zoo.errors import ConfigError
from zoo.files.endings import TABLES, check_output, ending, is_table
from zoo.files.hdf5 import new_hdf5
from zoo.files.tables import MISSING, TableWriter, read_comments

if TYPE_CHECKING:
    from zoo.variants.files import VariantFile

ENDINGS = (*TABLES, ".h5", ".hdf5", ".vcf", ".vcf.gz", ".bcf")
Row = tuple[int, Sequence[str]]
Writer = Callable[[Path, Sequence[str], Iterable[Row], Mapping[str, Any]], str | None]


def writer_for(
    path: str,
    source: VariantFile | None = None,
    positions: Mapping[str, np.ndarray] | None = None,
    keep: bool = False,
    field: Any = None,
) -> Writer:
    """Writes rows (record, cells) to a file of the kind that the name says; returns what a user should know, or None.

    A writer that has `takes_profiles` wants the profiles of both alleles as well; `writes_records`, all rows of a
    record or none.

    source: the scored file, which .vcf, .vcf.gz and .bcf annotate.
    keep: lines of records without a row stay in it.
    field: of a VCF, in place of a key for each column: zoo.effects.variants.gene_scores.
    positions: of every profile in bp from the variant, which .h5 holds.
    Raises ConfigError for another name, for .h5 without a profile, and for a VCF of scores whose input is none.
    """
    kind = check_output(path, ENDINGS)
    if is_table(path):
        return _table
    if kind in (".h5", ".hdf5"):
        if not positions:
            raise ConfigError(f"{path} holds whole profiles: name them, as in --profile task")
        writer: Any = partial(_hdf5, positions)
        writer.takes_profiles = True
        return writer
    if source is None or source.kind not in ("vcf", "bcf"):
        kind = "haplotypes" if source is None else source.kind
        what = {"table": "a table of variants", "typed": "typed variants"}.get(kind, kind)
        raise ConfigError(f"{path} annotates a VCF or BCF, but the input is {what}: write .tsv or .parquet")
    writer = partial(write_annotated, source, keep, field)
    writer.writes_records = True  # type: ignore[attr-defined]
    return writer


def check_complete(path: str | Path, run: Mapping[str, Any]) -> bool:
    """Whether a file is there whole and no part of it is left to write; run: `run_identity.identify`.

    Raises ConfigError for a file of another run.
    """
    from zoo.effects.variants.run_identity import short_difference

    path = Path(path)
    if not path.is_file() or path.with_name(f"{path.name}.parts").exists():
        return False
    line = _run_line(path)
    if line is None:
        raise ConfigError(
            f"{path} does not say which run wrote it: leave out --resume to write it anew, or choose another name"
        )
    changed = short_difference(line, run)
    if changed:
        raise ConfigError(
            f"{path} is complete, but of a run with other {changed}: leave out --resume to write it anew, or choose "
            "another name"
        )
    return True


def _run_line(path: Path) -> str | None:
    """What the comment `run` of a file says; None where there is none."""
    kind = ending(path, ENDINGS)
    try:
        if kind in TABLES:
            return read_comments(path).get("run")
        if kind in (".h5", ".hdf5"):
            import h5py

            with h5py.File(path, "r", locking="best-effort") as file:
                return str(file.attrs["run"])
        import pysam

        from zoo.variants.records import quiet_htslib

        with quiet_htslib(), pysam.VariantFile(str(path)) as file:
            lines = str(file.header).splitlines()
        return next((line.removeprefix("##zoo_run=") for line in lines if line.startswith("##zoo_run=")), None)
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError):
        return None


def _table(path: Path, columns: Sequence[str], rows: Iterable[Row], comments: Mapping[str, Any]) -> None:
    types = {c: str if c in TEXTS else int if is_whole(c) else _number for c in columns}
    with TableWriter(path, columns, comments, types) as table:
        for _, cells in rows:
            table.row(cells)


def _number(cell: Any) -> Any:
    """A score as float32; a column that holds something else stays text."""
    try:
        return np.float32(cell)
    except ValueError:
        return str(cell)


def _hdf5(
    positions: Mapping[str, np.ndarray],
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Row],
    comments: Mapping[str, Any],
    profiles: Iterable[np.ndarray] = (),
) -> None:
    """/table/<column> (A,), /profiles/<name>/reference and alternate (A, T), position (T,); comments as attributes."""
    import h5py

    with new_hdf5(path) as file:
        file.attrs.update({str(k): str(v) for k, v in comments.items()})
        table: Any = file.create_group("table")
        for column in columns:
            kind = h5py.string_dtype() if column in TEXTS else "f8" if is_whole(column) else "f4"
            table.create_dataset(column, (0,), kind, maxshape=(None,), chunks=True)
        groups: dict[str, Any] = {}
        for name, position in positions.items():
            group = groups[name] = file.create_group(f"profiles/{name}")
            group["position"] = position
            for allele in ("reference", "alternate"):
                shape = (0, len(position))
                group.create_dataset(
                    allele, shape, "f4", maxshape=(None, len(position)), chunks=True, compression="gzip"
                )
        rows = iter(rows)
        for part in profiles:
            cells = [c for _, c in islice(rows, len(part))]
            for i, column in enumerate(columns):
                number = table[column].dtype.kind == "f"
                _append(table[column], [_value(c[i], "float" if number else "string") for c in cells], number)
            at = 0
            for name, position in positions.items():
                for k, allele in enumerate(("reference", "alternate")):
                    _append(groups[name][allele], part[:, k, at : at + len(position)], True)
                at += len(position)


def _value(cell: Any, kind: str) -> Any:
    if cell is None or cell == MISSING:
        return None
    return cell if kind == "string" else float(cell)


def _append(dataset: Any, values: Any, number: bool) -> None:
    n = len(dataset)
    dataset.resize(n + len(values), 0)
    dataset[n:] = np.array([np.nan if v is None else v for v in values]) if number else [v or "" for v in values]
