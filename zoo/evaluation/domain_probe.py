"""What frozen features tell of the domain (laboratory, batch, species): fresh probes beside what chance would do.

model, examples -> FrozenFeatures (features (n, F), prediction (n, P), domain (n,), label (n,)) -> probe_domain -> rows
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.sequences import canonical_hash
from zoo.data.source import OF_LABELS, Examples, Source
from zoo.errors import ConfigError, DataError, did_you_mean, need
from zoo.evaluation.split_predictions import labels_of, read, sample_rows
from zoo.layers.pooling import pool_positions
from zoo.prediction.inference import batch_rows, inferring
from zoo.terminal.columns import align

if TYPE_CHECKING:
    from zoo.model import Model

PROBES = ("linear", "nonlinear", "prediction")
_FOLDS = 5
_LEAST = 20
"""Rows of a domain below which it is not asked for."""
_MOST_CLASSES = 8
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
"""Inverse regularisation of the linear probe that is chosen from."""


@dataclass(frozen=True)
class FrozenFeatures:
    """Of n rows, at weights that stay as they are.

    features: (n, F) the embedding, pooled over positions.  prediction: (n, P) all heads before the activation.
    domain: (n,) ids into `domains`.  fold: (n,) numbers from 0 to 4 that equal sequences share.
    label: (n,) ids into `classes`, names of the combinations of labels; all 0 where labels are no classes, or too many.
    """

    features: np.ndarray
    prediction: np.ndarray
    domain: np.ndarray
    domains: tuple[str, ...]
    label: np.ndarray
    classes: tuple[str, ...]
    fold: np.ndarray

    def select(self, rows: np.ndarray) -> FrozenFeatures:
        """Some of the rows."""
        columns = {k: getattr(self, k)[rows] for k in ("features", "prediction", "domain", "label", "fold")}
        return FrozenFeatures(**columns, domains=self.domains, classes=self.classes)


def freeze(
    model: Model,
    source: Source,
    split: str = "validation",
    *,
    column: str | None = None,
    pool: str = "max_mean",
    most: int = 20_000,
    seed: int = 0,
) -> FrozenFeatures:
    """Features of the examples of a split whose domain is known.

    column: that names the domain, one of those that name the examples; None for the data's own `domain`.
    pool: of the embedding over positions, as the head does it: max_mean, mean or max.
    most: rows that are drawn, with `seed`, where there are more.
    Raises ConfigError where nothing names a domain, DataError where there is one domain alone.
    """
    import torch

    examples = source.examples(split)
    if not len(examples):
        raise ConfigError(f"split {split!r} of the data is empty: choose another with --split")
    rows = sample_rows(len(examples), most, seed)
    words = _domain_words(source, examples, rows, column)

    def per_batch(batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = {k: torch.from_numpy(np.asarray(v)) for k, v in batch.items() if not k.startswith(OF_LABELS)}
        n, parts = len(batch["codes"]), []
        step = batch_rows(batch["codes"].shape[1], model.device.type)
        for first in range(0, n, step):
            some = {k: v[first : first + step].to(model.device) for k, v in tensors.items()}
            prediction, embedding = model.forward_with_embedding(some)
            heads = [x.float().flatten(2).mean(2) if x.dim() > 2 else x.float() for x in prediction.values()]
            parts.append((pool_positions(embedding.float(), pool).cpu(), torch.cat(heads, 1).cpu()))
        features, prediction = (torch.cat(x).numpy() for x in zip(*parts, strict=True))
        known = {f"label/{k}": v for k, v in _class_labels(batch, source).items()}
        hashes = canonical_hash(batch["codes"])[0]
        return {"features": features, "prediction": prediction, "fold": _folds(hashes, seed), **known}

    with inferring(model):
        values = read(examples, per_batch, rows, label=f"reading {split}")
    known = words != ""
    names, ids = np.unique(words[known].astype(str), return_inverse=True)
    if len(names) < 2:
        one = "no domain is known"
        if len(names):
            one = f"all {known.sum():,} rows of {split} are of domain {str(names[0])!r}"
        raise DataError(f"{one}, and a probe needs two: choose another --split, --domain or --data")
    labels = [values[key][known] for key in values if key.startswith("label/")]
    label, classes = _combinations(labels, int(known.sum()))
    columns = {key: values[key][known] for key in ("features", "prediction", "fold")}
    return FrozenFeatures(**columns, domain=ids, domains=tuple(names.tolist()), label=label, classes=classes)


def probe_domain(frozen: FrozenFeatures, seed: int = 0) -> list[dict[str, Any]]:
    """Accuracy of fresh probes in naming the domain, over all rows and within each class of the label.

    A row is plain JSON: rows (all, or a class), probe, n, accuracy with its 95 % interval low and high (Wilson), chance
    (the share of the most frequent domain), chance_given_label (that of the most frequent one of each class: where
    domains differ in their share of positives, the label tells the domain), and excess, accuracy less the larger one.

    linear: a logistic regression on the features, whose regularisation is chosen on a part of the rows; nonlinear: a
    perceptron with 64 hidden units; prediction: the same perceptron on the model's predictions alone, since what these
    tell of the domain no features that predict as well can hide.  Each is fitted to four fifths and judged on the
    fifth, in turn; equal sequences are in one fifth.
    """
    need("zoo probe", "sklearn", "scipy")
    rows: list[dict[str, Any]] = []
    for name, part in _parts(frozen):
        chance = _share_of_most_frequent(part.domain, np.zeros_like(part.label))
        given_label = _share_of_most_frequent(part.domain, part.label)
        for probe in PROBES:
            x = part.prediction if probe == "prediction" else part.features
            hits = int((_predicted(x, part, probe, seed) == part.domain).sum())
            n = len(part.domain)
            low, high = _wilson(hits, n)
            numbers = {"accuracy": hits / n, "low": low, "high": high, "chance": chance}
            excess = hits / n - max(chance, given_label)
            rows.append(
                {"rows": name, "probe": probe, "n": n, **numbers, "chance_given_label": given_label, "excess": excess}
            )
    return rows


def probe_table(rows: Sequence[Mapping[str, Any]], domains: Sequence[str]) -> str:
    """The rows as text."""
    lines = [f"domain: {', '.join(domains)}"]
    header = ["rows", "n", "probe", "accuracy", "", "chance", "given label", "excess"]
    cells = [
        [
            r["rows"],
            f"{r['n']:,}",
            r["probe"],
            f"{r['accuracy']:.3f}",
            f"[{r['low']:.3f}, {r['high']:.3f}]",
            f"{r['chance']:.3f}",
            f"{r['chance_given_label']:.3f}",
            f"{r['excess']:+.3f}",
        ]
        for r in rows
    ]
    return "\n".join([*lines, *align([header, *cells])])


def _domain_words(source: Source, examples: Examples, rows: np.ndarray, column: str | None) -> np.ndarray:
    """(n,) names of the domains, "" where unknown."""
    identity = examples.identity(rows)
    if column is not None and column not in identity and column != "domain":
        raise ConfigError(f"the examples have no column {column!r}" + did_you_mean(column, identity))
    if column is not None and column in identity:
        return np.array(["" if str(x) in ("", "nan") else str(x) for x in identity[column]], object)
    if not source.domains:
        raise ConfigError(
            "the data name no domain: set data.cohort.domain (data.domains of a mixture), or name a column with "
            f"--domain: {', '.join(identity)}"
        )
    names = np.array([*source.domains, ""], object)
    ids = read(examples, lambda batch: {"domain": batch["domain"]}, rows)["domain"]
    return names[np.where(ids < 0, -1, ids)]


def _class_labels(batch: Mapping[str, np.ndarray], source: Source) -> dict[str, np.ndarray]:
    """{target: (N, C)} of the targets whose labels are classes of the example."""
    targets = {k: f for k, f in source.targets.items() if f.values in ("binary", "class") and "T" not in f.axes}
    return {k.removeprefix("target/"): y.reshape(len(y), -1) for k, y in labels_of(batch, targets).items()}


def _combinations(labels: Sequence[np.ndarray], n: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """(n,) ids of the labels that rows have together, and their names; one class where there are too many."""
    if labels:
        every = np.nan_to_num(np.concatenate(labels, 1), nan=-1).astype(int)
        kinds, ids = np.unique(every, axis=0, return_inverse=True)
        if len(kinds) <= _MOST_CLASSES:
            return ids.reshape(-1), tuple(" ".join("?" if k < 0 else str(k) for k in kind) for kind in kinds)
    return np.zeros(n, np.int64), ("",)


def _parts(frozen: FrozenFeatures) -> Iterator[tuple[str, FrozenFeatures]]:
    """All rows, then those of each class in which two domains have rows enough."""
    yield "all", frozen.select(_common(frozen, np.ones(len(frozen.domain), bool)))
    for i, name in enumerate(frozen.classes if len(frozen.classes) > 1 else ()):
        rows = _common(frozen, frozen.label == i)
        if len(np.unique(frozen.domain[rows])) > 1:
            yield f"label {name}", frozen.select(rows)


def _common(frozen: FrozenFeatures, member: np.ndarray) -> np.ndarray:
    """Rows of a mask, without those of domains that have few."""
    counts = np.bincount(frozen.domain[member], minlength=len(frozen.domains))
    return np.flatnonzero(member & (counts[frozen.domain] >= _LEAST))


def _share_of_most_frequent(domain: np.ndarray, label: np.ndarray) -> float:
    return sum(int(np.bincount(domain[label == k]).max()) for k in np.unique(label)) / len(domain)


def _predicted(x: np.ndarray, part: FrozenFeatures, probe: str, seed: int) -> np.ndarray:
    """(n,) the domain that a probe names for every row, which it was not fitted to."""
    from sklearn.exceptions import ConvergenceWarning

    y, fold = part.domain, part.fold
    x = ((x - x.mean(0)) / (x.std(0) + 1e-6)).astype(np.float32)
    named = np.full(len(y), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        strength = _strength(x, y, fold) if probe == "linear" else 0.0
        for k in range(_FOLDS):
            fitted, judged = fold != k, fold == k
            if judged.any() and len(np.unique(y[fitted])) > 1:
                named[judged] = _fit(x[fitted], y[fitted], probe, strength, seed).predict(x[judged])
    return named


def _strength(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> float:
    """The inverse regularisation that does best on the first fold when fitted to the others but the last."""
    fitted, judged = (fold > 0) & (fold < _FOLDS - 1), fold == 0
    if not judged.any() or len(np.unique(y[fitted])) < 2:
        return 1e-2
    scores = {c: _fit(x[fitted], y[fitted], "linear", c, 0).score(x[judged], y[judged]) for c in _STRENGTHS}
    return max(scores, key=lambda c: scores[c])


def _fit(x: np.ndarray, y: np.ndarray, probe: str, strength: float, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    if probe == "linear":
        return LogisticRegression(C=strength, max_iter=200).fit(x, y)
    early = len(y) >= 10 * len(np.unique(y))
    return MLPClassifier((64,), alpha=0.1, early_stopping=early, max_iter=60, random_state=seed).fit(x, y)


def _folds(hashes: np.ndarray, seed: int) -> np.ndarray:
    mixed = (hashes ^ np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(_FOLDS)).astype(np.int64)


def _wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z, share = 1.959964, hits / n
    centre, half = share + z * z / (2 * n), z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((centre - half) / (1 + z * z / n)), float((centre + half) / (1 + z * z / n))
