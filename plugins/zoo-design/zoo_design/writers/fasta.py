"""Designs as FASTA: the name, then key=value pairs in the header.

designs -> >p12 start_value=0.1 value=2.5 status=ok edits=A13G@1:0.25,... (sequence in lines of 60)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data.codes import decode
from zoo.data.sequences import read_sequences
from zoo.files.atomic import atomic_path
from zoo_design.design import Design
from zoo_design.writers.fields import TEXTS, column_values, decode_text, encode_text, from_texts, start_text, to_texts

LINE = 60


def write_fasta(path: Path, designs: Sequence[Design], header: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
    """FASTA has no place for a header of the file; the first record repeats it under `zoo.KEY`."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row, design in enumerate(designs):
            texts = {**to_texts(design), **({"start": start} if (start := start_text(design)) is not None else {})}
            texts |= {key: encode_text(text) for key, text in column_values(extra, row).items()}
            if row == 0:
                texts |= {f"zoo.{key}": encode_text(str(value)) for key, value in header.items()}
            pairs = " ".join(f"{encode_text(key)}={text}" for key, text in texts.items())
            file.write(f">{encode_text(design.name)} {pairs}\n")
            letters = design.sequence
            file.writelines(f"{letters[i : i + LINE]}\n" for i in range(0, len(letters), LINE))


def read_fasta(path: Path) -> tuple[list[Design], dict[str, str]]:
    """Designs, and the header of the first record."""
    sequences, designs, header = read_sequences(path), [], {}
    for row, line in enumerate(sequences.headers):
        name, _, rest = line.partition(" ")
        pairs = dict(pair.split("=", 1) for pair in rest.split() if "=" in pair)
        if row == 0:
            header = {decode_text(k[4:]): decode_text(v) for k, v in pairs.items() if k.startswith("zoo.")}
        texts = {key: pairs[key] for key in TEXTS if key in pairs}
        where = f"{path} line {sequences.line[row]}"
        designs.append(from_texts(decode_text(name), decode(sequences[row]), pairs.get("start"), texts, where))
    return designs, header
