"""A spacing experiment -> table or picture, by the name of the file."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ConfigError
from zoo.files.tables import atomic_path, write_table
from zoo_motifs.spacing.result import COLUMNS, Spacing

PICTURES = (".png", ".svg", ".pdf")


def write_spacing(spacing: Spacing, path: str | Path) -> None:
    """Write .tsv or .tsv.gz (- is standard output), or the picture as .png, .svg or .pdf.

    Raises ConfigError for another name, DataError where the file cannot be written.
    """
    check_path(path)
    if Path(path).suffix not in PICTURES:
        write_table(path, COLUMNS, spacing.rows(), spacing.header())
        return
    from zoo_motifs.spacing.picture import draw_spacing

    with atomic_path(path) as temporary:
        draw_spacing(spacing).savefig(temporary, format=Path(path).suffix[1:])


def check_path(path: str | Path) -> None:
    """Raises ConfigError for a name without a known ending."""
    if str(path) != "-" and not str(path).endswith((".tsv", ".tsv.gz")) and Path(path).suffix not in PICTURES:
        raise ConfigError(
            f"{str(path)!r} does not say which file to write: end it in .tsv, .tsv.gz, .png, .svg or .pdf, or use - "
            "for the terminal"
        )
