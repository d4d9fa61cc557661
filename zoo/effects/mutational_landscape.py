"""`Landscape`: saturation mutagenesis of a region, the effect of every single substitution, and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.bigwig import write_bigwig
from zoo.errors import ConfigError, DataError, need
from zoo.files.endings import PICTURES, TABLES, check_output, is_table
from zoo.files.tables import TableWriter

if TYPE_CHECKING:
    import pandas

COLUMNS = ("chrom", "pos", "ref", "alt", "status")


@dataclass(frozen=True)
class Landscape:
    """Effects of the 3 W substitutions of W bases on one output of a model.

    effects: (4, W) float32, A C G T: output(mutant) - output(reference); 0 at the reference base.  Where the
        reference is N all four letters are substitutions.
    codes: (W,) uint8, the reference, A C G T N = 0 1 2 3 4.
    output: name of the output.
    reference: the output of the window without a mutation.
    chrom: contig; None for a sequence that is not from a genome.
    start: 0-based position of the first column in the contig, or in the sequence.
    contig_length: bp of the contig, which bigWig needs; None for a sequence.
    comments: what a file of these numbers must say of their origin.
    """

    effects: np.ndarray
    codes: np.ndarray
    output: str
    reference: float
    chrom: str | None = None
    start: int = 0
    contig_length: int | None = None
    comments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.effects.shape != (4, len(self.codes)) or not len(self.codes):
            raise DataError(f"effects {self.effects.shape} of a landscape must be (4, {len(self.codes)}), A C G T")

    def __len__(self) -> int:
        """Number of substitutions."""
        return int(self.substitutions().sum())

    def substitutions(self) -> np.ndarray:
        """(4, W) bool: which letters differ from the reference."""
        return np.arange(4)[:, None] != self.codes

    def mean(self) -> np.ndarray:
        """(W,) mean effect of the substitutions at each base."""
        return self.effects.sum(0) / self.substitutions().sum(0)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """(chrom, pos, ref, alt, status, effect) of each substitution by position, then letter; pos is 1-based.

        status: ok, or not_finite with None as the effect.
        """
        for column, base in np.argwhere(self.substitutions().T).tolist():
            position, reference = self.start + column + 1, "ACGTN"[self.codes[column]]
            effect = self.effects[base, column]
            finite = bool(np.isfinite(effect))
            status = "ok" if finite else "not_finite"
            yield self.chrom, position, reference, "ACGT"[base], status, effect if finite else None

    def frame(self) -> pandas.DataFrame:
        """`rows` as a table, its last column called as the output, the header's comments in `attrs`."""
        need("a table in Python", "pandas")
        import pandas

        frame = pandas.DataFrame(self.rows(), columns=[*COLUMNS, self.output])
        frame.attrs.update(self.header())
        return frame

    def header(self) -> dict[str, str]:
        """The comments, and what the columns mean."""
        return {
            **{key: str(value) for key, value in self.comments.items()},
            "pos": "1-based",
            "effect": f"{self.output} of the mutant - {self.output} of the reference",
            "reference_output": f"{self.reference:.7g}",
        }

    def write(self, path: str | Path) -> list[str]:
        """Write a file of the kind that the name says; returns the names that were written.

        .tsv, .tsv.gz, .parquet, .xlsx: `rows`, and the header; - is standard output.
        .bw: the mean effect at each base; a name with {base} makes four files, one for each letter's effects.
        .png, .svg, .pdf: the picture.

        Raises ConfigError for another name, ZooError where a library is missing, DataError where the file cannot be
        written.
        """
        return check_path(path)(self, str(path))


def check_path(path: str | Path) -> Callable[[Landscape, str], list[str]]:
    """The writer for a name; raises as `Landscape.write` does, before anything is computed."""
    ending = check_output(path, (*TABLES, ".bw", *PICTURES))
    if is_table(path):
        return _write_table
    return _write_bigwig if ending == ".bw" else _write_picture


def _write_table(landscape: Landscape, path: str) -> list[str]:
    with TableWriter(path, [*COLUMNS, landscape.output], landscape.header()) as table:
        for row in landscape.rows():
            table.row(row)
    return [path]


def _write_picture(landscape: Landscape, path: str) -> list[str]:
    from zoo.pictures.figure_files import save_figure
    from zoo.pictures.mutational_landscape import draw_landscape

    save_figure(path, draw_landscape(landscape))
    return [path]


def _write_bigwig(landscape: Landscape, path: str) -> list[str]:
    if landscape.chrom is None or landscape.contig_length is None:
        raise ConfigError(f"{path}: a sequence has no place in a genome, which bigWig needs: write .tsv or .parquet")
    if "{base}" not in path:
        _write_track(landscape, landscape.mean(), path)
        return [path]
    names = [path.replace("{base}", base) for base in "ACGT"]
    for name, values in zip(names, landscape.effects, strict=True):
        _write_track(landscape, values, name)
    return names


def _write_track(landscape: Landscape, values: np.ndarray, path: str) -> None:
    """values (W,), one a base."""
    write_bigwig(path, {landscape.chrom: landscape.contig_length}, [(landscape.chrom, landscape.start, values)])
