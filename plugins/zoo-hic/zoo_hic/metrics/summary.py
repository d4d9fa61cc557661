"""The table of an evaluation: each figure beside what distance alone gives and what another map of the cells gives.

compare_maps(predicted, observed, resolution) ──> rows ── lines ──>

figure                                 value (interval)          distance  ceiling       p         n
Pearson log(O/E), 20-300 kb            0.412 (0.371 to 0.455)       0.000    0.494   0.001    15,104
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo_hic.expected import expand_expected
from zoo_hic.metrics.bands import Squares, cut_bands, mask_unknown
from zoo_hic.metrics.blocks import Figure, block_bins
from zoo_hic.metrics.boundaries import overlap, strong_boundaries
from zoo_hic.metrics.distance import by_diagonal, correlations, shift_null
from zoo_hic.metrics.insulation import insulation_correlation, insulation_tracks, window_bins
from zoo_hic.metrics.stratum import stratum_adjusted_correlation

_NAN = float("nan")


@dataclass(frozen=True)
class MetricRow:
    """One figure: value and interval, NaN where not defined.

    n: pixels, bins or boundaries.  baseline: of distance alone, or for boundaries that of chance.
    ceiling: of another observed map.  p: one-sided, of a permutation null.  blocks: drawn for the interval.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    baseline: float
    ceiling: float = _NAN
    p: float = _NAN
    blocks: int = 0

    @classmethod
    def of(cls, name: str, figure: Figure, baseline: float, ceiling: float, p: float = _NAN) -> MetricRow:
        """The row of a figure."""
        return cls(name, figure.value, figure.low, figure.high, figure.n, baseline, ceiling, p, figure.blocks)


def compare_maps(
    predicted: Squares,
    observed: Squares,
    resolution: int,
    *,
    distances: tuple[float, float] = (20_000, 300_000),
    ceiling: Squares | None = None,
    expected: np.ndarray | None = None,
    h: int = 2,
    window: float | None = None,
    tolerance: int = 1,
    block: float | None = None,
    draws: int = 500,
    seed: int = 0,
) -> list[MetricRow]:
    """Rows of two log(O/E) maps (natural logarithm) {contig: (T, T)}, NaN where masked.

    Only pixels that are known in both count, in every row and for baseline and ceiling alike.  A pixel without a
    contact has no logarithm: what preprocessing puts there decides whether it counts.

    distances: bp, both ends included, of the correlations; the last of them also of the stratum-adjusted one.
    ceiling: log(O/E) of another experiment.
    expected: (T,) contacts by diagonal.  With it, stratum-adjusted correlation and insulation are those of contacts,
        exp(log(O/E)) x expected, and the correlation of contacts is a row; without it, they are those of O/E, where
        distance explains next to nothing.
    h: bins, of HiCRep's filter.  window: bp, of the insulation diamond, by default 10 bins.
    tolerance: bins between boundaries that count as one.
    block: bp, draws, seed: of the bootstrap, with intervals of 95 %; draws are also those of the nulls.

    Baselines are 0 by definition where distance alone predicts a constant, and are computed elsewhere.
    Raises DataError for maps that do not fit each other.
    """
    maps = {"predicted": predicted, "observed": observed} | ({} if ceiling is None else {"ceiling": ceiling})
    predicted, observed, other = [*mask_unknown(maps), None][:3]
    alone = {c: np.where(np.isfinite(s), 0.0, np.nan) for c, s in predicted.items()}
    options = {"block": block, "seed": seed}
    rows = _correlation_rows(predicted, observed, other, resolution, distances, draws, options)
    maps = [None if m is None else _contacts(m, expected) for m in (predicted, observed, alone, other)]
    model, truth, flat, other = maps
    contacts = "O/E" if expected is None else "contacts"

    def pearson_of_contacts(m: Squares, draws: int) -> Figure:
        return correlations(cut_bands(m, truth, resolution, distances), draws=draws, **options)["pearson"]

    def adjusted(m: Squares, draws: int) -> Figure:
        return stratum_adjusted_correlation(m, truth, resolution, distances[1], h, draws=min(draws, 200), **options).scc

    if expected is not None:
        rows.append(_row(f"Pearson contacts, {_span(distances)}", pearson_of_contacts, (model, flat, other), draws))
    title = f"stratum-adjusted correlation of {contacts}, to {distances[1] / 1000:g} kb, h {h}"
    rows.append(_row(title, adjusted, (model, flat, other), draws))
    wide = window_bins(10 * resolution if window is None else window, resolution)
    length = block_bins(resolution, distances, block)
    tracks = [None if m is None else insulation_tracks(m, wide) for m in maps]
    title = f"insulation of {contacts}, {wide * resolution / 1000:g} kb"
    rows.append(_insulation_row(title, tracks, length, draws, seed))
    near = {"bins": {c: len(s) for c, s in predicted.items()}, "tolerance": tolerance, "length": length, "seed": seed}
    return rows + _boundary_rows(tracks[0], tracks[1], tracks[3], draws, near)


def _correlation_rows(predicted, observed, other, resolution, distances, draws, options) -> list[MetricRow]:
    """Pearson, Spearman and the mean over diagonals of log(O/E), of which distance alone has none."""
    bands = cut_bands(predicted, observed, resolution, distances)
    top = None if other is None else cut_bands(other, observed, resolution, distances)
    figures = correlations(bands, draws=draws, **options)
    figures["diagonal"] = by_diagonal(bands, draws=draws, **options)
    best = {}
    if top is not None:
        best = {**correlations(top, draws=0, **options), "diagonal": by_diagonal(top, draws=0, **options)}
    p = {"pearson": shift_null(bands, draws=draws, seed=options["seed"]).p}
    names = {"pearson": "Pearson log(O/E)", "spearman": "Spearman log(O/E)", "diagonal": "mean Pearson of a diagonal"}
    return [
        MetricRow.of(f"{name}, {_span(distances)}", figures[key], 0.0, _value(best.get(key)), p.get(key, _NAN))
        for key, name in names.items()
    ]


def _row(name: str, score: Callable[[Any, int], Figure], maps: Sequence[Any], draws: int) -> MetricRow:
    """The score of the model's map with its interval, of distance alone and of the other experiment without.

    score: of a map and a number of draws.  maps: of model, distance alone and other experiment, which may be None.
    """
    model, flat, other = maps
    baseline = score(flat, 0).value
    ceiling = _value(None if other is None else score(other, 0))
    return MetricRow.of(name, score(model, draws), baseline if np.isfinite(baseline) else 0.0, ceiling)


def _insulation_row(title: str, tracks: Sequence[Any], length: int, draws: int, seed: int) -> MetricRow:
    """tracks: of model, observed, distance alone and other experiment; length: bins of a block."""
    model, truth, flat, other = (None if t is None else {c: s for c, (s, _) in t.items()} for t in tracks)

    def score(scores: dict[str, np.ndarray], draws: int) -> Figure:
        return insulation_correlation(scores, truth, length, draws=draws, seed=seed)

    return _row(title, score, (model, flat, other), draws)


def _boundary_rows(predicted, observed, other, draws: int, options: dict[str, Any]) -> list[MetricRow]:
    """Shares of the boundaries of one map that the other has, by chance, and of another experiment; of tracks."""
    here, there, second = (None if t is None else strong_boundaries(t) for t in (predicted, observed, other))
    rows = []
    for name, turn in (("predicted boundaries near observed", 1), ("observed boundaries near predicted", -1)):
        found = overlap(*(here, there)[::turn], draws=draws, **options)
        ceiling = _NAN if second is None else overlap(*(second, there)[::turn], draws=1, **options).share.value
        title = f"{name}, {options['tolerance']} bins"
        rows.append(MetricRow.of(title, found.share, found.chance, ceiling, found.p))
    return rows


def lines(rows: Sequence[MetricRow]) -> list[str]:
    """The table as text, one line a row under a line of headings; - where a figure is not defined."""
    cells = [("figure", "value (interval)", "distance", "ceiling", "p", "n")]
    for r in rows:
        value = str(Figure(r.value, r.low, r.high, r.n, r.blocks))
        cells.append((r.name, value, _short(r.baseline), _short(r.ceiling), _short(r.p), f"{r.n:,}"))
    wide = [max(len(row[k]) for row in cells) for k in range(6)]
    return [
        f"{name:<{wide[0]}}  {value:<{wide[1]}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(rest, wide[2:], strict=True))
        for name, value, *rest in cells
    ]


def _span(distances):
    return f"{distances[0] / 1000:g}-{distances[1] / 1000:g} kb"


def _short(value):
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _value(figure):
    return _NAN if figure is None else figure.value


def _contacts(squares, expected):
    if expected is None:
        return {c: np.exp(s) for c, s in squares.items()}
    return {c: np.exp(s) * expand_expected(expected, len(s)) for c, s in squares.items()}
