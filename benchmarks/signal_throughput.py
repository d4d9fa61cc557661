"""Windows of sequence and signal: ours, memory-mapped, beside a bare loop over arrays that lie in memory.

    python benchmarks/signal_throughput.py                                   # a simulated genome with two tracks
    python benchmarks/signal_throughput.py --fasta sacCer3.fa.gz --track atac=yeast.frag.gz

Windows of 2 kb begin at any base; a track's bins of 32 bp are the mean of its bases, or their number of cut sites.  The
bare loops copy the codes of a window and the bins of each track, and know nothing of contigs, names or ends:

    per base    one value a base in memory, whose bins are made in the loop: what gives our numbers
    per bin     bins on a fixed grid in memory, the nearest of which are copied: other numbers, up to half a bin off

All run in this process, in turn (A B C A B C ...).  Rates are of the wall clock, ratios of the medians of paired turns;
the same per CPU second, because the machine may be shared.  Memory is what the process holds beside mapped files.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track

BATCH = 1024


def main() -> None:
    args = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="zoo-signals-"))
    fasta, tracks = (
        (args.fasta, dict(t.split("=", 1) for t in args.track)) if args.fasta else _simulate(folder, args.bp)
    )
    genome = Genome(fasta, threads=args.threads)
    store = SignalStore.open(
        [Track(name, path) for name, path in tracks.items()], genome, args.bin_size, args.transform
    )
    random = np.random.default_rng(1)
    sizes = np.array(list(genome.contigs.values()))
    usable = np.flatnonzero(sizes > 2 * args.length)
    contigs = random.choice(usable, args.windows, p=sizes[usable] / sizes[usable].sum())
    starts = (random.random(args.windows) * (sizes[contigs] - args.length)).astype(np.int64)
    cases = {"zoo": _zoo(genome, store, contigs, starts, args), **_bare(genome, store, contigs, starts, args)}
    first = {name: run(slice(0, 64)) for name, run in cases.items()}
    np.testing.assert_array_equal(first["zoo"][0], first["per base"][0])
    np.testing.assert_allclose(first["zoo"][1], first["per base"][1], rtol=1e-5, atol=1e-6)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
    for turn in range(args.repeats + 1):
        for name, run in cases.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run(slice(0, args.windows))
            if turn:
                times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    runs = sum(len(s.runs) for s in store.stores) / sizes.sum() * args.length
    print(f"{args.windows:,} windows of {args.length:,} bp, {len(store.names)} tracks, {runs:.0f} runs a window")
    print(f"bins of {args.bin_size} bp, {args.transform}, {args.threads} threads, n = {args.repeats} turns")
    for name, spent in times.items():
        wall, cpu = (statistics.median(column) for column in zip(*spent, strict=True))
        print(f"{name:10} {args.windows / wall:>11,.0f} windows/s {args.windows / cpu:>11,.0f} per CPU second")
    for other in list(cases)[1:]:
        ratios = [[b[i] / a[i] for a, b in zip(times["zoo"], times[other], strict=True)] for i in (0, 1)]
        print(f"zoo / {other}: {statistics.median(ratios[0]):.2f} by the clock ({min(ratios[0]):.2f} to "
              f"{max(ratios[0]):.2f}), {statistics.median(ratios[1]):.2f} per CPU second")  # fmt: skip
    _memory(cases["zoo"], args)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fasta", help="a genome; a simulated one where it is not given")
    parser.add_argument("--track", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--bp", type=int, default=10_000_000, help="size of the simulated genome (10 Mb)")
    parser.add_argument("--windows", type=int, default=10_240)
    parser.add_argument("--length", type=int, default=2_048)
    parser.add_argument("--bin-size", type=int, default=32)
    parser.add_argument("--transform", default="log1p")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--most", type=int, default=1_000_000, help="windows of the measurement of memory")
    return parser.parse_args()


# Each case gives run(slice of windows) -> codes (N, L), signal (N, A, T) of the last batch.


def _zoo(genome, store, contigs, starts, args):
    out = np.empty((BATCH, args.length), np.uint8)

    def run(part: slice):
        c, s, codes, signal = contigs[part], starts[part], out, None
        for i in range(0, len(s), BATCH):
            n = min(BATCH, len(s) - i)
            codes = genome.windows(c[i : i + n], s[i : i + n], args.length, out=out[:n])
            signal = store.windows(c[i : i + n], s[i : i + n], args.length)
        return codes, signal

    return run


def _bare(genome, store, contigs, starts, args):
    names, size = list(genome.contigs), args.bin_size
    offset = np.concatenate([[0], np.cumsum(list(genome.contigs.values()))])
    codes = np.concatenate([np.asarray(genome.codes(name)) for name in names])
    plain = SignalStore(store.tracks, store.stores, genome, 1, "none")
    bases = np.concatenate([plain.windows([n], [0], genome.contigs[n])[0] for n in names], 1)
    first = offset[contigs] + starts
    mean = np.array([1.0 if s.kind == "fragments" else 1 / size for s in store.stores], np.float32)[:, None]
    function = {"none": lambda x: x, "log1p": np.log1p, "sqrt": np.sqrt}[args.transform]
    whole = bases[:, : bases.shape[1] // size * size].reshape(len(bases), -1, size)
    grid = np.ascontiguousarray(function(whole.sum(2) * mean))
    bins = args.length // size
    pool = ThreadPoolExecutor(args.threads)

    def per_base(s, signal, i):
        window = bases[:, s : s + args.length].reshape(len(bases), bins, size)
        signal[i] = function(window.sum(2) * mean)

    def per_bin(s, signal, i):
        at = min((s + size // 2) // size, grid.shape[1] - bins)
        signal[i] = grid[:, at : at + bins]

    def case(read):
        out = np.empty((BATCH, args.length), np.uint8), np.empty((BATCH, len(bases), bins), np.float32)

        def some(begin, a, b):
            for i in range(a, b):
                s = begin[i]
                out[0][i] = codes[s : s + args.length]
                read(s, out[1], i)

        def run(part: slice):
            begin, n = first[part].tolist(), 0
            for i in range(0, len(begin), BATCH):
                batch = begin[i : i + BATCH]
                n = len(batch)
                bounds = pairwise([n * k // args.threads for k in range(args.threads + 1)])
                list(pool.map(lambda bound, batch=batch: some(batch, *bound), bounds))
            return out[0][:n], out[1][:n]

        return run

    return {"per base": case(per_base), "per bin": case(per_bin)}


def _memory(run, args) -> None:
    """MB beside mapped files after 10^4 windows and after `most` of them."""
    seen, n = {}, 0
    while n < args.most:
        run(slice(0, min(args.windows, args.most - n)))
        n += min(args.windows, args.most - n)
        seen.setdefault("first", (n, _held()))
    print(f"memory: {seen['first'][1]:,.0f} MB after {seen['first'][0]:,} windows, {_held():,.0f} MB after {n:,}")


def _held() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not say how much memory a process holds")


def _simulate(folder: Path, bp: int) -> tuple[str, dict[str, str]]:
    """Four contigs, a bigWig with bins of 10 bp, and fragments of 12 cut sites a kb."""
    import pybigtools

    random, each = np.random.default_rng(0), bp // 4 // 60 * 60
    names = [f"chr{i + 1}" for i in range(4)]
    with (folder / "genome.fa").open("wb") as out:
        for name in names:
            letters = np.frombuffer(b"ACGT", np.uint8)[random.integers(0, 4, each)]
            out.write(
                f">{name}\n".encode()
                + np.hstack([letters.reshape(-1, 60), np.full((each // 60, 1), 10, np.uint8)]).tobytes()
            )

    def records():
        for name in names:
            for i, value in enumerate(random.gamma(0.5, 4.0, each // 10).tolist()):
                yield name, 10 * i, 10 * i + 10, value

    pybigtools.open(str(folder / "fold.bw"), "w").write(dict.fromkeys(names, each), records())
    with (folder / "cuts.frag").open("w") as out:
        for name in names:
            for start in np.sort(random.integers(0, each - 300, 6 * each // 1000)).tolist():
                out.write(f"{name}\t{start}\t{start + 40 + start % 200}\tAAAC\t1\n")
    return str(folder / "genome.fa"), {"fold": str(folder / "fold.bw"), "cuts": str(folder / "cuts.frag")}


if __name__ == "__main__":
    main()
