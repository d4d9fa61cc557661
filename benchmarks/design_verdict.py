"""Designs of E. coli promoters against a model, and against one of shuffled values, judged by an independent one.

    python benchmarks/design_verdict.py --data DATA --out FOLDER [--starts 100] [--edits 20 40] [--method greedy]
        [--seed 0]

Models are trained by `zoo train data=table` (kept in FOLDER, and not trained again): "designer" (residual_cnn) on one
half of the promoters, "judge" (dilated_cnn) and "judge-2" (motif_cnn) on the other, which shares no word of 20
bp with the first, and "sabotaged", which is "designer" with shuffled values.  `zoo design` then changes the same test
promoters against "designer" and against "sabotaged": no site of BsaI, GC content of 40 to 60 %, the first 20 bp
protected; both judge.

A row a model and number of edits: share of designs that obey, the judge's medians of starts and designs beside the 95th
percentile of natural promoters, nearest training sequence, diversity, the verdict.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from design_verdict_data import read_promoters, write_starts, write_tables

from zoo.terminal.columns import align

PROMOTERS = "constructs/gpro/ecoli_165_cross_species_wanglab/ecoli_mpra_expr.csv.gz"
ENCODERS = {
    "designer": ["encoder=residual_cnn"],
    "judge": ["encoder=dilated_cnn", "encoder.channels=48", "encoder.layers=5"],
    "judge-2": ["encoder=motif_cnn", "encoder.filters=128"],
    "sabotaged": ["encoder=residual_cnn"],
}
CONSTRAINTS = ("gc=40-60%", "avoid=BsaI", "protect=1-20")
HEADINGS = (
    "model", "edits", "n", "obey", "start, judge", "design, judge", "95 % natural", "percentile", "nearest", "distance",
    "seconds", "verdict",
)  # fmt: skip


def main() -> int:
    """Train, design, judge, print."""
    args = _arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    tables = write_tables(*read_promoters(args.data / PROMOTERS), args.out / "tables", args.seed)
    starts = args.out / "starts.fasta"
    write_starts(tables["designer"], starts, args.starts, args.seed)
    for name, words in ENCODERS.items():
        if not (args.out / name / "model").is_dir():
            table = [
                f"data.table={tables[name.removesuffix('-2')]}",
                "data.targets=[activity]",
                "data.splits.column=split",
            ]
            run = [f"name={name}", f"output_dir={args.out / name}", f"seed={args.seed}"]
            run += ["objective=squared_error", "strand=none"]
            _run("train", "data=table", *table, *run, *words, "evaluation.bootstrap=200")
    rows = [list(HEADINGS)]
    for name in ("designer", "sabotaged"):
        for edits in args.edits:
            rows.append(_design(args.out, name, edits, starts, args.method))
    print("\n".join(align(rows)))
    return 0


def _design(out: Path, name: str, edits: int, starts: Path, method: str) -> list[str]:
    from zoo.files.tables import read_table

    path, began = out / f"{name}_{method}_{edits}.tsv", time.perf_counter()
    constraints = [word for constraint in CONSTRAINTS for word in ("--constraint", constraint)]
    search = ["--objective", "activity", "--method", method, "--edits", str(edits), *constraints]
    controls = ["--natural", str(out / "tables" / "library.fasta"), "--training", str(out / "tables" / "training.tsv")]
    files = ["-o", str(path), "-o", str(path.with_suffix(".png")), "-o", str(path.with_suffix(".gb"))]
    judge = ["--judge", str(out / "judge"), "--judge", str(out / "judge-2")]
    _run("design", str(starts), "--model", str(out / name), *search, *judge, *controls, *files, "--resume")
    seconds = time.perf_counter() - began
    comments, table = read_table(path)

    def middle(column: str) -> str:
        return f"{median(float(row[column]) for row in table if row[column] != 'NA'):.3g}"

    obey = sum(row["constraints_broken"] == "" for row in table) / len(table)
    columns = ("judge.start", "judge.value")
    return [
        name, str(edits), str(len(table)), f"{obey:.0%}", *map(middle, columns),
        comments["judge.judge.natural"].rpartition(" ")[2], middle("judge.percentile"), middle("nearest_distance"),
        comments["designs.mean_distance"], f"{seconds:.0f}", comments["verdict"],
    ]  # fmt: skip


def _run(*words: str) -> None:
    """`zoo` with these words; ends the benchmark where it fails."""
    print("zoo", *words, file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "zoo.cli.main", *words], check=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--out", type=Path, required=True, help="folder for tables, models and designs")
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--edits", type=int, nargs="+", default=[20, 40])
    parser.add_argument("--method", default="greedy")
    parser.add_argument("--seed", type=int, default=0, help="of the division, the training and the starts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
