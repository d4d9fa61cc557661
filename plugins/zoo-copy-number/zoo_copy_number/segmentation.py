"""From probabilities of single bins to segments of one state."""

from __future__ import annotations

import numba
import numpy as np

from zoo_copy_number.bin_predictions import BinPredictions, estimate_noise
from zoo_copy_number.event_accuracy import find_runs

_NAMES = ("contig", "first", "last", "state", "bins", "log2", "margin")
SEGMENT = np.dtype(list(zip(_NAMES, "i4 i8 i8 i1 i8 f4 f4".split(), strict=True)))
"""first, last: indices of bins, half-open.  bins: usable ones.  log2: mean corrected depth.  margin: mean over bins of
the log odds of fewer, as many or more copies than expected, whichever the state is, against the others."""


_NEAR = 0.1
"""log2 between the depth of a run and a whole number of copies up to which the depth names them."""


def decode_states(predicted: BinPredictions, contig: np.ndarray, expected: np.ndarray, penalty: float) -> np.ndarray:
    """(n,) int8, the path of states of largest probability where each change costs `penalty` nats (Viterbi).

    expected: (n,) copies that the sample should have.  The probabilities of all states of fewer copies are summed for a
    loss, those of more for a gain: in an impure sample it may be unclear whether 0 or 1 copies are left and clear that
    some are lost.  Bins without depth have no score; contigs are independent.
    """
    p = np.clip(predicted.probability, 1e-6, 1.0)
    score = np.log(p)
    for here in _directions(p, expected):
        total = np.where(here, p, 0).sum(1, keepdims=True)
        most = np.where(here, p, 0).max(1, keepdims=True)
        score += np.where(here, np.log(np.maximum(total, 1e-6)) - np.log(np.maximum(most, 1e-6)), 0)
    score[~predicted.known] = 0
    out = np.empty(len(contig), np.int8)
    for first, last in zip(*find_runs(contig, contig), strict=True):
        out[first:last] = _viterbi(np.ascontiguousarray(score[first:last], np.float64), penalty)
    return _name_runs(out, predicted, contig, expected)


def _name_runs(states: np.ndarray, predicted: BinPredictions, contig: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """One state for each stretch of losses, and of gains, on one level.

    It is that of the median corrected depth, where this lies within `_NEAR` of a whole number of copies in that
    direction, else the likeliest over all bins of the stretch.

    From bin to bin the likeliest would change where either may be true, as 3 copies and 4 in half of the cells.
    """
    most, named = predicted.probability.shape[1] - 1, states.copy()
    neutral = np.minimum(np.asarray(expected, np.int64), most)
    way = np.sign(states - neutral)
    for first, last in _stretches(states, predicted, contig, way + 4 * np.asarray(expected, np.int64)):
        known = predicted.known[first:last]
        if not way[first] or not known.any():
            continue
        possible = np.arange(neutral[first]) if way[first] < 0 else np.arange(neutral[first] + 1, most + 1)
        away = np.abs(np.log2(np.maximum(possible, 0.05) / 2) - np.median(predicted.corrected[first:last][known]))
        likely = predicted.probability[first:last][known][:, possible].sum(0)
        named[first:last] = possible[np.argmin(away) if away.min() < _NEAR else np.argmax(likely)]
    return named


def _stretches(
    states: np.ndarray, predicted: BinPredictions, contig: np.ndarray, way: np.ndarray
) -> list[tuple[int, int]]:
    """Runs of one state, those side by side joined that go one way and whose levels differ by chance."""
    noise, stretches = estimate_noise(predicted.corrected, contig), []
    for first, last in zip(*(x.tolist() for x in find_runs(states + 16 * (way + 1), contig)), strict=True):
        values = predicted.corrected[first:last][predicted.known[first:last]]
        if stretches:
            begin, _, before = stretches[-1]
            if contig[begin] == contig[first] and way[begin] == way[first] and len(values) and len(before):
                error = noise * (1 / len(values) + 1 / len(before)) ** 0.5
                if abs(np.median(values) - np.median(before)) < max(_NEAR, 3 * error):
                    stretches[-1] = (begin, last, np.concatenate([before, values]))
                    continue
        stretches.append((first, last, values))
    return [(first, last) for first, last, _ in stretches]


def cut_segments(
    predicted: BinPredictions,
    contig: np.ndarray,
    expected: np.ndarray,
    states: np.ndarray,
    regions: np.ndarray | None = None,
) -> np.ndarray:
    """Runs of one state on one contig, as a table of dtype SEGMENT; runs without a usable bin are left out.

    regions: (n,) int; a segment also ends where it changes, by default where another copy number is expected.
    """
    share = np.zeros(len(states))
    for here in _directions(predicted.probability, expected):
        same = here[np.arange(len(states)), states]
        share[same] = np.where(here, predicted.probability, 0).sum(1)[same]
    p = np.clip(share, 1e-4, 1 - 1e-4)
    odds = np.log(p) - np.log1p(-p)
    rows = []
    regions = expected if regions is None else regions
    for first, last in zip(*find_runs(regions.astype(np.int64) * 128 + states, contig), strict=True):
        known = predicted.known[first:last]
        if known.any():
            state = int(states[first])
            log2, margin = predicted.corrected[first:last][known].mean(), odds[first:last][known].mean()
            rows.append((contig[first], first, last, state, known.sum(), log2, margin))
    return np.array(rows, SEGMENT)


def _directions(p: np.ndarray, expected: np.ndarray) -> list[np.ndarray]:
    """The states of fewer, as many and more copies than expected: (n, K) bool each."""
    way = np.sign(np.arange(p.shape[1])[None, :] - np.minimum(expected, p.shape[1] - 1)[:, None])
    return [way == direction for direction in (-1, 0, 1)]


@numba.njit(nogil=True, cache=True)
def _viterbi(score, penalty):
    n, k = score.shape
    back = np.empty((n, k), np.int8)
    best = score[0].copy()
    for i in range(1, n):
        top = 0
        for s in range(1, k):
            if best[s] > best[top]:
                top = s
        jump = best[top] - penalty
        for s in range(k):
            if best[s] >= jump:
                back[i, s] = s
            else:
                best[s] = jump
                back[i, s] = top
        for s in range(k):
            best[s] += score[i, s]
    path = np.empty(n, np.int8)
    at = 0
    for s in range(1, k):
        if best[s] > best[at]:
            at = s
    path[n - 1] = at
    for i in range(n - 1, 0, -1):
        at = back[i, at]
        path[i - 1] = at
    return path
