"""BAM and CRAM: mean depth of bins, counted from the aligned bases of the reads.

Unmapped, secondary, supplementary, QC-failed and duplicate reads are left out, and deleted and skipped bases of the
others; mates that overlap count twice, as in `samtools bedcov`.  About a million reads a second: for a whole genome
mosdepth is faster, and its regions.bed.gz is read as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from zoo.data.bigwig import quiet_stderr
from zoo.errors import ConfigError, DataError
from zoo.terminal.progress import counting
from zoo_copy_number.readers.raw_bins import MAX_BINS, RawBins
from zoo_copy_number.readers.runs import add_runs
from zoo_copy_number.readers.sniff import sample_name
from zoo_copy_number.readers.targets import Targets

_LEFT_OUT = 0x4 | 0x100 | 0x200 | 0x400 | 0x800
_SPAN, _GAP = 1 << 22, 10_000
_CRAM_FIELDS = b"required_fields=0x3e"
"""Flag, contig, position, mapping quality and CIGAR: without the bases, CRAM needs no reference sequence."""


def read_alignments(
    path: str | Path, *, bin_size: int | None = None, targets: Targets | None = None, min_mapq: int = 0
) -> RawBins:
    """Mean depth of bins of `bin_size` bp over all contigs of the header, or of `targets`.

    Raises DataError where there is no index or the file is cut off or damaged, ConfigError without any bins to count.
    """
    if bin_size is None and targets is None:
        raise ConfigError(f"{path} holds reads, not bins: give a bin size (such as 1000) or a BED file of targets")
    with _readable(path), _open(path) as file:
        if not file.has_index():
            raise DataError(f"{path} has no index: run `samtools index {path}`")
        sizes = dict(zip(file.references, map(int, file.lengths), strict=True))
        if not sizes:
            raise DataError(f"{path} names no contig in its header: align the reads first")
        notes: list[str] = []
        if targets is None:
            contigs = list(sizes)
            contig, start, end = _grid(path, sizes, bin_size)
        else:
            contigs, contig, start, end = targets.on(sizes, str(path))
            notes += targets.notes
        total, known = np.zeros(len(start)), np.zeros(len(start))
        with counting(int((end - start).sum()), label=Path(path).name, unit="bp") as advance:
            for a, b in _spans(contig, start, end):
                blocks = _blocks(file, contigs[contig[a]], int(start[a]), int(end[b - 1]), min_mapq)
                add_runs(*blocks, np.ones(len(blocks[0])), start[a:b], end[a:b], total[a:b], known[a:b])
                advance(int((end[a:b] - start[a:b]).sum()))
        # The sample of the read groups, if they agree; else the file's name.
        names = {g["SM"] for g in file.header.to_dict().get("RG", []) if g.get("SM")}
        sample = names.pop() if len(names) == 1 else sample_name(path)
        reader = "cram" if file.is_cram else "bam"
    unit = "mean depth" if not min_mapq else f"mean depth of reads of mapping quality {min_mapq} or more"
    about = {"sizes": {c: sizes[c] for c in contigs}, "notes": notes}
    return RawBins(str(path), contigs, contig, start, end, total / (end - start), sample, reader, unit, **about)


def _open(path: str | Path):
    import pysam

    with quiet_stderr():  # pysam prints a stack where it cannot close what it could not open
        return pysam.AlignmentFile(str(path), format_options=[_CRAM_FIELDS])


def _grid(path: str | Path, sizes: dict[str, int], bin_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = np.array([-(-s // bin_size) for s in sizes.values()], np.int64)
    if n.sum() > MAX_BINS:
        raise DataError(
            f"{path} would have {int(n.sum()):,} bins of {bin_size:,} bp, at most {MAX_BINS:,}: choose larger ones"
        )
    contig = np.repeat(np.arange(len(n), dtype=np.int32), n)
    start = (np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)) * bin_size
    return contig, start, np.minimum(start + bin_size, np.array(list(sizes.values()))[contig])


def _spans(contig: np.ndarray, start: np.ndarray, end: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of bins that are fetched at once: of one contig, close together, and of a few megabases."""
    far = (np.diff(contig) != 0) | (start[1:] - end[:-1] > _GAP) | (np.diff(start // _SPAN) != 0)
    cuts = np.r_[0, np.flatnonzero(far) + 1, len(start)] if len(start) else np.zeros(1, np.int64)
    yield from zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)


def _blocks(file, contig: str, start: int, end: int, min_mapq: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of the aligned blocks of all reads that touch the interval."""
    found: list[tuple[int, int]] = []
    for read in file.fetch(contig, start, end):
        if not read.flag & _LEFT_OUT and read.mapping_quality >= min_mapq:
            found.extend(read.get_blocks())
    blocks = np.array(found, np.int64).reshape(-1, 2)
    return np.ascontiguousarray(blocks[:, 0]), np.ascontiguousarray(blocks[:, 1])


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    import pysam

    before = pysam.set_verbosity(0)
    try:
        yield
    except (OSError, ValueError, NotImplementedError) as error:
        if not Path(path).exists():
            raise DataError(f"{path} does not exist: check the path") from None
        while isinstance(error.__context__, (OSError, ValueError)):  # closing a damaged file fails too
            error = error.__context__
        raise DataError(
            f"{path} cannot be read ({str(error)[:80]}): it is cut off, damaged or not sorted, "
            "fetch it again, or sort it (samtools sort) and index it (samtools index)"
        ) from error
    finally:
        pysam.set_verbosity(before)
