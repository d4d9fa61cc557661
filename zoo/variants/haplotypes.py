"""`haplotypes`: the sequences that one person's two chromosome copies have in a window; `windows`: many at once.

Genotypes + Genome -> alleles of each haplotype, overlaps resolved -> codes and reference positions

Overlapping records are resolved as `bcftools consensus` (1.16) does, each haplotype by itself, in file order:

1. A record is applied if its POS lies behind the last base of the REF of the record applied before.
2. A record whose POS is that last base is applied too if it is a pure insertion or deletion that keeps its first base,
   and the record before did not lengthen the sequence: an SNV and an insertion or deletion anchored on it are both
   applied if the SNV comes first in the file, and a deletion may be followed by an insertion on its last base.
3. Every other record is skipped: an SNV or insertion within a deletion, an SNV behind an insertion or deletion of
   the same POS, a second insertion at one POS.  A skipped record does not stand in the way of later ones.

Where it differs from bcftools: symbolic alleles, <DEL> among them, `*` and letters beyond ACGTN are skipped and listed
(bcftools applies <DEL>, stops at others and writes letters as they are), so is a record whose REF is not the genome's
(bcftools stops), and unphased genotypes are refused.

A window is cut out of the haplotype of the whole contig: a deletion that begins left of it removes bases of it, where
bcftools, given the window alone, skips that record.  An inserted base belongs to the reference base before it, so
adjoining windows have every base once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.variants.genotypes import Genotypes, read_genotypes
from zoo.variants.variants import is_symbolic

_RULES = {2: "overlap", 3: "symbolic", 4: "unphased", 5: "phase_set", 6: "ref_mismatch"}


@dataclass(frozen=True)
class Variant:
    """One alternate allele of a record.  index: of its site in `Genotypes`; position: 0-based.

    rule: why it was not applied: overlap, symbolic, non_acgt (letters beyond ACGTN), ref_mismatch (the genome reads
    otherwise than REF), unphased, phase_set (phased, but not with the rest of the window); empty where it was.
    """

    index: int
    position: int
    reference: str
    alternate: str
    rule: str = ""


@dataclass(frozen=True, eq=False)
class Haplotype:
    """What one chromosome copy has between two reference positions.

    codes: (L,) uint8, A C G T N = 0 1 2 3 4; `sequence` has them as letters.
    reference_positions: (L,) int64, 0-based; -1 for an inserted base.  Of a stretch that is replaced by one of another
        length the first min(reference, alternate) bases have the positions of the reference, the others -1.
    variants, skipped, unphased: applied; not applied by the rules above; left at the reference because their phase is
        unknown (the same in both haplotypes).
    missing: (M,) int64, positions of records at which the sample misses an allele, which was read as reference.
    malformed: why records of the window, or of an unknown place, could not be read; they are left out.
    """

    sample: str
    number: int
    contig: str
    start: int
    end: int
    codes: np.ndarray
    reference_positions: np.ndarray
    variants: tuple[Variant, ...]
    skipped: tuple[Variant, ...]
    unphased: tuple[Variant, ...]
    missing: np.ndarray
    malformed: tuple[str, ...]

    @property
    def sequence(self) -> str:
        """The letters."""
        return decode(self.codes)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, eq=False)
class HaplotypeWindows:
    """Both haplotypes of N windows.

    codes: (N, 2, L) uint8, or ragged (bases,) with window i's haplotype h at first[2 i + h] to first[2 i + h + 1].
    positions: int64 of the shape of codes, 0-based, -1 for inserted and filled bases; None where not asked for.
    size: (N, 2) bases before filling.  skipped: (N, 2) alleles not applied by the rules of this module.
    unphased: (N,) alleles left at the reference because their phase is unknown.
    haploid: (N,) bool; the second haplotype of such a window is empty, or N.
    """

    codes: np.ndarray
    first: np.ndarray
    positions: np.ndarray | None
    size: np.ndarray
    skipped: np.ndarray
    unphased: np.ndarray
    haploid: np.ndarray


def haplotypes(
    vcf: str | Path | Genotypes,
    fasta: str | Path | Sequence[str | Path] | Genome,
    sample: str,
    chrom: str,
    start: int,
    end: int,
    *,
    unphased: str = "refuse",
) -> tuple[Haplotype, ...]:
    """The two haplotypes of a sample in [start, end) of the reference, 0-based half-open; one where it is haploid:
    where all calls in the window are, or there is none and the last call read before it is.

    vcf: a VCF, VCF.gz or BCF file (an index makes it fast), or `Genotypes`.  fasta: file, files or a Genome.
    unphased: "refuse" raises where the phase of an allele is unknown; "flag" leaves such alleles at the reference
    and lists them in `unphased`.  Unknown are heterozygotes with `/`, those of a phase set (PS) other than the one
    with most alleles in the window, and haploid calls between diploid ones.  Missing genotypes read as reference.

    A record that cannot be read, or whose REF is not what the FASTA has, is left out and listed.  Raises DataError for
    unknown phase and for a VCF that breaks its format as a whole, GenomeMismatch where a contig is unknown, the
    interval leaves it, or REF differs in so many records that they are of another assembly.
    """
    genome = Genome.of(fasta)
    contig = genome.resolve(chrom)
    if start > end:
        raise DataError(f"interval {chrom}:{start}-{end}: start is after end: swap them")
    if start < 0 or end > genome.contigs[contig]:
        raise GenomeMismatch(f"interval {chrom}:{start}-{end} leaves {contig}, which has {genome.contigs[contig]:,} bp")
    if isinstance(vcf, Genotypes):
        store = vcf
        if genome.resolve(store.contig) != contig:
            raise GenomeMismatch(f"the genotypes are of contig {store.contig!r}, not {chrom!r}: read those of {chrom}")
    else:
        store = read_genotypes(vcf, chrom, sample, start, end, genome.contigs[contig])
    fate = np.zeros(len(store.allele), np.uint8)
    window = _run(store, genome, sample, [start], [end], None, True, unphased, None, None, fate)
    positions, s = np.asarray(window.positions), store.sample_id(sample)
    own = [np.arange(store.first[2 * s + h], store.first[2 * s + h + 1]) for h in range(2)]
    unknown = np.concatenate([e[(fate[e] == 4) | (fate[e] == 5)] for e in own])
    unknown = unknown[np.unique(store.allele[unknown], return_index=True)[1]]
    missing = store.position[store.missing[store.missing_first[s] : store.missing_first[s + 1]]].astype(np.int64)
    missing = missing[(missing >= start) & (missing < end)]
    malformed = [(start <= p < end) or p < 0 for p in store.malformed_position.tolist()]
    malformed = tuple(why for why, here in zip(store.malformed, malformed, strict=True) if here)
    both = []
    for h in range(1 if window.haploid[0] else 2):
        part, became = slice(window.first[h], window.first[h + 1]), fate[own[h]]
        lists = own[h][became == 1], own[h][np.isin(became, (2, 3, 6))], unknown
        applied, skipped, left = (_variants(store, e, fate) for e in lists)
        where = contig, start, end, window.codes[part], positions[part]
        both.append(Haplotype(sample, h + 1, *where, applied, skipped, left, missing, malformed))
    return tuple(both)


def windows(
    genotypes: Genotypes,
    genome: Genome,
    samples: str | Sequence[str] | np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray | None = None,
    length: int | None = None,
    *,
    positions: bool = False,
    unphased: str = "refuse",
    threads: int | None = None,
    out: np.ndarray | None = None,
) -> HaplotypeWindows:
    """Both haplotypes of N windows of the genotypes' contig.

    samples: one name, N names, or (N,) places in `genotypes.samples`.  starts, ends: (N,), 0-based half-open.
    ends alone: ragged.  length alone: (N, 2, length), the haplotype from `starts` on, deletions draw in what follows.
    Both: the haplotype between starts and ends, cut or filled with N to `length`.
    unphased: as of `haplotypes`; with length alone, phase is asked up to the furthest base that deletions can draw in.
    out: (N, 2, length) uint8 to write into.  Past the contig's ends there is N.

    Raises as `haplotypes` does, for the first window that cannot be had.
    """
    return _run(genotypes, genome, samples, starts, ends, length, positions, unphased, threads, out, None)


def _run(store, genome, samples, starts, ends, length, positions, unphased, threads, out, fate) -> HaplotypeWindows:
    from zoo.data.window_kernels import as_int64, default_threads, in_threads
    from zoo.variants.haplotype_kernels import fill_windows, phase_windows, splice_windows

    if unphased not in ("refuse", "flag"):
        raise ConfigError(f"unphased={unphased!r}: choose from refuse, flag")
    if ends is None and length is None:
        raise ConfigError("windows need ends or a length: give one of them, or both to cut and fill")
    starts = as_int64(starts)
    n = len(starts)
    reads_on = ends is None
    ends = starts + length if reads_on else as_int64(ends)
    ids = _sample_ids(store, samples, n)
    if ends.shape != (n,) or starts.ndim != 1 or (ends < starts).any():
        raise DataError(f"starts {starts.shape} and ends {ends.shape} must be (N,), no start after its end")
    low, high = store.region
    if n and (low > max(starts.min(), 0) or (high is not None and (reads_on or ends.max() > high))):
        raise DataError(f"the genotypes were read for {low}-{high} alone: read the whole contig for these windows")
    x = genome.codes(store.contig)
    size, skipped = np.zeros((n, 2), np.int64), np.zeros((n, 2), np.int64)
    unknown, haploid = np.zeros(n, np.int64), np.zeros(n, np.bool_)
    culprit, table = np.full(n, -1, np.int64), store.checked_table(genome)
    fate = np.zeros(0, np.uint8) if fate is None else fate
    threads = threads or genome.threads or default_threads()

    low, chosen = np.zeros((n, 2), np.int64), np.zeros(n, np.int64)
    limit = np.int64(1 << 40) if length is None else np.int64(length)

    def splice(y, first, where, write, a, b) -> None:
        phase_windows(
            starts, ends, reads_on, ids, store.position, store.first, store.carried, *store.bins, store.sets,
            table, store.ploidy_first, store.ploidy_site, store.ploidy, unphased == "flag",
            low, chosen, unknown, haploid, culprit, a, b,
        )  # fmt: skip
        splice_windows(
            x, starts, ends, limit, reads_on, ids, store.first, store.carried, table, store.codes,
            low, chosen, haploid, y, first, where, write, size, skipped, culprit, fate, a, b,
        )  # fmt: skip
        if write:
            fill_windows(y, first, where, size, a, b)

    def run(y, first, where, write) -> None:
        work = 2 * (length or int((ends - starts).max(initial=0))) if write else 200
        in_threads(lambda a, b: splice(y, first, where, write, a, b), n, work, threads)
        if (culprit >= 0).any():
            _refuse(store, ids, culprit)

    no_codes, no_positions = np.zeros(0, np.uint8), np.zeros(0, np.int64)
    if length is None:
        run(no_codes, np.zeros(2 * n + 1, np.int64), no_positions, False)
        first = np.concatenate([[0], np.cumsum(size.ravel())])
        codes = np.empty(first[-1], np.uint8)
    else:
        first = np.arange(2 * n + 1) * length
        codes = _buffer(out, (n, 2, length))
    where = np.empty(codes.shape, np.int64) if positions else None
    run(codes.reshape(-1), first, no_positions if where is None else where.reshape(-1), True)
    return HaplotypeWindows(codes, first, where, size, skipped, unknown, haploid)


def _sample_ids(store: Genotypes, samples, n: int) -> np.ndarray:
    if isinstance(samples, str):
        return np.full(n, store.sample_id(samples), np.int64)
    ids = np.asarray(samples)
    if ids.dtype.kind in "UO":
        place = {name: store.sample_id(name) for name in dict.fromkeys(ids.tolist())}
        ids = np.array([place[name] for name in ids.tolist()], np.int64)
    if ids.shape != (n,) or (n and (ids.min() < 0 or ids.max() >= len(store.samples))):
        raise DataError(f"samples must be one name, {n} names or {n} places below {len(store.samples)}")
    return np.ascontiguousarray(ids, np.int64)


def _buffer(out: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if out is None:
        return np.empty(shape, np.uint8)
    if out.shape != shape or out.dtype != np.uint8 or not out.flags.c_contiguous or not out.flags.writeable:
        raise DataError(f"out is {out.shape} {out.dtype}, the windows need a writable contiguous {shape} of uint8")
    return out


def _refuse(store: Genotypes, ids: np.ndarray, culprit: np.ndarray) -> None:
    i = int(np.flatnonzero(culprit >= 0)[0])
    variant = _variants(store, culprit[i : i + 1], None)[0]
    at = f"{store.contig}:{variant.position + 1:,} {variant.reference}>{variant.alternate}"
    phase = int(store.phase[culprit[i]])
    what = "is of another phase set than the rest of its window" if phase >= -1 else "is not phased"
    what = "is a haploid call between diploid ones" if phase == -4 else what
    raise DataError(
        f"{at} of sample {store.samples[ids[i]]!r} {what}: phase the file first (WhatsHap, SHAPEIT), take a smaller "
        'window, or leave such alleles at the reference with unphased="flag"'
    )


def _variants(store: Genotypes, entries: np.ndarray, fate: np.ndarray | None) -> tuple[Variant, ...]:
    variants = []
    for k in entries.tolist():
        a = int(store.allele[k])
        v = int(np.searchsorted(store.site_first, a, side="right")) - 1
        rule = "" if fate is None else _RULES.get(int(fate[k]), "")
        reference, alternate = store.text(int(store.site_first[v])), store.text(a)
        if rule == "symbolic" and not is_symbolic(alternate):
            rule = "non_acgt"
        variants.append(Variant(v, int(store.position[v]), reference, alternate, rule))
    return tuple(variants)
