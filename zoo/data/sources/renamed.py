"""Configurations that zoo 0.1 stored: arguments of data sources that go by another name now."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

_FRACTIONS = {"validation_fraction": "splits.validation", "test_fraction": "splits.test"}
_RENAMED = {
    "fasta": _FRACTIONS,
    "table": {**_FRACTIONS, "split": "splits.column"},
    "simulated": {
        **{key: f"rows.{key}" for key in ("gc", "positives", "sites", "decoys")},
        **{key: f"profile.{key}" for key in ("bin_size", "stranded")},
        **{"noise": "noise.activity", "flipped": "noise.labels"},
    },
    "peaks": {
        **{key: f"windows.{key}" for key in ("length", "center", "narrow_width")},
        **{key: f"filters.{key}" for key in ("max_width", "min_signal", "top_n", "max_n_fraction", "on_error")},
        **{"negatives": "negatives.per_positive", "train_negatives": "negatives.per_training_positive"},
        **{key: f"negatives.{key}" for key in ("gc_bin", "min_distance")},
    },
}
"""{source: {old key: new dotted key}}"""
_EXTRA = {
    "extra_positives": "sequences",
    "extra_exclude": "exclude",
    "extra_margin": "margin",
    "extra_target": "target",
}


def translated(data: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a data source with its arguments as they are called today; says on stderr what changed.

    >>> translated({"name": "table", "split": "fold", "table": "t.tsv"})
    {'name': 'table', 'table': 't.tsv', 'splits': {'column': 'fold'}}
    """
    renamed = _RENAMED.get(str(data.get("name")), {})
    old = {k: v for k, v in data.items() if k in renamed and not isinstance(v, Mapping)}
    new = {k: v for k, v in data.items() if k not in old}
    for key, value in old.items():
        group, _, name = renamed[key].partition(".")
        new[group] = {**(new.get(group) or {}), name: value}
    if old:
        print(f"data: {', '.join(f'{key} is now {renamed[key]}' for key in old)}", file=sys.stderr)
    if data.get("name") != "peaks" or not {"repeat", *_EXTRA} & data.keys():
        return new
    repeat, extra = new.pop("repeat", 1), {now: new.pop(key, None) for key, now in _EXTRA.items()}
    return _with_sequences(new, extra) | {"repeat": {"peaks": repeat}} if extra["sequences"] or repeat > 1 else new


def _with_sequences(peaks: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The mixture of peaks and what once were their `extra_positives`."""
    root, sources = peaks.pop("root", None), {"peaks": peaks}
    if extra["sequences"]:
        task, target = peaks.get("task", "bound"), peaks.get("target", "binding")
        sources["short"] = {
            "name": "bound_sequences",
            **{key: peaks[key] for key in ("peaks", "splits", "seed") if key in peaks},
            "negatives": {**peaks.get("negatives", {}), "per_training_positive": None},
            **{key: value for key, value in extra.items() if value is not None},
            "target": extra["target"] or target,
            "task": f"{task}_{extra['target']}" if extra["target"] else task,
        }
    return {"name": "mixture", "sources": sources, "root": root}
