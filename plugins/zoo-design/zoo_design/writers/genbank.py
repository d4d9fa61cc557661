"""Designs as GenBank: parts, protected regions and edits are features, so that a plasmid editor shows them.

designs -> LOCUS ... FEATURES source, misc_feature (parts, protected), variation (edits) ... ORIGIN
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import DataError, need
from zoo.files.atomic import atomic_path
from zoo_design.design import Design
from zoo_design.writers.fields import (
    column_values,
    decode_text,
    edit_text,
    encode_text,
    from_texts,
    start_text,
    to_texts,
)

Part = tuple[int, int, str, int]
"""Start and end (0-based, half-open), name, strand (1 or -1)."""

MARK = "zoo:"
"""Begins every note that reading needs."""

HEADER = "header."
"""Begins the keys of the file's header, in notes of the first record; its COMMENT repeats them for readers."""


def write_genbank(
    path: Path,
    designs: Sequence[Design],
    header: Mapping[str, Any],
    extra: Mapping[str, Any],
    parts: Sequence[Sequence[Part]] = (),
) -> None:
    """parts: of every design, drawn beside its protected regions."""
    need("GenBank files", "Bio", install="zoo-design")
    from Bio import SeqIO

    comment = "\n".join(f"{key}={' '.join(str(value).split())}" for key, value in header.items())
    records = []
    for row, design in enumerate(designs):
        further = {encode_text(key): encode_text(text) for key, text in column_values(extra, row).items()}
        if row == 0:
            further |= {f"{HEADER}{encode_text(key)}": encode_text(str(value)) for key, value in header.items()}
        records.append(_record(design, further, parts[row] if parts else (), comment))
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii", errors="replace") as file:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Biopython warns of locus names longer than GenBank's 16 letters.
            SeqIO.write(records, file, "genbank")


def read_genbank(path: Path) -> tuple[list[Design], dict[str, str]]:
    """Designs, and the header that the first record holds."""
    need("GenBank files", "Bio", install="zoo-design")
    from Bio import SeqIO

    designs, header = [], {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            records = list(SeqIO.parse(path, "genbank"))
    except (ValueError, AssertionError, IndexError) as error:
        raise DataError(f"{path} is no GenBank file ({error}): write it again") from None
    if not records:
        raise DataError(f"{path} holds no GenBank record: name a file that zoo design wrote")
    for number, record in enumerate(records, 1):
        texts = _notes(record)
        if number == 1:
            about = {key: text for key, text in texts.items() if key.startswith(HEADER)}
            header = {decode_text(key.removeprefix(HEADER)): decode_text(text) for key, text in about.items()}
        where = f"{path} record {number}"
        if "name" not in texts:
            raise DataError(f"{where} is no design that zoo design wrote: it has no note {MARK}name")
        name, start = decode_text(texts.pop("name")), texts.pop("start", None)
        designs.append(from_texts(name, str(record.seq).upper(), start, texts, where))
    return designs, header


def _record(design: Design, further: Mapping[str, str], parts: Sequence[Part], comment: str) -> Any:
    from Bio.Seq import Seq
    from Bio.SeqFeature import SeqFeature, SimpleLocation
    from Bio.SeqRecord import SeqRecord

    length = len(design.sequence)

    def feature(start: int, end: int, kind: str, strand: int | None = None, **qualifiers: Any) -> Any:
        first = min(max(start, 0), max(length - 1, 0))
        place = SimpleLocation(first, max(first + 1, min(end, length)), strand)
        return SeqFeature(place, type=kind, qualifiers=qualifiers)

    texts = {"name": encode_text(design.name), **to_texts(design)}
    if (start := start_text(design)) is not None:
        texts["start"] = start
    notes = [f"{MARK}{key}={text}" for key, text in {**texts, **further}.items() if key not in ("edits", "protected")]
    features = [feature(0, length, "source", organism="synthetic construct", mol_type="other DNA", note=notes)]
    for start, end, name, strand in parts:
        features.append(feature(start, end, "misc_feature", strand, label=_printable(name), note="part"))
    for (a, b, name), text in zip(design.protected, texts["protected"].split(","), strict=False):
        features.append(
            feature(a, b, "misc_feature", label=_printable(name), note=["protected", f"{MARK}protected={text}"])
        )
    for edit in design.edits:
        label = f"{edit.reference}{edit.position + 1}{edit.alternate}"
        note = [f"step {edit.step}, gain {edit.gain:.4g}", f"{MARK}edits={edit_text(edit)}"]
        end = edit.position + max(1, len(edit.alternate))
        features.append(
            feature(edit.position, end, "variation", label=label, replace=edit.reference.lower(), note=note)
        )
    identifier = re.sub(r"[^A-Za-z0-9_.-]", "_", design.name)[:40] or "design"
    record = SeqRecord(Seq(design.sequence), id=identifier, name=identifier, description=_printable(design.name))
    record.annotations = {"molecule_type": "DNA", "topology": "linear", **({"comment": comment} if comment else {})}
    record.features = features
    return record


def _notes(record: Any) -> dict[str, str]:
    """Texts by key; those of several features joined by commas.  Lines of a note were broken where no blank is."""
    texts: dict[str, list[str]] = {"edits": [], "protected": []}
    for feature in record.features:
        for note in feature.qualifiers.get("note", []):
            if note.startswith(MARK):
                key, _, text = re.sub(r"\s+", "", note)[len(MARK) :].partition("=")
                texts.setdefault(key, []).append(text)
    return {key: ",".join(values) for key, values in texts.items()}


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isascii() and c.isprintable() and c != '"' else "_" for c in text).split()) or "_"
