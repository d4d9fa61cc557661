"""What the end of a file's name means: which files can be written, and which library each of them needs.

"scores.tsv.gz", among TABLES -> ".tsv.gz", or a ConfigError that lists the endings, before anything is computed
"""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ConfigError, need
from zoo.files.atomic import check_place, sweep

TABLES = (".tsv", ".tsv.gz", ".parquet", ".xlsx")
"""Every table of every command."""

PICTURES = (".png", ".svg", ".pdf")

MODULES = {
    ".parquet": ("pyarrow",),
    ".xlsx": ("openpyxl",),
    ".h5": ("h5py",),
    ".hdf5": ("h5py",),
    ".bw": ("pybigtools",),
    ".onnx": ("onnx", "onnxruntime", "onnxscript"),
    **dict.fromkeys(PICTURES, ("matplotlib",)),
}
"""Modules of extras that a kind of file needs."""

TERMINAL = "-"


def ending(path: str | Path, endings: tuple[str, ...] = TABLES) -> str | None:
    """The longest of `endings` that the name ends with, in lower case; "-" for the terminal, None for another name.

    >>> ending("scores.TSV.gz"), ending("-"), ending("scores.csv"), ending(".tsv")
    ('.tsv.gz', '-', None, None)
    """
    name = str(path)
    if name == TERMINAL:
        return TERMINAL
    name = Path(name).name.lower()
    return max((e for e in endings if name.endswith(e) and name != e), key=len, default=None)


def is_table(path: str | Path) -> bool:
    """Whether a name is that of a table, or the terminal's."""
    return ending(path) is not None


def check_output(path: str | Path, endings: tuple[str, ...] = TABLES, terminal: bool = True) -> str:
    """The ending, where such a file can be written there; what a killed run left of it is deleted.

    terminal: whether "-" is one of the choices.
    Raises ConfigError for another name, ZooError where a library is missing, DataError where the folder is missing or
    cannot be written to.
    """
    own = ending(path, endings)
    if own is None or (own == TERMINAL and not terminal):
        choices = ", ".join(endings[:-1]) + (" or " if endings[:-1] else "") + endings[-1]
        other = ", or use - for the terminal" if terminal else ""
        raise ConfigError(f"{str(path)!r} does not say which file to write: end it in {choices}{other}")
    if own != TERMINAL:
        need(str(path), *MODULES.get(own, ()))
        check_place(path)
        sweep(path)
    return own
