"""One pass over the examples of a split, batch by batch, back in the examples' order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.source import OF_LABELS, Examples
from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.fields import Field

if TYPE_CHECKING:
    from zoo.fields import Grid
    from zoo.model import Model

_BASES = 1 << 20

Batch = Mapping[str, np.ndarray]


def read(
    examples: Examples, per_batch: Callable[[Batch], Mapping[str, Any]], rows: np.ndarray | None = None, label: str = ""
) -> dict[str, Any]:
    """Apply a function to every batch and join its results by key, in the order of `rows` (all by default).

    per_batch: a batch -> {key: array (N, ...) or scipy.sparse matrix}.
    """
    from zoo.terminal.progress import progress

    rows = np.arange(len(examples)) if rows is None else np.asarray(rows)
    if not len(rows):
        return {}
    batches = list(_batches(np.asarray(examples.lengths)[rows]))
    parts: list[Mapping[str, Any]] = []
    for at in progress(batches, total=len(batches), label=label, unit="batches"):
        parts.append(per_batch(examples.batch(rows[at])))
    order = np.argsort(np.concatenate(batches), kind="stable")
    return {key: _join([part[key] for part in parts], key)[order] for key in parts[0]}


def sample_rows(n: int, most: int, seed: int = 0) -> np.ndarray:
    """All of n rows, or where there are more so many of them, drawn with `seed` and in their order.

    >>> sample_rows(3, 5).tolist(), len(sample_rows(1_000, 5))
    ([0, 1, 2], 5)
    """
    return np.arange(n) if n <= most else np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def labels_of(
    batch: Batch, targets: Mapping[str, Field], grids: Mapping[str, Grid | None] | None = None
) -> dict[str, np.ndarray]:
    """{target/<name>: (N, ...)}, NaN (-1 for class ids) where a label is missing or has weight 0.

    grids: of the predictions; labels are cropped to those positions.
    """
    labels = {}
    for name, field in targets.items():
        label = np.array(batch[f"target/{name}"])
        weight = batch.get(f"weight/{name}")
        if weight is not None:
            weight = np.asarray(weight)
            kept = np.broadcast_to(weight.reshape(weight.shape + (1,) * (label.ndim - weight.ndim)) > 0, label.shape)
            label = np.where(kept, label, -1 if field.values == "class" else np.nan)
        labels[f"target/{name}"] = cropped(label, field, (grids or {}).get(name))
    return labels


def predictions_of(
    model: Model, heads: Mapping[str, Field], batch_size: int | None, *, raw: bool = False
) -> Callable[[Batch], dict]:
    """A function that predicts a batch (inside `inferring`): {prediction/<head>: (N, ...) float32}, activated unless
    `raw`."""
    import torch

    from zoo.prediction.inference import batch_rows

    def predict(batch: Batch) -> dict[str, np.ndarray]:
        inputs = {k: torch.from_numpy(np.asarray(v)) for k, v in batch.items() if not k.startswith(OF_LABELS)}
        n = len(next(iter(inputs.values())))
        length = batch["codes"].shape[1] if "codes" in batch else model.spec.input_length
        step = batch_size or batch_rows(length, model.device.type)
        parts: dict[str, list] = {head: [] for head in heads}
        for first in range(0, n, step):
            some = {k: v[first : first + step].to(model.device) for k, v in inputs.items()}
            prediction = model(some) if raw else model.predict(some)
            for head in heads:
                parts[head].append(prediction[head].float().cpu())
        return {f"prediction/{head}": torch.cat(x).numpy() for head, x in parts.items()}

    return predict


def shared_heads(model: Model, targets: Mapping[str, Field]) -> dict[str, tuple[Field, Grid | None]]:
    """The heads of a model that predict a target of the source: {head: (field, grid)}.

    Raises ConfigError where there is none, or where one has other axes than its target.
    """
    outputs = model.spec.outputs
    shared = {head: outputs[head] for head in targets if head in outputs}
    if not shared:
        raise ConfigError(
            f"model {model.spec.name!r} predicts {', '.join(outputs)} but the data label {', '.join(targets)}: "
            "choose data with one of its targets"
        )
    for head, (field, _) in shared.items():
        wanted = _axes_for(targets[head])
        if field.axes not in wanted:
            raise ConfigError(f"head {head!r} has axes {field.axes!r} but its target needs {' or '.join(wanted)}")
        missing = [c for c in targets[head].channels if c not in field.channels]
        if field.channels and missing and len(missing) == len(targets[head].channels):
            raise ConfigError(f"head {head!r} has no task {missing[0]!r}" + did_you_mean(missing[0], field.channels))
    return shared


def _axes_for(target: Field) -> tuple[str, ...]:
    if target.values != "class":
        return (target.axes,)
    return (f"K{target.axes}",) if "T" in target.axes else ("K", "C")


def cropped(label: np.ndarray, field: Field, grid: Grid | None) -> np.ndarray:
    """Labels (N, *axes) at the positions of a prediction that covers less than the window."""
    for axis in field.position_axes:
        if (
            grid is not None
            and label.shape[axis] > grid.length
            and grid.bin_size == field.bin_size
            and grid.offset >= 0
        ):
            first = grid.offset // grid.bin_size
            label = label.take(range(first, min(first + grid.length, label.shape[axis])), axis=axis)
    return label


def _batches(lengths: np.ndarray) -> Iterator[np.ndarray]:
    for length in np.unique(lengths):
        at = np.flatnonzero(lengths == length)
        step = max(1, _BASES // max(1, int(length)))
        yield from (at[first : first + step] for first in range(0, len(at), step))


def _join(parts: list[Any], key: str) -> Any:
    if not isinstance(parts[0], np.ndarray):
        from scipy import sparse

        return sparse.vstack(parts, format="csr")
    shapes = sorted({part.shape[1:] for part in parts})
    if len(shapes) > 1:
        raise DataError(f"{key} has examples of shape {shapes[0]} and {shapes[1]}: evaluate windows of one length")
    return np.concatenate(parts)
