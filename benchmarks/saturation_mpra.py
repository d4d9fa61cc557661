"""Saturation mutagenesis MPRA, zero-shot: what the shipped models say of single bases of promoters and enhancers.

    python benchmarks/saturation_mpra.py --data kircher2019_grch37.tsv.gz

Data: Kircher et al. 2019, Nature Communications 10:3583 (GRCh37), for evaluation only; columns Chrom Pos Ref Alt
Barcodes Coefficient Element.  Variants of 10 barcodes or more are kept.  The reference of an element is put together
from Ref; a base that no row tells is N.  Every variant is scored in a window around it that is moved to lie inside the
element; where the element is shorter than the window, the rest is N.  No model was trained on these data, and none is
fitted here.

Per element: Pearson and Spearman of the effect (alternate - reference) with Coefficient over substitutions, with 95 %
intervals of a bootstrap over positions, since the variants of a position share its barcodes' noise and its motif.
Beside them GC, the change of the base's GC (-1, 0, 1); `sign`, the share of variants whose sign is right, and `down`,
the share that always saying down gets right (an effect of zero has no correlation and no sign).  The ceiling is the
correlation between experiments of one element, over the variants that both have.  Deletions are of one base.
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas

import zoo
from zoo.data.codes import encode
from zoo.data.edits import Edits
from zoo.effects.engine.incremental import incremental
from zoo.evaluation.bootstrap import Measure, measure
from zoo.evaluation.metrics import Metric, pearson, spearman
from zoo.outputs import Output

METRICS = {"Pearson": pearson, "Spearman": spearman}
KEY = ["Pos", "Ref", "Alt"]
N = 4


def main() -> int:
    """Print the tables as Markdown."""
    args = _arguments()
    data = pandas.read_csv(args.data, sep="\t", dtype={"Chrom": str}).dropna(subset=["Pos", "Ref", "Alt"])
    data["Pos"] = data["Pos"].astype(np.int64)
    models = {name: zoo.load(name) for name in args.models}
    found = {}
    for element, rows in data.groupby("Element"):
        kept = rows[rows.Barcodes >= args.barcodes].copy()
        codes = _reference(rows)
        for name, model in models.items():
            kept[name] = _effects(model, args.output, codes, kept, int(rows.Pos.min()))
        kept["GC"] = kept.Alt.isin(["G", "C"]).astype(int) - kept.Ref.isin(["G", "C"]).astype(int)
        found[element] = {"bp": len(codes), "kept": kept}
        unknown = int((codes == N).sum())
        print(f"# {element}: {len(codes)} bp, {unknown} of them N, {len(kept):,} variants", file=sys.stderr)
    ceilings = _ceilings(found)
    results = {e: _measures(f["kept"], [*models, "GC"], args.bootstrap) for e, f in found.items()}
    for name in METRICS:
        _table(name, found, results, ceilings, [*models, "GC"])
    _signs(found, [*models])
    _repeats(ceilings)
    if args.json:
        figures = {e: {k: vars(m) for k, m in r.items()} for e, r in results.items()}
        Path(args.json).write_text(json.dumps({"elements": figures, "repeats": ceilings}, indent=2) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--models", nargs="+", default=["ctcf-motif-cnn", "ctcf-dilated-cnn"])
    parser.add_argument("--output", default="CTCF:raw")
    parser.add_argument("--barcodes", type=int, default=10, help="fewest of a variant (10)")
    parser.add_argument("--bootstrap", type=int, default=1000, help="resamples (1,000)")
    parser.add_argument("--json", help="write the figures to this file as well")
    return parser.parse_args()


def _reference(rows: pandas.DataFrame) -> np.ndarray:
    """Codes of the element from the first base that was mutated to the last."""
    first = int(rows.Pos.min())
    codes = np.full(int(rows.Pos.max()) - first + 1, N, np.uint8)
    each = rows.drop_duplicates(["Pos", "Ref"])
    if each.Pos.duplicated().any():
        raise ValueError(f"{rows.Element.iloc[0]}: a position has two references")
    codes[each.Pos.to_numpy() - first] = encode("".join(each.Ref))
    return codes


def _effects(model, output: str, codes: np.ndarray, rows: pandas.DataFrame, first: int) -> np.ndarray:
    """Alternate less reference of every row, in a window inside the element; deletions draw a base in at the right."""
    length = model.spec.input_length
    short = max(0, length - len(codes))
    padded = np.concatenate([np.full(short // 2, N, np.uint8), codes, np.full(short - short // 2 + 1, N, np.uint8)])
    at = rows.Pos.to_numpy() - first + short // 2
    start = np.clip(at - length // 2, 0, len(padded) - 1 - length)
    used, row = np.unique(start, return_inverse=True)
    windows = np.stack([padded[s : s + length + 1] for s in used])
    place = at - start
    edits = [[(int(p), 1, "" if alt == "-" else alt)] for p, alt in zip(place, rows.Alt, strict=True)]
    engine = incremental(model, Output.parse(output, model.spec))
    return engine.effects(windows, Edits.sets(edits, rows=row.reshape(-1)))[:, 0].float().numpy()


def _measures(rows: pandas.DataFrame, predictors: list[str], n_bootstrap: int) -> dict[str, Measure]:
    """{"<metric> <predictor>": measure over substitutions}, and over deletions, without GC."""
    parts = {"": rows[rows.Alt != "-"], " deletions": rows[rows.Alt == "-"]}
    found = {}
    for part, kept in parts.items():
        wide = kept.pivot(index="Pos", columns="Alt", values=["Coefficient", *predictors])
        target = wide["Coefficient"].to_numpy(np.float64)
        for predictor in predictors if not part else [p for p in predictors if p != "GC"]:
            prediction = np.nan_to_num(wide[predictor].to_numpy(np.float64))
            for name, function in METRICS.items():
                metric = Metric(name, _by_position(function), lambda field: True)
                found[f"{name} {predictor}{part}"] = measure(metric, target, prediction, n_bootstrap=n_bootstrap)
    return found


def _by_position(function):
    """The metric over all variants (positions, bases) that were measured, positions being resampled."""

    def metric(target: np.ndarray, prediction: np.ndarray, counts: np.ndarray) -> np.ndarray:
        known = np.isfinite(target)
        return function(target[known], prediction[known], np.repeat(counts, known.sum(1), axis=1))

    return metric


def _ceilings(found: dict) -> list[dict]:
    """Correlations between experiments of one element: those whose variants are at the same places."""
    pairs = []
    for a, b in combinations(found, 2):
        x, y = (found[e]["kept"] for e in (a, b))
        if x.Chrom.iloc[0] != y.Chrom.iloc[0] or not set(x.Pos) & set(y.Pos):
            continue
        both = x[x.Alt != "-"].merge(y, on=KEY)
        values = both.Coefficient_x.to_numpy(), both.Coefficient_y.to_numpy(), np.ones((1, len(both)))
        pairs.append({"a": a, "b": b, "n": len(both), **{m: float(f(*values)[0]) for m, f in METRICS.items()}})
    return pairs


def _table(name: str, found: dict, results: dict, ceilings: list[dict], predictors: list[str]) -> None:
    deletions = [p for p in predictors if p != "GC"]
    columns = [*predictors, "ceiling", "n deletions", *(f"{p}, deletions" for p in deletions)]
    print(f"\n{name}\n\n| element | bp | n | " + " | ".join(columns) + " |")
    print("|---" * (3 + len(columns)) + "|")
    for element, f in found.items():
        r = results[element]
        between = [p[name] for p in ceilings if element in (p["a"], p["b"])]
        ceiling = " to ".join(dict.fromkeys(f"{edge(between):.2f}" for edge in (min, max))) if between else ""
        gone = int((f["kept"].Alt == "-").sum())
        cells = [element, f["bp"], f"{len(f['kept']) - gone:,}", *(_cell(r[f"{name} {p}"]) for p in predictors)]
        cells += [ceiling, gone, *(_cell(r[f"{name} {p} deletions"]) for p in deletions)]
        print("| " + " | ".join(map(str, cells)) + " |")
    for p in predictors:
        own = [r[f"{name} {p}"] for r in results.values()]
        above, below = (sum(sign * (m.low if sign > 0 else m.high) > 0 for m in own) for sign in (1, -1))
        middle = np.median([m.value for m in own])
        print(f"\n{p}: median {middle:+.3f} of {len(own)} experiments; interval above 0 in {above}, below in {below}")


def _cell(m: Measure) -> str:
    return m.note if m.value is None else f"{m.value:+.2f} [{m.low:+.2f}, {m.high:+.2f}]"


def _signs(found: dict, models: list[str]) -> None:
    print("\nSigns\n\n| element | n | down | " + " | ".join(f"sign {m}" for m in models) + " |")
    print("|---" * (3 + len(models)) + "|")
    for element, f in found.items():
        rows = f["kept"][f["kept"].Alt != "-"]
        right = [(np.sign(rows[m]) == np.sign(rows.Coefficient)).mean() for m in models]
        cells = [element, f"{len(rows):,}", f"{(rows.Coefficient < 0).mean():.2f}", *(f"{r:.2f}" for r in right)]
        print("| " + " | ".join(cells) + " |")


def _repeats(ceilings: list[dict]) -> None:
    print("\nBetween experiments\n\n| pair | n | Pearson | Spearman |\n|---|---|---|---|")
    for p in ceilings:
        print(f"| {p['a']}, {p['b']} | {p['n']:,} | {p['Pearson']:.2f} | {p['Spearman']:.2f} |")


if __name__ == "__main__":
    sys.exit(main())
