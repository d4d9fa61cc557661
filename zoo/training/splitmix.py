"""SplitMix64 (Steele et al. 2014): random bits that are a function of their key, whoever asks and in whatever order.

(seed, number of the pass, keys (N,)) -> draw -> (N,) uint64 -> stream -> (N, n) uint64
"""

from __future__ import annotations

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)


def draw(seed: int, number: int, keys: np.ndarray) -> np.ndarray:
    """64 random bits for every key, a pure function of (seed, number of the pass, key).

    keys: (N,) whole numbers.  Returns (N,) uint64.
    """
    state = np.full(len(keys), seed % (1 << 64), np.uint64)
    for value in (np.uint64(number), keys.astype(np.uint64)):
        state = _mix((state ^ value) + _STEP)
    return state


def stream(draws: np.ndarray, n: int, number: int = 0) -> np.ndarray:
    """n further draws of each, independent of one another and of the first: (N,) uint64 -> (N, n) uint64.

    number: streams of different numbers are independent.
    """
    start = draws if number == 0 else _mix(draws ^ np.uint64(number))
    return _mix(start[:, None] + np.arange(1, n + 1, dtype=np.uint64) * _STEP)


def _mix(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
