"""The data source's contract."""

from __future__ import annotations

import json

import numpy as np

from zoo.data.source import SPLITS, Examples, Source
from zoo.fields import Field
from zoo.testing.report import Check, Refused, Unmeasured, measure

_MARGIN = 8


def check_source(source: Source) -> list[Check]:
    """Measure every promise of a data source on a few examples of each split."""
    checks = [
        measure("interface", lambda: _interface(source)),
        measure("description", lambda: f"{len(json.dumps(source.describe())):,} characters of JSON"),
    ]
    for split in SPLITS:
        checks += [
            measure(f"{split}: shapes", lambda split=split: _shapes(source, source.examples(split))),
            measure(f"{split}: repeatable", lambda split=split: _repeatable(source.examples(split))),
            measure(f"{split}: margin", lambda split=split: _margin(source, source.examples(split))),
        ]
    return checks


def _interface(source: Source) -> str:
    if not isinstance(source, Source):
        raise Refused(f"{type(source).__name__} is no zoo.data.source.Source")
    if not source.targets or not all(isinstance(f, Field) for f in source.targets.values()):
        raise Refused("targets must name a Field for every label")
    if not isinstance(source.input_length, int) or source.input_length < 1:
        raise Refused(f"input_length {source.input_length!r} must be a number of bp")
    return f"targets {', '.join(source.targets)}; {source.input_length:,} bp"


def _shapes(source: Source, examples: Examples) -> str:
    indices = _few(examples)
    length = int(examples.lengths[indices[0]])
    batch = examples.batch(indices)
    if "codes" in batch:
        codes = batch["codes"]
        if codes.dtype != np.uint8 or codes.shape != (len(indices), length) or codes.max(initial=0) > 4:
            raise Refused(f"codes must be uint8 {(len(indices), length)} of 0 to 4, not {codes.dtype} {codes.shape}")
    fields = {**{f"target/{k}": f for k, f in source.targets.items()}, **source.inputs}
    for key, field in fields.items():
        if key not in batch:
            if key in source.inputs and not field.required:
                continue
            raise Refused(f"the batch has no {key!r}; it has {', '.join(sorted(batch))}")
        _fits(key, np.asarray(batch[key]), field, len(indices), length)
    for name in source.targets:
        for beside in (f"weight/{name}", f"variance/{name}"):
            if beside in batch:
                np.broadcast_shapes(batch[beside].shape, batch[f"target/{name}"].shape)
    identity = examples.identity(indices)
    if any(len(column) != len(indices) for column in identity.values()):
        raise Refused("identity must have one row an example")
    if examples.weights is not None and (len(examples.weights) != len(examples) or (examples.weights < 0).any()):
        raise Refused("weights must be one number of 0 or more an example")
    return f"{len(examples):,} examples, {', '.join(batch)}"


def _fits(key: str, x: np.ndarray, field: Field, n: int, length: int) -> None:
    if x.ndim != len(field.axes) + 1 or len(x) != n:
        raise Refused(f"{key} has the shape {x.shape}, not N{field.axes}")
    channels = len(field.channels or field.vocabulary)
    axis = field.channel_axis
    if axis is not None and channels and x.shape[axis] != channels:
        raise Refused(f"{key} has {x.shape[axis]} channels, but its field names {channels}")
    if any(x.shape[a] * field.bin_size > length for a in field.position_axes):
        raise Refused(f"{key} has more bins of {field.bin_size} bp than a window of {length:,} bp holds: {x.shape}")
    if field.values == "class" and not np.issubdtype(x.dtype, np.integer):
        raise Refused(f"{key} holds class ids, which are integers, not {x.dtype}")


def _repeatable(examples: Examples) -> str:
    indices = _few(examples)
    first, again, turned = (examples.batch(i) for i in (indices, indices, indices[::-1].copy()))
    for key, x in first.items():
        if not np.array_equal(x, again[key], equal_nan=x.dtype.kind == "f"):
            raise Refused(f"{key} of the same examples differs from one call to the next")
        if not np.array_equal(x, turned[key][::-1], equal_nan=x.dtype.kind == "f"):
            raise Refused(f"{key} depends on the order in which examples are asked for")
    return "the same twice and in any order"


def _margin(source: Source, examples: Examples) -> str:
    margin = min(examples.margin, _MARGIN)
    margin -= margin % max([1, *(f.bin_size for f in (*source.inputs.values(), *source.targets.values()))])
    if margin == 0:
        raise Unmeasured("ready-made sequences have no flanks")
    indices = _few(examples)
    narrow, wide = examples.batch(indices), examples.batch(indices, margin)
    if not np.array_equal(wide["codes"][:, margin:-margin], narrow["codes"]):
        raise Refused(f"the middle of a batch with {margin} bp of margin is not the batch without")
    return f"{margin} bp on each side"


def _few(examples: Examples) -> np.ndarray:
    """Up to four examples of one length: batches copy, and they are the first's own."""
    if not len(examples):
        raise Refused("the split is empty")
    return np.flatnonzero(np.asarray(examples.lengths) == examples.lengths[0])[:4]
