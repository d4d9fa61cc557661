"""Motifs -> a file in MEME's motif format, or the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo.data.motifs import UNIFORM, Motif
from zoo.errors import DataError
from zoo.files.atomic import atomic_path
from zoo_motifs.motif_collection import label_of


def label(motif: Motif) -> str:
    """Identifier and name, as a MOTIF line has them.

    >>> label(Motif("CTCF", "MA0139.2", [[1], [0], [0], [0]])), label(Motif("f1", "f1", [[1], [0], [0], [0]]))
    ('MA0139.2 CTCF', 'f1')
    """
    return label_of(motif.id, motif.name)


def write_meme(
    path: str | Path, motifs: Sequence[Motif], background: Sequence[float] = UNIFORM, strands: str = "+ -"
) -> None:
    """Write motifs; `-` is the terminal.

    nsites is the largest column sum, rounded.  Blanks in identifiers and names become "_", since a blank ends them.
    Raises DataError for two motifs with one name.
    """
    seen: set[str] = set()
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", f"strands: {strands}", "", "Background letter frequencies"]
    lines += [" ".join(f"{b} {f:.6g}" for b, f in zip("ACGT", background, strict=True)), ""]
    for motif in motifs:
        name = label(Motif(_word(motif.name), _word(motif.id) or _word(motif.name), motif.counts))
        if not name:
            raise DataError(f"motif {len(seen) + 1} has no name: give it one before {path} is written")
        if name in seen:
            raise DataError(f"two motifs are called {name!r}: give each a name of its own before {path} is written")
        seen.add(name)
        sums = motif.counts.sum(0)
        lines.append(f"MOTIF {name}")
        lines.append(f"letter-probability matrix: alength= 4 w= {len(motif)} nsites= {max(1, round(sums.max()))} E= 0")
        lines += [" ".join(f"{p:.9f}" for p in column) for column in (motif.counts / sums).T]
        lines.append("")
    text = "\n".join(lines)
    if str(path) == "-":
        print(text)
        return
    with atomic_path(path) as temporary:
        if str(path).endswith(".gz"):
            import gzip

            temporary.write_bytes(gzip.compress(text.encode()))
        else:
            temporary.write_text(text, encoding="utf-8", newline="\n")


def _word(text: str) -> str:
    """A name without blanks; one that is missing stays so."""
    return "_".join(text.split())
