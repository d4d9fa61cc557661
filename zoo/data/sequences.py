"""Ready-made sequences in FASTA: the sets of examples that papers post, with what their headers say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.codes import COMPLEMENT, encode
from zoo.data.fasta_records import pieces
from zoo.errors import DataError

_COORDINATES = re.compile(
    r"(?:^|::|\s)(?P<chrom>[^\s:,;]+)(?::(?P<start>\d+)-(?P<end>\d+)(?:\((?P<strand>[+.-])\))?"
    r"|,(?P<strand2>[+.-]),(?P<start2>\d+),(?P<end2>\d+))",
    re.ASCII,
)
_CLASS = re.compile(r";\s*class\s*[:=]\s*([^\s;]+)", re.IGNORECASE)


@dataclass
class Sequences:
    """n sequences of any lengths.

    codes: (sum of lengths,) uint8; sequence i is codes[offsets[i] : offsets[i + 1]].  headers: without '>'.
    chrom ("" where the header has no coordinates), start, end (0-based half-open, -1), strand (".").
    label: what `; class:` says, "" where missing.  line: of the header.
    """

    codes: np.ndarray
    offsets: np.ndarray
    headers: list[str]
    chrom: np.ndarray
    start: np.ndarray
    end: np.ndarray
    strand: np.ndarray
    label: np.ndarray
    line: np.ndarray
    path: str = ""

    def __len__(self) -> int:
        return len(self.headers)

    def __getitem__(self, i: int) -> np.ndarray:
        return self.codes[self.offsets[i] : self.offsets[i + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """(n,) bp."""
        return np.diff(self.offsets)

    def select(self, rows: np.ndarray) -> Sequences:
        """The sequences of a boolean mask or an index array, in that order."""
        rows = np.flatnonzero(rows) if np.asarray(rows).dtype == np.bool_ else np.asarray(rows)
        columns = {k: getattr(self, k)[rows] for k in ("chrom", "start", "end", "strand", "label", "line")}
        sizes = self.lengths[rows]
        offsets = np.r_[0, np.cumsum(sizes)].astype(np.int64)
        at = np.repeat(self.offsets[rows] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Sequences(self.codes[at], offsets, [self.headers[i] for i in rows], **columns, path=self.path)

    @classmethod
    def from_letters(cls, sequences: Iterable[str]) -> Sequences:
        """Sequences given as text, numbered from 0; one text is one sequence.  Raises DataError as `encode` does."""
        return cls.from_codes([encode(s) for s in ([sequences] if isinstance(sequences, str) else sequences)])

    @classmethod
    def from_codes(cls, codes: list[np.ndarray]) -> Sequences:
        """Sequences (L,) uint8, numbered from 0, without coordinates."""
        n = len(codes)
        return cls(
            np.concatenate(codes) if codes else np.zeros(0, np.uint8),
            np.r_[0, np.cumsum([len(c) for c in codes])].astype(np.int64),
            [str(i) for i in range(n)],
            chrom=np.full(n, "", object),
            start=np.full(n, -1, np.int64),
            end=np.full(n, -1, np.int64),
            strand=np.full(n, ".", object),
            label=np.full(n, "", object),
            line=np.arange(1, n + 1),
        )

    @classmethod
    def join(cls, parts: list[Sequences]) -> Sequences:
        """Several files as one, in order."""
        names = ("chrom", "start", "end", "strand", "label", "line")
        return cls(
            np.concatenate([p.codes for p in parts]),
            np.r_[0, np.cumsum(np.concatenate([p.lengths for p in parts]))].astype(np.int64),
            [h for p in parts for h in p.headers],
            **{k: np.concatenate([getattr(p, k) for p in parts]) for k in names},
            path=", ".join(p.path for p in parts),
        )

    def batch(self, rows: np.ndarray) -> np.ndarray:
        """(N, L) codes of rows that have one length."""
        rows = np.asarray(rows)
        lengths = self.lengths[rows]
        if len(rows) and (lengths != lengths[0]).any():
            raise DataError(f"sequences of {lengths.min()} to {lengths.max()} bp do not fit one batch: group by length")
        return self.codes[self.offsets[rows][:, None] + np.arange(lengths[0] if len(rows) else 0)]


def read_sequences(path: str | Path) -> Sequences:
    """Read all records of a FASTA file, plain or gzip.

    Headers `chr1:100-200`, `name::chr1:100-200(-)` and `chr1,+,100,200; class:0` give coordinates; one-based
    ends are told by the sequence's length, and coordinates that fit neither way are ignored.
    Raises DataError naming the line for a letter that is no nucleotide or a record without sequence.
    """
    headers: list[str] = []
    lines: list[int] = []
    sizes: list[int] = []
    parts: list[bytes] = []
    for line, header, codes in pieces(path):
        if header is None:
            if headers:
                parts.append(codes)
                sizes[-1] += len(codes)
            continue
        headers.append(header)
        lines.append(line)
        sizes.append(0)
    if 0 in sizes:
        i = sizes.index(0)
        raise DataError(f"{path} line {lines[i]}: record {headers[i]!r} has no sequence: drop it")
    where = [_coordinates(h, n) for h, n in zip(headers, sizes, strict=True)]
    chrom, start, end, strand = zip(*where, strict=True)
    label = [m[1] if (m := _CLASS.search(h)) else "" for h in headers]
    return Sequences(
        np.frombuffer(b"".join(parts), np.uint8),
        np.r_[0, np.cumsum(sizes)].astype(np.int64),
        headers,
        np.array(chrom, object),
        np.array(start, np.int64),
        np.array(end, np.int64),
        np.array(strand, object),
        np.array(label, object),
        np.array(lines, np.int64),
        str(path),
    )


def canonical_hash(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """codes (N, L) -> (N,) uint64 that a sequence shares with its reverse complement, (N,) bool: it was turned.

    Two equal hashes with equal flags are the same sequence; with different flags, reverse complements.
    """
    import hashlib

    codes = np.ascontiguousarray(codes, np.uint8)
    other = COMPLEMENT[codes][:, ::-1]
    differ = codes != other
    first = differ.argmax(1)
    rows = np.arange(len(codes))
    turned = other[rows, first] < codes[rows, first] if codes.shape[1] else np.zeros(len(codes), bool)
    canonical = np.where(turned[:, None], other, codes)
    length = codes.shape[1].to_bytes(4, "little")
    digests = b"".join(hashlib.blake2b(row, digest_size=8, salt=length).digest() for row in canonical)
    return np.frombuffer(digests, np.uint64), turned


def hash_by_length(
    lengths: np.ndarray, codes: Callable[[np.ndarray], np.ndarray], rows_at_once: int = 65_536
) -> tuple[np.ndarray, np.ndarray]:
    """`canonical_hash` of n sequences of lengths (n,); codes(rows) gives those rows, of one length, as (N, L)."""
    hashes, turned = np.zeros(len(lengths), np.uint64), np.zeros(len(lengths), bool)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for part in np.array_split(rows, -(-len(rows) // rows_at_once)):
            hashes[part], turned[part] = canonical_hash(codes(part))
    return hashes, turned


def _coordinates(header: str, length: int) -> tuple[str, int, int, str]:
    match = _COORDINATES.search(header)
    if match:
        start, end = int(match["start"] or match["start2"]), int(match["end"] or match["end2"])
        strand = match["strand"] or match["strand2"] or "."
        if end - start == length:
            return match["chrom"], start, end, strand
        if end - start + 1 == length and start > 0:
            return match["chrom"], start - 1, end, strand
    return "", -1, -1, "."
