"""Both haplotypes of many (window, sample) pairs, from a phased VCF on disk, beside genvarloader and pysam.

    python benchmarks/haplotypes.py --peer-python genvarloader=/opt/peers/genvarloader/bin/python

22 Mb, 100,000 phased variants (90 % SNVs, indels of up to 10 bp, none overlapping), 50 samples.  A run goes from the
VCF to the sequences (total), then reads all pairs again (steady).  The cases take turns, each in its own process; the
first turn, in which everything is compiled or loaded, is printed apart.  genvarloader writes a data set for all
regions and samples and reads from it; pysam asks the indexed VCF for every window, for a part of the pairs.  What zoo
keeps beside the FASTA, and genvarloader beside FASTA and VCF, is made once and is there in later turns and runs.
genvarloader's total was 1.4 s at load 1.5 and 19 s at load 6.5 of one two-core machine: compare totals of an idle one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONTIG = "chr22"
CHECKED = 1000


def main() -> None:
    args = _arguments()
    if args.worker:
        _work(args)
        return
    folder = Path(args.folder or Path(tempfile.gettempdir()) / "zoo-benchmark-haplotypes")
    args.folder = str(folder / f"{args.bp}-{args.variants}-{args.samples}")
    _make_data(args)
    python = {"zoo": sys.executable, **dict(p.split("=", 1) for p in args.peer_python)}
    runs = {name: _start(name, python, args) for name in CASES}
    for _ in range(args.repeats + 1):
        for run in runs.values():
            _once(run)
    _report(runs, args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--bp", type=int, default=22_000_000, help="size of the contig (22 Mb)")
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=50)
    parser.add_argument("--regions", type=int, default=1_000, help="windows; genvarloader writes all of them")
    parser.add_argument("--pairs", type=int, default=10_000, help="(window, sample) pairs (10,000)")
    parser.add_argument("--length", type=int, default=2114, help="bp (2,114)")
    parser.add_argument("--batch", type=int, default=500, help="pairs a batch")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", help="for VCF, FASTA and genvarloader's data set; a temporary one where not given")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


# A case gives (total, steady, rows): from the VCF to the sequences, all pairs once more, and the first pairs' letters.


def _zoo(fixed: bool):
    def prepare(args):
        from zoo.data.codes import decode
        from zoo.data.genome import Genome
        from zoo.variants.genotypes import read_genotypes
        from zoo.variants.haplotypes import windows

        starts, region, sample = _pairs(args)
        at, held = starts[region], {}

        def total():
            held["genome"] = Genome(f"{args.folder}/genome.fa", threads=args.threads)
            held["genotypes"] = read_genotypes(f"{args.folder}/phased.vcf.gz", CONTIG)
            steady()

        def read(a, b):
            ends = None if fixed else at[a:b] + args.length
            length = args.length if fixed else None
            return windows(held["genotypes"], held["genome"], sample[a:b], at[a:b], ends, length)

        def steady():
            for i in range(0, args.pairs, args.batch):
                read(i, i + args.batch)

        def rows():
            found = read(0, CHECKED)
            flat = found.codes.reshape(-1)
            return [decode(flat[a:b]) for a, b in zip(found.first[:-1], found.first[1:], strict=True)]

        return total, steady, rows, args.pairs

    return prepare


def _genvarloader(fixed: bool):
    def prepare(args):
        import genvarloader
        import numpy as np
        import polars

        starts, region, sample = _pairs(args)
        columns = {"chrom": [CONTIG] * len(starts), "chromStart": starts, "chromEnd": starts + args.length}
        bed, path, held = polars.DataFrame(columns), f"{args.folder}/{fixed}.gvl", {}

        def total():
            shutil.rmtree(path, ignore_errors=True)
            genvarloader.write(path, bed, variants=f"{args.folder}/phased.vcf.gz")
            data = genvarloader.Dataset.open(path, reference=f"{args.folder}/genome.fa").with_seqs("haplotypes")
            held["data"] = data.with_len(args.length) if fixed else data
            steady()

        def steady():
            for i in range(0, args.pairs, args.batch):
                held["data"][region[i : i + args.batch], sample[i : i + args.batch]]

        def rows():
            found = held["data"][region[:CHECKED], sample[:CHECKED]]
            if fixed:
                return [r.tobytes().decode().upper() for r in np.asarray(found).reshape(2 * CHECKED, args.length)]
            return [bytes(np.asarray(found[i][h])).decode().upper() for i in range(CHECKED) for h in range(2)]

        return total, steady, rows, args.pairs

    return prepare


def _pysam(args):
    import pysam

    starts, region, sample = _pairs(args)
    names, part, held = [f"S{i:03}" for i in range(args.samples)], min(200, args.pairs), {}

    def pair(k):
        start, out = int(starts[region[k]]), []
        end = start + args.length
        records = [
            (r.start, r.ref, r.alts[0], r.samples[names[sample[k]]]["GT"])
            for r in held["vcf"].fetch(CONTIG, start, end)
        ]
        for h in range(2):
            pieces, at = [], start
            for position, ref, alt, genotype in records:
                if genotype[h] and position >= at:
                    pieces += [held["fasta"].fetch(CONTIG, at, position), alt]
                    at = position + len(ref)
            out.append("".join([*pieces, held["fasta"].fetch(CONTIG, at, max(at, end))]).upper())
        return out

    def total():
        held["vcf"] = pysam.VariantFile(f"{args.folder}/phased.vcf.gz")
        held["fasta"] = pysam.FastaFile(f"{args.folder}/genome.fa")
        steady()

    def steady():
        for k in range(part):
            pair(k)

    return total, steady, lambda: [s for k in range(min(CHECKED, args.pairs)) for s in pair(k)], part


CASES = {
    "zoo": ("zoo", "fixed", _zoo(True)),
    "zoo, ragged": ("zoo", "ragged", _zoo(False)),
    "genvarloader with_len": ("genvarloader", "fixed", _genvarloader(True)),
    "genvarloader, ragged": ("genvarloader", "ragged", _genvarloader(False)),
    "pysam query a window": ("zoo", "ragged", _pysam),
}


def _pairs(args):
    """Starts of the regions, and region and sample of every pair, the same in every process."""
    import numpy as np

    rng = np.random.default_rng(3)
    starts = np.sort(rng.integers(100_000, args.bp - 200_000, args.regions))
    return starts, rng.integers(0, args.regions, args.pairs), rng.integers(0, args.samples, args.pairs)


def _make_data(args: argparse.Namespace) -> None:
    import numpy as np
    import pysam

    folder = Path(args.folder)
    if (folder / "phased.vcf.gz.tbi").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    n = args.bp // 60 * 60
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.choice(4, n, p=(0.3, 0.2, 0.2, 0.3))]
    rows = np.hstack([letters.reshape(-1, 60), np.full((n // 60, 1), 10, np.uint8)])
    (folder / "genome.fa").write_bytes(f">{CONTIG}\n".encode() + rows.tobytes())
    pysam.faidx(str(folder / "genome.fa"))
    text = letters.tobytes().decode()
    gap = (n - 40_000) // args.variants
    positions = 20_000 + np.arange(args.variants) * gap + rng.integers(0, gap - 12, args.variants)
    kinds = rng.choice(3, args.variants, p=(0.9, 0.05, 0.05))
    frequency = np.clip(rng.beta(0.3, 2.0, args.variants), 0.005, 0.95)
    names = "\t".join(f"S{i:03}" for i in range(args.samples))
    with (folder / "phased.vcf").open("w") as file:
        file.write(f"##fileformat=VCFv4.2\n##contig=<ID={CONTIG},length={n}>\n")
        file.write('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        file.write(f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n")
        for p, kind, q in zip(positions.tolist(), kinds.tolist(), frequency.tolist(), strict=True):
            size = int(rng.integers(1, 11))
            ref = text[p : p + size + 1] if kind == 1 else text[p]
            inserted = "".join("ACGT"[i] for i in rng.integers(0, 4, size))
            alt = ("ACGT".replace(ref[0], "")[size % 3], ref[0], ref + inserted)[kind]
            carried = (rng.random((args.samples, 2)) < q).astype(int)
            carried[size % args.samples, 0] |= not carried.any()
            calls = "\t".join(f"{a}|{b}" for a, b in carried.tolist())
            file.write(f"{CONTIG}\t{p + 1}\t.\t{ref}\t{alt}\t.\t.\t.\tGT\t{calls}\n")
    pysam.tabix_compress(str(folder / "phased.vcf"), str(folder / "phased.vcf.gz"), force=True)
    pysam.tabix_index(str(folder / "phased.vcf.gz"), preset="vcf", force=True)


def _start(name: str, python: dict[str, str], args: argparse.Namespace) -> dict:
    peer = CASES[name][0]
    if peer not in python:
        return {"process": None, "error": f"absent: give --peer-python {peer}=/path/to/python"}
    threads = str(args.threads)
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(limits, threads), "POLARS_MAX_THREADS": threads, "PYTHONWARNINGS": "ignore"}
    keys = ("bp", "variants", "samples", "regions", "pairs", "length", "batch", "threads", "folder")
    process = subprocess.Popen(
        [python[peer], __file__, f"--worker={name}", *(f"--{k}={getattr(args, k)}" for k in keys)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
    )
    hello = json.loads(process.stdout.readline() or '{"error": "ended while it prepared"}')
    print(f"# {name}: {hello.get('error', 'ready')}", file=sys.stderr, flush=True)
    return {"process": None if "error" in hello else process, "turns": [], **hello}


def _once(run: dict) -> None:
    if run["process"] is None:
        return
    run["process"].stdin.write("go\n")
    run["process"].stdin.flush()
    turn = json.loads(run["process"].stdout.readline() or '{"error": "ended while it ran"}')
    if "error" in turn:
        run["process"], run["error"] = None, turn["error"]
    else:
        run["turns"].append(turn)


def _work(args: argparse.Namespace) -> None:
    """Prepare one case, say so, then run it whenever the parent asks."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(**what) -> None:
        print(json.dumps(what), file=out, flush=True)

    try:
        total, steady, rows, pairs = CASES[args.worker][2](args)
        say(pairs=pairs)
        first = True
        for _ in sys.stdin:
            turn = {}
            for key, run in (("total", total), ("steady", steady)):
                wall, cpu = time.perf_counter(), _cpu()
                run()
                turn |= {key: time.perf_counter() - wall, f"{key}_cpu": _cpu() - cpu}
            if first:
                turn["rows"] = [hashlib.blake2b(r.encode(), digest_size=8).hexdigest() for r in rows()]
                first = False
            say(**turn)
    except Exception as error:
        say(error=f"{type(error).__name__}: {error}"[:300])
        raise


def _cpu() -> float:
    """Seconds of CPU of this process and its children: what counts where the cores are shared."""
    return time.process_time() + sum(os.times()[2:4])


def _report(runs: dict[str, dict], args: argparse.Namespace) -> None:
    print(
        f"{args.pairs:,} (window, sample) pairs x 2 haplotypes of {args.length:,} bp, {args.regions:,} windows, "
        f"{args.samples} samples, {args.variants:,} variants, {args.bp:,} bp, {args.threads} threads"
    )
    figures = {}
    for name, run in runs.items():
        if run["process"] is None:
            print(f"{name:24} {run['error']}")
            continue
        run["process"].stdin.close()
        run["process"].wait()
        first, *turns = run["turns"]
        middle = {k: statistics.median(t[k] for t in turns) for k in turns[0]}
        rate, rates = run["pairs"] / middle["steady"], sorted(run["pairs"] / t["steady"] for t in turns)
        total = middle["total"] * args.pairs / run["pairs"]
        figures[name] = {"total": total, "first": first["total"], "pairs_per_second": rate}
        figures[name]["pairs_per_cpu_second"] = run["pairs"] / max(middle["steady_cpu"], 1e-3)
        note = "" if run["pairs"] == args.pairs else f", scaled up from {run['pairs']} pairs"
        print(
            f"{name:24} {CASES[name][1]:7} total {total:7.2f} s (CPU {middle['total_cpu']:6.2f}, "
            f"first turn {first['total']:6.2f})  steady {rate:>9,.0f} pairs/s, "
            f"{figures[name]['pairs_per_cpu_second']:>9,.0f} per CPU s "
            f"(n = {len(turns)}, {rates[0]:,.0f} to {rates[-1]:,.0f}){note}"
        )
    differ = False
    for ours, kind in (("zoo", "fixed"), ("zoo, ragged", "ragged")):
        for name in figures:
            if name == ours or CASES[name][1] != kind or ours not in figures:
                continue
            ratio = {k: figures[name][k] / figures[ours][k] for k in ("total", "pairs_per_second")}
            one, two = runs[ours]["turns"][0]["rows"], runs[name]["turns"][0]["rows"]
            same = sum(a == b for a, b in zip(one, two, strict=True))
            differ |= same < 0.99 * len(one)
            print(
                f"{ours} / {name}: total {ratio['total']:.1f} times as fast, "
                f"steady {1 / ratio['pairs_per_second']:.2f} times; {same:,} of {len(one):,} haplotypes equal"
            )
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores")
    if args.json:
        Path(args.json).write_text(
            json.dumps({"cases": figures, "load": load, "threads": args.threads}, indent=2) + "\n"
        )
    if differ:
        sys.exit("more than 1 % of the haplotypes differ")


if __name__ == "__main__":
    main()
