"""The default training on a panel of sixteen sets, beside what people use on small sets.

    python benchmarks/first_training.py --data DATA --out panel.tsv [--cut 0 500 2000] [--seeds 0 1 2] [--sets ctcf pu1]
        [--split validation] [--set members=5 ...] [--no-gkm]

Every set is trained by `zoo train data=table data.table=SET` (objective=squared_error for measured values), by nothing
else, unless `--set` says so.  Rivals: k-mer logistic or ridge regression, GC, dinucleotides, and a gapped
k-mer SVM (as many training rows as take about 100 seconds; the table says how many).  Rivals and the paired bootstrap
are of the first seed.  `--split validation` is for choosing; the test rows are for the end.

A row a set, cut and seed: AUROC (Pearson for measured values) of the model, of every rival, ECE, seconds of CPU.  The
summary is over sets: mean of the model less its best rival, with a 95 % interval of a bootstrap over sets.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from first_training_panel import Set, panel

COLUMNS = (
    "set cut seed split n_train n metric model low high 6-mer gkm-SVM 2-mer GC best_rival less_rival low_paired "
    "high_paired ece gkm_rows epoch cpu_s"
).split()

RIVALS = ("6-mer", "gkm-SVM", "2-mer", "GC", "gkm_rows")


def main() -> int:
    """Train, evaluate, print; a row that is in the output already is not computed again."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        sets = panel(args.data, args.tables or Path(scratch) / "tables")
        done = _read(args.out)
        for cut in args.cut:
            for name in args.sets or sets:
                chosen = sets[name].cut(cut, Path(scratch)) if cut else sets[name]
                if chosen is None:
                    print(f"# {name}: no more than {cut:,} training rows", file=sys.stderr)
                    continue
                other = next((row for (s, c, _), row in done.items() if (s, c) == (name, str(cut))), None)
                rivals: dict[str, Any] = {k: other[k] for k in RIVALS} if other else {}
                for seed in args.seeds:
                    key = (name, str(cut), str(seed))
                    if key not in done:
                        row = _row(chosen, cut, seed, args, Path(scratch), rivals)
                        done[key] = {k: str(v) for k, v in row.items()}
                        _append(args.out, row)
                        print("  ".join(f"{row[k]}" for k in COLUMNS), file=sys.stderr, flush=True)
                    rivals = rivals or {k: done[key][k] for k in RIVALS}
    _summarise(list(done.values()))
    return 0


def _row(chosen: Set, cut: int, seed: int, args: Any, scratch: Path, rivals: dict[str, Any]) -> dict[str, Any]:
    from zoo.config import compose
    from zoo.training.run import train

    folder = scratch / "run"
    overrides = [
        "data=table",
        f"data.table={chosen.table}",
        "data.targets=[label]",
        "data.splits.column=split",
        f"name={chosen.name}",
        f"seed={seed}",
        f"output_dir={folder}",
        f"evaluation.split={args.split}",
        f"evaluation.bootstrap={args.bootstrap}",
        *(["objective=squared_error"] if chosen.regression else []),
        *(["evaluation.rivals=[gkm-svm]"] if args.gkm and not rivals else []),
        *args.set,
    ]
    since = time.process_time()
    result = train(compose(overrides))
    seconds = time.process_time() - since
    metric = "pearson" if chosen.regression else "auroc"
    model = next(r for r in result.metrics if not r["baseline"] and r["metric"] == metric)
    ece = next((r["value"] for r in result.metrics if not r["baseline"] and r["metric"] == "ece"), None)
    row: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    row |= {"set": chosen.name, "cut": cut, "seed": seed, "split": args.split, "n": model["n"], "metric": metric}
    row |= {"n_train": sum(line.endswith("\ttrain") for line in chosen.table.read_text().splitlines())}
    row |= {"model": _short(model["value"]), "low": _short(model["low"]), "high": _short(model["high"])}
    row |= rivals or _rivals(result.metrics, metric)
    values = {k: float(row[k]) for k in ("6-mer", "gkm-SVM", "2-mer", "GC") if row[k] not in ("", None)}
    row["best_rival"] = max(values, key=lambda k: values[k])
    row["less_rival"] = _short(model["value"] - values[row["best_rival"]])
    if model.get("difference") is not None:
        row |= {"low_paired": _short(model["difference_low"]), "high_paired": _short(model["difference_high"])}
    row |= {"ece": _short(ece), "epoch": _best_epoch(result.model_folder), "cpu_s": round(seconds, 1)}
    shutil.rmtree(folder)
    return row


def _rivals(rows: Any, metric: str) -> dict[str, Any]:
    """{rival: value}, and the rows that the SVM was fitted to."""
    values: dict[str, Any] = {}
    for row in rows:
        if row["baseline"] and row["metric"] == metric:
            name = next((k for k in ("6-mer", "2-mer", "gkm-SVM", "GC") if row["predictor"].startswith(k)), None)
            if name:
                values[name] = _short(row["value"])
            if name == "gkm-SVM":
                values["gkm_rows"] = row["note"]
    return values


def _best_epoch(folder: Path) -> Any:
    import zoo

    training = zoo.load(str(folder)).spec.training
    return training.get("best_epoch", "")


def _short(value: Any) -> Any:
    return "" if value is None else round(float(value), 4)


def _read(path: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    if not path.is_file():
        return {}
    with path.open(newline="") as file:
        return {(r["set"], r["cut"], r["seed"]): r for r in csv.DictReader(file, delimiter="\t")}


def _append(path: Path, row: dict[str, Any]) -> None:
    is_new = not path.is_file()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t")
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def _summarise(rows: list[dict[str, str]]) -> None:
    """Mean over seeds by set, then over sets, as Markdown."""
    for cut in sorted({int(r["cut"]) for r in rows}):
        own = [r for r in rows if int(r["cut"]) == cut]
        print(f"\n## {f'{cut:,} training rows' if cut else 'all training rows'}\n")
        print(
            "| set | n train | n | metric | model, mean of seeds (each) | 6-mer | gkm-SVM | less the best rival | ECE |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        less, small = [], []
        for name in dict.fromkeys(r["set"] for r in own):
            some = [r for r in own if r["set"] == name]
            each = [float(r["model"]) for r in some]
            best = max(float(some[0][k]) for k in ("6-mer", "gkm-SVM", "2-mer", "GC") if some[0][k])
            less.append(np.mean(each) - best)
            if some[0]["gkm-SVM"]:
                small.append(np.mean(each) - float(some[0]["gkm-SVM"]))
            ece = np.mean([float(r["ece"]) for r in some]) if some[0]["ece"] else np.nan
            shown = ", ".join(f"{x:.3f}" for x in each)
            first = some[0]
            print(
                f"| {name} | {int(first['n_train']):,} | {int(first['n']):,} | {first['metric']} | {np.mean(each):.3f} "
                f"({shown}) | {first['6-mer']} | {first['gkm-SVM']} | {less[-1]:+.3f} | "
                f"{'' if np.isnan(ece) else f'{ece:.3f}'} |"
            )
        for what, x in (("best rival", less), ("gkm-SVM", small)):
            if x:
                means = np.random.default_rng(0).choice(x, (10_000, len(x))).mean(1)
                low, high = np.quantile(means, [0.025, 0.975])
                print(f"\nless the {what}: mean over {len(x)} sets {np.mean(x):+.4f} [{low:+.4f}, {high:+.4f}]")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--out", type=Path, required=True, help="TSV; rows in it are not computed again")
    parser.add_argument("--tables", type=Path, help="folder to keep the panel's tables in")
    parser.add_argument("--cut", type=int, nargs="+", default=[0], help="training rows, 0 for all")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sets", nargs="+")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    parser.add_argument("--bootstrap", type=int, default=200)
    parser.add_argument("--set", nargs="+", default=[], help="overrides of the default command")
    parser.add_argument("--no-gkm", dest="gkm", action="store_false")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
