"""Train on one cell type, test on another: what a prediction has of its own cell type, and what of any.

predicted {trained on: maps} x observed {tested on: maps} ── Pearson of log(O/E) ──> a square table
    lost[a][b]      = r(trained on b, tested on b) - r(trained on a, tested on b): what does not transfer from a to b
    specific[a, b]  = r(predicted a - predicted b, observed a - observed b): 0 if it only knows what they share
    alike[a, b]     = r(observed a, observed b): how similar the cell types are
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.metrics.bands import Squares, cut_bands, mask_unknown
from zoo_hic.metrics.blocks import Figure, block_bins, draw_sums, interval, moments, pearson_from_sums


@dataclass(frozen=True)
class Transfer:
    """names: those trained on and tested on, in order.

    table[a][b]: trained on a, tested on b.  lost[a][b], a other than b: what b's own model has beyond it; an interval
    above 0 means that it does not transfer.  specific, alike: of each pair of names.
    """

    names: tuple[str, ...]
    table: dict[str, dict[str, Figure]]
    lost: dict[str, dict[str, Figure]]
    specific: dict[tuple[str, str], Figure]
    alike: dict[tuple[str, str], Figure]


def transfer(
    predicted: Mapping[str, Squares],
    observed: Mapping[str, Squares],
    resolution: int,
    *,
    distances: tuple[float, float] = (20_000, 300_000),
    draws: int = 500,
    seed: int = 0,
) -> Transfer:
    """predicted, observed: {name: {contig: (T, T) log(O/E)}} with the same names and contigs, at least two names.

    Only pixels known in all maps count, and all intervals draw the same blocks, so that differences are paired.
    """
    names = tuple(observed)
    if len(names) < 2 or set(predicted) != set(names):
        raise ConfigError(
            f"trained on {sorted(predicted)}, tested on {sorted(names)}: give the same names, at least two of them"
        )
    maps = mask_unknown({f"{n} predicted": predicted[n] for n in names} | {f"{n} observed": observed[n] for n in names})
    models, truths = dict(zip(names, maps, strict=False)), dict(zip(names, maps[len(names) :], strict=True))
    length = block_bins(resolution, distances)

    def correlate(x: Squares, y: Squares) -> tuple[Figure, np.ndarray]:
        bands = cut_bands(x, y, resolution, distances)
        sums = moments(bands.predicted, bands.observed, length, first=bands.first).sum(1)
        drawn = pearson_from_sums(draw_sums(sums, draws, seed))
        return interval(float(pearson_from_sums(sums.sum(0))), drawn, bands.pixels, len(sums)), drawn

    cells = {a: {b: correlate(models[a], truths[b]) for b in names} for a in names}
    lost: dict[str, dict[str, Figure]] = {a: {} for a in names}
    for a in names:
        for b in names:
            if a != b:
                (own, own_drawn), (far, far_drawn) = cells[b][b], cells[a][b]
                lost[a][b] = interval(own.value - far.value, own_drawn - far_drawn, own.n, own.blocks)
    pairs = list(combinations(names, 2))
    return Transfer(
        names=names,
        table={a: {b: cells[a][b][0] for b in names} for a in names},
        lost=lost,
        specific={(a, b): correlate(*(_subtract(m[a], m[b]) for m in (models, truths)))[0] for a, b in pairs},
        alike={(a, b): correlate(truths[a], truths[b])[0] for a, b in pairs},
    )


def transfer_lines(transferred: Transfer) -> list[str]:
    """The table as text, and under it a sentence for each pair."""
    cells = [("trained on \\ tested on", *transferred.names)]
    cells += [(a, *(str(transferred.table[a][b]) for b in transferred.names)) for a in transferred.names]
    wide = [max(len(row[k]) for row in cells) for k in range(len(transferred.names) + 1)]
    out = ["  ".join(f"{c:<{w}}" for c, w in zip(row, wide, strict=True)).rstrip() for row in cells]
    for a, row in transferred.lost.items():
        for b, figure in row.items():
            if not np.isfinite(figure.low):
                verdict = "not known: no interval"
            elif figure.low > 0:
                verdict = "does not transfer in full"
            else:
                verdict = "no loss beyond chance" if figure.high >= 0 else "the other model is the better one"
            out.append(f"from {a} to {b}: {figure} lost, {verdict}")
    for (a, b), figure in transferred.specific.items():
        out.append(f"{a} and {b}: observed maps correlate {transferred.alike[a, b]}; predicted difference {figure}")
    return out


def _subtract(a, b):
    return {contig: a[contig] - b[contig] for contig in a}
