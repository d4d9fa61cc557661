"""Files of natural and of training sequences, as a command names them.

--natural FILE, --training FILE -> Controls
"""

from __future__ import annotations

from pathlib import Path

from zoo.errors import DataError, did_you_mean
from zoo_design.judgement.controls import Controls

COLUMNS = ("sequence", "seq")
"""Of a table: where its sequences stand."""


def read_controls(natural: str | Path | None, training: str | Path | None, seed: int = 0) -> Controls:
    """Without training sequences, nearness is measured to the natural ones.

    Raises DataError for a file without sequences.
    """
    known = read_library(natural) if natural else []
    learned = read_library(training) if training else known
    return Controls.of([s for _, s in known], [s for _, s in learned], [name for name, _ in learned], seed)


def read_library(path: str | Path) -> list[tuple[str, str]]:
    """(name, sequence) of every record of a FASTA, or of every row of a table with a column `sequence` or `seq`.

    Letters are those that zoo reads: upper case, others than A, C, G and T as N.
    """
    from zoo.data.codes import decode, encode
    from zoo.data.sequences import read_sequences
    from zoo.files.compressed import read_chunks

    first = next(iter(read_chunks(path)), b"").lstrip(b"\xef\xbb\xbf\r\n \t")
    if first.startswith(b">"):
        records = read_sequences(path)
        return [(header.split(" ", 1)[0], decode(records[i])) for i, header in enumerate(records.headers)]
    from zoo.data.sources.table_columns import read_text

    text = read_text(Path(path), True)
    column = next((name for name in COLUMNS if name in text.columns), None)
    if column is None:
        raise DataError(f"{path} has no column 'sequence'{did_you_mean('sequence', text.columns)}")
    names = text.cells("name") if "name" in text.columns else [f"row_{i + 1}" for i in range(len(text.lines))]
    return [(name, decode(encode(s))) for name, s in zip(names, text.cells(column), strict=True)]
