"""Subsets of the examples by their columns: `peak_width<=2000`, `chrom==chrX & score>500`.  Parsed, never evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping

import numpy as np

from zoo.errors import ConfigError, did_you_mean

_COMPARISON = re.compile(r"^\s*(?P<column>[\w.]+)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>[^<>=!&]+?)\s*$")
_SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
_MISSING = ("", ".", "NA", "nan", "None")


def in_stratum(text: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """(n,) bool: the examples for which every comparison holds.

    text: comparisons of a column with a number or a word, joined by &.
    columns: by name, each (n,).  An example whose value is missing (NaN, empty, "." or NA: a negative has no
        peak width) stays in.

    >>> in_stratum("width<=2000", {"width": np.array([150.0, 9000.0, np.nan])}).tolist()
    [True, False, True]
    """
    kept: np.ndarray | None = None
    for part in text.split("&"):
        match = _COMPARISON.match(part)
        if not match:
            raise ConfigError(
                f"stratum {text!r} does not read column<=value, joined by &: write it as 'peak_width<=2000'"
            )
        name, sign, value = match["column"], match["sign"], match["value"]
        if name not in columns:
            raise ConfigError(f"stratum {text!r}: the examples have no column {name!r}" + did_you_mean(name, columns))
        holds = _compare(np.asarray(columns[name]), sign, value, text)
        kept = holds if kept is None else kept & holds
    return np.ones(0, bool) if kept is None else kept


def _compare(column: np.ndarray, sign: str, value: str, text: str) -> np.ndarray:
    missing = np.isin(column.astype(str), _MISSING)
    number = _number(value)
    numbers = None
    if number is not None:
        try:
            numbers = np.where(missing, np.nan, np.where(missing, "nan", column.astype(str)).astype(np.float64))
        except ValueError:
            numbers = None
    if numbers is not None:
        return missing | _SIGNS[sign](numbers, number)
    if sign not in ("==", "=", "!="):
        raise ConfigError(f"stratum {text!r} compares words with {sign}: use == or !=, or a column of numbers")
    return missing | _SIGNS[sign](column.astype(str), value)


def _number(value: str) -> float | None:
    try:
        return float(value.replace("_", "").replace(",", ""))
    except ValueError:
        return None
