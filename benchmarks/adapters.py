"""Low-rank adapters beside the head alone, all weights, and training from scratch, on 500 examples of a new task.

    python benchmarks/adapters.py --data DATA --task pu1 --trunk ctcf-dilated-cnn --out pu1.tsv
        [--splits 5] [--train 500] [--rank 4] [--judge validation] [--set trainer.max_epochs=20 ...] [--threads 1]
    python benchmarks/adapters.py --simulated --out simulated.tsv

--task, and --trunk where it is no published model's name, are sets of `first_training_panel.py`; such a trunk is
trained on its set's rows (`--trunk-rows`) and published into a folder first.  Every split draws training rows (half of
them again for validation) from the task's training and validation rows, by its number; the test rows are 2,000 of the
task's, the same for all, less those that the trunk's set holds too.  The four ways have the same rows, head,
optimiser and seed:

head      init=TRUNK freeze_encoder=true        adapters  init=TRUNK tune=lora
all       init=TRUNK                            scratch   the trunk's encoder with fresh weights

`--judge validation` is for choosing; the test rows are for the end.  A row a split and way: AUROC (Pearson for
measured values), bytes of model.safetensors, of its heads alone, seconds of CPU.  Then means and paired differences.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from first_training_panel import SPLITS, Set, panel

COLUMNS = "task trunk way split n_train n_test metric value trained bytes head_bytes cpu_s".split()
WAYS = ("head", "adapters", "all", "scratch")


def main() -> int:
    """Publish the trunk, train, print; a row that is in the output already is not computed again."""
    args = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("ZOO_CACHE", f"{scratch}/cache")
        tables = args.tables or Path(scratch) / "tables"
        sets = _simulated(tables) if args.simulated else panel(args.data, tables)
        trunk = _trunk(args, sets, Path(scratch))
        task = sets[args.task]
        rows = _read(args.out)
        for split in range(args.splits):
            table = _draw(
                task, split, args.train, Path(scratch), sets[args.trunk].table if args.trunk in sets else None
            )
            for way in args.ways:
                if not any((r["way"], r["split"]) == (way, str(split)) for r in rows):
                    row = {**_train(way, trunk, table, task, split, args, Path(scratch)), "trunk": args.trunk}
                    rows.append({k: str(row[k]) for k in COLUMNS})
                    _append(args.out, rows[-1])
                    print("  ".join(rows[-1].values()), file=sys.stderr, flush=True)
    _summarise(rows)
    return 0


def _train(way: str, trunk: Any, table: Path, task: Set, split: int, args: Any, scratch: Path) -> dict[str, Any]:
    """One run, its test metric, and what its folder weighs."""
    from safetensors.torch import load_file

    import zoo
    from zoo.config import compose
    from zoo.evaluation.evaluate import evaluate
    from zoo.training.plan import TrainingPlan
    from zoo.training.run import train

    folder = scratch / f"{way}_{split}"
    ways = {
        "head": [f"init={trunk.source}", "freeze_encoder=true"],
        "adapters": [f"init={trunk.source}", "tune=lora", f"tune.rank={args.rank}"],
        "all": [f"init={trunk.source}"],
        "scratch": [f"encoder={trunk.spec.encoder['name']}"]
        + [f"encoder.{k}={json.dumps(v)}" for k, v in trunk.spec.encoder.items() if k not in ("name", "tied")],
    }
    strand = "tied" if trunk.spec.encoder.get("tied") else args.strand
    words = [
        *(f"{key}={value}" for key, value in (("data", "table"), ("data.table", table), ("strand", strand))),
        *("data.targets=[label]", "data.splits.column=split", "head.hidden=0", "head.dropout=0", "name=tuned"),
        *(f"seed={split}", f"output_dir={folder}", "evaluation.split=validation", "evaluation.bootstrap=2"),
        *(["objective=squared_error"] if task.regression else []),
        *(f"trainer.{setting}" for setting in ("bar=false", "logger=none", f"threads={args.threads}")),
        *ways[way],
        *(word for word in args.set if way == "adapters" or not word.startswith("tune.")),
    ]
    before = time.process_time()
    config = compose(words)
    result = train(config)
    model, source = zoo.load(result.model_folder), TrainingPlan.of(config).source
    rows = evaluate(model, source, args.judge, baselines=False, n_bootstrap=2).rows
    row = next(r for r in rows if r["metric"] == ("pearson" if task.regression else "auroc"))
    stored = load_file(result.model_folder / "model.safetensors")
    training = json.loads((result.model_folder / "config.json").read_text())["training"]
    whole = sum(x.numel() for x in stored.values())
    return {
        "task": task.name,
        "way": way,
        "split": split,
        "n_train": args.train,
        "n_test": row["n"],
        "metric": row["metric"],
        "value": f"{row['value']:.4f}",
        "trained": training.get("tune", {}).get("trained_weights", whole),
        "bytes": (result.model_folder / "model.safetensors").stat().st_size,
        "head_bytes": sum(x.nbytes for name, x in stored.items() if name.startswith("heads.")),
        "cpu_s": round(time.process_time() - before),
    }


def _trunk(args: Any, sets: dict[str, Set], scratch: Path) -> Any:
    """The published model, loaded; trained and published first where it is a set of the panel."""
    import zoo
    from zoo.config import compose
    from zoo.training.publication import publish
    from zoo.training.run import train

    if args.trunk not in sets:
        return zoo.load(args.trunk)
    hub = args.hub or scratch / "hub"
    name = args.trunk.replace("_", "-")
    if not (hub / name).is_dir():
        table = sets[args.trunk].cut(args.trunk_rows, scratch) or sets[args.trunk]
        words = [
            *("data=table", f"data.table={table.table}", "data.targets=[label]", "data.splits.column=split"),
            *(f"strand={args.strand}", f"name={name}", f"output_dir={scratch / 'trunk'}", "evaluation.bootstrap=20"),
            *(["objective=squared_error"] if table.regression else []),
            *("trainer.bar=false", "trainer.logger=none", f"trainer.threads={args.threads}"),
            *(word for word in args.set if not word.startswith("tune.")),
        ]
        publish(train(compose(words)).folder, name, str(hub))
    return zoo.load(f"file://{hub.resolve()}/{name}")


def _draw(task: Set, split: int, n: int, scratch: Path, trunk: Path | None) -> Path:
    """A table of n training rows and n / 2 for validation, drawn by the split's number, and the test rows.

    trunk: the table of the trunk's set, whose sequences are no test rows.
    """
    with open(task.table) as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    pool = [r for r in rows if r["split"] != "test"]
    test = [r for r in rows if r["split"] == "test"]
    test = [test[i] for i in np.random.default_rng(0).permutation(len(test))[:2000]]
    order = np.random.default_rng(1000 + split).permutation(len(pool))[: n + n // 2]
    seen = set()
    if trunk is not None:
        with open(trunk) as file:
            seen = {r["sequence"] for r in csv.DictReader(file, delimiter="\t")}
    test = [r for r in test if r["sequence"] not in seen]
    chosen = [(pool[i], "train" if at < n else "validation") for at, i in enumerate(order)]
    path = scratch / f"{task.name}_{split}.tsv"
    lines = [f"{r['sequence']}\t{r['label']}\t{part}\n" for r, part in [*chosen, *((r, "test") for r in test)]]
    path.write_text("sequence\tlabel\tsplit\n" + "".join(lines))
    return path


def _simulated(folder: Path) -> dict[str, Set]:
    """A trunk that knows GATA1 and SPI1, and a task of 500 that needs SPI1 and CTCF."""
    from zoo.data.codes import decode
    from zoo.registry import registry

    folder.mkdir(parents=True, exist_ok=True)
    sets = {}
    for name, motifs, seed in (("sim_trunk", ["SPI1", "GATA1"], 1), ("sim_task", ["SPI1", "CTCF"], 2)):
        arguments = {"motifs": motifs, "length": 100, "seed": seed, "n_train": 4_000, "n_validation": 500}
        source = registry().build("data", "simulated", arguments)
        path = folder / f"{name}.tsv"
        with open(path, "w") as file:
            file.write("sequence\tlabel\tsplit\n")
            for split in SPLITS:
                batch = source.examples(split).batch(np.arange(len(source.examples(split))))
                labels = batch["target/binding"].max(1)
                file.writelines(
                    f"{decode(codes)}\t{label:g}\t{split}\n"
                    for codes, label in zip(batch["codes"], labels, strict=True)
                )
        sets[name] = Set(name, path)
    return sets


def _summarise(rows: list[dict[str, str]]) -> None:
    values = {way: {r["split"]: float(r["value"]) for r in rows if r["way"] == way} for way in WAYS}
    for way, of_way in values.items():
        if not of_way:
            continue
        first = next(r for r in rows if r["way"] == way)
        mean, sd = np.mean(list(of_way.values())), np.std(list(of_way.values()), ddof=min(1, len(of_way) - 1))
        less = []
        for other in WAYS:
            shared = [s for s in values["adapters"] if s in values[other]]
            if way == "adapters" and other != way and shared:
                gains = np.array([values[way][s] - values[other][s] for s in shared])
                se = gains.std(ddof=min(1, len(gains) - 1)) / np.sqrt(len(gains))
                less.append(
                    f"less {other} {gains.mean():+.4f} (se {se:.4f}, above in {(gains > 0).sum()} of {len(gains)})"
                )
        print(
            f"{way:9s} {first['metric']} {mean:.4f}, sd {sd:.4f}, {len(of_way)} splits of {first['n_train']}, n test "
            f"{first['n_test']}; {first['bytes']} bytes, heads {first['head_bytes']}; {'; '.join(less)}".rstrip("; ")
        )


def _read(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with open(path) as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _append(path: Path, row: dict[str, str]) -> None:
    new = not path.is_file()
    with open(path, "a") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t")
        if new:
            writer.writeheader()
        writer.writerow(row)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the real files")
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--task", default="sim_task")
    parser.add_argument("--trunk", default="sim_trunk", help="a published model, or the set to train one on")
    parser.add_argument("--trunk-rows", type=int, default=8_000)
    parser.add_argument("--hub", type=Path, help="folder that a trained trunk is published into, and found in")
    parser.add_argument("--tables", type=Path, help="folder for the sets' tables")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=5)
    parser.add_argument("--train", type=int, default=500)
    parser.add_argument("--rank", type=int, default=4)
    parser.add_argument("--ways", nargs="*", default=WAYS, choices=WAYS)
    parser.add_argument("--judge", default="test", choices=["test", "validation"])
    parser.add_argument("--strand", default="none")
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
