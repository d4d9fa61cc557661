"""Damaged files in every reader: a sentence or a result, never a traceback, a hang or a gigabyte.

    python benchmarks/fuzz_readers.py [--inputs 6000] [--reader vcf --reader bam] [--seed 0]

Each reader has valid seed files, made here.  An input is a seed with one to four changes: bits flipped, bytes taken
out, doubled or exchanged, lines moved, numbers replaced by those at the edges of their types, the end cut off.  A
reader runs in a process of its own with a bound on memory; an input that takes more than 5 s, ends in anything but a
result or a ZooError, or takes the process down is kept under --keep with what happened.  `a/b` says that a of b inputs
were refused in words.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

SECONDS = 5
MEMORY = 2 << 30
"""Bytes of address space that a reader may take beside what its process has at the start."""
EDGES = [
    b"0",
    b"-1",
    b"1e400",
    b"nan",
    b"-inf",
    b"9223372036854775808",
    b"99999999999999999999999999",
    b"1_0",
    b".",
    b"",
]
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


class Slow(BaseException):
    """Longer than SECONDS."""


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with one to four changes."""
    for _ in range(rng.integers(1, 5)):
        data = CHANGES[rng.integers(len(CHANGES))](bytearray(data), rng)
    return bytes(data)


def flip(data: bytearray, rng: np.random.Generator) -> bytearray:
    if data:
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    return data


def replace(data: bytearray, rng: np.random.Generator) -> bytearray:
    a = int(rng.integers(len(data) + 1))
    data[a : a + int(rng.integers(0, 9))] = rng.integers(0, 256, int(rng.integers(0, 9)), dtype=np.uint8).tobytes()
    return data


def cut(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(len(data) + 1))]


def double(data: bytearray, rng: np.random.Generator) -> bytearray:
    a = int(rng.integers(len(data) + 1))
    piece = data[a : a + int(rng.integers(1, 200))]
    b = int(rng.integers(len(data) + 1))
    data[b:b] = piece
    return data


def move_lines(data: bytearray, rng: np.random.Generator) -> bytearray:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        a, b = (int(x) for x in rng.integers(len(lines), size=2))
        lines[a], lines[b] = lines[b], lines[a]
    return bytearray(b"".join(lines))


def edge_number(data: bytearray, rng: np.random.Generator) -> bytearray:
    spans = [m.span() for m in NUMBER.finditer(data)]
    if spans:
        a, b = spans[rng.integers(len(spans))]
        data[a:b] = EDGES[rng.integers(len(EDGES))]
    return data


def separator(data: bytearray, rng: np.random.Generator) -> bytearray:
    places = [i for i, c in enumerate(data) if c in b"\t ,;:|/\n=<>"]
    if places:
        data[places[rng.integers(len(places))]] = b"\t ,;:|/\n=<>\r\0"[rng.integers(12)]
    return data


CHANGES = [flip, replace, cut, double, move_lines, edge_number, edge_number, separator]


# Seeds: valid files of every format


GENOME = "".join(np.random.default_rng(0).choice(list("ACGT"), 3000))


def letters(at: int, n: int = 1) -> str:
    return GENOME[at - 1 : at - 1 + n]


def other(base: str) -> str:
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def vcf() -> str:
    head = (
        "##fileformat=VCFv4.2\n##contig=<ID=chr1,length=3000>\n"
        '##FILTER=<ID=PASS,Description="all">\n##INFO=<ID=AF,Number=A,Type=Float,Description="f">\n'
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n##FORMAT=<ID=PS,Number=1,Type=Integer,Description="p">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tNA1\tNA2\n"
    )
    rows = []
    for i, p in enumerate(range(300, 2700, 80)):
        ref, alt = letters(p), other(letters(p))
        if i % 3 == 1:
            ref, alt = letters(p, 4), letters(p)
        elif i % 3 == 2:
            alt = f"{letters(p)}TT,{other(ref)}"
        rows.append(f"chr1\t{p}\trs{i}\t{ref}\t{alt}\t50\tPASS\tAF=0.5\tGT:PS\t0|1:{p // 400}\t1/1:.\n")
    return head + "".join(rows)


def table() -> str:
    rows = [f"chr1\t{p}\trs{p}\t{letters(p)}\t{other(letters(p))}\n" for p in range(300, 2700, 80)]
    return "chrom\tpos\tid\tref\talt\n" + "".join(rows)


def bed() -> str:
    rows = [f"chr1\t{p}\t{p + 200}\tpeak{p}\t{p % 1000}\t{'+-'[p // 50 % 2]}\n" for p in range(100, 2700, 50)]
    return "track name=x\n" + "".join(rows)


def depth(folder: Path) -> dict[str, bytes]:
    rows = [(f"chr{c}", a, a + 100, 10 + a % 7) for c in (1, 2) for a in range(0, 5000, 100)]
    bedgraph = "".join(f"{c}\t{a}\t{b}\t{d}\n" for c, a, b, d in rows)
    wig = "".join(
        f"fixedStep chrom=chr{c} start=1 step=100 span=100\n" + "".join(f"{10 + i % 7}\n" for i in range(50))
        for c in (1, 2)
    )
    variable = "variableStep chrom=chr1 span=100\n" + "".join(f"{i * 100 + 1} {i % 9}\n" for i in range(50))
    cnn = "chromosome\tstart\tend\tgene\tdepth\tlog2\n"
    cnn += "".join(f"{c}\t{a}\t{b}\tG\t{d}\t{np.log2(d):.4f}\n" for c, a, b, d in rows)
    return {
        "s.bedgraph": bedgraph.encode(),
        "s.regions.bed.gz": gzip.compress(bedgraph.encode()),
        "s.wig": wig.encode(),
        "t.wig": variable.encode(),
        "s.cnr": cnn.encode(),
        "s.bam": bam(folder),
        "s.bw": bigwig(folder, rows),
    }


def bam(folder: Path) -> bytes:
    import pysam

    path = folder / "seed.bam"
    head = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "chr1", "LN": 3000}], "RG": [{"ID": "r", "SM": "s"}]}
    with pysam.AlignmentFile(str(path), "wb", header=head) as file:
        for i in range(200):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.reference_id, read.reference_start = f"r{i}", 0, i * 14
            read.query_sequence, read.mapping_quality, read.cigartuples = letters(i * 14 + 1, 50), 60, [(0, 50)]
            read.set_tag("RG", "r")
            file.write(read)
    pysam.index(str(path))
    (folder / "input").mkdir(exist_ok=True)
    path.with_name("seed.bam.bai").rename(folder / "input" / "s.bam.bai")
    return path.read_bytes()


def bigwig(folder: Path, rows: list[tuple[str, int, int, int]]) -> bytes:
    import pybigtools

    path = folder / "seed.bw"
    pybigtools.open(str(path), "w").write(
        {"chr1": 5000, "chr2": 5000}, iter([(c, a, b, float(d)) for c, a, b, d in rows])
    )
    return path.read_bytes()


def cool(folder: Path) -> bytes:
    import cooler
    import pandas as pd

    path = folder / "seed.cool"
    bins = pd.DataFrame({"chrom": "chr1", "start": np.arange(0, 3000, 100), "end": np.arange(100, 3100, 100)})
    first, second = np.triu_indices(30)
    pixels = pd.DataFrame({"bin1_id": first, "bin2_id": second, "count": 100 // (1 + second - first)})
    cooler.create_cooler(str(path), bins, pixels)
    return path.read_bytes()


def bcf(folder: Path) -> bytes:
    import pysam

    text, path = folder / "seed.vcf", folder / "seed.bcf"
    text.write_text(vcf())
    with pysam.VariantFile(str(text)) as read, pysam.VariantFile(str(path), "wb", header=read.header) as written:
        for record in read:
            written.write(record)
    return path.read_bytes()


# Readers: a name, seeds by file name, and what reads a path


def matrices(motifs) -> dict[str, bytes]:
    """The same motifs as JASPAR, TRANSFAC, HOMER, HOCOMOCO and CisBP write them."""
    files = dict.fromkeys(("a.jaspar", "a.transfac", "a.homer", "a.pcm", "a.cisbp"), "")
    for m in motifs:
        rows = {b: " ".join(f"{x:g}" for x in row) for b, row in zip("ACGT", m.counts, strict=True)}
        shares = ["\t".join(f"{x:.3f}" for x in column) for column in (m.counts / m.counts.sum(0)).T]
        counts = ["\t".join(f"{x:g}" for x in column) for column in m.counts.T]
        numbered = "".join(f"{i:02d}\t{row}\n" for i, row in enumerate(counts, 1))
        files["a.jaspar"] += f">{m.id} {m.name}\n" + "".join(f"{b} [ {row} ]\n" for b, row in rows.items())
        files["a.transfac"] += f"AC {m.id}\nXX\nID {m.name}\nP0\tA\tC\tG\tT\n{numbered}XX\n//\n"
        files["a.homer"] += f">{m.consensus}\t{m.name}/Homer\t6.0\n" + "\n".join(shares) + "\n"
        files["a.pcm"] += f">{m.name}.H11MO.0.A\n" + "\n".join(counts) + "\n"
        files["a.cisbp"] += f"Motif\t{m.id}\nPos\tA\tC\tG\tT\n"
        files["a.cisbp"] += "".join(f"{i}\t{row}\n" for i, row in enumerate(shares, 1))
    return {name: text.encode() for name, text in files.items()}


def readers(folder: Path) -> dict[str, tuple[dict[str, bytes], Callable[[Path], object]]]:
    import zoo
    from zoo.data.genome import Genome
    from zoo.data.intervals import read_intervals
    from zoo.data.sequences import read_sequences
    from zoo.evaluation.result import metrics_text
    from zoo.files.locations import core_file
    from zoo.files.tables import read_table
    from zoo.hub.card import facts, write_card
    from zoo.hub.config_file import read_spec
    from zoo.hub.loader import load
    from zoo.hub.manifest import parse
    from zoo.variants.files import read_variants
    from zoo.variants.genotypes import read_genotypes
    from zoo.variants.phased_file import read_phased
    from zoo_copy_number.readers import read_bins
    from zoo_hic.readers import read_map
    from zoo_motifs.databases import jaspar
    from zoo_motifs.meme import write_meme
    from zoo_motifs.motif_files import read_motifs

    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">chr{c}\n{GENOME}\n" for c in (1, 2)))
    genome, text = Genome(fasta), vcf().encode()
    write_meme(folder / "seed.meme", jaspar()[:5])
    shipped = Path(zoo.__file__).parent / "weights" / "ctcf-motif-cnn"
    files = {f.name: f.read_bytes() for f in shipped.iterdir()}
    variants = {"a.vcf": text, "a.vcf.gz": gzip.compress(text), "a.bcf": bcf(folder), "a.tsv": table().encode()}
    peaks = {"a.bed": bed().encode(), "a.bed.gz": gzip.compress(bed().encode())}
    scores = "##model=x\nchrom\tpos\tref\talt\tstatus\tscore\n" + "chr1\t5\tA\tC\tok\t0.5\n" * 30

    def model(path: Path) -> object:
        copy = path.parent / "model"
        copy.mkdir(exist_ok=True)
        for name, data in files.items():
            (copy / name).write_bytes(path.read_bytes() if name == path.name else data)
        return load(copy, verify=False)

    def card(path: Path) -> object:
        spec = read_spec(path.parent)
        return facts(spec), metrics_text(spec.metrics), write_card(spec)

    def names(path: Path) -> object:
        os.environ["ZOO_REGISTRY"] = str(path)
        return zoo.list_models()

    def fasta_genome(path: Path) -> object:
        opened = Genome(path)
        return [opened.fetch(c, 0, min(n, 500)) for c, n in list(opened.contigs.items())[:3]]

    return {
        "variants": (variants, lambda path: list(read_variants(path, genome))),
        "phased": (
            {k: v for k, v in variants.items() if k != "a.tsv"},
            lambda path: list(read_phased(path, genome, "NA1", 200)),
        ),
        "genotypes": ({"a.vcf": text, "a.bcf": variants["a.bcf"]}, lambda path: read_genotypes(path, "chr1")),
        "intervals": (peaks, read_intervals),
        "regions": (peaks, lambda path: list(read_variants(folder / "seed.vcf", genome, regions=path))),
        "sequences": (
            {
                "a.fa": f">a x\n{GENOME[:300]}\n>b\n{GENOME[:200]}\n".encode(),
            },
            read_sequences,
        ),
        "genome": ({"a.fa": f">1\n{GENOME}\n>2\n{GENOME.lower()}\n".encode()}, fasta_genome),
        "table": ({"a.tsv": scores.encode(), "a.tsv.gz": gzip.compress(scores.encode())}, read_table),
        "model": ({k: v for k, v in files.items() if k != "README.md"}, model),
        "card": ({"config.json": files["config.json"]}, card),
        "manifest": ({"manifest.json": files["manifest.json"]}, lambda path: parse(path.read_bytes(), str(path))),
        "registry": ({"registry.yaml": core_file("registry.yaml").read_bytes()}, names),
        "depth": (
            depth(folder),
            lambda path: read_bins(path, bin_size=100 if path.suffix in (".bam", ".bw") else None),
        ),
        "cool": ({"a.cool": cool(folder)}, lambda path: read_map(path, balance="none").square("chr1", balanced=False)),
        "motifs": ({"a.meme": (folder / "seed.meme").read_bytes(), **matrices(jaspar()[:5])}, read_motifs),
    }


# One process a reader


def child(name: str, folder: Path, seed: int, first: int, inputs: int, told) -> None:
    """Reads inputs `first` to `inputs`; sends (number, outcome, detail) of each, and before it the number alone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    seeds, read = readers(folder)[name]
    (folder / "input").mkdir(exist_ok=True)
    for file, data in seeds.items():  # they are valid, and whatever is imported or compiled once is by now
        (folder / "input" / file).write_bytes(data)
        read(folder / "input" / file)
    page = os.sysconf("SC_PAGE_SIZE")
    limit = int(Path("/proc/self/statm").read_text().split()[0]) * page + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def stop(*_: object) -> None:
        raise Slow

    signal.signal(signal.SIGALRM, stop)
    for i in range(first, inputs):
        path = make_input(folder, seeds, seed, i)
        told.send((i, "begun", ""))
        outcome, detail = outcome_of(read, path, SECONDS)
        if outcome == "slow":  # a loop may have been compiled for its first use: the second time counts
            outcome_of(read, path, 60)
            outcome, detail = outcome_of(read, path, SECONDS)
        told.send((i, outcome, detail))
    told.send((inputs, "end", ""))


def outcome_of(read: Callable[[Path], object], path: Path, seconds: int) -> tuple[str, str]:
    """(read, refused, slow or traceback; what was raised)."""
    from zoo.errors import ZooError

    signal.alarm(seconds)
    try:
        read(path)
        return "read", ""
    except ZooError:
        return "refused", ""
    except Slow:
        return "slow", ""
    except BaseException as error:
        return "traceback", f"{type(error).__name__}: {str(error)[:90]} ({place(error)})"
    finally:
        signal.alarm(0)


def place(error: BaseException) -> str:
    """FILE:LINE of zoo that is nearest to where an exception was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = next((f for f in reversed(frames) if "/zoo" in f.filename and "site-packages" not in f.filename), frames[-1])
    return f"{Path(ours.filename).name}:{ours.lineno}"


def make_input(folder: Path, seeds: dict[str, bytes], seed: int, i: int) -> Path:
    rng = np.random.default_rng([seed, i])
    file = sorted(seeds)[rng.integers(len(seeds))]
    data = seeds[file]
    if file.endswith(".gz") and rng.random() < 0.7:  # what is compressed, rather than the compression
        data = gzip.compress(mutated(gzip.decompress(data), rng), 1)
    else:
        data = mutated(data, rng)
    path = folder / "input" / file
    path.write_bytes(data)
    return path


def fuzz(name: str, inputs: int, seed: int, keep: Path) -> Counter:
    """Outcomes of all inputs of a reader; what went wrong is printed and kept."""
    outcomes: Counter = Counter()
    details: Counter = Counter()
    begin = 0
    while begin < inputs:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            folder = Path(scratch)
            ours, theirs = multiprocessing.get_context("fork").Pipe()
            process = multiprocessing.get_context("fork").Process(
                target=child, args=(name, folder, seed, begin, inputs, theirs), daemon=True
            )
            process.start()
            theirs.close()
            i, outcome, detail = begin, "begun", ""
            while outcome != "end":
                try:
                    if not ours.poll(SECONDS * 20 if outcome == "begun" and i > begin else 120):
                        process.kill()
                        outcome, detail = "slow", "did not answer an alarm"
                    else:
                        i, outcome, detail = ours.recv()
                except EOFError:
                    process.join()
                    outcome, detail = "crash", f"exit code {process.exitcode}"
                if outcome not in ("begun", "end"):
                    outcomes[outcome] += 1
                if outcome in ("slow", "traceback", "crash"):
                    details[f"{outcome}: {detail}"] += 1
                    if details[f"{outcome}: {detail}"] == 1:
                        print(f"    {name} {i}: {outcome}: {detail}", flush=True)
                        newest = max(
                            (p for p in (folder / "input").glob("*") if p.is_file()),
                            key=lambda p: p.stat().st_mtime_ns,
                            default=None,
                        )
                        if newest:
                            keep.mkdir(parents=True, exist_ok=True)
                            (keep / f"{name}-{i}-{newest.name}").write_bytes(newest.read_bytes())
                    if outcome == "crash" or not process.is_alive():
                        break
            process.join(5)
            process.kill()
            begin = i + 1
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=6000, help="inputs a reader")
    parser.add_argument("--reader", action="append", help="only these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        known = list(readers(Path(scratch)))
    names = args.reader or known
    if not set(names) <= set(known):
        parser.error(f"--reader is one of {', '.join(known)}")
    total: Counter = Counter()
    for name in names:
        start = time.perf_counter()
        outcomes = fuzz(name, args.inputs, args.seed, args.keep)
        total += outcomes
        bad = ", ".join(f"{outcomes[k]} {k}" for k in ("traceback", "slow", "crash"))
        took = time.perf_counter() - start
        print(f"{name:12} {outcomes['refused']}/{sum(outcomes.values())} refused, {bad}, {took:.0f} s", flush=True)
    bad = total["traceback"] + total["slow"] + total["crash"]
    print(f"{sum(total.values()):,} inputs, {total['refused']:,} refused in words, {bad} bad")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
