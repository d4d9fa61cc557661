"""Of a model whose weights came from somebody else's file: which file, and whether it was held against the original.

spec.training["import"] {architecture, settings, files, left_out, notes, reference} -> sentences of the card
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

KEY = "import"
UNVERIFIED = "not verified against the original"


def import_record(spec: ModelSpec) -> Mapping[str, Any]:
    """What `zoo import` wrote down; {} for a model that was trained here."""
    record = spec.training.get(KEY) if isinstance(spec.training, Mapping) else None
    return record if isinstance(record, Mapping) else {}


def has_reference(spec: ModelSpec) -> bool:
    """Whether the golden outputs are the original's, so that every load compares them."""
    return import_record(spec).get("reference", UNVERIFIED) != UNVERIFIED


def import_words(spec: ModelSpec) -> dict[str, Any]:
    """For the card: the architecture, the files, what was left out, and whether it was held against the original."""
    record = import_record(spec)
    if not record:
        return {}
    files = record.get("files")
    rows = [row for row in files if isinstance(row, Mapping)] if isinstance(files, list | tuple) else []
    left_out, notes = record.get("left_out"), record.get("notes")
    reasons = left_out.values() if isinstance(left_out, Mapping) else ()
    words = {
        "imported as": record.get("architecture"),
        "checked": record.get("reference"),
        "files": "; ".join(f"{row.get('name')} (sha256 {str(row.get('sha256'))[:12]})" for row in rows),
        "settings": record.get("settings"),
        "left out": "; ".join(dict.fromkeys(map(str, reasons))),
        "notes": " ".join(str(note) for note in notes if note) if isinstance(notes, list | tuple) else "",
    }
    return {key: text for key, text in words.items() if text}
