"""A sample's calls: probabilities of bins, segments, copies expected of sex and ploidy, qualities.

call_sample(model, bins).calls -> Calls
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo_copy_number.bin_predictions import BinPredictions, estimate_noise, predict_bins
from zoo_copy_number.bins import Bins
from zoo_copy_number.calls import Calls, CnvCall, call_state
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.expectation import Expectation, expect, mask_other_contigs
from zoo_copy_number.neighbours import count_neighbours, join_neighbours
from zoo_copy_number.quality import features, phred
from zoo_copy_number.segmentation import cut_segments, decode_states
from zoo_copy_number.sex import check_sex, expect_copies, infer_sex

if TYPE_CHECKING:
    from zoo.model import Model

NO_CALL = 4.0
"""Quality below which a segment is hardly more likely right than wrong (0.6), and not called."""

MIN_BINS = 50


@dataclass(frozen=True)
class CalledSample:
    """calls.  predicted: by bin.  copies: (n,) float of those that are called, else NaN.  expected: (n,) copies.
    states: (n,) decoded states of the network, neutral: (n,) those that stand for `expected`; in a diploid genome both
    are copies.  shift: (n,) log2 that was added to the depth for the network.  noise: log2 of a bin.

    sex: as stated by the user, else as inferred; seen_sex: inferred from X and Y, for the reason sex_reason.
    notes: for the user, on what was expected and what was left out.
    """

    calls: Calls
    predicted: BinPredictions
    states: np.ndarray
    copies: np.ndarray
    expected: np.ndarray
    neutral: np.ndarray
    shift: np.ndarray
    sex: str | None
    sex_reason: str
    noise: float
    seen_sex: str | None = None
    notes: list[str] = field(default_factory=list)

    def spread(self, joined: CalledSample, group: np.ndarray, bins: Bins) -> CalledSample:
        """The calls of `joined`, whose bins are groups of this sample's; group: (n,) which of them each bin is in."""
        arrays = {name: getattr(joined, name)[group] for name in ("states", "copies", "expected", "neutral", "shift")}
        known = self.predicted.known & joined.predicted.known[group]
        predicted = replace(self.predicted, probability=joined.predicted.probability[group], known=known)
        names, calls = list(bins.contigs), []
        for c in joined.calls:
            inside = (bins.contig == names.index(c.contig)) & (bins.start >= c.start) & (bins.end <= c.end)
            calls.append(replace(c, n_bins=int((inside & known).sum())))
        calls = replace(joined.calls, calls=calls)
        return replace(joined, **arrays, calls=calls, predicted=predicted, noise=self.noise)


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
    ploidy: copies of an autosome that the sample should have, which the median depth of autosomes stands for.
    no_call: quality below which a segment is NO-CALL, whatever its state.

    Contigs that are no chromosomes are neither part of the median nor called.

    Raises DataError for a sample of fewer than 50 usable bins, ConfigError for a sex where the names of contigs do not
    say which are X and Y.
    """
    expect_copies(bins.contigs, sex, ploidy)
    check_sex(bins.contigs, sex)
    mask, notes = mask_other_contigs(bins)
    bins = replace(bins, mask=mask)
    usable = int((bins.mask & np.isfinite(bins.depth)).sum())
    if usable < MIN_BINS:
        why = f" ({notes[0]})" if notes else ""
        raise DataError(f"{bins.sample} has {usable:,} usable bins{why}: {MIN_BINS} are the least that can be called")
    options = {"sex": sex, "ploidy": ploidy, "no_call": no_call, "seed": seed}
    called = _call(model, bins, **options, progress=progress)
    count = count_neighbours(bins, estimate_noise(called.predicted.corrected + called.shift, bins.contig))
    if ploidy > 2 and count > 1:
        joined, group = join_neighbours(bins, count)
        called = called.spread(_call(model, joined, **options), group, bins)
        notes.append(
            f"{count} neighbouring bins are taken as one, since one of {ploidy} copies is a small step beside a bin's "
            f"noise of {called.noise:.2f}: events of fewer than about {3 * count} bins may be missed"
        )
    return replace(called, notes=[*notes, *called.notes])


def _call(
    model: Model, bins: Bins, *, sex: str | None, ploidy: int, no_call: float, seed: int, progress: bool = False
) -> CalledSample:
    plain = predict_bins(model, bins, seed=seed, progress=progress)
    inferred, reason = infer_sex(plain.corrected, bins.contigs, bins.contig, ploidy)
    expectation = expect(bins, sex or inferred, ploidy, plain.corrected)
    seen = plain
    if expectation.shift.any():
        seen = predict_bins(model, bins, shift=expectation.shift, before=plain, seed=seed)
    seen = replace(seen, known=seen.known & ~expectation.unclear)
    predicted = replace(plain, probability=seen.probability, known=seen.known)
    noise = estimate_noise(seen.corrected, bins.contig)
    calls, states, copies = _call_segments(model, bins, seen, predicted, expectation, noise, no_call)
    calls += _no_calls(bins, predicted.known, expectation.copies)
    sizes = {c: n for c, n in bins.sizes.items() if c in bins.contigs}
    return CalledSample(
        Calls(bins.sample, list(bins.contigs), calls, sizes),
        predicted,
        states,
        copies,
        expectation.copies,
        expectation.neutral,
        expectation.shift,
        sex or inferred,
        reason,
        estimate_noise(plain.corrected, bins.contig),
        inferred,
        expectation.notes,
    )


def _call_segments(
    model: Model,
    bins: Bins,
    seen: BinPredictions,
    predicted: BinPredictions,
    expectation: Expectation,
    noise: float,
    no_call: float,
) -> tuple[list[CnvCall], np.ndarray, np.ndarray]:
    """Calls, the decoded states (n,), and the copies (n,) of what is called.

    seen: what the network saw, with the shift.  predicted: the same on the level of the depth.
    """
    head = model.heads["states"]
    neutral = expectation.neutral
    states = decode_states(seen, bins.contig, neutral, float(head.penalty))
    segments = cut_segments(seen, bins.contig, neutral, states, neutral * 1000 + expectation.copies)
    first = segments["first"].astype(int)
    quality = phred(features(segments, neutral[first], noise), head.quality.cpu().numpy())
    calls, copies = [], np.full(len(states), np.nan)
    for segment, q in zip(segments, quality.tolist(), strict=True):
        a, b = int(segment["first"]), int(segment["last"])
        log2 = float(np.nanmedian(np.where(predicted.known[a:b], predicted.corrected[a:b], np.nan)))
        called = None if q < no_call else expectation.count_copies(segment, log2)
        if called is not None:
            copies[a:b] = called
        where = (bins.contigs[segment["contig"]], int(bins.start[a]), int(bins.end[b - 1]))
        expected = int(expectation.copies[a])
        numbers = {"n_bins": int(segment["bins"]), "log2": log2, "expected": expected}
        calls.append(CnvCall(*where, called, call_state(called, expected), q, **numbers))
    return calls, states, copies


def mask_uncalled(segments: np.ndarray, states: np.ndarray, quality: np.ndarray, no_call: float) -> np.ndarray:
    """(n,) float copies of the bins in segments whose quality (S,) is at least `no_call`, NaN in others."""
    copies = np.full(len(states), np.nan)
    for segment in segments[quality >= no_call]:
        copies[segment["first"] : segment["last"]] = segment["state"]
    return copies


def _no_calls(bins: Bins, known: np.ndarray, copies: np.ndarray) -> list[CnvCall]:
    """Chromosomes without a usable bin, as NO-CALL."""
    uncalled = []
    for i, (name, role) in enumerate(zip(bins.contigs, find_karyotype(bins.contigs).roles, strict=True)):
        here = np.flatnonzero(bins.contig == i)
        if role != "other" and len(here) and not known[here].any():
            first, last = int(bins.start[here[0]]), int(bins.end[here[-1]])
            uncalled.append(CnvCall(name, first, last, None, "NO-CALL", expected=int(copies[here[0]])))
    return uncalled
