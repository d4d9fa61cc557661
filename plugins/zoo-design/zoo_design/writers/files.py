"""The end of a file's name to the writer and the reader of designs.

designs -> .fasta .fa, .csv .tsv .tsv.gz .parquet .xlsx, .gb .gbk -> designs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError
from zoo.files.endings import TABLES, TERMINAL, check_output, ending
from zoo_design.design import Design
from zoo_design.writers.fasta import read_fasta, write_fasta
from zoo_design.writers.genbank import Part, read_genbank, write_genbank
from zoo_design.writers.tables import read_designs_table, write_designs_table

FASTA, GENBANK = (".fasta", ".fa"), (".gb", ".gbk")
DESIGNS = (*FASTA, ".csv", *TABLES, *GENBANK)
"""Endings of every file that designs are written to."""

_READABLE = (*FASTA, ".csv", ".tsv", ".tsv.gz", *GENBANK)


def write_designs(
    path: str | Path,
    designs: Sequence[Design],
    header: Mapping[str, Any],
    extra: Mapping[str, Sequence[Any]] | None = None,
    parts: Sequence[Sequence[Part]] = (),
) -> None:
    """The whole file or none; "-" is a table on standard output.

    header: what the numbers come from, {key: value}.  extra: further columns, {name: (N,)}, as those of a verdict.
    parts: of every design, features of a GenBank file.
    Raises ConfigError for another ending.
    """
    kind, extra = check_output(path, DESIGNS), extra or {}
    if kind in FASTA:
        write_fasta(Path(path), designs, header, extra)
    elif kind in GENBANK:
        write_genbank(Path(path), designs, header, extra, parts)
    else:
        write_designs_table(path, designs, header, extra)


def read_designs(path: str | Path) -> tuple[list[Design], dict[str, str]]:
    """Designs that `write_designs` wrote, equal to what they were, and the header.

    Raises ConfigError for an ending that is not read, DataError for a file that is none of ours.
    """
    kind = ending(path, DESIGNS)
    if kind is None or kind == TERMINAL or kind not in _READABLE:
        raise ConfigError(f"designs are not read from {str(path)!r}: name a file in {', '.join(_READABLE)}")
    if kind in FASTA:
        return read_fasta(Path(path))
    return read_genbank(Path(path)) if kind in GENBANK else read_designs_table(Path(path))
