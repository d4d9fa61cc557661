"""Saturation mutagenesis, all 3 L substitutions of one sequence: ours beside full inference and tangermeme.

    python benchmarks/mutagenesis.py --peer-python tangermeme=/envs/tangermeme/bin/python

Every case runs in a process of its own, one at a time and in turn (A B C A B C ...); medians of the warm calls are
printed, and ratios are of mutations per CPU second, because the machine may be shared.  `first call` is the whole
landscape in a fresh process, imports apart: what is done once (`fixed`: tracing, compiling with empty caches, choosing
a batch size; tangermeme pays it at every call) and the mutants at the warm rate.  Slow cases run mutants spaced evenly
over the landscape.  tangermeme may try its fast path for a job of any size.  Effects are held against full inference
in float64, and must agree to a thousandth of the largest.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from mutagenesis_models import MODELS, Model
from torch import nn
from torch.nn import functional
from torch.utils.benchmark import Timer


class Problem:
    """The module, the codes and the mutants of one model: the same in every process."""

    def __init__(self, model: Model):
        self.model = model
        torch.manual_seed(0)
        self.module = model.build().eval()
        for part in self.module.modules():
            if isinstance(part, nn.BatchNorm1d):
                for values, middle in ((part.weight, 1), (part.bias, 0), (part.running_mean, 0), (part.running_var, 1)):
                    nn.init.uniform_(values, middle - 0.3, middle + 0.3)
        self.codes = np.random.default_rng(1).integers(0, 4, (1, model.length)).astype(np.uint8)
        self.position, self.base = (self.codes[0, :, None] != np.arange(4)).nonzero()
        self.x = functional.one_hot(torch.from_numpy(self.codes).long(), 4).transpose(1, 2).float().contiguous()
        every, self.sample = np.arange(len(self.base)), self._even(model.sample, 0.5)
        more = model.many and np.union1d(self.sample, self._even(model.many - model.sample, 0.25))
        self.mutants = every if more is None else more

    def _even(self, n: int, offset: float) -> np.ndarray:
        return ((np.arange(n) + offset) * len(self.base) / n).astype(int)


def _full(problem: Problem, module: nn.Module, batch: int) -> torch.Tensor:
    """What the module makes of the sample."""
    x, out = problem.x.to(next(module.parameters()).dtype), []
    for i in range(0, len(problem.sample), batch):
        mutants = problem.sample[i : i + batch]
        position, base = (torch.from_numpy(a[mutants]) for a in (problem.position, problem.base))
        mutated, rows = x.repeat(len(base), 1, 1), torch.arange(len(base))
        mutated[rows, :, position] = 0
        mutated[rows, base, position] = 1
        out.append(module(mutated))
    return torch.cat(out)


# Each case is prepared once and gives run() -> effects of the sample, mutants computed, a note[, what was fixed].


def _full_inference(dtype: torch.dtype, tune: bool = False):
    @torch.inference_mode()
    def prepare(problem: Problem):
        from zoo.layers.channels_last import channels_last

        module, x, most = problem.module.to(dtype), problem.x.to(dtype), problem.model.batch
        layouts = {"plain": module, "channels last": channels_last(copy.deepcopy(module))}
        reference, best = module(x), [] if tune else ["plain", most]

        def seconds(layout: str, batch: int) -> float:
            names = {"module": layouts[layout], "x": x.repeat(batch, 1, 1)}
            timer = Timer("module(x)", globals=names, num_threads=torch.get_num_threads())
            return timer.blocked_autorange(min_run_time=0.5).median / batch

        @torch.inference_mode()
        def run():
            if not best:
                tried = [(name, b) for name in layouts for b in (1, 2, 4, 8, 16, 64) if b <= most]
                best.extend(min(tried, key=lambda t: seconds(*t)))
            effects = _full(problem, layouts[best[0]], best[1]) - reference
            return effects, len(problem.sample), f"batch {best[1]}, {best[0]}"

        return run

    return prepare


def _tangermeme(problem: Problem):
    from tangermeme import saturation_mutagenesis as peer

    position, base = (torch.from_numpy(a) for a in (problem.position, problem.base))
    mutants, batch, spent = problem.mutants, min(32, problem.model.batch), []
    wanted = torch.zeros(4, problem.model.length, dtype=torch.bool)
    wanted[base[mutants], position[mutants]] = True
    rows = (wanted.flatten().cumsum(0) - 1).view(wanted.shape)[base[problem.sample], position[problem.sample]]
    fast_path = peer._fast_path

    def timed(*arguments, **keywords):
        since = _clock()
        result = fast_path(*arguments, **keywords)
        spent[:] = (_clock() - since).tolist(), result[0], result[2]
        return result

    # It lays its results out for all bases of all positions, which takes GB and longer than a few mutants of splice.
    peer._single_edits = lambda x, start, end: (wanted.flatten(), *torch.where(wanted))
    peer._fill_identity = lambda y0, i, edits, y: y
    peer._stack_y_hat = lambda y, *shape: y[0]
    peer._FAST_MIN_SECONDS, peer._fast_path = 0.0, timed

    def run():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", peer.TangermemeWarning)
            y, mutated = peer.saturation_mutagenesis(problem.module, problem.x, batch_size=batch, raw_outputs=True)
        fixed, fast, done = spent
        said = [str(w.message) for w in caught if issubclass(w.category, peer.TangermemeWarning)]
        note = f"batch {batch}, {'slow path' if fast is None else 'fast path'} {' '.join(said)}"
        return mutated[rows] - y[0], len(mutants) - done, note, fixed

    return run


def _ours(problem: Problem):
    from zoo.data.edits import Edits
    from zoo.effects.engine.incremental import Incremental

    mutants, module, engines = problem.mutants, problem.module, []
    edits = Edits.substitutions(problem.codes)[mutants]

    def run():
        if not engines:
            shapes = {"one_hot": (4, problem.model.length)}
            engines.append(Incremental(module, lambda x: module(x["one_hot"]), shapes))
        effects = engines[0].effects(problem.codes, edits)
        return effects[np.searchsorted(mutants, problem.sample)], len(mutants), str(engines[0].report)

    return run


CASES = {
    "float64": ("zoo", _full_inference(torch.float64)),
    "naive": ("zoo", _full_inference(torch.float32)),
    "tuned naive": ("zoo", _full_inference(torch.float32, tune=True)),
    "tangermeme": ("tangermeme", _tangermeme),
    "ours": ("zoo", _ours),
}


def _clock() -> np.ndarray:
    """Wall and CPU seconds, those of children with them."""
    return np.array([time.perf_counter(), time.process_time() + sum(os.times()[2:4])])


def _resident(field: str) -> float:
    """MB: VmRSS now, VmHWM at its peak since the last reset."""
    return next(int(v.split()[1]) / 1024 for v in Path("/proc/self/status").open() if v.startswith(field))


def _work(args: argparse.Namespace) -> None:
    """Prepare one case, say so, then run it whenever the parent asks."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(args.threads)
    peer, prepare = CASES[args.worker]
    try:
        run = prepare(Problem(MODELS[args.models[0]]))
        hello = {"torch": torch.__version__} | ({} if peer == "zoo" else {peer: version(peer)})
        print(json.dumps(hello), file=out, flush=True)
        for _ in sys.stdin:
            Path("/proc/self/clear_refs").write_text("5")
            before, since = _resident("VmRSS"), _clock()
            effects, mutants, note, *fixed = run()
            spent, peak = (_clock() - since).tolist(), _resident("VmHWM") - before
            np.save(Path(args.folder) / f"{args.worker}.npy", effects.double().numpy())
            found = {"spent": spent, "peak": peak, "mutants": mutants, "note": note, "fixed": (*fixed, None)[0]}
            print(json.dumps(found), file=out, flush=True)
    except Exception as error:
        kind = "absent" if isinstance(error, ImportError) else type(error).__name__
        print(json.dumps({"error": f"{kind}: {error}"[:300]}), file=out, flush=True)
        raise


def _start(name: str, model: str, folder: str, args: argparse.Namespace) -> dict:
    python = {"zoo": sys.executable, **dict(p.split("=", 1) for p in args.peer_python)}
    if CASES[name][0] not in python:
        return {"process": None, "error": f"absent: give --peer-python {CASES[name][0]}=/path/to/python"}
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    caches = dict.fromkeys(("NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"), f"{folder}/{name}")
    env = {**os.environ, **dict.fromkeys(limits, str(args.threads)), **caches, "CUDA_VISIBLE_DEVICES": ""}
    own = [f"--worker={name}", f"--folder={folder}", f"--threads={args.threads}", "--models", model]
    command = [python[CASES[name][0]], __file__, *own]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    run = {"process": subprocess.Popen(command, **pipes, text=True, env=env), "said": []}
    _listen(run)
    return run


def _listen(run: dict, word: str = "") -> None:
    """Say a word to a worker and keep its answer; let it go where it has failed."""
    run["process"].stdin.write(word)
    run["process"].stdin.flush()
    said = json.loads(run["process"].stdout.readline() or '{"error": "ended without a word"}')
    run["said"].append(said)
    if "error" in said:
        run["process"].communicate()
        run |= {"process": None, **said}


def _figures(run: dict, effects: np.ndarray, truth: np.ndarray, total: int) -> dict:
    """What comes once, the rates of the warm calls, and how close the effects are to the truth."""
    runs = run["said"][1:]
    spent = np.array([np.subtract(r["spent"], r["fixed"] or 0) for r in runs])
    mutants, (wall, cpu) = runs[0]["mutants"], np.median(spent[1:], 0).tolist()
    fixed = max(0.0, spent[0, 0] - wall) if runs[0]["fixed"] is None else runs[0]["fixed"][0]
    top = min(100, len(truth) // 2)
    strongest = [np.argsort(-np.abs(e).reshape(len(e), -1).max(1))[:top] for e in (truth, effects)]
    return {
        "first call s": fixed + total * wall / mutants,
        "fixed s": fixed,
        "mutations/s": mutants / wall,
        "per CPU s": mutants / cpu,
        "peak MB": max(r["peak"] for r in runs),
        "mutants": mutants,
        "n": len(runs) - 1,
        "error": float(np.abs(effects - truth).max()),
        f"of top {top}": len(np.intersect1d(*strongest)),
        "note": runs[0]["note"],
    }


def _benchmark(name: str, args: argparse.Namespace) -> dict:
    """Run the cases of one model and print its table."""
    total = 3 * MODELS[name].length
    with tempfile.TemporaryDirectory() as folder:
        runs = {case: _start(case, name, folder, args) for case in CASES}
        for turn in range(args.repeats + 1):
            for case, run in runs.items():
                if run["process"] is not None and not (turn and case == "float64"):
                    _listen(run, "go\n")
        ran = {case: run for case, run in runs.items() if run["process"] is not None}
        effects = {case: np.load(f"{folder}/{case}.npy") for case in ran}
        for run in ran.values():
            run["process"].communicate()
    truth = effects.pop("float64")
    scale = float(np.abs(truth).max())
    figures = {case: _figures(ran[case], found, truth, total) for case, found in effects.items()}
    beside = {"x naive": "naive", "x tuned": "tuned naive", "x tangermeme": "tangermeme"}
    print(f"\n{name}: {total:,} mutants of {MODELS[name].length:,} bp; largest |effect| {scale:.3g}")
    for i, (case, f) in enumerate(figures.items()):
        f |= {x: f["per CPU s"] / figures[b]["per CPU s"] for x, b in beside.items() if b in figures}
        columns = [column for column in f if column != "note"]
        if i == 0:
            print(f"{'':12}" + "".join(f"{column:>13}" for column in columns))
        print(f"{case:12}" + "".join(f"{f[c]:13,}" if isinstance(f[c], int) else f"{f[c]:13.4g}" for c in columns))
    for case, run in runs.items():
        differs = case in figures and not figures[case]["error"] <= 1e-3 * scale
        note = figures[case]["note"] if case in figures else run.get("error", "ran once")
        print(f"{case}: {note}{', EFFECTS DIFFER' if differs else ''}")
    versions = {k: v for run in ran.values() for k, v in run["said"][0].items()}
    load = os.getloadavg()[0]
    print(f"{args.threads} threads, load {load:.1f} on {os.cpu_count()} cores, {versions}", flush=True)
    return {"cases": figures, "largest effect": scale, "load": load, "versions": versions}


def main() -> int:
    """Print a table for each model; 1 where effects differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="warm calls of each case (3)")
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        _work(args)
        return 0
    results = {name: _benchmark(name, args) for name in args.models}
    if args.json:
        Path(args.json).write_text(json.dumps({"threads": args.threads, "models": results}, indent=2) + "\n")
    return int(not all(c["error"] <= 1e-3 * r["largest effect"] for r in results.values() for c in r["cases"].values()))


if __name__ == "__main__":
    sys.exit(main())
