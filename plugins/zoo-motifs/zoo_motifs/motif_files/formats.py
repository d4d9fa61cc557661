"""`read_motifs`: which format a file of motifs has, told by what stands in it.

path -> lines -> detect_format -> parse_meme, parse_transfac or parse_blocks -> MotifFile
"""

from __future__ import annotations

import re
from pathlib import Path

from zoo.errors import DataError
from zoo_motifs.meme import is_meme, parse_meme
from zoo_motifs.meme.text import Lines, read_motif_lines
from zoo_motifs.motif_collection import MotifFile
from zoo_motifs.motif_files.matrix_blocks import parse_blocks
from zoo_motifs.motif_files.transfac import is_transfac, parse_transfac

FORMATS = "MEME, JASPAR, TRANSFAC, HOMER, HOCOMOCO and CisBP"

_OTHERS = {
    r"<\?xml|<MEME|<STREME|<dreme|<tomtom": "XML, as MEME, STREME and TOMTOM write: give their .txt file",
    r"<!DOCTYPE|<html": "a web page: download the file of motifs itself, such as MEME's .txt",
    r"[{\[]\s*($|[\"{])": "JSON: download the same motifs as MEME or JASPAR",
    r"##fileformat=VCF": "VCF, which holds variants: give a file of motifs",
    r"@[A-Z]{2}\t": "SAM, which holds reads: give a file of motifs",
}


def read_motifs(path: str | Path) -> MotifFile:
    """Read a file of motifs, plain or gzip, see `zoo_motifs.motif_files` for the formats.

    A motif that cannot be read is left out, with a note that names it and its line.

    Raises DataError naming file and line for a file that is of none of the formats, and for one of which no motif can
    be read.
    """
    lines = read_motif_lines(path)
    first = next((text for _, text in lines if text), "")
    for pattern, what in _OTHERS.items():
        if re.match(pattern, first, re.IGNORECASE):
            raise DataError(f"{path} is {what}")
    sequences = re.compile(r"[ACGTUNacgtun]{5,}")
    if first.startswith(">") and sequences.fullmatch(next((t for _, t in lines[1:] if t), "")):
        raise DataError(f"{path} is FASTA, which holds sequences: give matrices, in the format of {FORMATS}")
    if not any(re.match(r"pos\s", text, re.IGNORECASE) for _, text in lines):
        if is_transfac(lines):
            return parse_transfac(path, lines)
        if is_meme(lines):
            return parse_meme(path, lines)
    if not _has_matrix(lines):
        raise DataError(f"{path} holds no motif: {FORMATS} are read")
    return parse_blocks(path, lines)


def _has_matrix(lines: Lines) -> bool:
    """Whether a line begins as a row of a matrix, or names one."""
    return any(re.match(r">|pos\s|[ACGTU]\s*[\[|:]|[ACGTU]?\s*[-+.]?\d", text, re.IGNORECASE) for _, text in lines)
