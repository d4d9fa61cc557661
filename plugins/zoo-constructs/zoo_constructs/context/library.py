"""A library's file to shares of variance and insulation, and these to files.

library.csv + columns -> Context -> .tsv, .parquet, .xlsx, .png
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data.sources.table_columns import MISSING, TableText
from zoo.errors import DataError, did_you_mean
from zoo.files.endings import PICTURES
from zoo.files.tables import TableWriter
from zoo_constructs.context.insulation import Insulation, insulate
from zoo_constructs.context.uncertainty import NAMES, Shares, share_variance
from zoo_constructs.context.variance_partition import select_replicated
from zoo_constructs.library.files import read_library
from zoo_constructs.library.measurements import measure

COLUMNS = ("part", "status", "contexts", "mean", "spread", "insulation", "low", "high")


@dataclass(frozen=True)
class Context:
    """shares: of the whole library.  parts: a row a part.  header: what a file says of their origin."""

    shares: Shares
    parts: list[Insulation]
    header: dict[str, Any]


def measure_context(
    library: str | Path,
    part: str,
    context: Sequence[str],
    target: str | None = None,
    replicates: Sequence[str] = (),
    *,
    resamples: int = 500,
    seed: int = 0,
) -> Context:
    """target, or replicates: columns of the activity.  Several columns of context are one context together.

    Rows without part, context or activity, and those of one replicate where others have several, are left out and
    counted in the header.  Raises DataError for columns that
    are not there and for a library whose parts or contexts do not recur.
    """
    path = Path(library)
    text = read_library(path)
    labels = _labels(text, [part])
    around = _labels(text, context)
    name = target or "activity"
    if target is not None:
        _require(text, [target])
    several = {name: list(replicates)} if replicates else {}
    taken = [part, *context]
    measured = measure(text, [name], several, {}, taken)
    activity, noise = measured.values[:, 0].astype(np.float64), measured.sampling_variance[:, 0]
    kept = np.isfinite(activity) & (labels != "") & (around != "")
    if not kept.any():
        raise DataError(f"{path}: no row has a part, a context and an activity: check {part}, {', '.join(context)}")
    replicated = np.zeros_like(kept)
    replicated[kept] = select_replicated(noise[kept])
    single, kept = int((kept & ~replicated).sum()), replicated
    activity, noise, labels, around = activity[kept], noise[kept], labels[kept], around[kept]
    known = noise if np.isfinite(noise).any() else None
    shares = share_variance(activity, labels, around, known, resamples=resamples, seed=seed)
    parts = insulate(activity, labels, around, shares.variances.part, shares.noise_of(known))
    header = {"library": path.name, "part": part, "context": ",".join(context), "activity": name}
    header |= {"replicates": ",".join(replicates)} if replicates else {}
    header |= {"n": len(activity), "left_out": int((~kept).sum())}
    header |= {"left_out.one_replicate": single} if single else {}
    header |= {"parts": shares.parts, "contexts": shares.contexts}
    for share in NAMES:
        if np.isfinite(shares.value[share]):
            header[f"share.{share}"] = shares.text(share, ".4g")
    header["share"] = "of the variance of activity; interaction holds the noise where there is no share of it"
    header |= {"insulation": "1 - variance over contexts / variance between parts", "resamples": resamples}
    return Context(shares, parts, header | {"seed": seed})


def write_context(path: str | Path, context: Context) -> None:
    """A table with a row a part, or a picture, as the ending says; - is standard output."""
    if str(path).lower().endswith(PICTURES):
        from zoo.pictures.figure_files import save_figure
        from zoo_constructs.context.picture import draw_context

        save_figure(path, draw_context(context.shares, context.parts, str(context.header["library"])))
        return
    with TableWriter(str(path), COLUMNS, context.header) as table:
        for row in context.parts:
            numbers = (row.spread, row.score, row.low, row.high)
            table.row(
                [row.part, row.status, row.n, row.mean, *(None if np.isnan(value) else value for value in numbers)]
            )


def _labels(text: TableText, columns: Sequence[str]) -> np.ndarray:
    """(n,) texts of these columns together, "" where one is missing."""
    _require(text, columns)
    if not columns:
        raise DataError("a context needs a column: name one, as in --context left_flank,right_flank")
    rows = zip(*(text.cells(column) for column in columns), strict=True)
    return np.array(["" if any(c.lower() in MISSING for c in row) else "|".join(row) for row in rows], object)


def _require(text: TableText, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in text.columns:
            raise DataError(f"{text.path} has no column {column!r}{did_you_mean(column, text.columns)}")
