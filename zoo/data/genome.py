"""`Genome`: windows of one or several FASTA files by contig and position.

FASTA -> store (memory-mapped codes) -> windows (N, L) uint8, one_hot_windows (N, 4, L)
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.aliases import find
from zoo.data.codes import decode
from zoo.data.compiled_loop import CompiledLoop
from zoo.data.genome_store import Contig, open_store
from zoo.errors import ConfigError, DataError, GenomeMismatch, did_you_mean
from zoo.files.pipes import refuse_pipe

_log = logging.getLogger("zoo.genome")


class Genome:
    """Sequences by contig name, 0-based half-open.  Positions past a contig's ends read as N.

    fasta: a FASTA file (plain, gzip, BGZF), or several that make one genome.
    name: assembly name for tables and model cards; the file's name where it is not given.
    threads: for large batches of windows; OMP_NUM_THREADS, or all cores, where it is not given.

    Raises DataError for a file that breaks its format, for a pipe, and for a contig name that comes twice.
    """

    def __init__(self, fasta: str | Path | Sequence[str | Path], name: str | None = None, threads: int | None = None):
        files = [fasta] if isinstance(fasta, (str, Path)) else list(fasta)
        if not files:
            raise ConfigError("a genome needs at least one FASTA file: set genome.fasta=/path/to/genome.fa")
        self.files = [Path(f).expanduser() for f in files]
        self.name = name or "+".join(_stem(f) for f in self.files)
        self.threads = threads
        self.aliases: dict[str, str] = {}
        for file in self.files:
            refuse_pipe(file, "a genome")
        self._stores = [open_store(f) for f in self.files]
        self._records: list[Contig] = []
        files_of: list[int] = []
        seen: dict[str, Path] = {}
        for i, store in enumerate(self._stores):
            for contig in store.contigs:
                if contig.name in seen:
                    raise DataError(
                        f"contig {contig.name!r} is in both {seen[contig.name]} and {self.files[i]}: leave one file out"
                    )
                seen[contig.name] = self.files[i]
                self._records.append(contig)
                files_of.append(i)
        self.contigs: dict[str, int] = {c.name: c.length for c in self._records}
        self._id = {c.name: i for i, c in enumerate(self._records)}
        self._offset = np.array([c.offset for c in self._records], np.int64)
        self._length = np.array([c.length for c in self._records], np.int64)
        self._file_of = np.array(files_of, np.int64)

    @classmethod
    def of(cls, fasta: str | Path | Sequence[str | Path] | Genome) -> Genome:
        """A genome as it stands; one FASTA file, or several, opened as one."""
        return fasta if isinstance(fasta, Genome) else cls(fasta)

    @classmethod
    def from_config(cls, genome: Mapping[str, Any] | None) -> Genome:
        """From the configuration's `genome: {name, fasta}`; ConfigError where no file is named."""
        if not genome or not genome.get("fasta"):
            raise ConfigError("no genome is given: set genome.fasta=/path/to/genome.fa (plain, gzip or BGZF)")
        return cls(genome["fasta"], genome.get("name"))

    def __reduce__(self):
        return Genome, (self.files, self.name, self.threads)

    def __repr__(self) -> str:
        return f"Genome({self.name!r}, {len(self.contigs):,} contigs, {int(self._length.sum()):,} bp)"

    def resolve(self, contig: str) -> str:
        """The genome's own name of a contig: chr20 for 20, M for MT, chrI for chr1 of yeast.

        An alias is used only if it can mean one contig; it is logged once and kept in `aliases`.
        Raises GenomeMismatch for a contig that the genome does not have.
        """
        if contig in self._id:
            return contig
        if contig not in self.aliases:
            found = find(contig, self.contigs)
            if found is None:
                raise GenomeMismatch(f"genome {self.name!r} has no contig {contig!r}{_suggest(contig, self.contigs)}")
            self.aliases[contig] = found
            _log.info("contig %r is read as %r of genome %r", contig, found, self.name)
        return self.aliases[contig]

    def contig_ids(self, contigs: Iterable[str]) -> np.ndarray:
        """Names to (N,) int64 for `windows`; a contig's id is its place in `contigs`."""
        contigs = list(contigs)
        table = {c: self._id[self.resolve(c)] for c in dict.fromkeys(contigs)}
        return np.fromiter((table[c] for c in contigs), np.int64, len(contigs))

    def lengths(self, contig_ids: np.ndarray) -> np.ndarray:
        """bp of the contigs with these ids: (N,) int64."""
        return self._length[contig_ids]

    def windows(
        self,
        contig_ids: np.ndarray,
        starts: np.ndarray,
        length: int,
        strands: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Codes of N windows of `length` bp: (N, L) uint8.

        contig_ids: (N,) from `contig_ids`.  starts: (N,), may lie outside the contig.
        strands: (N,), -1 (or True for reverse) reads the other strand.  out: (N, L) uint8 to write into;
        reusing one batch after batch is several times faster than fresh memory.
        """
        from zoo.data.window_kernels import gather_codes

        out = _buffer(out, (len(starts), int(length)), (np.uint8,))
        return self._gather(gather_codes, contig_ids, starts, strands, out)

    def one_hot_windows(
        self,
        contig_ids: np.ndarray,
        starts: np.ndarray,
        length: int,
        strands: np.ndarray | None = None,
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """One-hot of N windows: (N, 4, L) int8, A C G T, N as zeros; arguments as of `windows`.

        out: (N, 4, L) of int8, uint8, bool, float32 or float64.
        """
        from zoo.data.window_kernels import gather_one_hot

        allowed = np.int8, np.uint8, np.bool_, np.float32, np.float64
        out = _buffer(out, (len(starts), 4, int(length)), allowed)
        return self._gather(gather_one_hot, contig_ids, starts, strands, out)

    def fetch(self, contig: str, start: int, end: int) -> np.ndarray:
        """Codes (end - start,) of one interval; contig by name or alias."""
        if start > end:
            raise DataError(f"interval {contig}:{start}-{end}: start is after end: swap them")
        return self.windows(self.contig_ids([contig]), np.array([start]), end - start)[0]

    def letters(self, contig_id: int, start: int, end: int) -> str:
        """Upper-case letters of a stretch within one contig, with the ambiguity codes that `codes` has as N."""
        store, offset = self._stores[self._file_of[contig_id]], int(self._offset[contig_id])
        letters = bytearray(decode(store.codes[offset + start : offset + end]).encode())
        first, last = np.searchsorted(store.ambiguity["at"], (offset + start, offset + end))
        for place, letter in store.ambiguity[first:last].tolist():
            letters[place - offset - start] = letter
        return letters.decode("ascii")

    def ambiguity(self, contig_id: int) -> np.ndarray:
        """(n,) int64, ascending: places within a contig where its FASTA has an ambiguity code other than N."""
        at = self._stores[self._file_of[contig_id]].ambiguity["at"] - self._offset[contig_id]
        return at[slice(*np.searchsorted(at, (0, self._length[contig_id])))]

    def codes(self, contig: str) -> np.ndarray:
        """Codes (length,) of a whole contig, by name or alias: memory-mapped, without a copy."""
        i = self._id[self.resolve(contig)]
        codes = self._stores[self._file_of[i]].codes
        return codes[self._offset[i] : self._offset[i] + self._length[i]]

    def flat(self, contig_ids: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """For compiled loops, once a file: its codes, where each of the N contigs begins in it and its bp, (N,) each,
        and which of the N lie in this file."""
        for file, rows in self._by_file(contig_ids):
            yield self._stores[file].codes, self._offset[contig_ids], self._length[contig_ids], rows

    def base_counts(self, contig_id: int, starts: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """G + C and N in windows that lie within one contig: two of (N,) int32."""
        from zoo.data.window_kernels import as_int64, count_bases, default_threads, in_threads

        starts = as_int64(starts)
        if len(starts) and (starts.min() < 0 or starts.max() + length > self._length[contig_id]):
            raise GenomeMismatch(f"a window of {length:,} bp leaves contig {self._records[contig_id].name!r}")
        gc, n = np.empty(len(starts), np.int32), np.empty(len(starts), np.int32)
        codes, at = self._stores[self._file_of[contig_id]].codes, starts + self._offset[contig_id]
        threads = self.threads or default_threads()
        count = count_bases.of(len(at) * length)
        in_threads(lambda a, b: count(codes, at, length, gc, n, a, b), len(at), length, threads)
        return gc, n

    @cached_property
    def checksum(self) -> str:
        """Hex digest of all sequences, whatever the contigs are called and in whatever order they stand."""
        parts = sorted(f"{c.length} {c.checksum}" for c in self._records)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    @cached_property
    def content(self) -> str:
        """Hex digest of all sequences and their names, whatever the files are called."""
        parts = sorted(f"{c.name} {c.length} {c.checksum}" for c in self._records)
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()

    def identity(self) -> dict[str, Any]:
        """What a model card says of the genome: plain JSON."""
        return {
            "name": self.name,
            "files": [f.name for f in self.files],
            "contigs": len(self.contigs),
            "bp": int(self._length.sum()),
            "checksum": self.checksum,
        }

    def _gather(self, loop: CompiledLoop, contig_ids, starts, strands, out: np.ndarray) -> np.ndarray:
        from zoo.data.window_kernels import as_int64, default_threads, in_threads

        ids, starts = as_int64(contig_ids), as_int64(starts)
        if ids.shape != starts.shape or ids.ndim != 1:
            raise DataError(f"contig_ids {ids.shape} and starts {starts.shape} must be of one length, (N,)")
        if len(ids) and (ids.min() < 0 or ids.max() >= len(self._records)):
            raise GenomeMismatch(
                f"contig ids are not of this genome, which has {len(self._records)}: use genome.contig_ids"
            )
        reverse = np.zeros(len(ids), np.bool_) if strands is None else _reverse(strands, len(ids))
        each = out[:1].nbytes
        kernel = loop.of(out.size)
        threads = self.threads or default_threads()
        for file, rows in self._by_file(ids):
            whole = len(rows) == len(ids)
            chosen = (*((ids, starts, reverse) if whole else (ids[rows], starts[rows], reverse[rows])), rows)
            codes = self._stores[file].codes
            in_threads(
                lambda a, b, codes=codes, chosen=chosen: kernel(codes, self._offset, self._length, *chosen, out, a, b),
                len(rows),
                each,
                threads,
            )
        return out

    def _by_file(self, ids: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """[(file, rows of the batch that lie in it)]."""
        if len(self._stores) == 1:
            return [(0, np.arange(len(ids)))]
        files = self._file_of[ids]
        return [(int(f), np.flatnonzero(files == f)) for f in np.unique(files)]


def _buffer(out: np.ndarray | None, shape: tuple[int, ...], dtypes: tuple) -> np.ndarray:
    if out is None:
        return np.empty(shape, dtypes[0])
    if out.shape != shape or out.dtype not in dtypes or not out.flags.c_contiguous or not out.flags.writeable:
        names = ", ".join(np.dtype(d).name for d in dtypes)
        raise DataError(
            f"out is {out.shape} {out.dtype}, the windows need a writable contiguous {shape} of {names}: "
            "allocate it so, or leave it out"
        )
    return out


def _reverse(strands, n: int) -> np.ndarray:
    strands = np.asarray(strands)
    if strands.shape != (n,):
        raise DataError(f"strands {strands.shape} must be ({n},)")
    if strands.dtype == np.bool_:
        return np.ascontiguousarray(strands)
    return np.ascontiguousarray(strands == "-" if strands.dtype.kind in "US" else strands < 0)


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz").removesuffix(".bgz")
    return name.rsplit(".", 1)[0] if name.endswith((".fa", ".fasta", ".fna", ".fas")) else name


def _suggest(contig: str, contigs: Mapping[str, int]) -> str:
    names = list(contigs)
    if len(names) > 8 and not get_close_matches(contig, names, n=1, cutoff=0.6):
        return f", it begins with {', '.join(names[:4])}: check that the file belongs to this assembly"
    return did_you_mean(contig, names)
