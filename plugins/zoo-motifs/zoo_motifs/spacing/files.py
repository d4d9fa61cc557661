"""A spacing experiment -> table or picture, by the name of the file."""

from __future__ import annotations

from pathlib import Path

from zoo.files.endings import PICTURES, TABLES, check_output, is_table
from zoo.files.tables import write_table
from zoo_motifs.spacing.result import COLUMNS, Spacing


def write_spacing(spacing: Spacing, path: str | Path) -> None:
    """Write a table (- is standard output), or the picture as .png, .svg or .pdf.

    Raises ConfigError for another name, DataError where the file cannot be written.
    """
    check_output(path, (*TABLES, *PICTURES))
    if is_table(path):
        write_table(path, COLUMNS, spacing.rows(), spacing.header())
        return
    from zoo.pictures.figure_files import save_figure
    from zoo_motifs.spacing.picture import draw_spacing

    save_figure(path, draw_spacing(spacing))
