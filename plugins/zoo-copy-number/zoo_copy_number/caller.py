"""A sample's calls: probabilities of bins, segments, copies expected of the sex, qualities.

call_sample(model, bins).calls -> Calls
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.bin_predictions import BinPredictions, predict_bins
from zoo_copy_number.bins import Bins
from zoo_copy_number.calls import Calls, CnvCall, call_state
from zoo_copy_number.quality import estimate_noise, features, phred
from zoo_copy_number.segmentation import cut_segments, decode_states
from zoo_copy_number.sex import expect_copies, infer_sex

if TYPE_CHECKING:
    from zoo.model import Model

NO_CALL = 4.0
"""Quality below which a segment is hardly more likely right than wrong (0.6), and not called."""

MIN_BINS = 50


@dataclass(frozen=True)
class CalledSample:
    """calls.  predicted: by bin.  states: (n,) decoded.  copies: (n,) float of those that are called, else NaN.
    expected: (n,) copies.  noise: log2 of a bin.

    sex: as stated by the user, else as inferred; seen_sex: inferred from X and Y, for the reason sex_reason.
    """

    calls: Calls
    predicted: BinPredictions
    states: np.ndarray
    copies: np.ndarray
    expected: np.ndarray
    sex: str | None
    sex_reason: str
    noise: float
    seen_sex: str | None = None


def call_sample(
    model: Model,
    bins: Bins,
    *,
    sex: str | None = None,
    ploidy: int = 2,
    no_call: float = NO_CALL,
    seed: int = 0,
    progress: bool = False,
) -> CalledSample:
    """Segment a sample and call the copy number of every segment.

    sex: female or male; read from X and Y where it is not given.
    ploidy: copies of an autosome that the sample should have.
    no_call: quality below which a segment is NO-CALL, whatever its state.

    Raises DataError for a sample of fewer than 50 usable bins.
    """
    usable = int((bins.mask & np.isfinite(bins.depth)).sum())
    if usable < MIN_BINS:
        raise DataError(f"{bins.sample} has {usable:,} usable bins: {MIN_BINS} are the least that can be called")
    predicted = predict_bins(model, bins, seed=seed, progress=progress)
    head = model.heads["states"]
    inferred, reason = infer_sex(predicted.corrected, bins.contigs, bins.contig)
    copies = expect_copies(bins.contigs, sex or inferred, ploidy)
    expected = copies[bins.contig]
    states = decode_states(predicted, bins.contig, expected, float(head.penalty))
    segments = cut_segments(predicted, bins.contig, expected, states)
    noise = estimate_noise(predicted.corrected, bins.contig)
    expected_by_segment = copies[segments["contig"]]
    quality = phred(features(segments, expected_by_segment, noise), head.quality.cpu().numpy())
    calls = [
        _call(bins, segment, predicted.corrected, int(copy), float(q), no_call)
        for segment, copy, q in zip(segments, expected_by_segment, quality, strict=True)
    ]
    called_copies = mask_uncalled(segments, states, quality, no_call)
    calls += _no_calls(bins, predicted.known, copies)
    sizes = {c: n for c, n in bins.sizes.items() if c in bins.contigs}
    found = Calls(bins.sample, list(bins.contigs), calls, sizes)
    return CalledSample(found, predicted, states, called_copies, expected, sex or inferred, reason, noise, inferred)


def mask_uncalled(segments: np.ndarray, states: np.ndarray, quality: np.ndarray, no_call: float) -> np.ndarray:
    """(n,) float copies of the bins in segments whose quality (S,) is at least `no_call`, NaN in others."""
    copies = np.full(len(states), np.nan)
    for segment in segments[quality >= no_call]:
        copies[segment["first"] : segment["last"]] = segment["state"]
    return copies


def _call(
    bins: Bins, segment: np.void, corrected: np.ndarray, expected: int, quality: float, no_call: float
) -> CnvCall:
    first, last, state = (int(segment[name]) for name in ("first", "last", "state"))
    where = (bins.contigs[segment["contig"]], int(bins.start[first]), int(bins.end[last - 1]))
    numbers = {"n_bins": int(segment["bins"]), "log2": float(np.nanmedian(corrected[first:last])), "expected": expected}
    called = None if quality < no_call else state
    return CnvCall(*where, called, call_state(called, expected), quality, **numbers)


def _no_calls(bins: Bins, known: np.ndarray, copies: np.ndarray) -> list[CnvCall]:
    """Contigs without a usable bin, as NO-CALL."""
    uncalled = []
    for i, name in enumerate(bins.contigs):
        here = np.flatnonzero(bins.contig == i)
        if len(here) and not known[here].any():
            first, last = int(bins.start[here[0]]), int(bins.end[here[-1]])
            uncalled.append(CnvCall(name, first, last, None, "NO-CALL", expected=int(copies[i])))
    return uncalled
