"""What a network for copy number has to beat: tuned baselines on simulated samples, by length of the event.

    python benchmarks/copy_number_baselines.py --tune 24 --test 60

Samples are drawn from four kinds of design in turn: a genome in bins of 1 kb (shortened) and of 50 kb, targets with a
pooled reference, targets and off-target bins with one.  Settings are chosen on samples of one seed and judged on those
of another, with designs of their own; nobody is told the purity.  `circular binary` needs R and DNAcopy and is left
out without them.  Rules of counting: `zoo_copy_number.scoring`; bins without a call count as missed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from math import prod

import numpy as np

from zoo.progress import counting
from zoo_copy_number.baselines import BASELINES, call, tune
from zoo_copy_number.baselines.segments import CircularBinary
from zoo_copy_number.scoring import count, table
from zoo_copy_number.simulate import Simulated, genome_design, simulate_sample, target_design, with_reference
from zoo_copy_number.tracks import log2_depth

SAMPLES_A_DESIGN = 10


def draw(seed: int, n: int, bins: int) -> dict[str, list[Simulated]]:
    """About n samples of `bins` bins, as many of each kind of design."""
    rng = np.random.default_rng(seed)
    kinds = {
        "genome, 1 kb": lambda: genome_design(rng, width=1000, bins=bins),
        "genome, 50 kb": lambda: genome_design(rng, width=50_000, bins=bins),
        "targets": lambda: with_reference(rng, target_design(rng, targets=bins)),
        "targets and off-target": lambda: with_reference(
            rng, target_design(rng, targets=bins // 4, off_target=150_000)
        ),
    }
    each = -(-n // len(kinds))
    out = {name: [] for name in kinds}
    with counting(n, label="simulating", unit="samples") as advance:
        for name, make in kinds.items():
            while len(out[name]) < each:
                design = make()
                for _ in range(min(SAMPLES_A_DESIGN, each - len(out[name]))):
                    out[name].append(simulate_sample(rng, design))
                    advance(1)
    return out


def describe(kinds: dict[str, list[Simulated]]) -> None:
    """Least, median and most of what the samples are like."""
    print(f"\n{'':24}{'log2 sd of neighbours':>24}{'GC correlation':>24}{'events':>8}{'altered':>9}{'purity 1':>9}")
    for name, samples in kinds.items():
        noise, gc = [], []
        for s in samples:
            known = s.bins.mask & (s.bins.depth > 0) & (s.expected > 0)
            log2 = log2_depth(s.bins) - s.log2_ratio
            if s.bins.reference is not None:
                log2 = log2 - s.bins.reference
            known &= np.isfinite(log2)
            noise.append(1.4826 * np.median(np.abs(np.diff(log2[known]))) / 2**0.5)
            known &= np.isfinite(s.bins.gc)
            gc += [np.corrcoef(log2[known], s.bins.gc[known])[0, 1]] if known.any() else []
        spans = ["/".join(f"{q:.2f}" for q in np.quantile(v, (0, 0.5, 1))) for v in (noise, gc)]
        events = np.mean([len(s.events) for s in samples])
        altered = np.mean([(s.copies != s.expected)[s.bins.mask].mean() for s in samples])
        pure = np.mean([s.purity == 1 for s in samples])
        print(f"{name:24}{spans[0]:>24}{spans[1]:>24}{events:8.1f}{altered:9.1%}{pure:9.0%}")


def main() -> None:
    """Tune, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tune", type=int, default=24, help="samples to choose settings on")
    parser.add_argument("--test", type=int, default=60, help="samples to judge on")
    parser.add_argument("--bins", type=int, default=20_000, help="bins of a sample, about")
    parser.add_argument("--seed", type=int, default=0, help="of the test samples; those to tune on have seed + 1,000")
    parser.add_argument("--only", choices=BASELINES, action="append", help="one baseline; may be given again")
    args = parser.parse_args()

    known, test = draw(args.seed + 1000, args.tune, args.bins), draw(args.seed, args.test, args.bins)
    describe(test)
    for name in args.only or BASELINES:
        if name == "circular binary" and not CircularBinary.installed():
            print(f"\n{name}: left out, Rscript does not find DNAcopy")
            continue
        began, samples = time.perf_counter(), [s for group in known.values() for s in group]
        steps = prod(map(len, BASELINES[name].prepares.values())) * len(samples)
        with counting(steps, label=f"tuning {name}", unit="runs") as advance:
            chosen, score = tune(BASELINES[name](), samples, advance=advance)
        settings = ", ".join(f"{k} {v:g}" for k, v in asdict(chosen).items())
        print(f"\n{name}: {settings}; F1 {score:.3f} on {len(samples)} samples, {time.perf_counter() - began:.0f} s")
        counts, seconds = {}, []
        for kind, samples in test.items():
            counts[kind] = []
            for s in samples:
                began = time.perf_counter()
                copies = call(chosen, s.bins, s.expected)
                seconds.append(time.perf_counter() - began)
                counts[kind].append(count(copies, s.expected, s.bins.contig, s.bins.mask, s.events))
        show(counts)
        print(f"{np.median(seconds):.3f} s a sample (median)")


def show(counts: dict[str, list[np.ndarray]]) -> None:
    """Rows by length over all designs, then one of all lengths for each kind of design and each direction."""
    pooled = [c for group in counts.values() for c in group]
    rows = [(f"{r.length} bins" if r.length else "all", r) for r in table(pooled)]
    rows += [(f"all {way}", table(pooled, direction=way)[-1]) for way in ("DEL", "DUP")]
    rows += [(kind, table(c)[-1]) for kind, c in counts.items()]
    print(f"{'':24}{'events':>7}{'recall':>22}{'calls':>7}{'precision':>22}{'F1':>22}")
    for name, r in rows:
        print(f"{name:24}{r.events:7,}{r.recall!s:>22}{r.calls:7,}{r.precision!s:>22}{r.f1!s:>22}")


if __name__ == "__main__":
    main()
