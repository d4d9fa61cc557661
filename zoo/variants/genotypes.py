"""`read_genotypes`: phased genotypes of one contig of a VCF or BCF, sparse and columnar.

VCF / VCF.gz / BCF -> lines (index or one pass) -> `parse` -> Genotypes: sites, alleles, who carries what in which phase
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from zoo.data.aliases import find
from zoo.data.codes import ENCODE
from zoo.data.genome import Genome
from zoo.errors import DataError, GenomeMismatch, did_you_mean
from zoo.variants.record_order import is_unsorted, out_of_order
from zoo.variants.vcf_lines import FAR, read_header, record_lines

UNSORTED = "and comes after a greater position or before a smaller one: sort the file with `bcftools sort`"
_NO_RECORD = "has no record of it and its header lists no contigs: check the name"


@dataclass(frozen=True, eq=False)
class Genotypes:
    """Genotypes of S samples at V sites of one contig.  Positions are 0-based, sites in file order.

    contig: its name in the file.  samples: S names.  region: the (start, end) that was read, end None for all.
    position: (V,) int32, first reference base of the record.
    site_first: (V + 1,) the alleles of site v are site_first[v] to site_first[v + 1], REF first.
    letters, letters_first: the letters of allele a (of A, REF and ALT of all sites) are
        letters[letters_first[a] : letters_first[a + 1]], uint8; `codes` has the same shape, A C G T N = 0 1 2 3 4.
    symbolic: (A,) bool, alleles that name no sequence, <DEL>, breakends, `*`, or have letters beyond ACGTN.  They are
        never applied.
    first: (2 S + 1,) haplotype h of sample s carries the alternate alleles allele[first[2 s + h] : first[2 s + h + 1]].
    allele, phase: (E,) int32; phase is the phase set (PS), or NO_SET, UNPHASED, HOMOZYGOUS, HAPLOID of `genotype_text`.
    missing_first, missing: sites at which sample s misses an allele, which is then read as reference.
    ploidy_first, ploidy_site, ploidy: from site ploidy_site[k] on, sample s has ploidy[k] haplotypes.
    malformed, malformed_position: records that could not be read, and why; (M,) int64, -1 where that is not known.
    """

    path: Path
    contig: str
    region: tuple[int, int | None]
    samples: tuple[str, ...]
    position: np.ndarray
    site_first: np.ndarray
    letters: np.ndarray
    letters_first: np.ndarray
    codes: np.ndarray
    symbolic: np.ndarray
    first: np.ndarray
    allele: np.ndarray
    phase: np.ndarray
    missing_first: np.ndarray
    missing: np.ndarray
    ploidy_first: np.ndarray
    ploidy_site: np.ndarray
    ploidy: np.ndarray
    malformed: tuple[str, ...] = ()
    malformed_position: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __repr__(self) -> str:
        sizes = f"{len(self.samples):,} samples, {len(self.position):,} sites, {len(self.allele):,} alleles carried"
        return f"Genotypes({self.path.name!r}, {self.contig!r}, {sizes})"

    def sample_id(self, name: str) -> int:
        """The place of a sample in `samples`; DataError where it was not read."""
        return _sample_id(name, self.samples, self.path)

    def text(self, allele: int) -> str:
        """The letters of allele `allele` as the file has them."""
        return self.letters[self.letters_first[allele] : self.letters_first[allele + 1]].tobytes().decode()

    def checked_table(self, genome: Genome) -> np.ndarray:
        """`table` with the flag WRONG for the alleles of records whose REF is not what the genome reads.

        Raises GenomeMismatch where so many are that the genotypes are of another assembly.
        """
        from zoo.variants.haplotype_references import flag_references

        if genome.checksum not in self._checked:
            self._checked.clear()
            self._checked[genome.checksum] = flag_references(self, genome)
        return self._checked[genome.checksum]

    @cached_property
    def _checked(self) -> dict[str, np.ndarray]:
        return {}

    @cached_property
    def table(self) -> np.ndarray:
        """(A, 8) int32: what `splice` needs of every allele."""
        from zoo.variants.haplotype_index import allele_table

        return allele_table(self.position, self.site_first, self.letters, self.letters_first, self.codes, self.symbolic)

    @cached_property
    def carried(self) -> np.ndarray:
        """(E, 4) int32: reach, position, allele and phase of every allele that a haplotype carries."""
        from zoo.variants.haplotype_index import carried_of

        return carried_of(self.first, self.allele, self.phase, self.table)

    @cached_property
    def bins(self) -> tuple[np.ndarray, int]:
        """Where a haplotype's alleles begin in every bin of the contig, and log2 of the bins' width in bp."""
        from zoo.variants.haplotype_index import bins_of

        return bins_of(self.first, self.carried)

    @cached_property
    def sets(self) -> np.ndarray:
        """(S,) int32: the only phase set of a sample, or a code for several or unphased genotypes."""
        from zoo.variants.haplotype_index import sets_of

        return sets_of(self.first, self.phase)

    @property
    def missing_count(self) -> np.ndarray:
        """(S,) genotypes with a missing allele."""
        return np.diff(self.missing_first)


def read_genotypes(
    vcf: str | Path,
    contig: str,
    samples: str | Sequence[str] | None = None,
    start: int | None = None,
    end: int | None = None,
    length: int | None = None,
) -> Genotypes:
    """Genotypes of one contig, or of the records that bear on [start, end) of it.

    vcf: VCF, plain, gzip or BGZF, or BCF; an index beside it (.tbi, .csi) is used.  contig: its name or an alias
    (20 for chr20).  samples: one or several names, all where not given.  start, end: 0-based half-open; records that
    overlap the region, and those that overlap these further left, are read.  length: bp of the contig, if it is known.

    Phase follows VCF 4.3, 1.6.2: `|` is phased, `/` is not; genotypes with the same PS are one phase set, phased
    genotypes without PS are one more.  Missing alleles (`.`) read as reference and are listed in `missing`.

    A record that cannot be read is left out and listed in `malformed`.  Raises DataError where these are more than the
    others, for a file that is cut off, damaged or unsorted, and for an unknown sample, GenomeMismatch for a contig that
    the file does not know.
    """
    path = Path(vcf).expanduser()
    if (start or 0) < 0 or (end is not None and end < (start or 0)):
        raise DataError(f"region {contig}:{start}-{end} must be 0 <= start <= end: correct it")
    contigs, named = read_header(path)
    name = contig if contig in contigs or not contigs else find(contig, contigs)
    if name is None:
        raise GenomeMismatch(f"{path} has no contig {contig!r}, its header begins with {', '.join(contigs[:4])}")
    chosen = named if samples is None else (samples,) if isinstance(samples, str) else tuple(samples)
    if not named or not chosen:
        raise DataError(f"{path} has no genotype columns or no sample was named: haplotypes need samples")
    ids = [_sample_id(s, named, path) for s in chosen]
    if len(set(ids)) < len(ids):
        raise DataError(f"samples {', '.join(chosen)} name one twice: name each once")
    sample_of = np.full(len(named), -1, np.int64)
    sample_of[ids] = np.arange(len(ids))
    chunks = record_lines(path, name, start or 0, FAR if end is None else end, bool(contigs))
    how = {"known": bool(contigs), "length": FAR if length is None else length}
    return _collect(path, name, (start or 0, end), chosen, sample_of, chunks, **how)


def _collect(path, contig, region, samples, sample_of, chunks, *, known: bool, length: int) -> Genotypes:
    from zoo.variants.genotype_text import STATE, parse

    n_samples, end = len(samples), FAR if region[1] is None else region[1]
    state, ploidy = np.array(STATE), np.zeros(n_samples, np.int64)
    refused: list[tuple[int, int, str]] = []
    name = np.frombuffer(contig.encode(), np.uint8)
    parts: list[tuple[np.ndarray, ...]] = []
    for line, chunk in chunks:
        text = np.frombuffer(chunk, np.uint8)
        lines = np.count_nonzero(text == 10)
        out = [np.empty(lines, np.int32), np.empty(lines, np.int32)]
        out += [np.empty(2 * lines + np.count_nonzero(text == 44), np.int32), np.empty(len(text), np.uint8)]
        out += [np.empty(min(4 * lines * n_samples, len(text) + lines), np.int32) for _ in range(3)]
        bad = np.empty((lines, 3), np.int64)
        v, a, c, e, n = parse(text, name, sample_of, n_samples, end, length, state, ploidy, *out, bad)
        refused += [(problem, at, _where(chunk, k, line)) for problem, k, at in bad[:n].tolist()]
        state[0] += v
        state[1] += a
        if v:
            parts.append(tuple(x[:m].copy() for x, m in zip(out, (v, v, a, c, e, e, e), strict=True)))
        if state[2] == 2 and end < FAR:
            break
    if not known and not state[2]:
        raise GenomeMismatch(f"contig {contig!r}: {path} {_NO_RECORD}")
    empty = tuple(np.empty(0, np.uint8 if i == 3 else np.int32) for i in range(7))
    columns = tuple(np.concatenate(x) for x in zip(*(parts or [empty]), strict=True))
    if len(astray := out_of_order(columns[0])):
        places = columns[0][astray].tolist()
        refused += [(0, p, f"record {contig}:{p + 1:,} is out of order") for p in places]
        columns = _without(astray, columns, n_samples)
    return _assemble(path, contig, region, samples, columns, refused)


def _assemble(path, contig, region, samples, columns: tuple[np.ndarray, ...], refused) -> Genotypes:
    """Genotypes of what `parse` gave.  refused: (problem, position, where) of records that were left out."""
    from zoo.variants.haplotype_index import group

    n_samples = len(samples)
    position, alleles, letters, letter, slots, value, phase = columns
    malformed = _refusals(path, refused, len(position))
    first, value, phase = group(slots, value, phase, 4 * n_samples)
    carried, missing, ploidies = first[2 * n_samples], first[3 * n_samples], first[-1]
    site_first, letters_first = _offsets(alleles), _offsets(letters)
    codes = ENCODE[letter]
    return Genotypes(
        path,
        contig,
        region,
        tuple(samples),
        position,
        site_first,
        letter,
        letters_first,
        codes,
        _symbolic(letter, letters_first),
        first[: 2 * n_samples + 1],
        value[:carried],
        phase[:carried],
        first[2 * n_samples : 3 * n_samples + 1] - carried,
        value[carried:missing],
        first[3 * n_samples :] - missing,
        value[missing:ploidies],
        phase[missing:ploidies],
        malformed,
        np.array([at for _, at, _ in refused], np.int64),
    )


def _without(astray: list[int], columns: tuple[np.ndarray, ...], samples: int) -> tuple[np.ndarray, ...]:
    """What `parse` gives, without some sites."""
    position, alleles, letters, letter, slots, value, phase = columns
    keep = np.ones(len(position), bool)
    keep[astray] = False
    kept_alleles = np.repeat(keep, alleles)
    of_site, of_ploidy = slots >= 2 * samples, slots >= 3 * samples
    site, allele = (np.where(mask, value, 0) for mask in (of_site, ~of_site))
    # A change of ploidy at a site that goes is one at the site that follows.
    entries = of_ploidy | np.where(of_site, keep[site], kept_alleles[allele])
    value = np.where(of_site, (np.cumsum(keep) - keep)[site], (np.cumsum(kept_alleles) - kept_alleles)[allele])
    entries &= ~(of_ploidy & (value >= keep.sum()))
    rest = (x[entries].astype(np.int32) for x in (slots, value, phase))
    return position[keep], alleles[keep], letters[kept_alleles], letter[np.repeat(kept_alleles, letters)], *rest


def _refusals(path: Path, refused: list[tuple[int, int, str]], sites: int) -> tuple[str, ...]:
    """Why records were left out; DataError where that is no matter of single records.  sites: the others."""
    from zoo.variants.genotype_text import PROBLEMS, Problem

    reasons = [(problem, f"{where} {PROBLEMS.get(problem, UNSORTED)}") for problem, _, where in refused]
    split = [text for problem, text in reasons if problem == Problem.SPLIT]
    unsorted = [text for problem, text in reasons if problem == Problem.NONE]
    if split or is_unsorted(len(unsorted), len(unsorted) + sites):
        raise DataError(f"{path} {(split or unsorted)[0]}")
    if len(reasons) > sites:
        raise DataError(f"{path} {reasons[0][1]} ({len(reasons):,} records cannot be read, {sites:,} can)")
    return tuple(text for _, text in reasons)


def _symbolic(letter: np.ndarray, letters_first: np.ndarray) -> np.ndarray:
    """(A,) bool: alleles with anything beside A C G T N, upper or lower case."""
    symbolic = np.zeros(len(letters_first) - 1, bool)
    odd = np.flatnonzero(~np.isin(letter, np.frombuffer(b"ACGTNacgtn", np.uint8)))
    symbolic[np.searchsorted(letters_first, odd, side="right") - 1] = True
    return symbolic


def _sample_id(name: str, names: Sequence[str], path: Path) -> int:

    if name not in names:
        raise DataError(f"{path} has no sample {name!r}{did_you_mean(name, names, f'bcftools query -l {path}')}")
    return list(names).index(name)


def _where(chunk: bytes, bad: int, line: int) -> str:
    """`line 12` or, where lines are not counted, the place of the record."""
    if line:
        return f"line {line + bad}"
    fields = chunk.split(b"\n", bad + 1)[bad].split(b"\t", 2)
    return f"record {b':'.join(fields[:2]).decode('latin-1')}"


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
