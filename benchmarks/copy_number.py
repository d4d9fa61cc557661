"""A network for copy number beside tuned baselines, on the same simulated samples, by length of the event.

    python benchmarks/copy_number.py --model copy-number --tune 30 --test 100

Samples are drawn from the frozen settings of the simulator (`zoo_copy_number.source.FROZEN`) in five groups: genomes in
bins of 1 to 500 kb, exomes and panels (with off-target bins) each with and without a pooled reference.  Baselines are
tuned for each group on samples of one seed, and everybody is judged on those of another that nothing else uses; nobody
is told the purity.  `circular binary` needs R and DNAcopy and is left out without them.  Rules of counting:
`zoo_copy_number.event_accuracy`; bins without a call count as missed.  Network and baselines are told the sex.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from math import prod

import numpy as np

from zoo.terminal.progress import counting
from zoo_copy_number.baselines import BASELINES, call_baseline, tune
from zoo_copy_number.baselines.change_points import CircularBinary
from zoo_copy_number.calibration import TEST
from zoo_copy_number.evaluation import GROUPS, TRUSTED, count_trusted, reliability, simulate_group
from zoo_copy_number.event_accuracy import count, table
from zoo_copy_number.simulation import SimulatedSample


def judged(samples: list[SimulatedSample], copies_of) -> tuple[list[np.ndarray], float]:
    """Counts by sample, and the median seconds of one."""
    counts, seconds = [], []
    for s in samples:
        began = time.perf_counter()
        copies = copies_of(s)
        seconds.append(time.perf_counter() - began)
        usable = s.bins.mask & np.isfinite(s.bins.depth)
        counts.append(count(copies, s.expected, s.bins.contig, usable, s.events))
    return counts, float(np.median(seconds))


def main() -> None:
    """Tune, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a published model, or the model folder of a run")
    parser.add_argument("--tune", type=int, default=30, help="samples to choose settings on, in each group")
    parser.add_argument("--test", type=int, default=100, help="samples to judge on, in each group")
    parser.add_argument("--bins", type=int, default=12_000, help="bins of a sample, about")
    parser.add_argument(
        "--seed", type=int, default=TEST, help="of the test samples; those to tune on have seed + 1,000"
    )
    parser.add_argument("--only", choices=[*BASELINES, "none"], action="append", help="one baseline; may be repeated")
    parser.add_argument("--group", choices=GROUPS, action="append", help="one group; may be given again")
    args = parser.parse_args()

    for group in args.group or GROUPS:
        test = simulate_group(group, args.test, args.bins, args.seed)
        print(f"\n=== {group}: {len(test)} samples, {sum(len(s.events) for s in test):,} events", flush=True)
        if args.model:
            held = []
            show("network", *judged(test, network_of(args.model, held)))
            wrong, kept, calls, events = reliability(held)
            print(f"calls of quality >= {TRUSTED:g}: wrong {wrong} of {calls:,}")
            print(f"events >= 10 bins that they hold: {kept} of {events:,}")
        known = simulate_group(group, args.tune, args.bins, args.seed + 1000)
        for name in args.only or BASELINES:
            if name in BASELINES:
                beside(name, known, test)


def network_of(name: str, held: list[np.ndarray]):
    """A function from a sample to the copies of its bins; what its trusted calls hold is added to `held`."""
    import zoo
    from zoo_copy_number.caller import call_sample

    model = zoo.load(name)

    def copies(s: SimulatedSample) -> np.ndarray:
        called = call_sample(model, s.bins, sex="male" if s.male else "female")
        held.append(count_trusted(called, s))
        return called.copies

    return copies


def beside(name: str, known: list[SimulatedSample], test: list[SimulatedSample]) -> None:
    """Tune a baseline on the known samples, and show it on the others."""
    if name == "circular binary" and not CircularBinary.installed():
        print(f"{name}: left out, Rscript does not find DNAcopy")
        return
    steps = prod(map(len, BASELINES[name].prepares.values())) * len(known)
    with counting(steps, label=f"tuning {name}", unit="runs") as advance:
        chosen, score = tune(BASELINES[name](), known, advance=advance)
    settings = ", ".join(f"{k} {v:g}" for k, v in asdict(chosen).items())
    show(
        f"{name} ({settings}; F1 {score:.3f} where tuned)",
        *judged(test, lambda s: call_baseline(chosen, s.bins, s.expected)),
    )


def show(name: str, counts: list[np.ndarray], seconds: float) -> None:
    """Rows by length, and one of all lengths for each direction."""
    rows = [(f"{r.length} bins" if r.length else "all", r) for r in table(counts)]
    rows += [(f"all {way}", table(counts, direction=way)[-1]) for way in ("DEL", "DUP")]
    print(f"\n{name}, {seconds:.3f} s a sample (median)")
    print(f"{'':24}{'events':>7}{'recall':>22}{'calls':>7}{'precision':>22}{'F1':>22}")
    for label, r in rows:
        print(f"{label:24}{r.events:7,}{r.recall!s:>22}{r.calls:7,}{r.precision!s:>22}{r.f1!s:>22}", flush=True)


if __name__ == "__main__":
    main()
