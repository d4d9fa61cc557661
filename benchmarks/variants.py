"""A VCF on disk to a table of scores, by a network like BPNet: ours beside pyfaidx + torch and tangermeme.

    python benchmarks/variants.py --peer-python tangermeme=/envs/tangermeme/bin/python

The network is `dilated_cnn` (64 channels, eight layers, 2,114 bp) and a mean of the positions, of random weights that
are the same in every process; peers run it as plain torch.  `isolated`: no two variants share a window.  `dense`: one
in 100 bp, each in the middle of a window of its own, and with `share` 1,000 those of one stretch of 1,000 bp in one
window.  The naive case runs reference and alternate of every variant, 64 sequences a batch.

Every case runs in a process of its own, one at a time and in turn; medians of the warm calls are printed, and ratios
are of variants per CPU second, because the machine may be shared.  A call opens genome and VCF and writes a table;
loading the model is apart, but ours traces it in every call.  Slow cases score variants spaced evenly over the file.
Scores are held against the naive case in float64, the same windows: those of our SNVs must agree to 1e-4 of the
largest; others, which subtract two passes in float32 (indels do so in ours too), to 1e-3.  With `share` ranks are
compared with those of centred windows.
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
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from variants_data import LENGTH, load_network, make_genome, make_model, make_vcf, read_vcf

HALF, BATCH = LENGTH // 2, 64
JOBS = {
    "isolated SNVs": ("snvs", {}),
    "isolated, 10 % indels, left anchor": ("mixed", {"anchor": "left"}),
    "isolated, 10 % indels, both anchors": ("mixed", {"anchor": "both"}),
    "dense SNVs": ("dense", {}),
    "dense SNVs, share 1,000": ("dense", {"share": 1000}),
}
BARS = {"isolated SNVs": 2.5, "dense SNVs, share 1,000": 8.0}


def _even(n: int, sample: int) -> np.ndarray:
    return ((np.arange(min(n, sample)) + 0.5) * n / min(n, sample)).astype(int)


# Each case is prepared once and gives run(job) -> (which records were scored, their scores).


def _naive(dtype: torch.dtype):
    def prepare(args):
        import pyfaidx

        network = load_network(args.folder).to(dtype)
        table = torch.zeros(256, 4, dtype=dtype)
        table[[65, 67, 71, 84], range(4)] = 1

        def windows(fasta, contig, at, ref, alt, anchor="left", share=0):
            start = (at // share * share + share // 2 if share else at) - HALF
            longer, edge = len(alt) - len(ref), abs(len(alt) - len(ref))
            text = fasta[contig][start - edge : start + LENGTH + edge]
            i = at - start + edge
            edited = text[:i] + alt + text[i + len(ref) :]
            sides = [edited[edge:][:LENGTH], edited[: edge + LENGTH + longer][-LENGTH:]]
            return [text[edge:][:LENGTH], *sides[: 2 if longer and anchor == "both" else 1]]

        def outputs(texts):
            letters = np.frombuffer("".join(texts).encode(), np.uint8).reshape(-1, LENGTH)
            with torch.inference_mode():
                return network(table[torch.from_numpy(letters.astype(np.int64))].transpose(1, 2).contiguous())[:, 0]

        def run(job):
            file, options = JOBS[job]
            records = read_vcf(args.folder / f"{file}.vcf")
            chosen = _even(len(records), args.sample)
            fasta = pyfaidx.Fasta(str(args.folder / "genome.fa"), as_raw=True, sequence_always_upper=True)
            texts, sizes, parts = [], [], []
            for i in chosen.tolist():
                own = windows(fasta, *records[i], **options)
                texts += own
                sizes.append(len(own))
                while len(texts) >= BATCH:
                    parts.append(outputs(texts[:BATCH]))
                    del texts[:BATCH]
            parts += [outputs(texts)] if texts else []
            each = torch.split(torch.cat(parts), sizes)
            scores = np.array([(y[1:].mean() - y[0]).item() for y in each])
            _write(args.folder / "naive.tsv", [records[i] for i in chosen], scores)
            return chosen, scores

        return run

    return prepare


def _tangermeme(args):
    import pandas
    from tangermeme.io import extract_loci
    from tangermeme.variant_effect import substitution_effect

    network = load_network(args.folder)

    def run(job):
        records = read_vcf(args.folder / f"{JOBS[job][0]}.vcf")
        chosen = _even(len(records), args.sample)
        kept = [records[i] for i in chosen]
        start = np.array([r[1] for r in kept]) - HALF
        loci = pandas.DataFrame({"chrom": [r[0] for r in kept], "start": start, "end": start + LENGTH})
        x = extract_loci(loci, str(args.folder / "genome.fa"), in_window=LENGTH, n_jobs=args.threads)
        base = ["ACGT".index(r[3]) for r in kept]
        edits = torch.tensor(np.stack([np.arange(len(kept)), np.full(len(kept), HALF), base], 1))
        before, after = substitution_effect(network, x, edits, batch_size=BATCH, device="cpu")
        scores = (after - before)[:, 0].numpy()
        _write(args.folder / "tangermeme.tsv", kept, scores)
        return chosen, scores

    return run


def _ours(args):
    from zoo.data.genome import Genome
    from zoo.effects.variants.job import score_file
    from zoo.effects.variants.scorer import Scorer
    from zoo.files.tables import TableWriter
    from zoo.hub.model_folder import load_bundle
    from zoo.variants.files import read_variants

    model = load_bundle(args.folder / "model")

    def run(job):
        file, options = JOBS[job]
        genome = Genome(args.folder / "genome.fa")
        found = score_file(read_variants(args.folder / f"{file}.vcf", genome), Scorer(model, genome, **options))
        scores, column = [], found.columns.index("status") + 1
        with TableWriter(args.folder / "ours.tsv", found.columns, found.comments) as table:
            for chunk in found.chunks:
                for row in chunk.rows:
                    table.row(row)
                    scores.append(row[column])
        return np.arange(len(scores)), np.array(scores, np.float64)

    return run


def _write(path: Path, records: list[tuple], scores: np.ndarray) -> None:
    path.write_text("".join("\t".join(map(str, (*r, s))) + "\n" for r, s in zip(records, scores.tolist(), strict=True)))


SNVS = ("isolated SNVs", "dense SNVs")
CASES = {
    "float64": ("zoo", tuple(JOBS), _naive(torch.float64)),
    "naive": ("zoo", tuple(JOBS), _naive(torch.float32)),
    "tangermeme": ("tangermeme", SNVS, _tangermeme),
    "ours": ("zoo", tuple(JOBS), _ours),
}


def _make(args: argparse.Namespace) -> None:
    """The genome, three VCFs and the model."""
    letters = make_genome(args.folder / "genome.fa", (args.variants + 2) * 2 * LENGTH)
    jitter = np.random.default_rng(1).integers(0, 25, args.variants)
    apart, near = (2 * LENGTH + np.arange(args.variants) * step + jitter for step in (2 * LENGTH, 100))
    make_vcf(args.folder / "snvs.vcf", letters, apart)
    make_vcf(args.folder / "mixed.vcf", letters, apart, indels=0.1)
    make_vcf(args.folder / "dense.vcf", letters, near)
    make_model(args.folder)


def _work(args: argparse.Namespace) -> None:
    """Prepare one case, say so, then run the job that the parent names."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(args.threads)
    warnings.simplefilter("ignore")
    peer, _, prepare = CASES[args.worker]
    try:
        run = prepare(args)
        hello = {"torch": torch.__version__} | ({} if peer == "zoo" else {peer: version(peer)})
        print(json.dumps(hello), file=out, flush=True)
        for line in sys.stdin:
            job = line.rstrip("\n")
            since = _clock()
            chosen, scores = run(job)
            wall, cpu = (_clock() - since).tolist()
            np.save(args.folder / f"{args.worker}-{list(JOBS).index(job)}.npy", np.stack([chosen, scores]))
            print(json.dumps({"wall": wall, "cpu": cpu, "n": len(scores)}), file=out, flush=True)
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), file=out, flush=True)
        raise


def _clock() -> np.ndarray:
    """Wall and CPU seconds, those of children with them."""
    return np.array([time.perf_counter(), time.process_time() + sum(os.times()[2:4])])


def _start(name: str, args: argparse.Namespace) -> dict:
    python = {"zoo": sys.executable, **dict(p.split("=", 1) for p in args.peer_python)}
    peer, run = CASES[name][0], {"process": None, "times": {}, "said": {}}
    if peer not in python:
        return run | {"error": f"absent: give --peer-python {peer}=/path/to/python"}
    limits = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    env = {**os.environ, **dict.fromkeys(limits, str(args.threads)), "CUDA_VISIBLE_DEVICES": ""}
    own = [f"--worker={name}", f"--folder={args.folder}", f"--threads={args.threads}", f"--sample={args.sample}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    run["process"] = subprocess.Popen([python[peer], __file__, *own], **pipes, env=env)
    run["said"] = _listen(run)
    return run


def _listen(run: dict, word: str = "") -> dict:
    """Say a word to a worker and take its answer; let it go where it has failed."""
    run["process"].stdin.write(word)
    run["process"].stdin.flush()
    said = json.loads(run["process"].stdout.readline() or '{"error": "ended without a word"}')
    if "error" in said:
        run |= {"process": None, **said}
    return said


def _figures(case: str, i: int, times: list[dict], args: argparse.Namespace) -> dict[str, float]:
    """Rates of the warm calls, and the largest difference from float64 as a part of the largest score."""
    (chosen, scores), truth = (np.load(args.folder / f"{c}-{i}.npy") for c in (case, "float64"))
    wall, cpu = (statistics.median(t[k] for t in times[1:]) for k in ("wall", "cpu"))
    n, same = times[0]["n"], np.searchsorted(chosen, truth[0])
    error = float(np.abs(scores[same] - truth[1]).max() / np.abs(truth[1]).max())
    return {"per s": n / wall, "per CPU s": n / cpu, "n": n, "first call s": times[0]["wall"], "error": error}


def _report(runs: dict[str, dict], args: argparse.Namespace) -> int:
    differ, figures = False, {}
    print(f"{args.variants:,} variants a file, {LENGTH:,} bp, {args.threads} threads, {args.repeats} warm calls")
    for i, job in enumerate(JOBS):
        print(f"\n{job}\n{'':12}{'per s':>9}{'per CPU s':>11}{'x naive':>9}{'n':>7}{'first call s':>14}{'error':>9}")
        figures[job] = {}
        for case, run in runs.items():
            if "error" in run and job in CASES[case][1]:
                print(f"{case:12} {run['error']}")
            if case == "float64" or job not in run["times"]:
                continue
            f = figures[job][case] = _figures(case, i, run["times"][job], args)
            f["x naive"] = f["per CPU s"] / figures[job]["naive"]["per CPU s"]
            wrong = f["error"] > (1e-4 if case == "ours" and JOBS[job][0] != "mixed" else 1e-3)
            differ |= wrong
            print(
                f"{case:12}{f['per s']:9,.1f}{f['per CPU s']:11,.1f}{f['x naive']:9.2f}{f['n']:7,}"
                f"{f['first call s']:14.1f}{f['error']:9.1e}{'  SCORES DIFFER' if wrong else ''}"
            )
        if job in BARS and "ours" in figures[job]:
            print(f"bar {BARS[job]} x naive: {'met' if figures[job]['ours']['x naive'] >= BARS[job] else 'MISSED'}")
    both = [np.load(args.folder / f"ours-{len(JOBS) - k}.npy")[1].argsort().argsort() for k in (1, 2)]
    ranks, load = float(np.corrcoef(*both)[0, 1]), os.getloadavg()[0]
    versions = {k: v for run in runs.values() for k, v in run["said"].items() if k != "error"}
    print(f"\nrank correlation of shared with centred windows {ranks:.4f} (n = {len(both[0]):,})")
    print(f"{args.threads} threads, load {load:.1f} on {os.cpu_count()} cores, {versions}")
    if args.json:
        found = {"threads": args.threads, "jobs": figures, "ranks": ranks, "load": load, "versions": versions}
        Path(args.json).write_text(json.dumps(found, indent=2) + "\n")
    return int(differ)


def main() -> int:
    """Print a table for each file; 1 where scores differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=1000, help="of each file (1,000)")
    parser.add_argument("--sample", type=int, default=128, help="variants that the slow cases score (128)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3, help="warm calls of each case (3)")
    parser.add_argument("--peer-python", action="append", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--folder", type=Path, help="for the files; a temporary one where not given")
    parser.add_argument("--json", help="write the figures to this file as well")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        _work(args)
        return 0
    args.folder = args.folder or Path(tempfile.mkdtemp(prefix="zoo-benchmark-variants-"))
    args.folder.mkdir(parents=True, exist_ok=True)
    _make(args)
    runs = {name: _start(name, args) for name in CASES}
    for repeat in range(args.repeats + 1):
        for job in JOBS:
            for name, run in runs.items():
                if run["process"] is not None and job in CASES[name][1] and (name != "float64" or not repeat):
                    said = _listen(run, f"{job}\n")
                    run["times"].setdefault(job, []).extend([said] if "wall" in said else [])
    return _report(runs, args)


if __name__ == "__main__":
    sys.exit(main())
