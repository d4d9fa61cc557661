"""The rows of a library: sequences, their parts by role, what was left out and why.

TableText + columns -> Rows: Sequences (n), parts {role: (n,) letters}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zoo.data.codes import encode
from zoo.data.sequences import Sequences
from zoo.data.sources.table_columns import MISSING, TableText
from zoo.errors import ConfigError, DataError, did_you_mean

_OTHER = re.compile(r"[^ACGTN]")
_NAMES = ("name", "id", "construct")


@dataclass(frozen=True)
class Rows:
    """Constructs whose letters could be read.

    kept: (n,) their rows in the table.  parts: {role: (n,) letters}, 5' to 3', of the roles that were named.
    dropped: {reason: rows}.
    """

    sequences: Sequences
    kept: np.ndarray
    parts: Mapping[str, np.ndarray] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)


def read_rows(text: TableText, sequence: str | None, parts: Sequence[str], other_letters: str) -> Rows:
    """The letters of every row.

    sequence: column of the whole sequence; None joins the parts.  parts: columns in 5' to 3' order.
    other_letters: what becomes of a row with letters beyond A C G T N: error, n (they are read as N) or drop.
    With both, the parts must lie in the sequence in their order; what is between them is constant.
    """
    if other_letters not in ("error", "n", "drop"):
        raise ConfigError(f"data.other_letters is {other_letters!r}: choose error, n or drop")
    for column in [*([sequence] if sequence else []), *parts]:
        if column not in text.columns:
            raise DataError(f"{text.path} has no column {column!r}{did_you_mean(column, text.columns)}")
    if len(set(parts)) < len(parts):
        raise ConfigError(f"data.parts names a column twice: {', '.join(parts)}: name each once, 5' to 3'")
    read = [*parts, *([sequence] if sequence else [])]
    cells = {column: [_letters(cell) for cell in text.cells(column)] for column in read}
    n = len(text.rows)
    empty, strange = np.zeros(n, bool), np.zeros(n, bool)
    for column in read:
        empty |= np.array([not letters for letters in cells[column]])
        strange |= np.array([bool(_OTHER.search(letters)) for letters in cells[column]])
    if other_letters == "error":
        _refuse_letters(text, cells, read)
    elif other_letters == "n":
        cells = {column: [_OTHER.sub("N", letters) for letters in letters_of] for column, letters_of in cells.items()}
        strange[:] = False
    kept = np.flatnonzero(~empty & ~strange)
    dropped = {
        "without_a_sequence_or_part": int(empty.sum()),
        "with_letters_beyond_ACGTN": int((strange & ~empty).sum()),
    }
    if not len(kept):
        why = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in dropped.items() if count)
        raise DataError(f"{text.path} leaves no row to train on ({why}): check {', '.join(read)}")
    if sequence and parts:
        _fit(text, kept, cells[sequence], {role: cells[role] for role in parts})
    whole = cells[sequence] if sequence else ["".join(several) for several in zip(*cells.values(), strict=True)]
    names = next((text.cells(column) for column in text.columns if column.lower() in _NAMES), None)
    headers = [names[i] if names else f"row_{i + 1}" for i in kept]
    sequences = Sequences.from_codes([encode(whole[i]) for i in kept])
    lines = np.array([text.lines[i] for i in kept], np.int64)
    sequences = replace(sequences, headers=headers, line=lines, path=str(text.path))
    return Rows(sequences, kept, {role: np.array([cells[role][i] for i in kept], object) for role in parts}, dropped)


def _letters(cell: str) -> str:
    """Upper case, U as T; "" where the cell is missing."""
    return "" if cell.lower() in MISSING else cell.upper().replace("U", "T")


def _refuse_letters(text: TableText, cells: Mapping[str, Sequence[str]], read: Sequence[str]) -> None:
    """DataError for letters beyond A C G T N, with what may be meant."""
    for column in read:
        wrong = [(i, match[0]) for i, letters in enumerate(cells[column]) if (match := _OTHER.search(letters))]
        if not wrong:
            continue
        row, letter = wrong[0]
        example = text.cells(column)[row][:20]
        advice = "set data.other_letters=n to read such letters as N, or drop to leave those rows out"
        others = [c for c in text.columns if c not in read and _is_dna(text.cells(c))]
        if others:
            advice = f"is it a masked copy? {others[0]!r} holds ACGTN alone: name that, or {advice}"
        elif not any(set(letters) & set("ACGT") and len(letters) > 12 for letters in cells[column][:100]):
            advice = "if these are names of parts, put their letters into the column"
        raise DataError(
            f"{text.path} line {text.lines[row]}, column {column!r}: {example!r} holds {letter!r}, which is none of "
            f"ACGTN ({len(wrong):,} such rows): {advice}"
        )


def _is_dna(cells: Sequence[str]) -> bool:
    """Whether a column is all sequence."""
    return all(len(cell) > 5 and not _OTHER.search(_letters(cell)) for cell in cells[:1_000])


def _fit(text: TableText, kept: np.ndarray, whole: list[str], parts: Mapping[str, list[str]]) -> None:
    """DataError where the parts of a row do not lie in its sequence one behind the other."""
    wrong: list[tuple[int, str]] = []
    for i in kept:
        at = 0
        for role, letters in parts.items():
            start = whole[i].find(letters[i], at)
            if start < 0:
                wrong.append((i, role))
                break
            at = start + len(letters[i])
    if wrong:
        row, role = wrong[0]
        raise DataError(
            f"{text.path} line {text.lines[row]}: {role} ({len(parts[role][row])} bp) does not follow the parts before "
            f"it in the sequence of {len(whole[row])} bp ({len(wrong):,} such rows): name the columns of data.parts "
            "from 5' to 3' as the sequence holds them, or leave out data.sequence to join the parts"
        )
