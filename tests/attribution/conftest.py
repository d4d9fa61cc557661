"""Attributions that are known by heart."""

import numpy as np
import pytest

from zoo.attribution.result import Attributed


@pytest.fixture
def made():
    """made(n, length, kind) -> Attributed of random numbers; windows overlap by a half."""

    def make(n=3, length=20, kind="hypothetical", n_rate=0.0, **changes):
        rng = np.random.default_rng(5)
        codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
        codes[rng.random(codes.shape) < n_rate] = 4
        values = rng.normal(size=(n, 4, length)).astype(np.float32)
        here = np.arange(4)[:, None] == codes[:, None]
        values[here if kind == "effect" else np.zeros_like(here)] = 0
        if kind == "contribution":
            values = values * here
        fields = {
            "codes": codes,
            "values": values,
            "kind": kind,
            "predictions": rng.normal(size=n).astype(np.float32),
            "output": "CTCF:raw",
            "interpreter": {"name": "ism", "start": None},
            "names": [f"peak {i}" for i in range(n)],
            "chrom": ["chr20"] * n,
            "start": 1000 + np.arange(n) * length // 2,
            "contigs": {"chr20": 5000},
            "comments": {"model": "tiny", "revision": "abc"},
        }
        return Attributed(**{**fields, **changes})

    return make
