"""The files that scores of variants are written to: a table, HDF5, or the input VCF with the scores in INFO."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo.files.atomic import atomic_path
from zoo.files.endings import TABLES, check_output, ending, is_table
from zoo.files.hdf5 import new_hdf5
from zoo.files.tables import MISSING, TableWriter, read_comments
from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.variants.files import VariantFile

ENDINGS = (*TABLES, ".h5", ".hdf5", ".vcf", ".vcf.gz", ".bcf")
_TEXTS = {"chrom", "id", "ref", "alt", "status", "norm_ref", "norm_alt", "notes", "sample"}
_WHOLE = {"pos", "norm_pos", "haplotype", "variants", "nearest"}
_OWN = ("chrom", "pos", "id", "ref", "alt", "norm_pos", "norm_ref", "norm_alt")
Row = tuple[int, Sequence[str]]
Writer = Callable[[Path, Sequence[str], Iterable[Row], Mapping[str, Any]], str | None]


def writer_for(
    path: str, source: VariantFile | None = None, positions: Mapping[str, np.ndarray] | None = None
) -> Writer:
    """Writes rows (record, cells) to a file of the kind that the name says; returns what a user should know, or None.

    A writer that has `takes_profiles` wants the profiles of both alleles as well.

    source: the scored file, which .vcf, .vcf.gz and .bcf annotate.
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
    return partial(_annotated, source)


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
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _table(path: Path, columns: Sequence[str], rows: Iterable[Row], comments: Mapping[str, Any]) -> None:
    types = {c: str if c in _TEXTS else int if c in _WHOLE else _number for c in columns}
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
            kind = h5py.string_dtype() if column in _TEXTS else "f8" if column in _WHOLE else "f4"
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


def _annotated(
    source: VariantFile, path: Path, columns: Sequence[str], rows: Iterable[Row], comments: Mapping[str, Any]
) -> str | None:
    """The lines of the input with our keys behind their INFO; nothing else of a line is touched.

    Scores of haplotypes have a key for each of the two.
    """
    import pysam

    copies = ("hap1_", "hap2_") if "haplotype" in columns else ("",)
    keys = {(c, copy): _key(copy + c) for copy in copies for c in columns if c not in (*_OWN, "sample", "haplotype")}
    with atomic_path(path) as temporary:
        plain = temporary.with_name(f"{temporary.name}.vcf{'.gz' if path.suffix != '.vcf' else ''}")
        try:
            file = pysam.BGZFile(str(plain), "wb") if path.suffix != ".vcf" else plain.open("wb")
            with file:
                for line in _lines(source, list(columns), keys, rows, comments):
                    file.write(line.encode("utf-8", "surrogateescape"))
            if path.suffix == ".bcf":
                _to_bcf(plain, temporary)
            else:
                plain.replace(temporary)
        finally:
            plain.unlink(missing_ok=True)
    return None if path.suffix == ".vcf" else _index(path)


def _index(path: Path) -> str | None:
    """Index a file; what to tell where it cannot be."""
    from pysam import SamtoolsError, bcftools

    from zoo.variants.records import quiet_htslib

    try:
        with quiet_htslib():
            bcftools.index("-f", "-t" if path.suffix == ".gz" else "-c", str(path))
    except SamtoolsError:
        return f"{path} has no index: one needs records that are sorted, as `bcftools sort` does"
    return None


def _to_bcf(plain: Path, out: Path) -> None:
    from pysam import SamtoolsError, bcftools

    from zoo.variants.records import quiet_htslib

    try:
        with quiet_htslib():
            bcftools.view("--no-version", "-Ob", "-o", str(out), str(plain), catch_stdout=False)
    except SamtoolsError as error:
        raise DataError(
            "htslib cannot make a BCF of this VCF, often because its header declares too little: write .vcf.gz"
        ) from error


def _lines(source, columns, keys, rows, comments) -> Iterator[str]:
    scored = groupby(rows, key=itemgetter(0))
    places = {key: (columns.index(c), copy) for (c, copy), key in keys.items()}
    number, alleles = next(scored, (None, ()))
    record = -1
    for line in _source_lines(source):
        if line.startswith("#CHROM"):
            yield from _header(keys, comments)
        fields = line.split("\t")
        if line and not line.startswith("#"):
            record += 1
            if number == record:
                if len(fields) >= 8:
                    cells = _by_copy([c for _, c in alleles], columns, fields[4].split(","))
                    each = ((key, [_info(c[i]) for c in cells[copy]]) for key, (i, copy) in places.items())
                    ours = ";".join(f"{key}={','.join(values)}" for key, values in each)
                    fields[7] = ours if fields[7] in (".", "") else f"{fields[7]};{ours}"
                number, alleles = next(scored, (None, ()))
        if line:
            yield "\t".join(fields) + "\n"
    if number is not None:
        raise DataError(f"{source.path} has changed: there are scores of its record {number + 1:,}: score it anew")


def _by_copy(cells: list[Sequence[str]], columns: list[str], alts: list[str]) -> dict[str, list[Sequence[str]]]:
    """Rows of a record by copy of the chromosome, one an ALT; an unknown copy (0) is either."""
    if "haplotype" not in columns:
        return {"": cells}
    alt, haplotype = columns.index("alt"), columns.index("haplotype")
    nothing = [MISSING] * len(columns)
    copies = {"hap1_": [nothing] * len(alts), "hap2_": [nothing] * len(alts)}
    for row in cells:
        for number, own in enumerate(copies.values(), 1):
            if row[alt] in alts and int(row[haplotype]) in (0, number):
                own[alts.index(row[alt])] = row
    return copies


def _source_lines(source: VariantFile) -> Iterator[str]:
    """The lines of a VCF as they are, without line ends; of a BCF, as htslib writes them."""
    from zoo.variants.records import bcf_lines, read_text

    if source.kind == "bcf":
        yield from source.header_lines
        yield from bcf_lines(source.path)
    else:
        yield from (line.rstrip("\r\n") for _, line in read_text(source.path))


def _header(keys: Mapping[tuple[str, str], str], comments: Mapping[str, Any]) -> list[str]:
    lines = [f"##zoo_{_key(k).removeprefix('ZOO_')}={printable(v)}\n" for k, v in comments.items()]
    for (column, copy), key in keys.items():
        kind = "String" if column in ("status", "notes") else "Float"
        name = re.sub(r'["\\]', "_", printable(column))  # a quote ends the description
        which = f", haplotype {copy[3]}" if copy else ""
        lines.append(f'##INFO=<ID={key},Number=A,Type={kind},Description="{name} of zoo score{which}">\n')
    return lines


def _key(column: str) -> str:
    return "ZOO_" + re.sub(r"[^0-9A-Za-z_.]", "_", column)


def _info(cell: str) -> str:
    """A value as INFO may hold it (VCF 4.3, 1.6.1.8): no blank, comma, semicolon or equals sign."""
    return "." if cell in (MISSING, "") else re.sub(r"[\s,;=]", "|", cell)
