"""A logo of 500 bp to a PNG: ours beside logomaker, in CPU seconds.

    python benchmarks/logo.py --peer-python logomaker=/envs/logomaker/bin/python --folder /tmp/logos

Both draw the same heights into the same axes, 4 rows of 125 bp, and save them at 130 dots an inch: `contributions` is
a letter a base, as attributions are; `stacks` is all four letters at each base.  `picture` is the whole file that
`zoo attribute -o logos.png` writes of such a window.  Every case runs in a process of its own, one at a time and in
turn (A B C A B C ...); imports are not timed, fonts and glyphs are, at the first call, and medians of n calls in n
fresh processes are printed.  The bar is 3 CPU seconds for `picture`.  Look at the PNGs: a fast logo that cannot be
read is none.
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

ROWS, BAR = 4, 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--bp", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--folder", help="where the PNGs stay; a temporary folder where it is not given")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        _work(args)
        return 0
    args.folder = args.folder or tempfile.mkdtemp(prefix="zoo-benchmark-logo-")
    Path(args.folder).mkdir(parents=True, exist_ok=True)
    python = {"zoo": sys.executable, "logomaker": sys.executable, **dict(p.split("=", 1) for p in args.peer_python)}
    runs = {name: [] for name in CASES}
    for _ in range(args.repeats):
        for name in CASES:
            runs[name].append(_once(name, python[CASES[name][0]], args))
    return _report(runs, args)


def _figure(bp: int):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.75, 1.4 * ROWS), dpi=130)
    FigureCanvasAgg(figure)
    axes = figure.subplots(ROWS, 1)
    return figure, list(zip(axes, range(0, bp, bp // ROWS), strict=True))


def _heights(bp: int, stacks: bool):
    """(4, bp), a 20-bp site every 100 bp and noise elsewhere; the same in every process."""
    import numpy as np

    rng = np.random.default_rng(1)
    heights = rng.normal(0, 0.03, (4, bp))
    for start in range(40, bp, 100):
        heights[:, start : start + 20] += rng.normal(0.6, 0.3, (4, 20))
    codes = rng.integers(0, 4, bp)
    return heights if stacks else heights * (np.arange(4)[:, None] == codes)


def _zoo(stacks: bool):
    def prepare(bp: int):
        from zoo.pictures.logo import draw_logo

        heights = _heights(bp, stacks)

        def run(path: Path) -> None:
            figure, rows = _figure(bp)
            for axes, start in rows:
                draw_logo(axes, heights[:, start : start + bp // ROWS], start)
                axes.set_xlim(start, start + bp // ROWS)
            figure.savefig(path)

        return run

    return prepare


def _picture(bp: int):
    import numpy as np

    import zoo.pictures.attribution  # noqa: F401
    from zoo.attribution.result import Attributed

    heights = _heights(bp, False).astype(np.float32)[None]
    codes = np.abs(heights).argmax(1).astype(np.uint8)
    numbers = np.zeros(1, np.float32)
    attributed = Attributed(codes, heights, "contribution", numbers, "CTCF", {"name": "deeplift_shap"}, ["window"])
    return lambda path: attributed.write(path)


def _logomaker(stacks: bool):
    def prepare(bp: int):
        import logomaker
        import pandas

        heights = _heights(bp, stacks)

        def run(path: Path) -> None:
            figure, rows = _figure(bp)
            for axes, start in rows:
                part = heights[:, start : start + bp // ROWS].T
                frame = pandas.DataFrame(part, columns=list("ACGT"), index=range(start, start + len(part)))
                logomaker.Logo(frame, ax=axes)
            figure.savefig(path)

        return run

    return prepare


CASES = {
    "zoo picture": ("zoo", _picture),
    "zoo contributions": ("zoo", _zoo(False)),
    "logomaker contributions": ("logomaker", _logomaker(False)),
    "zoo stacks": ("zoo", _zoo(True)),
    "logomaker stacks": ("logomaker", _logomaker(True)),
}


def _work(args: argparse.Namespace) -> None:
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401

    run = CASES[args.worker][1](args.bp)
    path = Path(args.folder) / f"{args.worker.replace(' ', '-')}.png"
    wall, cpu = time.perf_counter(), time.process_time()
    run(path)
    print(json.dumps({"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}))


def _once(name: str, python: str, args: argparse.Namespace) -> dict:
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore"}
    command = [python, __file__, f"--worker={name}", f"--folder={args.folder}", f"--bp={args.bp}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        return {"error": (done.stderr.strip().splitlines() or ["ended without a word"])[-1][:200]}
    return json.loads(lines[-1])


def _report(runs: dict[str, list[dict]], args: argparse.Namespace) -> int:
    print(f"{args.bp} bp in {ROWS} rows to PNG, n = {args.repeats} processes, load {os.getloadavg()[0]:.1f}")
    seconds = {}
    for name, found in runs.items():
        failed = next((f["error"] for f in found if "error" in f), None)
        if failed:
            print(f"{name:26} {failed}")
            continue
        cpu, wall = ([f[k] for f in found] for k in ("cpu", "wall"))
        seconds[name] = statistics.median(cpu)
        size = (Path(args.folder) / f"{name.replace(' ', '-')}.png").stat().st_size
        print(
            f"{name:26} {seconds[name]:6.2f} CPU s ({min(cpu):.2f} to {max(cpu):.2f}), "
            f"{statistics.median(wall):6.2f} s of clock, {size / 1e6:.2f} MB"
        )
    for kind in ("contributions", "stacks"):
        if {f"zoo {kind}", f"logomaker {kind}"} <= seconds.keys():
            print(f"{kind}: logomaker / zoo {seconds[f'logomaker {kind}'] / seconds[f'zoo {kind}']:.1f}")
    print(f"PNGs in {args.folder}")
    if args.json:
        Path(args.json).write_text(json.dumps({"cpu_seconds": seconds, "bp": args.bp, "n": args.repeats}) + "\n")
    return 0 if seconds.get("zoo picture", BAR) < BAR else 1


if __name__ == "__main__":
    sys.exit(main())
