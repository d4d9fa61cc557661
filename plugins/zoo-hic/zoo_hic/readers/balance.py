"""Balance weights of a map: which are taken, and whether they multiply or divide.

    balanced = raw * w_i * w_j (cooler, ICE)      or      raw / (v_i * v_j) (Juicer: KR, VC, SCALE)

A .hic divides.  A column of a .cool says so in its attribute `divisive_weights`.  Where it has none, both are tried:
the one that makes the row sums of the map more even than those of the raw map, while the other makes them less even, is
meant.  Where the sums do not tell, the name does; a name that says nothing either is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError

if TYPE_CHECKING:
    from zoo_hic.readers.map_file import MapFile

_DIVISIVE = re.compile(r"(GW_|INTER_)?(KR|VC|VC_SQRT|SCALE)")
_MULTIPLICATIVE = re.compile(r"weight|(GW_|INTER_)?ICE")
_PREFERRED = ("weight", "ICE", "KR", "SCALE", "VC_SQRT", "VC")

NEAREST = 2
"""Row sums leave out pairs fewer bins apart, as balancing does (self-ligation and undigested ends lie there)."""

ENOUGH_BINS = 500
_LEAST_BINS = 100
_SAME = 0.01


def choose_balance(file: MapFile, name: str, any_balance: bool = False) -> tuple[str, str]:
    """(the weights that are taken, a note), of the file's.

    name: their name, or "none".  any_balance: take others, by their names in the order weight, ICE, KR, SCALE,
    VC_SQRT, VC, where the file lacks them; "" is the note where it does not.

    Raises DataError where there are none, with what can be asked for instead.
    """
    if name == "none" or name in file.balances:
        return name, ""
    # Other columns of numbers, such as GC content, are not taken unless they are asked for.
    known = [b for b in file.balances if file.format == "hic" or _by_name(b) is not None]
    known.sort(key=lambda b: (_PREFERRED.index(b) if b in _PREFERRED else len(_PREFERRED), b))
    if any_balance and known:
        taken = known[0]
        return taken, f"{file.path.name} has no weights {name!r}: {taken} of {', '.join(file.balances)} is taken"
    raise DataError(_unbalanced(file, name, known))


def measure_direction(file: MapFile, name: str, column: np.ndarray) -> tuple[bool, str]:
    """(whether the column (bins,) divides, a note with the figures) for weights whose attribute does not say.

    Raises DataError where neither the sums nor the name tell.
    """
    raw, multiplied, divided = _variations(file, column)
    figures = f"row sums vary by {raw:.3g} raw, {multiplied:.3g} multiplied, {divided:.3g} divided"
    best, other = sorted((multiplied, divided))
    if best < raw * (1 - _SAME) and other > raw * (1 + _SAME):
        divides = divided < multiplied
        verb = "divide" if divides else "multiply"
        return divides, f"the weights {name} of {file.path.name} {verb}, which makes the map even: {figures}"
    known = _by_name(name)
    if known is None:
        raise DataError(
            f"whether the weights {name!r} of {file.path} multiply or divide is not known ({figures}): choose other "
            f"weights, or set the attribute divisive_weights of bins/{name} to true or false"
        )
    verb = "divide" if known else "multiply"
    return known, f"the weights {name} of {file.path.name} are taken to {verb}, as is usual: {figures}"


def _by_name(name: str) -> bool | None:
    """Whether weights of this name usually divide; None for a name that says nothing."""
    if _DIVISIVE.fullmatch(name):
        return True
    return False if _MULTIPLICATIVE.fullmatch(name) else None


def _variations(file: MapFile, column: np.ndarray) -> tuple[float, float, float]:
    """Coefficients of variation of row sums, raw, multiplied and divided, over a few small contigs."""
    usable = np.isfinite(column) & (column > 0)
    first = file.first_bins()
    sizes = {c: int(usable[first[c] : first[c] + file.bins(c)].sum()) for c in file.sizes}
    sums: list[list[np.ndarray]] = [[], [], []]
    for contig in _least_contigs(sizes):
        here = slice(first[contig], first[contig] + file.bins(contig))
        w, known = np.where(usable[here], column[here], 1.0), usable[here]
        row, col, count = (np.asarray(a) for a in file.cis(contig))
        inside = (row >= 0) & (col >= 0) & (row < len(w)) & (col < len(w)) & (np.abs(col - row) >= NEAREST)
        inside[inside] &= known[row[inside]] & known[col[inside]] & np.isfinite(count[inside])
        row, col, count = row[inside], col[inside], count[inside]
        for each, scale in zip(sums, (np.ones(len(w)), w, 1 / w), strict=True):
            value = count * scale[row] * scale[col]
            total = np.bincount(row, value, len(w)) + np.bincount(col, value, len(w))
            mean = total[known].mean() if known.any() else 0.0
            if mean > 0 and np.isfinite(mean):
                each.append(total[known] / mean)
    raw, multiplied, divided = (float(np.concatenate(each).std()) if each else 0.0 for each in sums)
    return raw, multiplied, divided


def _least_contigs(sizes: dict[str, int]) -> Sequence[str]:
    """The smallest contigs of at least 100 usable bins that have 500 together; the largest where none has."""
    chosen, total = [], 0
    for contig in sorted(sizes, key=lambda c: sizes[c]):
        if sizes[contig] >= _LEAST_BINS and total < ENOUGH_BINS:
            chosen.append(contig)
            total += sizes[contig]
    return chosen or [max(sizes, key=lambda c: sizes[c])]


def _unbalanced(file: MapFile, name: str, known: Sequence[str]) -> str:
    raw = "balance=none (--balance none)"
    if file.balances:
        first, others = [*known, *file.balances][0], ", ".join(file.balances)
        return f"{file.path} has no weights {name!r}, it has {others}: choose balance={first}, or {raw} for raw counts"
    remedy = "normalise it with juicer_tools addNorm" if file.format == "hic" else f"run `cooler balance {file.path}`"
    return f"{file.path} is not balanced, it has no weights {name!r}: {remedy}, or read raw counts with {raw}"
