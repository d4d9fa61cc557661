"""Time and memory of calling one whole genome in 1-kb bins, beside CNVkit's segmentation of the same bins.

    python benchmarks/copy_number_genome.py --model copy-number --cnvkit /opt/peers/cnvkit/bin/cnvkit.py

3.1 million simulated bins are written as mosdepth's regions with tracks of GC and mappability, and as the .cnr that
CNVkit segments (log2 corrected by our baseline, so that CNVkit starts where its own `fix` would have ended).  `zoo
call-cnv` is timed from the start of its process to the VCF; CNVkit from the .cnr to its segments alone.  CNVkit's CBS
runs through R's DNAcopy.  Everything gets --threads threads; memory is the peak of the process and its children.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np


def main() -> None:
    """Write the data once, then time each program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a published model, or the model folder of a run")
    parser.add_argument("--cnvkit", help="cnvkit.py of an environment of its own; left out where it is not given")
    parser.add_argument("--method", action="append", help="CNVkit's: cbs (default), haar, hmm, none; may be repeated")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which a program is stopped")
    parser.add_argument("--folder", default=str(Path(tempfile.gettempdir()) / "zoo-benchmark-copy-number"))
    args = parser.parse_args()
    folder = Path(args.folder)
    n = written(folder)
    zoo = Path(sys.executable).with_name("zoo")
    tracks = ["--gc", folder / "gc.wig.gz", "--mappability", folder / "map.wig.gz"]
    calls = {
        "zoo call-cnv": [
            zoo, "call-cnv", folder / "genome.regions.bed.gz", *tracks, "--model", args.model, "-o", folder / "z.vcf.gz"
        ]
    }  # fmt: skip
    for method in (args.method or ["cbs"]) if args.cnvkit else []:
        calls[f"cnvkit segment -m {method}"] = [
            args.cnvkit, "segment", folder / "genome.cnr", "-m", method, "-p", args.threads, "-o", folder / "c.cns"
        ]  # fmt: skip
    print(f"{n:,} bins, {args.threads} threads, load {os.getloadavg()[0]:.1f}")
    ours = None
    for name, command in calls.items():
        for _ in range(args.repeats):
            seconds, peak, code = timed([str(c) for c in command], args.threads, args.limit)
            ours = seconds if ours is None else ours
            end = "" if code == 0 else f"  (ended with {code})"
            print(f"{name:28}{seconds:9.1f} s{peak / 1e9:8.2f} GB{seconds / ours:9.2f} x{end}", flush=True)


def written(folder: Path) -> int:
    """Number of bins; the files are made where they are not there yet."""
    done = folder / "bins.json"
    if done.is_file():
        return json.loads(done.read_text())["bins"]
    from zoo_copy_number.baselines.correction import corrected_log2
    from zoo_copy_number.designs import genome_design
    from zoo_copy_number.simulation import simulate_sample
    from zoo_copy_number.source import FROZEN

    folder.mkdir(parents=True, exist_ok=True)
    rng, settings = np.random.default_rng(3), replace(FROZEN, gc_unknown=0.0, mappability_unknown=0.0)
    sample = simulate_sample(rng, genome_design(rng, width=1000), settings)
    bins = sample.bins
    with gzip.open(folder / "genome.regions.bed.gz", "wt", compresslevel=1) as file:
        for contig, start, end, depth in zip(bins.chrom, bins.start, bins.end, bins.depth, strict=True):
            file.write(f"{contig}\t{start}\t{end}\t{depth:.2f}\n")
    for name, values in (("gc", bins.gc), ("map", bins.mappability)):
        with gzip.open(folder / f"{name}.wig.gz", "wt", compresslevel=1) as file:
            for i, contig in enumerate(bins.contigs):
                here = values[bins.contig == i]
                file.write(f"fixedStep chrom={contig} start=1 step=1000 span=1000\n")
                file.write("\n".join("-1" if v != v else f"{v:.4f}" for v in here) + "\n")
    ratio, log2 = corrected_log2(bins, sample.expected), np.full(len(bins), np.nan)
    log2[ratio.at] = ratio.log2
    with open(folder / "genome.cnr", "w") as file:
        file.write("chromosome\tstart\tend\tgene\tdepth\tlog2\tweight\n")
        for contig, start, end, depth, value in zip(bins.chrom, bins.start, bins.end, bins.depth, log2, strict=True):
            if np.isfinite(value):
                file.write(f"{contig}\t{start}\t{end}\t-\t{depth:.2f}\t{value:.5f}\t1\n")
    done.write_text(json.dumps({"bins": len(bins)}))
    return len(bins)


def timed(command: list[str], threads: int, limit: float) -> tuple[float, float, int]:
    """(seconds, peak bytes of the process and its children together, exit status)."""
    import psutil

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, **dict.fromkeys(names, str(threads))}, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )
    peak, watching = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        root = psutil.Process(process.pid)
        while not watching.wait(0.2):
            try:
                family = [root, *root.children(recursive=True)]
                peak = max(peak, sum(p.memory_info().rss for p in family))
            except psutil.Error:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        code = process.wait()
    seconds = time.perf_counter() - began
    watching.set()
    watcher.join()
    return seconds, peak, code


if __name__ == "__main__":
    main()
