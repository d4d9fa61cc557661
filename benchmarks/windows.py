"""Random windows of a genome: ours beside genvarloader, tangermeme, pyfaidx and a bare memory-mapped gather.

    python benchmarks/windows.py --peer-python tangermeme=/envs/tangermeme/bin/python \
                                 --peer-python genvarloader=/envs/genvarloader/bin/python

Every case runs in a process of its own, one at a time and in turn (A B C A B C ...), so that drift of the machine
hits all alike; medians are printed.  Peers live in environments of their own; one that is not named is said to
be absent.  All cases read the same windows of the same FASTA, and their base counts must agree.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_CONTIGS = 4
CHECKED = 1000


def main() -> None:
    args = _arguments()
    if args.worker:
        _work(args)
        return
    folder = Path(args.folder or Path(tempfile.gettempdir()) / "zoo-benchmark-windows")
    fasta = _make_genome(folder, args.bp)
    python = {"zoo": sys.executable, **dict(p.split("=", 1) for p in args.peer_python)}
    runs = {name: _start(name, python, args, fasta) for name in CASES}
    for _ in range(args.repeats + 1):
        for name, run in runs.items():
            if run["process"] is not None:
                _once(name, run)
    _report(runs, args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--windows", type=int, default=50_000, help="windows a run (50,000)")
    parser.add_argument("--length", type=int, default=2114, help="bp (2,114)")
    parser.add_argument("--bp", type=int, default=100_000_000, help="size of the genome (100 Mb)")
    parser.add_argument("--batch", type=int, default=1024, help="windows a batch, in the batched cases")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", help="for the FASTA and the peers' caches; a temporary one where not given")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--fasta", help=argparse.SUPPRESS)
    return parser.parse_args()


# Each case is prepared once and gives (run, counts): what is timed, and the base counts of the first windows.


def _zoo(kind: str, batched: bool):
    def prepare(args):
        import numpy as np

        from zoo.data.genome import Genome

        genome = Genome(args.fasta, threads=args.threads)
        contigs, starts = _windows(args)
        ids = genome.contig_ids([f"chr{c + 1}" for c in contigs])
        size = args.batch if batched else len(starts)
        shape = (size, args.length) if kind == "codes" else (size, 4, args.length)
        out = np.zeros(shape, np.uint8 if kind == "codes" else np.int8)
        read = genome.windows if kind == "codes" else genome.one_hot_windows

        def run():
            for i in range(0, len(starts), size):
                n = min(size, len(starts) - i)
                read(ids[i : i + n], starts[i : i + n], args.length, out=out[:n])

        def counts():
            first = read(ids[:CHECKED], starts[:CHECKED], args.length)
            return np.bincount(first.ravel(), minlength=5)[:4] if kind == "codes" else first.sum((0, 2), np.int64)

        return run, counts

    return prepare


def _limit(reused: bool):
    def prepare(args):
        import numpy as np

        from zoo.data.genome import Genome

        genome = Genome(args.fasta)
        offset = np.r_[0, np.cumsum(list(genome.contigs.values()))]
        contigs, starts = _windows(args)
        starts = offset[contigs] + starts
        windows = np.lib.stride_tricks.sliding_window_view(genome._stores[0].codes, args.length)
        out = np.zeros((len(starts), args.length), np.uint8)

        def run():
            if reused:
                for i, start in enumerate(starts):
                    out[i] = windows[start]
            else:
                windows[starts]

        return run, lambda: np.bincount(windows[starts[:CHECKED]].ravel(), minlength=5)[:4]

    return prepare


def _pyfaidx(args):
    import numpy as np
    import pyfaidx

    fasta = pyfaidx.Fasta(args.fasta, as_raw=True, sequence_always_upper=True)
    contigs, starts = _windows(args)
    names = [f"chr{c + 1}" for c in contigs]
    starts = starts.tolist()

    def run(n=args.windows):
        return [fasta[names[i]][starts[i] : starts[i] + args.length] for i in range(n)]

    def counts():
        text = "".join(run(min(CHECKED, args.windows)))
        return np.array([text.count(b) for b in "ACGT"])

    return run, counts


def _genvarloader(batched: bool):
    def prepare(args):
        import genvarloader
        import numpy as np

        reference = genvarloader.Reference.from_path(args.fasta)
        contigs, starts = _windows(args)
        names = np.array([f"chr{c + 1}" for c in contigs])
        ends = starts + args.length
        size = args.batch if batched else len(starts)

        def run():
            for i in range(0, len(starts), size):
                reference.fetch(names[i : i + size], starts[i : i + size], ends[i : i + size]).to_numpy()

        def counts():
            letters = reference.fetch(names[:CHECKED], starts[:CHECKED], ends[:CHECKED]).to_numpy().view(np.uint8)
            found = np.bincount(letters.ravel() & 0xDF, minlength=256)
            return found[[65, 67, 71, 84]]

        return run, counts

    return prepare


def _tangermeme(args):
    import pandas
    from tangermeme.io import extract_loci

    contigs, starts = _windows(args)
    columns = {"chrom": [f"chr{c + 1}" for c in contigs], "start": starts, "end": starts + args.length}
    loci = pandas.DataFrame(columns)

    def run(n=args.windows):
        return extract_loci(loci[:n], args.fasta, in_window=args.length, n_jobs=args.threads, ignore=list("N"))

    return run, lambda: run(min(CHECKED, args.windows)).sum((0, 2)).numpy()


CASES = {
    "memmap gather (the limit)": ("zoo", "codes", _limit(False)),
    "memmap copy, reused buffer": ("zoo", "codes", _limit(True)),
    "zoo windows": ("zoo", "codes", _zoo("codes", False)),
    "zoo windows, batches": ("zoo", "codes", _zoo("codes", True)),
    "genvarloader fetch": ("genvarloader", "codes", _genvarloader(False)),
    "genvarloader fetch, batches": ("genvarloader", "codes", _genvarloader(True)),
    "pyfaidx": ("zoo", "codes", _pyfaidx),
    "zoo one_hot_windows": ("zoo", "one-hot", _zoo("one-hot", False)),
    "zoo one_hot_windows, batches": ("zoo", "one-hot", _zoo("one-hot", True)),
    "tangermeme extract_loci": ("tangermeme", "one-hot", _tangermeme),
}


def _windows(args):
    """Contig numbers and starts, the same in every process."""
    import numpy as np

    rng = np.random.default_rng(1)
    return rng.integers(0, N_CONTIGS, args.windows), rng.integers(0, args.bp // N_CONTIGS - args.length, args.windows)


def _make_genome(folder: Path, bp: int) -> Path:
    """Soft-masked random letters with runs of N, 60 a line."""
    import numpy as np

    fasta = folder / f"genome-{bp}.fa"
    if fasta.exists():
        return fasta
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    part = fasta.with_suffix(f".{os.getpid()}.tmp")
    with part.open("wb") as file:
        for contig in range(N_CONTIGS):
            n = bp // N_CONTIGS // 60 * 60
            letters = np.frombuffer(b"ACGT", np.uint8)[rng.choice(4, n, p=(0.3, 0.2, 0.2, 0.3))]
            for start in rng.integers(0, n, n // 2_000):
                letters[start : start + 300] |= 0x20
            for start in rng.integers(0, n, n // 1_000_000):
                letters[start : start + 10_000] = ord("N")
            file.write(f">chr{contig + 1}\n".encode())
            file.write(np.hstack([letters.reshape(-1, 60), np.full((n // 60, 1), 10, np.uint8)]).tobytes())
    part.rename(fasta)
    return fasta


def _start(name: str, python: dict[str, str], args: argparse.Namespace, fasta: Path) -> dict:
    peer = CASES[name][0]
    if peer not in python:
        return {"process": None, "error": f"absent: give --peer-python {peer}=/path/to/python"}
    threads = str(args.threads)
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(limits, threads), "POLARS_MAX_THREADS": threads, "PYTHONWARNINGS": "ignore"}
    own = [f"--{k}={getattr(args, k)}" for k in ("windows", "length", "bp", "batch", "threads")]
    process = subprocess.Popen(
        [python[peer], __file__, f"--worker={name}", f"--fasta={fasta}", *own],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=env,
    )
    hello = json.loads(process.stdout.readline() or '{"error": "ended while it prepared"}')
    print(f"# {name}: {hello.get('error', 'ready')}", file=sys.stderr, flush=True)
    return {"process": None if "error" in hello else process, "times": [], **hello}


def _once(name: str, run: dict) -> None:
    run["process"].stdin.write("go\n")
    run["process"].stdin.flush()
    line = run["process"].stdout.readline()
    if line:
        run["times"].append(json.loads(line))
    else:
        run["process"], run["error"] = None, "ended while it ran"


def _work(args: argparse.Namespace) -> None:
    """Prepare one case, say so, then run it whenever the parent asks."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        run, counts = CASES[args.worker][2](args)
        hello = {"counts": [int(c) for c in counts()]}
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), file=out, flush=True)
        raise
    print(json.dumps(hello), file=out, flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), _cpu()
        run()
        print(json.dumps({"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}), file=out, flush=True)


def _cpu() -> float:
    """Seconds of CPU of this process and its children: what counts where the cores are shared."""
    return time.process_time() + sum(os.times()[2:4])


def _report(runs: dict[str, dict], args: argparse.Namespace) -> None:
    rates, per_cpu = {}, {}
    print(f"{args.windows:,} windows of {args.length:,} bp from {args.bp:,} bp, {args.threads} threads")
    for name, run in runs.items():
        if run["process"] is None:
            print(f"{name:32} {run['error']}")
            continue
        run["process"].stdin.close()
        run["process"].wait()
        walls, cpus = ([t[k] for t in run["times"][1:]] for k in ("wall", "cpu"))
        rates[name] = args.windows / statistics.median(walls)
        per_cpu[name] = args.windows / max(statistics.median(cpus), 0.01)
        spread = f"{args.windows / max(walls):,.0f} to {args.windows / min(walls):,.0f}"
        print(
            f"{name:32} {CASES[name][1]:8} {rates[name]:>11,.0f} windows/s {per_cpu[name]:>11,.0f} per CPU s"
            f"  (n = {len(walls)}, {spread})"
        )
    counts = {tuple(run["counts"]) for run in runs.values() if "counts" in run}
    print("base counts agree" if len(counts) == 1 else f"BASE COUNTS DIFFER: {counts}")
    ratios = {}
    for kind in ("codes", "one-hot"):
        ours = max((r for n, r in rates.items() if n.startswith("zoo") and CASES[n][1] == kind), default=0)
        peers = {n: r for n, r in rates.items() if CASES[n][1] == kind and not n.startswith(("zoo", "memmap"))}
        if peers:
            best = max(peers, key=peers.get)
            ratios[f"{kind}: zoo / {best}"] = ours / peers[best]
        if kind == "codes":
            for name in (n for n in rates if n.startswith("memmap")):
                ratios[f"{kind}: zoo / {name}"] = ours / rates[name]
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores")
    if args.json:
        figures = {
            "windows_per_second": rates,
            "windows_per_cpu_second": per_cpu,
            "ratios": ratios,
            "load": load,
            "threads": args.threads,
        }
        Path(args.json).write_text(json.dumps(figures, indent=2) + "\n")
    if len(counts) > 1:
        sys.exit(1)


if __name__ == "__main__":
    main()
