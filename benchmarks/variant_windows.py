"""A VCF to the code windows of both alleles: ours beside pysam and pyfaidx, one variant at a time.

    python benchmarks/variant_windows.py

Both read the same VCF of 20,000 SNVs and 2,000 indels, compare REF with the genome, and cut windows around the
variant; ours also spells every allele in its normal form.  The windows of both must be equal where that form is the
one that was written.  Medians of interleaved repeats, after one that is not counted.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from zoo.data.edits import Edits
from zoo.data.genome import Genome
from zoo.variants.files import read_variants
from zoo.variants.left_alignment import AlleleCodes
from zoo.variants.variants import Variants

LONGEST = 30


def main() -> None:
    args = _arguments()
    folder = Path(args.folder or tempfile.mkdtemp(prefix="zoo-benchmark-variants-"))
    fasta, vcf = _make(folder, args)
    genome = Genome(fasta, threads=args.threads)
    n = args.snvs + args.indels
    few = min(args.naive, n)
    times = {"read": [], "zoo": [], "naive": []}
    for _ in range(args.repeats + 1):
        times["read"].append(_seconds(lambda: [len(v) for v in read_variants(vcf, genome)]))
        times["zoo"].append(_seconds(lambda: _ours(vcf, genome, args.length)))
        times["naive"].append(_seconds(lambda: _naive(vcf, fasta, args.length, few)))
    rate = {name: count / statistics.median(t[1:]) for (name, t), count in zip(times.items(), (n, n, few), strict=True)}
    print(f"{args.snvs:,} SNVs and {args.indels:,} indels, both alleles, {args.length:,} bp, {args.threads} threads")
    print(f"zoo, VCF to Variants          {rate['read']:>10,.0f} variants/s (n = {n:,})")
    print(f"zoo, VCF to windows           {rate['zoo']:>10,.0f} variants/s (n = {n:,})")
    print(f"pysam + pyfaidx, to windows   {rate['naive']:>10,.0f} variants/s (n = {few:,})")
    print(f"zoo / naive: {rate['zoo'] / rate['naive']:.1f}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _compare(vcf, fasta, genome, args.length, few)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snvs", type=int, default=20_000)
    parser.add_argument("--indels", type=int, default=2_000)
    parser.add_argument("--length", type=int, default=2114, help="bp of a window (2,114)")
    parser.add_argument("--bp", type=int, default=60_000_000, help="size of the genome (60 Mb)")
    parser.add_argument("--naive", type=int, default=4_000, help="variants of the naive case (4,000)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", help="for the genome and the VCF; a temporary one where not given")
    return parser.parse_args()


def _seconds(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _ours(vcf: Path, genome: Genome, length: int, keep: bool = False):
    """Windows of both alleles, the variant in the middle, chunk by chunk."""
    kept = []
    for variants in read_variants(vcf, genome):
        for chosen in (variants.select(rows) for rows in _by_kind(variants)):
            if len(chosen):
                reference, alternate = _windows(chosen, genome, length)
                if keep:
                    kept.append((chosen, reference, alternate))
    return kept


def _by_kind(variants: Variants) -> tuple[np.ndarray, np.ndarray]:
    """Substitutions are one indexed assignment; only the others need their sequences put together."""
    single = np.array([len(r) == len(a) == 1 for r, a in zip(variants.norm_ref, variants.norm_alt, strict=True)])
    return np.flatnonzero(variants.ok & single), np.flatnonzero(variants.ok & ~single)


def _windows(variants: Variants, genome: Genome, length: int) -> tuple[np.ndarray, np.ndarray]:
    n, middle = len(variants), length // 2
    refs, alts = AlleleCodes.of(variants.norm_ref), AlleleCodes.of(variants.norm_alt)
    # A deletion draws in bases from the right.
    room = int(max(0, (refs.length - alts.length).max()))
    codes = genome.windows(variants.contig, variants.norm_pos - middle, length + room)
    if (refs.length == 1).all() and (alts.length == 1).all():
        edits = Edits.single(np.arange(n), np.full(n, middle), alts.codes)
    else:
        each, first = np.arange(n + 1), np.append(alts.first, len(alts.codes))
        edits = Edits(np.arange(n), each, np.full(n, middle), refs.length, alts.codes, first)
    return codes[:, :length], edits.apply(codes, length)


def _naive(vcf: Path, fasta: Path, length: int, n: int, keep: bool = False):
    import pyfaidx
    import pysam

    code = np.full(256, 4, np.uint8)
    code[list(b"ACGT")] = range(4)
    genome = pyfaidx.Fasta(str(fasta), as_raw=True, sequence_always_upper=True)
    kept = []
    with pysam.VariantFile(str(vcf)) as records:
        for record, _ in zip(records, range(n), strict=False):
            start, ref, alt = record.pos - 1 - length // 2, record.ref, record.alts[0]
            around = genome[record.chrom][start : start + length + LONGEST]
            if around[length // 2 : length // 2 + len(ref)] != ref:
                continue
            mutant = around[: length // 2] + alt + around[length // 2 + len(ref) :]
            windows = [code[np.frombuffer(s[:length].encode(), np.uint8)] for s in (around, mutant)]
            if keep:
                kept.append((record.pos - 1, windows))
    return kept


def _compare(vcf: Path, fasta: Path, genome: Genome, length: int, n: int) -> None:
    theirs = dict(_naive(vcf, fasta, length, n, keep=True))
    same = differ = other = 0
    for variants, reference, alternate in _ours(vcf, genome, length, keep=True):
        as_written = (variants.norm_pos == variants.pos) & (variants.norm_ref == variants.ref)
        for i, pos in enumerate(variants.pos.tolist()):
            if pos in theirs and as_written[i]:
                equal = all(np.array_equal(a, b[i]) for a, b in zip(theirs[pos], (reference, alternate), strict=True))
                same, differ = same + equal, differ + (not equal)
            other += pos in theirs and not as_written[i]
    print(f"windows equal: {same:,} of {same + differ:,}; {other:,} variants have another normal form than the written")
    if differ or not same:
        sys.exit(1)


def _make(folder: Path, args: argparse.Namespace) -> tuple[Path, Path]:
    """A random genome of one contig, and a VCF at positions of their own, sorted."""
    fasta, vcf = folder / "genome.fa", folder / "variants.vcf"
    rng = np.random.default_rng(0)
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, args.bp // 60 * 60)]
    lines = np.hstack([letters.reshape(-1, 60), np.full((len(letters) // 60, 1), 10, np.uint8)])
    fasta.write_bytes(b">chr1\n" + lines.tobytes())
    text = letters.tobytes().decode()
    n = args.snvs + args.indels
    at = np.sort(rng.choice((len(text) - 4 * args.length) // 40, n, replace=False)) * 40 + 2 * args.length
    indel = np.isin(np.arange(n), rng.choice(n, args.indels, replace=False))
    with vcf.open("w") as file:
        file.write(f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={len(text)}>\n")
        file.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for pos, gap in zip(at.tolist(), indel.tolist(), strict=True):
            size = int(rng.integers(2, LONGEST)) if gap else 1
            ref, alt = text[pos], "ACGT"["ACGT".index(text[pos]) - 1]
            if gap and rng.random() < 0.5:
                ref, alt = text[pos : pos + size], text[pos]
            elif gap:
                alt = ref + "".join(rng.choice(list("ACGT"), size - 1))
            file.write(f"chr1\t{pos + 1}\t.\t{ref}\t{alt}\t.\tPASS\t.\n")
    return fasta, vcf


if __name__ == "__main__":
    main()
