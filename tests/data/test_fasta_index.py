"""FASTA through pyfaidx: its index is samtools', and no index, however old or wrong, changes a letter."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pysam
import pytest

from zoo.data.codes import decode
from zoo.data.fasta_index import NotIndexed, readers
from zoo.data.fasta_records import pieces
from zoo.data.genome import Genome
from zoo.errors import DataError


def put(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text.encode())
    else:
        path.write_bytes(text.encode())
    return path


def joined(read) -> list[tuple[str, str]]:
    """(header, letters) of every record."""
    records: list[list] = []
    for _, header, codes in read:
        if header is None:
            records[-1][1] += codes
        else:
            records.append([header, b""])
    return [(header, decode(np.minimum(np.frombuffer(codes, np.uint8), 4))) for header, codes in records]


def letters(genome: Genome) -> dict[str, str]:
    return {name: decode(genome.fetch(name, 0, length)) for name, length in genome.contigs.items()}


TEXT = ">a first one\nACGTAC\nGTnnAC\nRT\n>b\nTTTT\n"


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_the_index_that_is_left_is_the_one_that_samtools_makes(tmp_path, name):
    fasta = put(tmp_path / name, TEXT)
    assert letters(Genome(fasta)) == {"a": "ACGTACGTNNACNT", "b": "TTTT"}
    left = {end: (tmp_path / f"{name}{end}").read_bytes() for end in ((".fai", ".gzi") if "gz" in name else (".fai",))}
    for end in left:
        (tmp_path / f"{name}{end}").unlink()
    pysam.faidx(str(fasta))
    assert left == {end: (tmp_path / f"{name}{end}").read_bytes() for end in left}
    assert pysam.FastaFile(str(fasta)).fetch("b", 1, 3) == "TT"
    assert not list(tmp_path.glob("*.tmp"))


IRREGULAR = {
    "uneven lines": ">a\nACG\nACGTA\nAC\n",
    "blank line within": ">a\nACGT\n\nACGT\n",
    "empty contigs": ">a\n>b\nACGT\n>c\n>d\nA\n",
    "empty contig at the end": ">a\nACGT\n>b\n",
    "byte order mark": "\ufeff>a\nACGT\n",
}
REGULAR = {
    "blank lines behind": ">a\nACGT\nAC\n\n\n>b\nA\n\n",
    "no line end": ">a\nACGT\nAC",
    "whole last line": ">a\nACGT\nACGT",
    "carriage returns": ">a x\r\nACGT\r\nAC\r\n>b\r\nAC\r\n",
    "space after the sign": "> a\nACGT\n",
    "lower case": ">a\nacgtnryk\n",
    "one line": ">a\n" + "ACGT" * 3000 + "\n",
}


@pytest.mark.parametrize("case", [*IRREGULAR, *REGULAR])
@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
def test_with_and_without_an_index_the_records_are_the_same(tmp_path, capfd, case, name):
    fasta = put(tmp_path / name, {**IRREGULAR, **REGULAR}[case])
    expected = joined(pieces(fasta))
    assert list(letters(Genome(fasta)).values()) == [sequence for _, sequence in expected]
    indexed = next(readers(fasta, tmp_path / f"{name}.zoo"))
    if case in IRREGULAR:
        with pytest.raises(NotIndexed):
            joined(indexed)
    else:
        assert joined(indexed) == expected
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["g.fa", "g.fa.gz"])
@pytest.mark.parametrize(
    "other",
    [
        ">a\nACGTAC\nGT\n>b\nTTTT\n",
        ">a first one\nACGTAC\nGTnnAC\nRT\n>c\nTTTT\n",
        ">a first one\nACGTAC\nGTnnAC\nRT\n>b\nTTTT\n>c\nA\n",
        ">a first one\nACGTAC\nGTnnAC\n>b\nTTTT\nTT\n",
    ],
)
@pytest.mark.parametrize("newer", [False, True])
def test_an_index_of_another_file_changes_no_letter(tmp_path, name, other, newer):
    """The index was made for TEXT; its time of change says that it is old, or, as after a copy, that it is not."""
    fasta = put(tmp_path / name, TEXT)
    pysam.faidx(str(fasta))
    index = (tmp_path / f"{name}.fai").read_bytes()
    put(fasta, other)
    for path in tmp_path.glob("*.*i"):
        os.utime(path, (fasta.stat().st_mtime + (9 if newer else -9),) * 2)
    assert letters(Genome(fasta)) == {h.split()[0]: s for h, s in joined(pieces(fasta))}
    assert ((tmp_path / f"{name}.fai").read_bytes() == index) == newer  # one that seems to fit is not ours to replace


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n",
        "a\t14\t-5\t6\t7\n",
        "a\t14\t99999999999\t6\t7\n",
        "a\t-3\t13\t0\t-7\nb\t1\t2\t3\t4\n",
        "a\t14\t13\t6\t7\n",
    ],
)
def test_an_index_that_is_none_is_of_no_harm(tmp_path, text):
    fasta = put(tmp_path / "g.fa", TEXT)
    (tmp_path / "g.fa.fai").write_text(text)
    os.utime(tmp_path / "g.fa.fai", (fasta.stat().st_mtime + 9,) * 2)
    assert letters(Genome(fasta)) == {"a": "ACGTACGTNNACNT", "b": "TTTT"}


def test_a_folder_that_may_not_be_written_gets_no_index(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "shared"
    folder.mkdir()
    fasta = put(folder / "g.fa.gz", TEXT)
    folder.chmod(0o555)
    try:
        assert letters(Genome(fasta))["b"] == "TTTT"
        assert [p.name for p in folder.iterdir()] == ["g.fa.gz"]
    finally:
        folder.chmod(0o755)
    assert {p.name for p in (tmp_path / "cache").rglob("*.?[az]i")} == {"g.fa.gz.fai", "g.fa.gz.gzi"}


def test_names_that_come_twice_are_an_error_though_samtools_leaves_them_out(tmp_path):
    with pytest.raises(DataError, match="line 3: contig 'a' is already on line 1"):
        Genome(put(tmp_path / "g.fa", ">a x\nAC\n>a y\nGT\n"))


def test_a_damaged_block_is_an_error(tmp_path):
    text = "".join(np.random.default_rng(0).choice(list("ACGT"), 200_000))
    fasta = put(tmp_path / "g.fa.gz", f">a\n{text}\n")
    raw = bytearray(fasta.read_bytes())
    raw[len(raw) // 2] ^= 255
    fasta.write_bytes(raw)
    with pytest.raises(DataError, match=r"g\.fa\.gz is damaged"):
        Genome(fasta)
