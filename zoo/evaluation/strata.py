"""Subsets of the examples by their columns: `peak_width<=2000`, `chrom==chrX & score>500`.  Parsed, never evaluated."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence

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


_MOST_VALUES = 100


def strata_of(texts: Sequence[str], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{stratum: (n,) bool} of comparisons, and, for the bare name of a column, a stratum for each of its values.

    >>> {k: v.tolist() for k, v in strata_of(["lab"], {"lab": np.array(["b", "a", "b"])}).items()}
    {'lab==a': [False, True, False], 'lab==b': [True, False, True]}
    """
    strata: dict[str, np.ndarray] = {}
    for text in texts:
        if text.strip() not in columns:
            if not re.search("[<>=!&]", text):
                raise ConfigError(f"the examples have no column {text.strip()!r}" + did_you_mean(text.strip(), columns))
            strata[text] = in_stratum(text, columns)
            continue
        words = np.asarray(columns[text.strip()]).astype(str)
        values = [value for value in np.unique(words).tolist() if value not in _MISSING]
        if len(values) > _MOST_VALUES:
            raise ConfigError(
                f"column {text!r} has {len(values):,} values, of which at most {_MOST_VALUES} are shown apart: write a "
                f"comparison, such as '{text}=={values[0]}'"
            )
        strata |= {f"{text.strip()}=={value}": words == value for value in values}
    return strata


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
