"""What a model must beat: GC content, k-mers, the best match of a known motif, a gapped k-mer SVM, the average profile.

Each is features of the sequence and a small fit on the training split, chosen on the validation split.
Where the features are one number (GC, the best match), ranks and correlations are of the number itself.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.gc_matched_negatives import gc_fraction
from zoo.data.motifs import Motif, scan
from zoo.errors import ConfigError
from zoo.fields import Field

if TYPE_CHECKING:
    from scipy import sparse

_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
_RIDGES = (1e1, 1e2, 1e3, 1e4, 1e5)
_VOTERS = 8

MANY_TASKS = 20
"""Tasks of a head above which evaluation saves time: fewer intervals, and slow rivals of the first tasks alone."""


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A name and what it sees: codes (N, L) -> features (N, F), or None for a fit without any.

    task: name of the only task it is for, None for all.
    fit: how it is fitted where not as `fit` does; it returns a note, and the rows it was fitted to where
        these are fewer, too.
    note: on how it was chosen.
    slow: it takes a minute or more a task, so that of many tasks only the first are fitted.
    scores: what it sees is its prediction, shaped like the target (N, *axes), and nothing is fitted.
    """

    name: str
    features: Callable[[np.ndarray], Any] | None
    task: str | None = None
    fit: Callable[..., tuple[Callable[[Any], np.ndarray], str, int | None] | None] | None = None
    note: str = ""
    slow: bool = False
    scores: bool = False


def baselines(field: Field, k: int = 6, motifs: Sequence[Motif] = ()) -> list[Baseline]:
    """The baselines of a target; a motif named like one of its tasks is for that task only."""
    constant = Baseline("most frequent class" if field.values == "class" else "mean profile", None)
    if field.axes == "CTT":
        return [Baseline("mean map", None)]
    if "T" in field.axes:
        by_total = field.values == "count" and field.axes in ("CT", "T")
        scaled = [Baseline("GC", gc_content), _kmers(k, "ridge", field)] if by_total else []
        return [constant, *scaled]
    kind = "logistic" if field.values in ("binary", "class") else "ridge"
    # Dinucleotides alone: what negatives of shuffled dinucleotides leave nothing of.
    simple = [Baseline("GC", gc_content), *(_kmers(length, kind, field) for length in sorted({2, k}))]
    if field.values != "class":
        for motif in motifs:
            same = [task for task in field.channels if task.upper() == motif.name.upper()]
            best_match = partial(_best_match, motif.log_odds())
            simple.append(Baseline(f"PWM {motif.id}", best_match, same[0] if same else None))
    return simple


def gc_content(codes: np.ndarray) -> np.ndarray:
    """codes (N, L) -> (N, 1) share of C and G among the bases that are no N; 0 where there is none.

    >>> gc_content(np.array([[0, 1, 2, 4]], np.uint8)).round(3).tolist()
    [[0.667]]
    """
    return np.nan_to_num(gc_fraction(codes))[:, None]


def kmer_frequencies(codes: np.ndarray, k: int = 6, one_strand: bool = False) -> sparse.csr_matrix:
    """codes (N, L) -> (N, F) share of every k-mer; N are left out.

    A k-mer and its reverse complement are one, unless `one_strand`.
    """
    from scipy import sparse

    n, length = codes.shape
    table, size = canonical_kmers(k)
    if one_strand:
        table, size = np.arange(4**k), 4**k
    if length < k:
        return sparse.csr_matrix((n, size))
    positions = length - k + 1
    index = np.zeros((n, positions), np.int64)
    known = np.ones((n, positions), bool)
    for i in range(k):
        base = codes[:, i : i + positions]
        index = index * 4 + (base & 3)
        known &= base < 4
    row = np.repeat(np.arange(n), positions).reshape(n, positions)
    share = (1 / np.maximum(known.sum(1), 1))[row[known]]
    return sparse.csr_matrix((share, (row[known], table[index[known]])), shape=(n, size))


@lru_cache(maxsize=8)
def canonical_kmers(k: int) -> tuple[np.ndarray, int]:
    """(4**k,) feature of every k-mer (A C G T as digits, the first the highest), and the number of features.

    >>> canonical_kmers(2)[1], canonical_kmers(6)[1]
    (10, 2080)
    """
    if not 1 <= k <= 8:
        raise ConfigError(f"k-mers of length {k} must have 1 to 8 bases")
    forward = np.arange(4**k)
    backward = np.zeros_like(forward)
    rest = forward.copy()
    for _ in range(k):
        backward = backward * 4 + (3 - rest % 4)
        rest //= 4
    names, feature = np.unique(np.minimum(forward, backward), return_inverse=True)
    return feature, len(names)


def fit(
    values: str,
    train: Any,
    target: np.ndarray,
    validation: Any,
    validation_target: np.ndarray,
    weight: np.ndarray | None = None,
) -> Callable[[Any], np.ndarray] | None:
    """Logistic regression (binary, class) or ridge (real, count), its regularisation chosen on validation.

    train, validation: features (n, F); target: (n,) without missing labels; validation may be None.
    weight: (n,) of the training rows, None for equal ones.
    Returns features -> prediction (n,), probabilities of label 1 or (n, K) for classes, or None where there
    is nothing to fit: fewer than two labels, or one class only.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    if train is None or len(target) < 2 or len(np.unique(target)) < 2:
        return None
    scale = _spread(train)
    train = _scaled(train, scale)
    check = None if validation is None or not len(validation_target) else _scaled(validation, scale)
    logistic = values in ("binary", "class")
    choices = _STRENGTHS if logistic else _RIDGES
    if train.shape[1] == 1 or check is None:
        choices = [1.0] if train.shape[1] == 1 else [1e-2 if logistic else 1e3]
    best: Any = None
    lowest = np.inf
    for choice in choices:
        model = LogisticRegression(C=choice, max_iter=300, tol=1e-3) if logistic else Ridge(alpha=choice)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that stops early is still a baseline, chosen on validation
            model.fit(train, target, sample_weight=weight)
        loss = 0.0
        if len(choices) > 1:
            loss = row_losses(_predict(model, check, values), validation_target, values).mean()
        if loss < lowest:
            best, lowest = model, loss
    return lambda features: _predict(best, _scaled(features, scale), values)


def _predict(model: Any, x: Any, values: str) -> np.ndarray:
    """(n,) values, or probabilities of label 1, or (n, K) of every class."""
    if values not in ("binary", "class"):
        return model.predict(x)
    probabilities = model.predict_proba(x)
    return probabilities[:, 1] if values == "binary" else _all_classes(probabilities, model.classes_)


def _kmers(k: int, kind: str, field: Field) -> Baseline:
    fit_strands = KmerFit(k, len(field.channels))
    return Baseline(f"{k}-mer {kind}", partial(kmer_frequencies, k=k, one_strand=True), fit=fit_strands)


@dataclasses.dataclass
class KmerFit:
    """The k-mer baseline's fit: k-mers of both strands as one, or of one strand, whichever validation favours.

    It is called for one task after another; of many tasks the first 8 settle the strands for the others, by majority.

    k: length of the words.  n_tasks: of the head.
    """

    k: int
    n_tasks: int = 1
    votes: list[bool] = dataclasses.field(default_factory=list)

    def __call__(
        self,
        values: str,
        train: Any,
        target: np.ndarray,
        validation: Any,
        validation_target: np.ndarray,
        weight: np.ndarray | None = None,
    ) -> tuple[Callable[[Any], np.ndarray], str, None] | None:
        """As `fit`, with a note on the strands; without validation rows both strands are taken."""
        from scipy import sparse

        table, size = canonical_kmers(self.k)
        fold = sparse.csr_matrix((np.ones(4**self.k), (np.arange(4**self.k), table)), shape=(4**self.k, size))
        settled = sum(self.votes) * 2 > len(self.votes) if self._is_settled else None
        both = None
        if settled is not True:
            check = None if validation is None else validation @ fold
            both = fit(values, None if train is None else train @ fold, target, check, validation_target, weight)
            if both is None:
                return None

        def folded(features: Any, of_both: Callable[[Any], np.ndarray] | None = both) -> np.ndarray:
            assert of_both is not None, "it is taken where it was fitted alone"
            return of_both(features @ fold)

        if settled is False or (settled is None and (validation is None or not len(validation_target))):
            return folded, "", None
        one = fit(values, train, target, validation, validation_target, weight)
        if settled is None and one is not None:
            losses = [row_losses(x(validation), validation_target, values).mean() for x in (folded, one)]
            self.votes.append(bool(losses[1] < losses[0]))
            settled = self.votes[-1]
        if one is None:
            return None if both is None else (folded, "", None)
        return (one, "one strand", None) if settled else (folded, "", None)

    @property
    def _is_settled(self) -> bool:
        return self.n_tasks > MANY_TASKS and len(self.votes) >= _VOTERS


def row_losses(prediction: np.ndarray, label: np.ndarray, values: str) -> np.ndarray:
    """(n,) -log of the probability of the label (binary, class), else the squared error.

    >>> row_losses(np.array([0.5, 3.0]), np.array([1.0, 1.0]), "real").tolist()
    [0.25, 4.0]
    """
    if values == "binary":
        p = np.clip(prediction, 1e-7, 1 - 1e-7)
        return -(label * np.log(p) + (1 - label) * np.log(1 - p))
    if values == "class":
        ids = label.astype(int)
        known = ids < prediction.shape[1]
        taken = np.where(known, prediction[np.arange(len(ids)), np.minimum(ids, prediction.shape[1] - 1)], 0)
        return -np.log(np.clip(taken, 1e-7, 1))
    return (prediction - label) ** 2


def _best_match(log_odds: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return scan(log_odds, codes)[:, None]


def _all_classes(probabilities: np.ndarray, classes: np.ndarray) -> np.ndarray:
    out = np.zeros((len(probabilities), int(classes.max()) + 1))
    out[:, classes.astype(int)] = probabilities
    return out


def _spread(x: Any) -> np.ndarray:
    """Standard deviation of every feature; 1 where it is constant."""
    mean = np.asarray(x.mean(0)).ravel()
    square = x.multiply(x).mean(0) if not isinstance(x, np.ndarray) else (x**2).mean(0)
    variance = np.asarray(square).ravel() - mean**2
    return np.where(variance > 1e-12, np.sqrt(np.maximum(variance, 1e-12)), 1.0)


def _scaled(x: Any, scale: np.ndarray) -> Any:
    return x / scale if isinstance(x, np.ndarray) else x.multiply(1 / scale).tocsr()
