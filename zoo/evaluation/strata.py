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
    kept = np.True_
    for part in text.split("&"):
        match = _COMPARISON.match(part)
        if not match:
            raise ConfigError(
                f"stratum {text!r} does not read column<=value, joined by &: write it as 'peak_width<=2000'"
            )
        name, sign, value = match["column"], match["sign"], match["value"]
        if name not in columns:
            raise ConfigError(f"stratum {text!r}: the examples have no column {name!r}" + did_you_mean(name, columns))
        kept = kept & _compare(np.asarray(columns[name]).astype(str), sign, value, text)
    return np.asarray(kept)


def _compare(words: np.ndarray, sign: str, value: str, text: str) -> np.ndarray:
    """As numbers where the column and the value are numbers, else as words."""
    missing = np.isin(words, _MISSING)
    try:
        number = float(value.replace("_", "").replace(",", ""))
        numbers = np.where(missing, "nan", words).astype(np.float64)
    except ValueError:
        if sign not in ("==", "=", "!="):
            error = f"stratum {text!r} compares words with {sign}: use == or !=, or a column of numbers"
            raise ConfigError(error) from None
        return missing | _SIGNS[sign](words, value)
    return missing | _SIGNS[sign](numbers, number)
