"""Are listed pairs of places, such as loops or pairs of cohesin peaks, enriched beyond their distance?

    log(O/E) at (i, j) - mean of log(O/E) of the same contig and distance ── mean over pairs ──> enrichment
    the same with all pairs of a contig slid along it ── many times ──> p

Listed pairs share anchors and neighbours, so the null slides them together and keeps how they lie to each other; the
interval draws blocks of the genome.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.aliases import find
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.files.compressed import read_lines
from zoo_hic.maps import check_square
from zoo_hic.metrics.bands import Squares, cut_band
from zoo_hic.metrics.blocks import Figure, figure, mean_from_sums, sum_by_block

_MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Enrichment:
    """excess: mean log(O/E) at the pairs less that of their distances; n is how many pairs are known.

    at_pairs, matched: the two means.  p: one-sided, against pairs slid along their contig.
    left_out: pairs that are NaN in the map.
    """

    excess: Figure
    at_pairs: float
    matched: float
    p: float
    left_out: int


def read_pairs(
    path: str | os.PathLike, sizes: Mapping[str, int], resolution: int, notes: list[str] | None = None
) -> dict[str, np.ndarray]:
    """{contig: (P, 2) int64 bins, first below second} of a bed2d or BEDPE file: chrom, start, end, chrom, start, end.

    Coordinates are 0-based half-open; a place is the bin of its middle.  Contigs are matched by name or alias.  Further
    columns, empty lines and those that start with # are skipped.  Pairs are listed once, and left out when both places
    are one bin.

    A line that is no pair, is of two contigs or of one that `sizes` lacks, or has a place that is empty or outside its
    contig, is left out; how many, and the first of them, goes to `notes`.  Raises DataError or GenomeMismatch where no
    line is left, and for files above 256 MB.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is no file: give a bed2d or BEDPE file")
    if path.stat().st_size > _MOST_BYTES:
        raise DataError(f"{path} has more than {_MOST_BYTES:,} bytes: give a shorter list of pairs")
    bins_by_contig: dict[str, set] = {}
    called: dict[str, str | None] = {}
    bad: list[DataError | GenomeMismatch] = []
    read = 0
    for number, line in read_lines(path):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            contig, first, second = _read_pair(line.split(), f"{path.name} line {number:,}", sizes, resolution, called)
        except (DataError, GenomeMismatch) as error:
            bad.append(error)
            continue
        read += 1
        if first < second:
            bins_by_contig.setdefault(contig, set()).add((first, second))
    if bad and not read:
        raise bad[0]
    if bad and notes is not None:
        notes.append(f"{len(bad):,} of {len(bad) + read:,} lines of {path.name} are left out, the first: {bad[0]}")
    return {contig: np.array(sorted(pairs), np.int64) for contig, pairs in bins_by_contig.items()}


def _read_pair(
    cells: list[str], where: str, sizes: Mapping[str, int], resolution: int, called: dict[str, str | None]
) -> tuple[str, int, int]:
    """(contig, first bin, second bin); called: contig by the name that a file gives it, filled here."""
    try:
        places = [(cells[k], int(cells[k + 1]), int(cells[k + 2])) for k in (0, 3)]
    except (IndexError, ValueError):
        raise DataError(f"{where} is no pair: give chrom, start, end of both places") from None
    named = places[0][0]
    if places[1][0] != named:
        raise DataError(f"{where} joins {named[:50]} and {places[1][0][:50]}: give pairs of one contig only")
    if named not in called:
        called[named] = named if named in sizes else find(named, sizes)
    contig = called[named]
    if contig is None:
        raise GenomeMismatch(f"{where} is on {named[:50]!r}, which the map lacks: rename or remove its lines")
    for _, start, end in places:
        if not 0 <= start < end <= -(-sizes[contig] // resolution) * resolution:
            raise DataError(
                f"{where} has {start:,} to {end:,} on {contig} of {sizes[contig]:,} bp: give 0-based half-open "
                "places inside it"
            )
    first, second = sorted((start + (end - start - 1) // 2) // resolution for _, start, end in places)
    return contig, first, second


def enrichment(
    squares: Squares,
    pairs: Mapping[str, np.ndarray],
    *,
    length: int = 30,
    draws: int = 1000,
    seed: int = 0,
) -> Enrichment:
    """Of log(O/E) maps {contig: (T, T)} at pairs {contig: (P, 2)} of bins, first below second.

    A shallow observed map has no logarithm at many pixels, which are left out: give O/E with its zeros there, and the
    excess is that of O/E.

    Contigs without pairs, and pairs of contigs without a map, are left out.  length: bins of a block of the bootstrap.
    The mean of a distance includes the listed pairs, which makes the excess a little too small.

    Raises DataError for a pair outside its map, ConfigError where no contig has both.
    """
    shared = [contig for contig in squares if len(pairs.get(contig, ()))]
    if not shared:
        raise ConfigError("no contig has a map and listed pairs: give pairs of the contigs that are scored")
    rng = np.random.default_rng(seed)
    sums, means, left_out = [], np.zeros(3), 0
    slid = np.zeros((2, draws))
    for contig in shared:
        square, listed = check_square(squares[contig]), np.asarray(pairs[contig], int)
        bins, (first, second) = len(square), listed.T
        if first.min() < 0 or second.max() >= bins or (first >= second).any():
            raise DataError(f"pairs of {contig!r} leave its {bins:,} bins, or are not in order: first below second")
        row = second - first - (second - first).min()
        band = cut_band(square, (second - first).min(), (second - first).max())
        known = np.isfinite(band)
        matched = np.divide(np.nansum(band, 1), known.sum(1), out=np.full(len(band), np.nan), where=known.any(1))
        excess = band - matched[:, None]
        here = known[row, first]
        left_out += int((~here).sum())
        means += (here.sum(), band[row, first][here].sum(), matched[row][here].sum())
        sums.append(sum_by_block((first + second + 1)[here] / 2, excess[row, first][here], bins, length))
        for k, shift in enumerate(rng.integers(min(1, bins - 1), bins, draws)):
            moved = excess[row, (first + shift) % bins]
            there = np.isfinite(moved)
            slid[:, k] += there.sum(), moved[there].sum()
    if not means[0]:
        return Enrichment(Figure(*3 * [float("nan")], 0, 0), *3 * [float("nan")], left_out)
    figured = figure(np.concatenate(sums), mean_from_sums, draws=draws, seed=seed)
    null = slid[1][slid[0] > 0] / slid[0][slid[0] > 0]
    p = (1 + (null >= figured.value).sum()) / (1 + len(null))
    return Enrichment(figured, float(means[1] / means[0]), float(means[2] / means[0]), float(p), left_out)
