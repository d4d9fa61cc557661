"""Quality control of a sample: figures, and warnings with their number and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo_copy_number.bins import Bins
from zoo_copy_number.tracks import is_autosomal, log2_depth

if TYPE_CHECKING:
    from zoo_copy_number.caller import CalledSample

NOISE, WAVE, GC, MASKED, ALTERED, PIECES, SPREAD = 0.35, 0.10, 0.10, 0.3, 0.5, 400, 0.6


def quality_control(bins: Bins, called: CalledSample, sex: str | None = None) -> tuple[dict[str, str], list[str]]:
    """({figure: value}, [warnings]).

    sex: as stated by the user; a warning where X and Y contradict it.
    The figures: usable bins, noise of a bin in log2, correlation of log2 depth with GC before and after correction,
    amplitude of waves (standard deviation of medians of 200 bins, segments subtracted), share of bins called.
    """
    corrected, known = called.predicted.corrected, called.predicted.known
    raw = log2_depth(bins, is_autosomal(bins))
    level = np.log2(np.maximum(called.states, 0.05) / 2)
    rest = np.where(known, corrected - level, np.nan)
    wave = _wave(rest, bins.contig)
    before, after = _gc_correlation(raw, bins), _gc_correlation(corrected, bins)
    usable = float(known.mean())
    altered = float((called.states != called.expected)[known].mean()) if known.any() else 0.0
    pieces = sum(1 for c in called.calls if c.state in ("DEL", "DUP"))
    figures = {
        "usable_bins": f"{int(known.sum()):,} of {len(bins):,}",
        "noise_log2": f"{called.noise:.3f}",
        "gc_correlation": "unknown" if before is None else f"{before:+.2f} raw, {after:+.2f} corrected",
        "wave_log2": f"{wave:.3f}",
        "sex": f"{called.sex or 'unknown'} ({called.sex_reason})",
        "altered": f"{altered:.1%} of usable bins",
    }
    warnings = []
    if called.noise > NOISE:
        warnings.append(f"a bin's noise of {called.noise:.2f} is above {NOISE}: small events are lost; use larger bins")
    if wave > WAVE:
        warnings.append(
            f"waves of {wave:.2f} in log2 remain, more than {WAVE}: do not trust long events of small steps"
        )
    if after is not None and abs(after) > GC:
        warnings.append(
            f"corrected depth still follows GC at r = {after:+.2f}, beyond {GC}: is the GC of this assembly?"
        )
    if usable < 1 - MASKED:
        warnings.append(f"only {usable:.0%} of the bins can be used: is it this kit, this assembly?")
    if altered > ALTERED:
        warnings.append(f"{altered:.0%} of the bins are not as expected: give --ploidy, or check the sample")
    if pieces > PIECES:
        warnings.append(f"{pieces:,} events are more than a sample has: the depth is in pieces, or of another kit")
    if bins.reference is not None and (apart := _reference_distance(raw, bins.reference)) > SPREAD:
        warnings.append(f"depth lies {apart:.2f} in log2 from the reference in the median bin: another kit?")
    if sex is not None and called.seen_sex not in (None, sex):
        warnings.append(f"said to be {sex}, but {called.sex_reason}, as a {called.seen_sex} has: wrong sex, or swapped")
    if "do not agree" in called.sex_reason:
        warnings.append(f"{called.sex_reason}: contamination, swapped files, or an altered X or Y")
    return figures, warnings


def _gc_correlation(log2: np.ndarray, bins: Bins) -> float | None:
    used = np.isfinite(log2) & np.isfinite(bins.gc) & bins.mask & is_autosomal(bins) & (log2 > -3)
    used &= ~(bins.mappability < 0.9)
    if used.sum() < 100 or np.ptp(bins.gc[used]) == 0:
        return None
    return float(np.corrcoef(log2[used], bins.gc[used])[0, 1])


def _wave(rest: np.ndarray, contig: np.ndarray, size: int = 200) -> float:
    """Standard deviation of medians of `size` neighbouring usable bins, less what noise alone would give."""
    medians = []
    known = np.isfinite(rest)
    for c in np.unique(contig):
        values = rest[(contig == c) & known]
        if len(values) >= 2 * size:
            parts = values[: len(values) // size * size].reshape(-1, size)
            medians += np.median(parts, axis=1).tolist()
    if len(medians) < 4:
        return 0.0
    noise = float(np.nanstd(rest[known])) * 1.2533 / np.sqrt(size)
    return float(np.sqrt(max(0.0, np.var(medians) - noise**2)))


def _reference_distance(raw: np.ndarray, reference: np.ndarray) -> float:
    both = np.isfinite(raw) & np.isfinite(reference)
    return float(np.median(np.abs(raw[both] - reference[both]))) if both.any() else 0.0
