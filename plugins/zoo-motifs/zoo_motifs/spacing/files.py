"""A spacing experiment -> table or picture, by the name of the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from zoo.errors import ConfigError
from zoo.files.tables import atomic_path, write_table
from zoo_motifs.spacing.result import COLUMNS, Spacing


def write_spacing(spacing: Spacing, path: str | Path) -> None:
    """Write .tsv or .tsv.gz (- is standard output), or the picture as .png, .svg or .pdf.

    Raises ConfigError for another name, DataError where the file cannot be written.
    """
    check_path(path)(spacing, str(path))


def check_path(path: str | Path) -> Callable[[Spacing, str], None]:
    """The writer for a name; raises ConfigError for one without a known ending."""
    name = str(path)
    if name == "-" or name.endswith((".tsv", ".tsv.gz")):
        return _write_table
    if Path(name).suffix in (".png", ".svg", ".pdf"):
        return partial(_write_picture, kind=Path(name).suffix[1:])
    raise ConfigError(
        f"{name!r} does not say which file to write: end it in .tsv, .tsv.gz, .png, .svg or .pdf, or use - for the "
        "terminal"
    )


def _write_table(spacing: Spacing, path: str) -> None:
    write_table(path, COLUMNS, spacing.rows(), spacing.header())


def _write_picture(spacing: Spacing, path: str, kind: str) -> None:
    from zoo_motifs.spacing.picture import draw_spacing

    with atomic_path(path) as temporary:
        draw_spacing(spacing).savefig(temporary, format=kind)
