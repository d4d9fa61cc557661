"""Random sequences with the dinucleotides of a given one: backgrounds that keep composition and lose motifs."""

from __future__ import annotations

import numba
import numpy as np

LETTERS = 5


def dinucleotide_shuffle(codes: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """codes (L,) uint8 -> (n, L) uint8, each with exactly the same counts of neighbouring pairs.

    Every sequence with these counts and the first letter is equally likely: a random Euler path through the graph of
    letters (Altschul and Erickson 1985), whose last edges are a random tree (Wilson 1996).  The last letter stays too.
    A row depends on (seed, its number) alone.

    >>> x = np.array([0, 1, 0, 2, 0, 1, 3], np.uint8)
    >>> y = dinucleotide_shuffle(x, 2)
    >>> sorted(zip(x, x[1:])) == sorted(zip(y[0], y[0][1:]))
    True
    """
    codes = np.ascontiguousarray(codes, np.uint8)
    out = np.empty((n, len(codes)), np.uint8)
    if len(codes) < 3:
        out[:] = codes
        return out
    starts = np.random.SeedSequence(seed).generate_state(max(n, 1), np.uint64)
    _shuffle(codes, starts, out)
    return out


@numba.njit(nogil=True, cache=True)
def _below(state, n):
    """A number below n, and the next state (splitmix64)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    z = state
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.int64(z % np.uint64(n)), state


@numba.njit(nogil=True, cache=True)
def _shuffle(codes, states, out):
    length = len(codes)
    count = np.zeros(LETTERS, np.int64)
    for i in range(length - 1):
        count[codes[i]] += 1
    first = np.zeros(LETTERS + 1, np.int64)
    for a in range(LETTERS):
        first[a + 1] = first[a] + count[a]
    edges = np.empty(length - 1, np.uint8)
    filled = first[:LETTERS].copy()
    for i in range(length - 1):
        edges[filled[codes[i]]] = codes[i + 1]
        filled[codes[i]] += 1
    end = codes[length - 1]
    order = np.empty(length - 1, np.uint8)
    last = np.empty(LETTERS, np.int64)
    for row in range(len(out)):
        state = states[row]
        order[:] = edges
        # Wilson: from each letter walk at random until the tree is met; the last step from a letter is its tree edge.
        in_tree = np.zeros(LETTERS, np.bool_)
        in_tree[end] = True
        for a in range(LETTERS):
            if count[a] == 0 or in_tree[a]:
                continue
            at = a
            while not in_tree[at]:
                pick, state = _below(state, count[at])
                last[at] = first[at] + pick
                at = order[last[at]]
            at = a
            while not in_tree[at]:
                in_tree[at] = True
                at = order[last[at]]
        for a in range(LETTERS):
            n = count[a]
            if n == 0:
                continue
            lo = first[a]
            if a != end:
                order[last[a]], order[lo + n - 1] = order[lo + n - 1], order[last[a]]
                n -= 1
            for i in range(n - 1, 0, -1):
                j, state = _below(state, i + 1)
                order[lo + i], order[lo + j] = order[lo + j], order[lo + i]
        used = first[:LETTERS].copy()
        at = codes[0]
        out[row, 0] = at
        for i in range(1, length):
            step = order[used[at]]
            used[at] += 1
            at = step
            out[row, i] = at
