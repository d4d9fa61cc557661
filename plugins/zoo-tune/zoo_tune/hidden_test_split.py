"""Data whose test split is empty: what a trial trains on cannot judge it by the test split, whatever it calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.source import Examples, Source


class WithoutTest(Source):
    """A source as it is, but for its test split, which has no examples; the source itself is never asked for it."""

    def __init__(self, source: Source):
        self._source = source
        for name in ("inputs", "targets", "input_length", "contexts", "domains", "dropped", "notes"):
            setattr(self, name, getattr(source, name))

    def __getattr__(self, name: str) -> Any:
        if name == "_source":
            raise AttributeError(name)
        return getattr(self._source, name)

    def examples(self, split: str) -> Examples:
        """split: train, validation or test; no row of test is made."""
        return _NoExamples() if split == "test" else self._source.examples(split)

    def describe(self) -> dict[str, Any]:
        """Provenance of the whole source."""
        return self._source.describe()


class _NoExamples(Examples):
    lengths = np.zeros(0, np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        raise IndexError("an empty split has no rows")
