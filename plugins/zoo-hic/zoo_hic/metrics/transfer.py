"""Train on one, test on the other: which part of a prediction belongs to the cell type, and which to any.

predicted {trained on: maps} x observed {tested on: maps} ── Pearson of log(O/E) ──> a square table
    lost[a][b]      = r(trained on b, tested on b) - r(trained on a, tested on b): what does not transfer from a to b
    told_apart[a,b] = r(predicted a - predicted b, observed a - observed b): 0 if the model only knows what they share
    alike[a,b]      = r(observed a, observed b): how much there is to share
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from zoo.errors import ConfigError
from zoo_hic.metrics.bands import Squares, bands_of, known_in_all
from zoo_hic.metrics.blocks import Figure, block_bins, drawn_sums, interval, moments, pearson

__all__ = ["Transfer", "transfer", "transfer_lines"]


@dataclass(frozen=True)
class Transfer:
    """names: those trained on and tested on, in order.

    table[a][b]: trained on a, tested on b.  lost[a][b], a other than b: what b's own model has beyond it; an interval
    above 0 says that it does not transfer.  told_apart, alike: of each pair of names.
    """

    names: tuple[str, ...]
    table: dict[str, dict[str, Figure]]
    lost: dict[str, dict[str, Figure]]
    told_apart: dict[tuple[str, str], Figure]
    alike: dict[tuple[str, str], Figure]


def transfer(
    predicted: Mapping[str, Squares],
    observed: Mapping[str, Squares],
    resolution: int,
    *,
    distances: tuple[float, float] = (20_000, 300_000),
    block: float | None = None,
    draws: int = 500,
    level: float = 0.95,
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
    maps = known_in_all({f"{n} predicted": predicted[n] for n in names} | {f"{n} observed": observed[n] for n in names})
    models, truths = dict(zip(names, maps, strict=False)), dict(zip(names, maps[len(names) :], strict=True))
    length = block_bins(resolution, distances, block)

    def judged(x: Squares, y: Squares) -> tuple[Figure, np.ndarray]:
        bands = bands_of(x, y, resolution, distances)
        sums = moments(bands.predicted, bands.observed, length, first=bands.first).sum(1)
        drawn = pearson(drawn_sums(sums, draws, seed))
        return interval(float(pearson(sums.sum(0))), drawn, bands.pixels, len(sums), level), drawn

    cells = {a: {b: judged(models[a], truths[b]) for b in names} for a in names}
    lost: dict[str, dict[str, Figure]] = {a: {} for a in names}
    for a in names:
        for b in names:
            if a != b:
                (own, own_drawn), (far, far_drawn) = cells[b][b], cells[a][b]
                lost[a][b] = interval(own.value - far.value, own_drawn - far_drawn, own.n, own.blocks, level)
    pairs = list(combinations(names, 2))
    return Transfer(
        names=names,
        table={a: {b: cells[a][b][0] for b in names} for a in names},
        lost=lost,
        told_apart={(a, b): judged(_less(models[a], models[b]), _less(truths[a], truths[b]))[0] for a, b in pairs},
        alike={(a, b): judged(truths[a], truths[b])[0] for a, b in pairs},
    )


def transfer_lines(got: Transfer) -> list[str]:
    """The table as text, and under it a sentence for each pair."""
    cells = [("trained on \\ tested on", *got.names)]
    cells += [(a, *(str(got.table[a][b]) for b in got.names)) for a in got.names]
    wide = [max(len(row[k]) for row in cells) for k in range(len(got.names) + 1)]
    out = ["  ".join(f"{c:<{w}}" for c, w in zip(row, wide, strict=True)).rstrip() for row in cells]
    for a, row in got.lost.items():
        for b, figure in row.items():
            if not np.isfinite(figure.low):
                said = "not known: no interval"
            elif figure.low > 0:
                said = "does not transfer in full"
            else:
                said = "no loss beyond chance" if figure.high >= 0 else "the other model is the better one"
            out.append(f"from {a} to {b}: {figure} lost, {said}")
    for (a, b), figure in got.told_apart.items():
        out.append(f"{a} and {b}: observed maps correlate {got.alike[a, b]}; predicted difference {figure}")
    return out


def _less(a, b):
    return {contig: a[contig] - b[contig] for contig in a}
