"""The table of an evaluation: each figure beside what distance alone gives and what another map of the cells gives.

compare(predicted, observed, resolution) ──> rows ── lines ──>

figure                                 value (interval)          distance  ceiling       p         n
Pearson log(O/E), 20-300 kb            0.412 (0.371 to 0.455)       0.000    0.494   0.001    15,104
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.errors import DataError
from zoo_hic.metrics.bands import Squares, cut_bands, mask_unknown
from zoo_hic.metrics.blocks import Figure, block_bins
from zoo_hic.metrics.boundaries import overlap, strong_boundaries
from zoo_hic.metrics.distance import by_diagonal, correlations, shift_null
from zoo_hic.metrics.insulation import insulation_correlation, insulation_tracks, window_bins
from zoo_hic.metrics.stratum import stratum_adjusted

__all__ = ["MetricRow", "compare", "lines"]

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


def compare(
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
    level: float = 0.95,
    seed: int = 0,
) -> list[MetricRow]:
    """Rows of two log(O/E) maps (natural logarithm) {contig: (T, T)}, NaN where masked.

    Only pixels that are known in both count, in every row and for baseline and ceiling alike.  A pixel without a
    contact has no logarithm: what preprocessing puts there decides whether it counts.

    distances: bp, both ends included, of the correlations; the last of them also of the stratum-adjusted one.
    ceiling: log(O/E) of another experiment.
    expected: (T,) contacts by diagonal.  With it, stratum-adjusted correlation and insulation are those of contacts,
        exp(log(O/E)) x expected, and the correlation of contacts is a row; without it, they are those of O/E, of
        which distance has next to nothing.  On contacts its share is large where contigs are short: look at it.
    h: bins, of HiCRep's filter.  window: bp, of the insulation diamond, by default 10 bins.
    tolerance: bins between boundaries that count as one.
    block: bp, draws, level, seed: of the bootstrap; draws are also those of the nulls.

    Baselines are 0 by definition where distance alone predicts a constant, and are computed elsewhere.
    Raises DataError for maps that do not fit each other.
    """
    options = {"draws": draws, "level": level, "seed": seed}
    given = {"predicted": predicted, "observed": observed} | ({} if ceiling is None else {"ceiling": ceiling})
    predicted, observed, other = [*mask_unknown(given), None][:3]
    alone = {c: np.where(np.isfinite(s), 0.0, np.nan) for c, s in predicted.items()}
    bands = cut_bands(predicted, observed, resolution, distances)
    span = f"{distances[0] / 1000:g}-{distances[1] / 1000:g} kb"
    rows = []

    def add(name: str, got: Figure, baseline: float, top: float = _NAN, p: float = _NAN) -> None:
        rows.append(MetricRow(name, got.value, got.low, got.high, got.n, baseline, top, p, got.blocks))

    top = None if other is None else cut_bands(other, observed, resolution, distances)
    pair = correlations(bands, block=block, **options)
    best = {} if top is None else {k: f.value for k, f in correlations(top, block=block, draws=0).items()}
    p = shift_null(bands, draws=draws, seed=seed).p
    add(f"Pearson log(O/E), {span}", pair["pearson"], 0.0, best.get("pearson", _NAN), p)
    add(f"Spearman log(O/E), {span}", pair["spearman"], 0.0, best.get("spearman", _NAN))
    high = _NAN if top is None else by_diagonal(top, draws=0).value
    add(f"mean Pearson of a diagonal, {span}", by_diagonal(bands, block=block, **options), 0.0, high)

    maps = [None if m is None else _contacts(m, expected) for m in (predicted, observed, alone, other)]
    model, truth, flat, second = maps
    what = "O/E" if expected is None else "contacts"
    if expected is not None:

        def raw(m: Squares | None, draws: int) -> Figure | None:
            if m is None:
                return None
            return correlations(
                cut_bands(m, truth, resolution, distances), **options | {"draws": draws, "block": block}
            )["pearson"]

        add(f"Pearson contacts, {span}", raw(model, draws), _value(raw(flat, 0)), _value(raw(second, 0)))

    def adjusted(m: Squares | None, draws: int) -> Figure | None:
        if m is None:
            return None
        return stratum_adjusted(
            m, truth, resolution, distances[1], h, block=block, draws=draws, level=level, seed=seed
        ).scc

    name = f"stratum-adjusted correlation of {what}, to {distances[1] / 1000:g} kb, h {h}"
    add(name, adjusted(model, min(draws, 200)), _zero(adjusted(flat, 0)), _value(adjusted(second, 0)))

    wide = window_bins(10 * resolution if window is None else window, resolution)
    length = block_bins(resolution, distances, block)
    tracks = [None if m is None else insulation_tracks(m, wide) for m in maps]
    scores = [None if t is None else {c: s for c, (s, _) in t.items()} for t in tracks]

    def insulated(score: dict | None, draws: int) -> Figure | None:
        if score is None:
            return None
        return insulation_correlation(score, scores[1], length, **options | {"draws": draws})

    name = f"insulation of {what}, {wide * resolution / 1000:g} kb"
    add(name, insulated(scores[0], draws), _zero(insulated(scores[2], 0)), _value(insulated(scores[3], 0)))

    bins = {c: len(s) for c, s in predicted.items()}
    here, there, second = (None if t is None else strong_boundaries(t) for t in (tracks[0], tracks[1], tracks[3]))
    options |= {"tolerance": tolerance, "length": length}
    for name, a, b in (
        ("predicted boundaries near observed", lambda m: m, lambda m: there),
        ("observed boundaries near predicted", lambda m: there, lambda m: m),
    ):
        got = overlap(a(here), b(here), bins, **options)
        high = _NAN if second is None else overlap(a(second), b(second), bins, **options | {"draws": 1}).share.value
        add(f"{name}, {tolerance} bins", got.share, got.chance, high, got.p)
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


def _short(value):
    return f"{value:.3f}" if np.isfinite(value) else "-"


def _value(got):
    return _NAN if got is None else got.value


def _zero(got):
    """The figure of distance alone, 0 where it predicts a constant."""
    return got.value if np.isfinite(got.value) else 0.0


def _contacts(squares, expected):
    if expected is None:
        return {c: np.exp(s) for c, s in squares.items()}
    expected, out = np.asarray(expected, float), {}
    for contig, square in squares.items():
        if len(square) > len(expected):
            raise DataError(f"expected has {len(expected):,} distances, {contig!r} {len(square):,} bins: give them all")
        at = np.arange(len(square))
        out[contig] = np.exp(square) * expected[np.abs(at[:, None] - at)]
    return out
