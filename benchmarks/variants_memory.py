"""Memory of `zoo score` over a long VCF: its resident set, sampled while it runs.

    python benchmarks/variants_memory.py --variants 1000000

A simulated genome, SNVs and one indel in ten spread over it, and `ctcf-motif-cnn` (200 bp) through the command line in
a process of its own.  The resident set is told when the first chunk, 10 %, 50 % and 100 % of the records are scored,
and at its highest while the parts are joined; `mapped` is the part of it that belongs to files (libraries, and what
was read of the FASTA), which the system can take back.  It must stay below 2 GB, and its second half must not hold
a tenth more than its first: freed memory that the allocator keeps settles within a minute.  A run that is cut off by
--minutes tells how far it came.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from variants_data import make_genome, make_vcf

COMMAND = ("score", "--model", "ctcf-motif-cnn", "--output", "CTCF:raw")


def main() -> int:
    """Print the figures; 1 where memory grew, or rows are missing."""
    args = _arguments()
    folder = Path(args.folder or tempfile.mkdtemp(prefix="zoo-benchmark-variants-memory-"))
    folder.mkdir(parents=True, exist_ok=True)
    fasta, vcf, out = (folder / name for name in ("genome.fa", "calls.vcf", "out.tsv"))
    letters = make_genome(fasta, args.bp)
    places = np.sort(np.random.default_rng(1).integers(1_000, len(letters) - 1_000, args.variants))
    make_vcf(vcf, letters, places, indels=0.1)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(args.threads))
    command = [sys.executable, "-m", "zoo.cli.main", *COMMAND, str(vcf), "--fasta", str(fasta), "-o", str(out)]
    since, samples = time.perf_counter(), []
    with (folder / "stderr.txt").open("w") as errors:
        process = subprocess.Popen(command, stderr=errors, env={**os.environ, **limits, "CUDA_VISIBLE_DEVICES": ""})
        while process.poll() is None:
            seconds = time.perf_counter() - since
            samples.append((seconds, _done(out), *_resident(process.pid)))
            if seconds > 60 * args.minutes:
                process.terminate()
                process.wait()
                return _report(np.array(samples), None, args)
            time.sleep(args.every)
    if process.returncode:
        print((folder / "stderr.txt").read_text()[-2000:])
        return 1
    return _report(np.array(samples), _rows(out), args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--bp", type=int, default=20_000_000, help="size of the genome (20 Mb)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60, help="stop a run that takes longer (60)")
    parser.add_argument("--every", type=float, default=0.25, help="seconds between samples")
    parser.add_argument("--folder", help="for the genome, the variants and the scores; a temporary one if not given")
    parser.add_argument("--json", help="write the figures to this file as well")
    return parser.parse_args()


def _resident(pid: int) -> tuple[float, float]:
    """MB of the process: all, and mapped from files."""
    try:
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").open())
        return tuple(int(fields[k].split()[0]) / 1024 for k in ("VmRSS", "RssFile"))
    except (OSError, KeyError):
        return 0.0, 0.0


def _done(out: Path) -> int:
    """Records whose rows are written to parts."""
    try:
        return max((int(p[10:19]) for p in os.listdir(f"{out}.parts") if p.endswith(".tsv")), default=0)
    except (OSError, ValueError):
        return 0


def _rows(out: Path) -> int:
    with out.open() as file:
        return sum(not line.startswith("#") for line in file) - 1


def _report(samples: np.ndarray, rows: int | None, args: argparse.Namespace) -> int:
    seconds, done, resident, mapped = samples.T
    scored = int(np.argmax(done))
    n = int(done[scored])
    print(f"{n:,} variants scored{' when time was up' if rows is None else ''}, {args.bp:,} bp, {args.threads} threads")
    places = {"first chunk": 1, "10 %": 0.1 * n, "50 %": 0.5 * n, "100 %": n}
    at = {name: int(np.argmax(done >= records)) for name, records in places.items()} if n else {}
    for name, i in at.items():
        print(f"{name:12}{seconds[i]:6.0f} s{resident[i]:8,.0f} MB, {mapped[i]:,.0f} MB of them mapped")
    own = resident - mapped
    first, later = (float(part.max(initial=0)) for part in (own[: at.get("50 %", 0) + 1], own[at.get("50 %", 0) :]))
    rate, load = n / seconds[scored], os.getloadavg()[0]
    if rows is not None:
        joining = resident[scored:].max()
        print(f"joining     {seconds[-1] - seconds[scored]:6.0f} s{joining:8,.0f} MB at most; {rows:,} rows")
    bad = later > 1.1 * first or resident.max() >= 2000 or (rows is not None and rows != args.variants)
    print(f"peak {resident.max():,.0f} MB; own memory {first:,.0f} MB at most until 50 %, {later:,.0f} MB behind it")
    print(
        f"{rate:,.0f} variants/s with the start, load {load:.1f} on {os.cpu_count()} cores: {'BAD' if bad else 'met'}"
    )
    if args.json:
        told = {k: [float(x[i]) for x in (seconds, resident, mapped)] for k, i in at.items()}
        found = {"variants": n, "rows": rows, "s, MB, mapped MB": told, "peak MB": float(resident.max()), "load": load}
        Path(args.json).write_text(json.dumps({**found, "variants/s": rate}, indent=2) + "\n")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
