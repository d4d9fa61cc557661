"""Predicted maps as files, by the end of a name: .cool, a table of pairs, pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.files.endings import is_table
from zoo.files.tables import TableWriter
from zoo_hic.maps import ContactMap


def output_kind(out: str) -> str:
    """map, table or picture."""
    return "map" if out.lower().endswith(".cool") else "table" if is_table(out) else "picture"


def write_square(
    path: str,
    square: np.ndarray,
    contig: str,
    size: int,
    first: int,
    bin_size: int,
    *,
    values: str,
    assembly: str,
    metadata: Mapping[str, Any],
) -> int:
    """A square (T, T) of bins [first, first + T) as a .cool of its whole contig; returns the number of pixels.

    Only known pairs of the square are stored, so that a part of a long chromosome makes a small file; the column
    `weight` is NaN in all bins without any.
    """
    from zoo_hic.writers.cool import VALUES, known_pixels, write_cool

    pixels, weights = known_pixels(square, first, -(-size // bin_size))
    contacts = ContactMap((contig,), {contig: size}, bin_size, {contig: pixels}, {contig: weights}, "predicted")
    about = {**metadata, "values": values, "values_are": VALUES[values]}
    return write_cool(path, contacts, assembly=assembly, metadata=about)


def write_pairs(
    path: str,
    squares: Mapping[str, np.ndarray],
    contig: str,
    size: int,
    start: int,
    bin_size: int,
    comments: Mapping[str, Any],
) -> int:
    """Pairs of bins i <= j with a value in one square at least: contig, both intervals (0-based half-open), values."""
    columns = ["chrom", "start1", "end1", "start2", "end2", *squares]
    stack = np.stack(list(squares.values()))
    row, column = np.nonzero(np.triu(np.isfinite(stack).any(0)))
    with TableWriter(path, columns, comments) as table:
        for i, j in zip(row.tolist(), column.tolist(), strict=True):
            a, b = start + i * bin_size, start + j * bin_size
            ends = min(a + bin_size, size), min(b + bin_size, size)
            table.row([contig, a, ends[0], b, ends[1], *stack[:, i, j]])
    return len(row)
