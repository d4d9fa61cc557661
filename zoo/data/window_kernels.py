"""Gathering windows out of a flat array of codes: compiled loops that release the GIL, spread over threads.

Python threads, not numba's: numba's OpenMP layer ends a process that forks after it was used (data loader
workers do), and its other layer must not be entered from two threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from zoo.data.compiled_loop import CompiledLoop

_MIN_BYTES = 1 << 19
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}


@CompiledLoop
def gather_codes(codes, offset, size, contig, start, reverse, rows, out, first, last):
    """out[rows[i]] = codes of window i, for first <= i < last; N past the contig's ends.

    codes: (total,) uint8; offset, size: (contigs,); contig, start, reverse, rows: (N,); out: (M, L) uint8.
    """
    # One-dimensional slices before the inner loops: only then are they vectorised (seven times faster).
    length = out.shape[1]
    for i in range(first, last):
        y = out[rows[i]]
        c, s = contig[i], start[i]
        left = min(max(0, -s), length)
        right = min(max(left, size[c] - s), length)
        x = codes[offset[c] + s + left : offset[c] + s + right]
        n = right - left
        if reverse[i]:
            y[: length - right] = 4
            y[length - left :] = 4
            z = y[length - right : length - left]
            for j in range(n):
                v = x[np.uintp(n - 1 - j)]
                z[j] = np.uint8(4) if v > 3 else np.uint8(3) - v
        else:
            y[:left] = 4
            y[right:] = 4
            z = y[left:right]
            for j in range(n):
                z[j] = x[j]


@CompiledLoop
def gather_one_hot(codes, offset, size, contig, start, reverse, rows, out, first, last):
    """out[rows[i]] = one-hot of window i; N and what lies past the contig's ends are zeros.  out: (M, 4, L)."""
    length = out.shape[2]
    for i in range(first, last):
        c, s = contig[i], start[i]
        left = min(max(0, -s), length)
        right = min(max(left, size[c] - s), length)
        x = codes[offset[c] + s + left : offset[c] + s + right]
        n = right - left
        for channel in range(4):
            y = out[rows[i], channel]
            if reverse[i]:
                base = np.uint8(3 - channel)
                y[: length - right] = 0
                y[length - left :] = 0
                z = y[length - right : length - left]
                for j in range(n):
                    z[j] = x[np.uintp(n - 1 - j)] == base
            else:
                base = np.uint8(channel)
                y[:left] = 0
                y[right:] = 0
                z = y[left:right]
                for j in range(n):
                    z[j] = x[j] == base


@CompiledLoop
def count_bases(codes, start, length, gc, n, first, last):
    """gc[i], n[i] = G + C and N in codes[start[i] : start[i] + length], for first <= i < last."""
    for i in range(first, last):
        x = codes[start[i] : start[i] + length]
        strong, unknown = 0, 0
        for j in range(length):
            strong += (x[j] == 1) | (x[j] == 2)
            unknown += x[j] == 4
        gc[i] = strong
        n[i] = unknown


def in_threads(work: Callable[[int, int], None], n: int, bytes_each: int, threads: int) -> None:
    """Call work(first, last) on pieces of range(n); in the caller's thread alone where there is little to do."""
    parts = min(threads, n, max(1, n * bytes_each // _MIN_BYTES))
    if parts <= 1:
        work(0, n)
        return
    bounds = [n * i // parts for i in range(parts + 1)]
    others = [_pool(threads).submit(work, a, b) for a, b in pairwise(bounds[1:])]
    work(bounds[0], bounds[1])
    for future in others:
        future.result()


def default_threads() -> int:
    """OMP_NUM_THREADS, else the cores this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) else len(os.sched_getaffinity(0))


def _pool(threads: int) -> ThreadPoolExecutor:
    """One pool a process: threads do not survive a fork."""
    key = os.getpid(), threads
    if key not in _pools:
        _pools.clear()
        _pools[key] = ThreadPoolExecutor(threads, thread_name_prefix="zoo-windows")
    return _pools[key]


def as_int64(values) -> np.ndarray:
    """A contiguous int64 array, as the kernels take it."""
    return np.ascontiguousarray(values, np.int64)
