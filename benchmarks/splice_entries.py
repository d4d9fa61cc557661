"""Scores of variants by gene against the published tools' own commands: how many entries of INFO are equal.

    python benchmarks/splice_entries.py --fasta hg19.fa --peer ITS_ENVIRONMENT/bin/python --tool ci --out FOLDER

--tool ci: cispliceai 1.2.2 beside ci-spliceai; --tool spliceai: spliceai 1.3.1 beside spliceai-10k, with the annotation
of GRCh37 that each brings.  Variants are drawn near ends of exons (nearly half), in genes, where genes overlap, at and
beyond the ends of genes, and near the ends of contigs: substitutions, insertions, deletions, and changes of several
bases.  The peer scores 60 at a time; what FOLDER holds already is not scored again, so that a run may be cut off.

An entry is that of one allele and gene, all ten fields of it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from random import Random

from splice_speed import THREADS, genes_of, write

from zoo.data.genome import Genome

BLOCK = 60
CI = """
import sys
from cispliceai.annotation import Annotator
vcf, out, fasta, distance, mask = sys.argv[1:]
Annotator(batch_size_mb=10.0).annotate_vcf(
    vcf, out, fasta, "grch37", int(distance), most_significant_only=False, mask=mask == "1")
"""
TOOLS = {"ci": ("ci-spliceai", "CISpliceAI"), "spliceai": ("spliceai-10k", "SpliceAI")}


def draw(genome: Genome, n: int, random: Random) -> list[tuple[str, int, str, str]]:
    """(contig, 1-based place, REF, ALT) of n alleles, those near the ends of contigs first."""
    genes = genes_of(genome)
    contigs = sorted({contig for contig, *_ in genes})
    overlaps = []
    for contig in contigs:
        own = sorted(gene for gene in genes if gene[0] == contig)
        overlaps += [(contig, b[1], min(a[2], b[2])) for a, b in pairwise(own) if b[1] < a[2] - 20]
    variants = []
    for contig in contigs:
        length = genome.contigs[contig]
        edges = [length - 7_000, length - 5_600, length - 5_200, 60_500, 62_000]  # nearer the peer ends with an error
        variants += [v for place in edges if (v := allele(genome, contig, place, "snv", random))]
    while len(variants) < n:
        contig, place = site(genes, overlaps, random)
        kind = random.choices(["snv", "insertion", "deletion", "several"], [50, 18, 19, 13])[0]
        if variant := allele(genome, contig, place, kind, random):
            variants.append(variant)
    return variants[:n]


def site(genes: list, overlaps: list, random: Random) -> tuple[str, int]:
    """A contig and a place on it."""
    contig, start, end, ends = random.choice(genes)
    where = random.choices(["end of an exon", "near it", "gene", "overlap", "rim", "beyond"], [45, 4, 20, 17, 10, 4])[0]
    if where == "overlap" and overlaps:
        contig, start, end = random.choice(overlaps)
    if where in ("gene", "overlap"):
        return contig, random.randint(start, end - 1)
    if where == "rim":
        return contig, random.choice([start, end]) + random.randint(-12, 12)
    if where == "beyond":
        return contig, random.choice([start - random.randint(30, 3_000), end + random.randint(30, 3_000)])
    return contig, random.choice(ends) + (
        random.randint(-8, 8) if where == "end of an exon" else random.randint(-120, 120)
    )


def allele(genome: Genome, contig: str, place: int, kind: str, random: Random) -> tuple[str, int, str, str] | None:
    """None where the genome has N, or where ALT turned out as REF."""
    removed = {"deletion": 1 + random.choice([1, 1, 2, 3, 4, 5, 9, 17, 30, 60]), "several": random.choice([2, 2, 3, 5])}
    reference = genome.letters(int(genome.contig_ids([contig])[0]), place - 1, place - 1 + removed.get(kind, 1))
    if not reference or set(reference) - set("ACGT"):
        return None
    drawn = "".join(random.choice("ACGT") for _ in range(45))
    if kind == "insertion":
        alternate = reference + drawn[: random.choice([1, 1, 2, 3, 4, 8, 20, 45])]
    elif kind == "deletion":
        alternate = reference[0]
    elif kind == "several":
        alternate = drawn[: len(reference) if random.random() < 0.6 else random.choice([1, 2, 3, 4, 6])]
    else:
        alternate = random.choice([base for base in "ACGT" if base != reference])
    return None if alternate == reference else (contig, place, reference, alternate)


def peer(args: argparse.Namespace, vcf: Path, out: Path) -> None:
    """The original's own command."""
    if out.is_file():
        return
    part, numbers = out.with_suffix(".part"), [str(args.distance), str(args.mask)]
    if args.tool == "ci":
        command = [args.peer, "-c", CI, str(vcf), str(part), str(args.fasta), *numbers]
    else:
        files = ["-I", str(vcf), "-O", str(part), "-R", str(args.fasta)]
        command = [str(Path(args.peer).parent / "spliceai"), *files, "-A", "grch37", "-D", numbers[0], "-M", numbers[1]]
    own = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(command, check=True, env={**own, **THREADS, "TF_CPP_MIN_LOG_LEVEL": "3"}, stdout=subprocess.DEVNULL)
    part.rename(out)


def ours(args: argparse.Namespace, vcf: Path, out: Path) -> None:
    """`zoo score` of the same file."""
    words = ["--model", TOOLS[args.tool][0], "--annotation", args.annotation, "--fasta", str(args.fasta)]
    words += ["--distance", str(args.distance), *["--mask"] * args.mask, "-o", str(out)]
    words += ["--strands", "both"] if args.tool == "ci" else []  # as cis-vcf does where no gene is
    subprocess.run(["zoo", "score", str(vcf), *words], check=True, capture_output=True)


def entries(path: Path, key: str) -> list[list[str]]:
    """Of each record of a VCF, the entries of one key of INFO."""
    rows = [line.rstrip("\n").split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    found = [re.search(rf"(?:^|;){key}=([^;]*)", row[7]) for row in rows]
    return [match[1].split(",") if match else [] for match in found]


def compare(theirs: list[list[str]], own: list[list[str]], variants: list, lines: list[str]) -> tuple[int, int, int]:
    """Entries, equal ones, and those that the peer leaves in dots; what else differs is added to `lines`."""
    n = equal = dots = 0
    for variant, a, b in zip(variants, theirs, own, strict=True):
        for i in range(max(len(a), len(b))):
            x, y = (row[i] if i < len(row) else "no entry" for row in (a, b))
            n, equal, dots = n + 1, equal + (x == y), dots + ("|.|." in x and x != y)
            if x != y and "|.|." not in x:
                lines.append(f"{variant[0]}:{variant[1]} {variant[2][:20]}>{variant[3][:20]}  peer {x}  zoo {y}")
    return n, equal, dots


def main() -> None:
    """Print the counts, then every entry that differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fasta", required=True, type=Path, help="GRCh37, plain FASTA; contigs named 20 and so on")
    parser.add_argument("--peer", required=True, help="Python of the peer's environment")
    parser.add_argument("--tool", choices=TOOLS, default="ci")
    parser.add_argument("--annotation", default="grch37", help="with --tool spliceai: its own grch37.txt")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--n", type=int, default=600)
    parser.add_argument("--distance", type=int, default=50)
    parser.add_argument("--mask", type=int, choices=(0, 1), default=0)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    genome = Genome(args.fasta)
    variants = draw(genome, args.n, Random(7))
    lines: list[str] = []
    total = [0, 0, 0]
    for first in range(0, args.n, BLOCK):
        block = variants[first : first + BLOCK]
        vcf = args.out / f"{first}.vcf"
        write(vcf, genome, block)
        stem = f"{first}.{args.tool}.{args.distance}.{args.mask}"
        peer(args, vcf, args.out / f"{stem}.peer.vcf")
        ours(args, vcf, args.out / f"{stem}.zoo.vcf")
        key = TOOLS[args.tool][1]
        both = (entries(args.out / f"{stem}.{who}.vcf", key) for who in ("peer", "zoo"))
        total = [a + b for a, b in zip(total, compare(*both, block, lines), strict=True)]
        what = f"{args.tool}, distance {args.distance}, mask {args.mask}: {first + len(block)} variants"
        print(f"{what}, {total[0]} entries, {total[1]} equal, {total[2]} dots of the peer", flush=True)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
