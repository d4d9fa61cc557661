"""The table of a judgement: a row a design, whatever became of it, and facts of the set.

samples, judges, their values -> columns, rows, facts
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo_design.judgement.controls import number_of_edits
from zoo_design.judgement.gain import percentiles
from zoo_design.judgement.samples import Samples, Values, disagreement
from zoo_design.judgement.sequence_distance import diversity, nearest_sequences

if TYPE_CHECKING:
    from zoo_design.design import Design
    from zoo_design.judgement.controls import Controls
    from zoo_design.judgement.judges import Judge

Rows = tuple[tuple[Any, ...], ...]


def tabulate(
    samples: Samples, judges: Sequence[Judge], values: Sequence[Values], controls: Controls
) -> tuple[tuple[str, ...], Rows, dict[str, Any]]:
    """Names of the columns, rows in the order of the designs, {fact: number}."""
    novelty, facts = _novelty(samples, controls)
    columns: dict[str, Sequence[Any] | np.ndarray] = {
        "name": [d.name for d in samples.designs],
        "status": [d.status for d in samples.designs],
        "judge_status": _statuses(samples, values),
        "start_value": [d.start_value for d in samples.designs],
        "value": [d.value for d in samples.designs],
        **_judged(judges, values),
        "edits": [number_of_edits(d) for d in samples.designs],
        "gc": [(s.count("G") + s.count("C")) / max(1, len(s)) for s in samples.sequences],
        **novelty,
        "constraints_met": [_share_met(d) for d in samples.designs],
        "constraints_broken": [",".join(name for name, met in d.constraints if not met) for d in samples.designs],
    }
    names = tuple(columns)
    rows = tuple(tuple(_plain(columns[name][i]) for name in names) for i in range(len(samples.designs)))
    return names, rows, facts


def _judged(judges: Sequence[Judge], values: Sequence[Values]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    for one, own in zip(judges, values, strict=True):
        columns[f"{one.name}.start"] = own.starts
        columns[f"{one.name}.value"] = own.designs
        columns[f"{one.name}.gain"] = own.designs - own.starts
        columns[f"{one.name}.percentile"] = percentiles(own.designs, own.natural)
    if values:
        spread, usual = disagreement(values)
        columns["disagreement"] = spread
        columns["disagreement_percentile"] = percentiles(spread, usual)
    return columns


def _novelty(samples: Samples, controls: Controls) -> tuple[dict[str, Any], dict[str, Any]]:
    """Columns on the nearest training sequence and on the other designs; facts of the set."""
    variety = diversity(samples.sequences)
    distances = variety.mean_distance[np.isfinite(variety.mean_distance)]
    met = [d.obeys for d in samples.designs if d.status == "ok"]
    facts: dict[str, Any] = {
        "n": len(samples.designs),
        "judged": int(samples.counts.sum()),
        "constraints_met": float(np.mean(met)) if met else np.nan,
        "duplicates": variety.duplicates,
        "mean_distance": float(distances.mean()) if len(distances) else np.nan,
    }
    columns: dict[str, Any] = {}
    if controls.training and samples.designs:
        nearest = nearest_sequences(samples.sequences, controls.training)
        columns["nearest_training"] = [controls.names[i] for i in nearest.index]
        columns["nearest_distance"] = nearest.distance
        facts["nearest_distance"] = float(np.median(nearest.distance))
        facts["copies_of_training"] = int((nearest.distance == 0).sum())
    return {**columns, "copies": variety.copies, "mean_distance": variety.mean_distance}, facts


def _share_met(design: Design) -> float:
    """Of the constraints; 1 without any, NaN for a record that has no design."""
    if design.status != "ok":
        return np.nan
    return float(np.mean([met for _, met in design.constraints] or [1.0]))


def _statuses(samples: Samples, values: Sequence[Values]) -> list[str]:
    """Whether the verdict rests on a design, and why it does not."""
    statuses = []
    for i, design in enumerate(samples.designs):
        status = "ok"
        if design.status != "ok":
            status = "no_design"
        elif not samples.good[i]:
            status = "constraint_broken"
        elif not samples.counts[i]:
            status = "duplicate"
        elif any(not np.isfinite(v.designs[i]) or not np.isfinite(v.starts[i]) for v in values):
            status = "no_judge_value"
        statuses.append(status)
    return statuses


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
