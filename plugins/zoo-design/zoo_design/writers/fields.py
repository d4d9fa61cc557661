"""A design as texts without blanks, and back: what FASTA headers, tables and GenBank notes hold.

Design <-> {"edits": "A13G@1:0.25,C40T@2:0.1", "protected": "11..30:minus10", ...}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from zoo.errors import DataError
from zoo_design.design import Design, Edit

TEXTS = ("start_value", "value", "status", "edits", "trajectory", "constraints", "protected")
"""Keys of a design's texts beside its name and its sequences, in the order in which they are written."""

_MET = {True: "met", False: "broken"}
_SAFE = "!#$&'()*+-./<?@[]^_`{|}~"
_EDIT = re.compile(
    r"(?P<reference>[A-Za-z]*)(?P<position>\d{1,12})(?P<alternate>[A-Za-z]*)@(?P<step>\d{1,9}):(?P<gain>\S+)"
)
_PROTECTED = re.compile(r"(?P<first>\d{1,12})\.\.(?P<last>\d{1,12}):(?P<name>\S*)")


def to_texts(design: Design) -> dict[str, str]:
    """Values by key; numbers as the shortest text that reads back as the same float64.

    edits: reference letters, position from 1, alternate letters, @step:gain.  protected: first..last:name, from 1, the
    last base belongs to it.  constraints: name:met or name:broken.
    """
    return {
        "start_value": repr(float(design.start_value)),
        "value": repr(float(design.value)),
        "status": encode_text(design.status),
        "edits": ",".join(edit_text(edit) for edit in design.edits),
        "trajectory": ",".join(repr(float(value)) for value in design.trajectory),
        "constraints": ",".join(
            f"{encode_text(name)}:{'met' if met else 'broken'}" for name, met in design.constraints
        ),
        "protected": ",".join(f"{start + 1}..{end}:{encode_text(name)}" for start, end, name in design.protected),
    }


def from_texts(name: str, sequence: str, start: str | None, texts: Mapping[str, str], where: str) -> Design:
    """Undo `to_texts`.  start: None where it is the sequence with its edits undone.  where: of an error's sentence.

    Raises DataError for a text that is none of ours.
    """
    try:
        edits = tuple(read_edit(text) for text in _items(texts["edits"]))
        constraints = tuple(_constraint(text) for text in _items(texts["constraints"]))
        return Design(
            name=name,
            start=undo_edits(sequence, edits) if start is None else start,
            sequence=sequence,
            start_value=float(texts["start_value"]),
            value=float(texts["value"]),
            edits=edits,
            trajectory=tuple(float(text) for text in _items(texts["trajectory"])),
            constraints=constraints,
            status=decode_text(texts["status"]),
            protected=tuple(_protected(text) for text in _items(texts["protected"])),
        )
    except (KeyError, ValueError) as error:
        raise DataError(f"{where} is no design that zoo design wrote ({error}): write the file again") from None


def start_text(design: Design) -> str | None:
    """The start, where it is not the sequence with its edits undone."""
    return None if undo_edits(design.sequence, design.edits) == design.start else design.start


def undo_edits(sequence: str, edits: tuple[Edit, ...]) -> str:
    """The sequence before its edits; as it is from an edit on that does not stand in it."""
    for edit in reversed(edits):
        end = edit.position + len(edit.alternate)
        if sequence[edit.position : end] != edit.alternate:
            break
        sequence = sequence[: edit.position] + edit.reference + sequence[end:]
    return sequence


def encode_text(text: str) -> str:
    """Without blanks, commas, equals signs, colons and letters beyond ASCII: they become %XX as in a web address.

    >>> encode_text("GC 40-60 %"), unquote(encode_text("GC 40-60 %"))
    ('GC%2040-60%20%25', 'GC 40-60 %')
    """
    return quote(text, safe=_SAFE, errors="surrogatepass")


def decode_text(text: str) -> str:
    """Undo `encode_text`."""
    return unquote(text, errors="surrogatepass")


def edit_text(edit: Edit) -> str:
    """A13G@1:0.25."""
    return f"{edit.reference}{edit.position + 1}{edit.alternate}@{edit.step}:{float(edit.gain)!r}"


def read_edit(text: str) -> Edit:
    """Undo `edit_text`; ValueError for another text."""
    match = _EDIT.fullmatch(text)
    if match is None:
        raise ValueError(f"edit {text[:40]!r}")
    position = int(match["position"]) - 1
    return Edit(position, match["reference"], match["alternate"], int(match["step"]), float(match["gain"]))


def _protected(text: str) -> tuple[int, int, str]:
    match = _PROTECTED.fullmatch(text)
    if match is None:
        raise ValueError(f"protected region {text[:40]!r}")
    return int(match["first"]) - 1, int(match["last"]), decode_text(match["name"])


def _constraint(text: str) -> tuple[str, bool]:
    name, _, met = text.rpartition(":")
    if met not in ("met", "broken"):
        raise ValueError(f"constraint {text[:40]!r}")
    return decode_text(name), met == "met"


def _items(text: str) -> list[str]:
    return text.split(",") if text else []


def column_values(extra: Mapping[str, Any], row: int) -> dict[str, str]:
    """Further columns of one row as texts; what is missing is left out."""
    texts = {key: column[row] for key, column in extra.items()}
    return {k: repr(v) if isinstance(v, float) else str(v) for k, v in texts.items() if v is not None and v == v}
