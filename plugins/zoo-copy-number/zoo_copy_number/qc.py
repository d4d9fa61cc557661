"""Quality control of a sample: figures, and warnings with their number and limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo_copy_number.bin_predictions import estimate_noise
from zoo_copy_number.bins import Bins
from zoo_copy_number.chromosomes import find_karyotype
from zoo_copy_number.tracks import is_autosomal, log2_depth

if TYPE_CHECKING:
    from zoo_copy_number.caller import CalledSample

NOISE, WAVE, GC, MASKED, PIECES, SPREAD = 0.35, 0.10, 0.10, 0.3, 400, 0.6

ALTERED = 1 / 3
"""Share of the usable bins that may be called altered: beyond it, what is normal in the sample cannot be told."""

NO_READS = 3_000_000
"""bp without one read beyond which a loss of all copies is rather a gap of the assembly."""


def quality_control(
    bins: Bins, called: CalledSample, sex: str | None = None, ploidy: int | None = None
) -> tuple[dict[str, str], list[str]]:
    """({figure: value}, [warnings]).

    sex, ploidy: as stated by the user, None where they were not; a warning where X and Y contradict the sex.
    The figures: usable bins, noise of a bin in log2, correlation of log2 depth with GC before and after correction,
    amplitude of waves (standard deviation of medians of 200 bins, segments subtracted), share of bins called.
    """
    corrected, known = called.predicted.corrected, called.predicted.known
    raw = log2_depth(bins, is_autosomal(bins))
    level = np.log2(np.maximum(called.states, 0.05) / 2) - called.shift
    rest = np.where(known, corrected - level, np.nan)
    wave = _wave(rest, bins.contig)
    before, after = _gc_correlation(raw, bins), _gc_correlation(corrected, bins)
    chromosomes = int((~find_karyotype(bins.contigs).lies_on(bins.contig, "other")).sum())
    altered = measure_altered(called)
    figures = {
        "usable_bins": f"{int(known.sum()):,} of {len(bins):,}",
        "noise_log2": f"{called.noise:.3f}",
        "gc_correlation": "unknown" if before is None else f"{before:+.2f} raw, {after:+.2f} corrected",
        "wave_log2": f"{wave:.3f}",
        "sex": f"{called.sex or 'unknown'} ({called.sex_reason})",
        "altered": f"{altered:.1%} of usable bins",
    }
    warnings = [*_depth_warnings(called, bins.contig, wave, after, int(known.sum()) / chromosomes)]
    if altered > ALTERED:
        warnings.append(_explain_altered(altered, bins, ploidy))
    pieces = len(called.calls.of("DEL", "DUP"))
    if pieces > PIECES:
        warnings.append(f"{pieces:,} events are more than a sample has: the depth is in pieces, or of another kit")
    warnings += _gaps(bins, called)
    if bins.reference is not None and (apart := _reference_distance(raw, bins.reference)) > SPREAD:
        warnings.append(
            f"depth lies {apart:.2f} in log2 from the reference in the median bin: another kit? give --reference or "
            "--normal of its own"
        )
    return figures, [*warnings, *_sex_warnings(bins, called, sex)]


def measure_altered(called: CalledSample) -> float:
    """Share of the usable bins that are called with more or fewer copies than expected."""
    known = called.predicted.known
    differ = ~np.isnan(called.copies) & (called.copies != called.expected)
    return float(differ[known].mean()) if known.any() else 0.0


def _explain_altered(altered: float, bins: Bins, ploidy: int | None) -> str:
    remedies = [
        *(["--ploidy where the genome is not diploid"] if ploidy is None else []),
        *(["--normal or --reference of its kit"] if bins.reference is None else []),
        *(["--fasta or --gc of its assembly"] if np.isnan(bins.gc).all() else []),
    ]
    return (
        f"{altered:.0%} of the usable bins are called altered, more than a third: it cannot be told which depth is "
        f"normal, the sample is not interpretable{': give ' + ', or '.join(remedies) if remedies else ''}"
    )


def _depth_warnings(called: CalledSample, contig: np.ndarray, wave: float, after: float | None, usable: float):
    if called.noise > NOISE:
        yield f"a bin's noise of {called.noise:.2f} is above {NOISE}: small events are lost; give a larger --bin-size"
    seen = estimate_noise(called.predicted.corrected + called.shift, contig)
    if called.noise <= NOISE < seen:
        yield (
            f"one of {int(np.median(called.expected))} copies is a small step beside a bin's noise of "
            f"{called.noise:.2f}, as {seen:.2f} is in a diploid genome: events are lost; give a larger --bin-size"
        )
    if wave > WAVE:
        yield f"waves of {wave:.2f} in log2 remain, more than {WAVE}: do not trust long events of small steps"
    if after is not None and abs(after) > GC:
        yield (
            f"corrected depth still follows GC at r = {after:+.2f}, beyond {GC}: is --fasta or --gc of this assembly?"
        )
    if usable < 1 - MASKED:
        yield f"only {usable:.0%} of the bins can be used: is it this kit, this assembly?"


def _gaps(bins: Bins, called: CalledSample) -> list[str]:
    """Long losses of all copies without a single read."""
    names = list(bins.contigs)
    empty = []
    for call in called.calls.of("DEL"):
        if call.copy_number == 0 and call.length >= NO_READS:
            here = (bins.contig == names.index(call.contig)) & (bins.start >= call.start) & (bins.end <= call.end)
            if not (bins.depth[here & called.predicted.known] > 0).any():
                empty.append(f"{call.contig}:{call.start + 1:,}-{call.end:,}")
    if not empty:
        return []
    return [
        f"not one read lies in {empty[0]}, called as no copy ({len(empty)} such calls): a gap, which --fasta shows?"
    ]


def _sex_warnings(bins: Bins, called: CalledSample, sex: str | None) -> list[str]:
    karyotype, warnings = find_karyotype(bins.contigs), []
    if sex is not None and called.seen_sex not in (None, sex):
        warnings.append(f"said to be {sex}, but {called.sex_reason}, as a {called.seen_sex} has: wrong sex, or swapped")
    if "do not agree" in called.sex_reason:
        warnings.append(f"{called.sex_reason}: contamination, swapped files, or an altered X or Y")
    if called.sex is None and karyotype.has("X", "Y") and not karyotype.plink:
        warnings.append(f"{called.sex_reason}, so X and Y are expected as in autosomes: give --sex")
    if called.sex is None and karyotype.unreadable:
        warnings.append("the contigs' names do not say which are X and Y, which are expected as autosomes")
    return warnings


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
