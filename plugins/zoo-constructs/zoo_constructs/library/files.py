"""Files of constructs as one table of text: CSV, TSV, FASTA (key=value in the headers), GenBank (features are parts).

path -> TableText with the columns of the table; name, sequence and the keys of FASTA; the features of GenBank besides
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from zoo.data.sources.table_columns import TableText, read_text
from zoo.errors import DataError
from zoo.files.compressed import read_lines

FASTA, GENBANK = (".fa", ".fasta", ".fna"), (".gb", ".gbk", ".genbank")
_KEY = re.compile(r"([A-Za-z_][\w.-]*)=(\S+)")


def read_library(path: Path, header: bool = True) -> TableText:
    """Raises DataError for a file that cannot be read as what its name says."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(FASTA):
        return _table(path, _fasta(path))
    if name.endswith(GENBANK):
        return _table(path, _genbank(path))
    return read_text(path, header)


def _table(path: Path, records: Sequence[tuple[int, dict[str, str]]]) -> TableText:
    """Records with different keys as rows of one table, empty where a key is missing."""
    columns = list(dict.fromkeys(key for _, record in records for key in record))
    if not records:
        raise DataError(f"{path} holds no record: give one a construct")
    rows = [[record.get(column, "") for column in columns] for _, record in records]
    return TableText(path, columns, [line for line, _ in records], rows)


def _fasta(path: Path) -> list[tuple[int, dict[str, str]]]:
    records: list[tuple[int, dict[str, str], list[str]]] = []
    for line, text in read_lines(path):
        if text.startswith(">"):
            words = text[1:].split(maxsplit=1)
            keys = dict(_KEY.findall(words[1])) if len(words) > 1 else {}
            records.append((line, {"name": words[0] if words else "", "sequence": "", **keys}, []))
        elif records:
            records[-1][2].append(text.strip())
        elif text.strip():
            raise DataError(f"{path} line {line} begins with {text.strip()[:20]!r}, FASTA with '>': is it FASTA?")
    return [(line, {**record, "sequence": "".join(letters)}) for line, record, letters in records]


def _genbank(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The line of a record is that of its LOCUS."""
    from Bio import SeqIO

    lines = list(read_lines(path))
    starts = [number for number, text in lines if text.startswith("LOCUS")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Biopython warns of lines that are a column too long
        try:
            records = list(SeqIO.parse(io.StringIO("\n".join(text for _, text in lines) + "\n"), "genbank"))
        except (ValueError, AssertionError, KeyError, IndexError) as error:
            raise DataError(f"{path} cannot be read as GenBank ({error}): save it again from its editor") from None
    return [(line, _record(path, record)) for line, record in zip(starts, records, strict=False)]


def _record(path: Path, record) -> dict[str, str]:
    """A record's name, letters, key=value of its definition, comment and source, and its features by their kind.

    A feature of several pieces, as one over the origin of a plasmid, is no part: it is empty.
    """
    texts = [record.description, str(record.annotations.get("comment", ""))]
    letters, parts = str(record.seq), {}
    for feature in record.features:
        if feature.type == "source":
            texts += feature.qualifiers.get("note", [])
            continue
        role = (feature.qualifiers.get("role") or [feature.type])[0]
        if role in parts:
            raise DataError(
                f'{path}: record {record.name!r} has two features {role!r}: tell them apart with /role="..."'
            )
        start, end = int(feature.location.start), int(feature.location.end)
        # From first to last base a join holds what it leaves out, and a part over a plasmid's origin is all of it.
        parts[role] = letters[start:end] if len(feature.location.parts) == 1 else ""
    keys = dict(pair for text in texts for pair in _KEY.findall(text))
    return {"name": record.name, "sequence": letters, **keys, **parts}
