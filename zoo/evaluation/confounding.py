"""Does a prediction follow a confounder (GC content, depth) within a class of its label?

model, examples with covariates -> correlation of prediction and covariate, for each task, class and covariate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.source import Source
from zoo.errors import ConfigError, did_you_mean
from zoo.evaluation.ranks import mean_ranks
from zoo.evaluation.split_predictions import labels_of, predictions_of, read, sample_rows, shared_heads
from zoo.evaluation.tasks import tasks_of
from zoo.prediction.inference import inferring
from zoo.terminal.columns import align

if TYPE_CHECKING:
    from zoo.model import Model

_LEAST = 10


def follow_covariates(
    model: Model, source: Source, split: str = "test", only: Sequence[str] = (), most: int = 200_000, seed: int = 0
) -> list[dict[str, Any]]:
    """A row, plain JSON, for every task, class and covariate: n, pearson with its 95 % interval low and high (Fisher),
    spearman, and chance, 2 / sqrt(n), which about one correlation in twenty passes by chance.

    Predictions are those before the activation.  Labels of 0 and 1 give the classes "label 0" and "label 1" beside
    "all"; measured values give "all" alone.  Heads with positions are left out.
    only: covariates that are looked at; all by default.  most: rows that are drawn where there are more.
    """
    names = source.covariates
    if not names:
        raise ConfigError("the data have no covariates: set data.cohort.covariates=[gc]")
    for name in only:
        if name not in names:
            raise ConfigError(f"the data have no covariate {name!r}" + did_you_mean(name, names))
    heads = {h: f for h, (f, _) in shared_heads(model, source.targets).items() if "T" not in f.axes}
    targets = {h: source.targets[h] for h in heads if source.targets[h].values != "class"}
    examples = source.examples(split)
    predict = predictions_of(model, targets, None, raw=True)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {**labels_of(batch, targets), **predict(batch), "covariates": np.asarray(batch["covariates"])}

    with inferring(model):
        values = read(examples, per_batch, sample_rows(len(examples), most, seed), label=f"reading {split}")
    rows = []
    for head, field in targets.items():
        for task, channel in tasks_of(field):
            if channel is None or task not in heads[head].channels:
                continue
            label = values[f"target/{head}"][:, channel]
            prediction = values[f"prediction/{head}"][:, heads[head].channels.index(task)]
            classes = {"all": np.isfinite(label)}
            if field.values == "binary":
                classes |= {"label 0": label == 0, "label 1": label == 1}
            for name in only or names:
                covariate = values["covariates"][:, names.index(name)]
                for where, member in classes.items():
                    chosen = member & np.isfinite(covariate) & np.isfinite(prediction)
                    measured = _correlations(prediction[chosen], covariate[chosen])
                    rows.append({"head": head, "task": task, "rows": where, "covariate": name, **measured})
    return rows


def covariate_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as text."""
    header = ["task", "covariate", "rows", "n", "pearson", "", "spearman", "2 / sqrt(n)"]
    cells = [
        [
            r["task"],
            r["covariate"],
            r["rows"],
            f"{r['n']:,}",
            "-" if r["pearson"] is None else f"{r['pearson']:+.3f}",
            "" if r["low"] is None else f"[{r['low']:+.3f}, {r['high']:+.3f}]",
            "-" if r["spearman"] is None else f"{r['spearman']:+.3f}",
            f"{r['chance']:.3f}",
        ]
        for r in rows
    ]
    return "\n".join(align([header, *cells]))


def _correlations(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    n = len(x)
    row: dict[str, Any] = {"n": n, "pearson": None, "low": None, "high": None, "spearman": None}
    row["chance"] = min(1.0, 2 / np.sqrt(n)) if n else 1.0
    if n < _LEAST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return row
    x, y = x.astype(np.float64), y.astype(np.float64)
    r = float(np.corrcoef(x, y)[0, 1])
    z, half = np.arctanh(np.clip(r, -0.999999, 0.999999)), 1.959964 / np.sqrt(n - 3)
    ranks = [mean_ranks(v, np.ones((1, n)))[0] for v in (x, y)]
    spearman = float(np.corrcoef(*ranks)[0, 1])
    return row | {"pearson": r, "low": float(np.tanh(z - half)), "high": float(np.tanh(z + half)), "spearman": spearman}
