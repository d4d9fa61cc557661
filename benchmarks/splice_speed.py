"""Scores of variants by gene against the published tools: CPU seconds a variant and gene, one thread, and memory.

    python benchmarks/splice_speed.py --fasta hg19.fa --peer /path/of/its/environment/bin/python --tool ci

--tool ci: cispliceai 1.2.2 beside ci-spliceai; --tool spliceai: spliceai 1.3.1 beside spliceai-10k.  The peer runs in
its own environment, by its own functions and with its own annotation; it reads plain FASTA alone.  Both are warmed up,
loading is counted for neither.  Of a scene the peer scores the first --peer-n alleles, since it does nothing for them
together.

    isolated   SNVs in genes, each far from all others, distance 50
    dense      20 SNVs in each of several genes, near its exons
    landscape  all substitutions of 200 bp around the end of an exon
    memory     `zoo score` of a file of SNVs all over the genome: peak of the whole process
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from random import Random

THREADS = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch  # noqa: E402

import zoo  # noqa: E402
from zoo.data.genome import Genome  # noqa: E402
from zoo.effects.variants.gene_scores import build_scorer  # noqa: E402
from zoo.effects.variants.job import ScoreJob  # noqa: E402

HEADER = '##fileformat=VCFv4.2\n{}##FILTER=<ID=PASS,Description="p">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'
PEER = {
    "ci": """
from cispliceai.annotation import Annotator, AnnotationJob
from cispliceai.data import VariantSpecification
import cispliceai.progress
cispliceai.progress.ProgressOutput.update = lambda *a: None
annotator = Annotator(batch_size_mb=10.0)
def score(records):
    jobs = [AnnotationJob(VariantSpecification(chrom=r.chrom, pos=r.pos, ref=r.ref, alt=a, reference_path=fasta,
            annotation_table="grch37", max_dist_from_var=distance), mask=False) for r in records for a in r.alts]
    return sum(len(j.annotations) for j in annotator.run_jobs(jobs))
""",
    "spliceai": """
import numpy
numpy.fromstring = lambda s, kind: numpy.frombuffer(s.encode("latin1") if isinstance(s, str) else s, kind).copy()
from spliceai.utils import Annotator, get_delta_scores
annotator = Annotator(fasta, "grch37")
for m in annotator.models:
    m.predict = (lambda run: lambda x: run(x, verbose=0))(m.predict)
def score(records):
    return sum(len(get_delta_scores(r, annotator, distance, 0)) for r in records)
""",
}
RUN = """
import json, sys, time, pysam
vcf, fasta, distance = sys.argv[1], sys.argv[2], int(sys.argv[3])
{tool}
records = list(pysam.VariantFile(vcf))
score(records[:1])
since = time.process_time()
n = score(records[1:])
print(json.dumps([n, time.process_time() - since]))
"""


def genes_of(genome: Genome) -> list[tuple[str, int, int, list[int]]]:
    """(contig, start, end, ends of exons) of the genes of GRCh37 that lie inside the genome's contigs, 1-based."""
    genes = []
    with gzip.open(str(files("zoo_splice") / "annotation" / "grch37.csv.gz"), "rt") as file:
        for row in csv.DictReader(file):
            contig = row["chr"].removeprefix("chr")
            if genome.contigs.get(contig, 0) > int(row["end"]) + 10_000:
                ends = [int(x) for key in ("jn_start", "jn_end") for x in row[key].split(",")]
                genes.append((contig, int(row["start"]), int(row["end"]), ends))
    return genes


def snv(genome: Genome, contig: str, place: int, random: Random) -> tuple[str, int, str, str] | None:
    """A substitution at a 1-based place, None where the genome has N."""
    reference = genome.letters(int(genome.contig_ids([contig])[0]), place - 1, place)
    if reference not in "ACGT":
        return None
    return contig, place, reference, random.choice([base for base in "ACGT" if base != reference])


def isolated(genome: Genome, n: int, random: Random) -> list:
    """One SNV in each of n + 1 genes."""
    chosen = random.sample(genes_of(genome), n + 20)
    variants = [snv(genome, c, random.randint(a, b - 1), random) for c, a, b, _ in chosen]
    return [v for v in variants if v][: n + 1]


def dense(genome: Genome, n_genes: int, random: Random) -> list:
    """20 SNVs within 30 bp of ends of exons in each gene, and one more in front, for the warm-up."""
    variants = isolated(genome, 1, random)[:1]
    for contig, start, end, ends in random.sample(genes_of(genome), n_genes):
        places = [min(max(random.choice(ends) + random.randint(-30, 30), start), end - 1) for _ in range(20)]
        variants += [v for place in sorted(places) if (v := snv(genome, contig, place, random))]
    return variants


def landscape(genome: Genome, width: int, random: Random) -> list:
    """Every substitution of the bases around the end of an exon, and one more in front."""
    contig, _, _, ends = random.choice([g for g in genes_of(genome) if len(g[3]) > 8 and g[2] - g[1] > 20_000])
    middle = sorted(ends)[len(ends) // 2]
    own = int(genome.contig_ids([contig])[0])
    letters = genome.letters(own, middle - width // 2 - 1, middle + width // 2 - 1)
    each = [(contig, middle - width // 2 + i, base, alt) for i, base in enumerate(letters) for alt in "ACGT"]
    return isolated(genome, 1, random)[:1] + [v for v in each if v[2] != v[3]]


def write(path: Path, genome: Genome, variants: Sequence) -> None:
    """A VCF, the first record of which is the warm-up."""
    contigs = "".join(f"##contig=<ID={name},length={n}>\n" for name, n in genome.contigs.items())
    lines = (f"{c}\t{p}\t.\t{r}\t{a}\t.\tPASS\t.\n" for c, p, r, a in variants)
    path.write_text(HEADER.format(contigs) + "".join(lines))


def cpu() -> float:
    """CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ours(path: Path, genome: Genome, model: zoo.Model, annotation: str, distance: int) -> tuple[int, float]:
    """Rows with a score behind those of the first record, and CPU seconds."""
    scorer = build_scorer(model, genome, annotation=annotation, distance=distance)
    warm = next(iter(ScoreJob(str(path), genome, scorer).alleles())).head(1)
    scorer(warm)
    since = cpu()
    rows = [row for _, row in ScoreJob(str(path), genome, scorer).numbered_rows()]
    used = cpu() - since
    since = cpu()
    first = (scorer(warm).status == "ok").sum()
    return sum(row[5] == "ok" for row in rows) - int(first), used - (cpu() - since)


def peer(path: Path, options: argparse.Namespace) -> tuple[int, float]:
    """The same of the published tool."""
    code = RUN.format(tool=PEER[options.tool])
    command = [options.peer, "-c", code, str(path), options.fasta, str(options.distance)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": ""}
    done = subprocess.run(command, env={**os.environ, **THREADS, **quiet}, capture_output=True, text=True, check=True)
    n, used = json.loads(done.stdout.splitlines()[-1])
    return n, used


def memory(options: argparse.Namespace, genome: Genome, random: Random, folder: Path) -> None:
    """Peak of `zoo score` for files of growing size."""
    for n in options.memory:
        variants = []
        while len(variants) < n:
            contig = random.choices(list(genome.contigs), list(genome.contigs.values()))[0]
            variants.append(snv(genome, contig, random.randint(1, genome.contigs[contig]), random))
            variants = variants if variants[-1] else variants[:-1]
        write(folder / "m.vcf", genome, sorted(variants, key=lambda v: (list(genome.contigs).index(v[0]), v[1])))
        command = [sys.executable, "-m", "zoo.cli.main", "score", str(folder / "m.vcf"), "--model", options.model]
        command += ["--annotation", options.annotation, "--fasta", options.fasta, "-o", str(folder / "m.tsv")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(command, check=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"memory\t{n:,} variants\tpeak {used.ru_maxrss / 1e6:.2f} GB\t{used.ru_utime - before:,.0f} CPU s",
            flush=True,
        )


def main() -> None:
    """Print a line for each scene."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fasta", required=True)
    parser.add_argument("--peer", help="python of the peer's environment; without it ours alone is timed")
    parser.add_argument("--tool", choices=list(PEER), default="ci")
    parser.add_argument("--annotation", default="grch37", help="for ours: the peer's own table")
    parser.add_argument("--distance", type=int, default=50)
    parser.add_argument("--isolated", type=int, default=30, help="SNVs")
    parser.add_argument("--dense", type=int, default=50, help="genes of 20 SNVs")
    parser.add_argument("--landscape", type=int, default=200, help="bp")
    parser.add_argument("--memory", type=int, nargs="*", default=[], help="variants of each file")
    parser.add_argument("--peer-n", type=int, default=12, help="alleles of a scene that the peer scores")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.model = {"ci": "ci-spliceai", "spliceai": "spliceai-10k"}[options.tool]
    torch.set_num_threads(1)
    genome, random = Genome(options.fasta), Random(options.seed)
    model = zoo.load(options.model, device="cpu")
    scenes = {name: (globals()[name], getattr(options, name)) for name in ("isolated", "dense", "landscape")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("scene\tours: rows, CPU s a row\tpeer: rows, CPU s a row\tratio")
        for scene, (make, size) in scenes.items():
            if not size:
                continue
            variants = make(genome, size, random)
            write(folder / "v.vcf", genome, variants)
            n, used = ours(folder / "v.vcf", genome, model, options.annotation, options.distance)
            line = f"{scene}\t{n:,}\t{used / n:.4f}"
            if options.peer:
                write(folder / "p.vcf", genome, variants[: options.peer_n + 1])
                m, other = peer(folder / "p.vcf", options)
                line += f"\t{m:,}\t{other / m:.4f}\t{(other / m) / (used / n):.1f}x"
            print(line, flush=True)
        memory(options, genome, random, folder)


if __name__ == "__main__":
    main()
