"""Splicing alleles into the reference: compiled loops that release the GIL."""

from __future__ import annotations

import numba
import numpy as np

from zoo.variants.genotype_text import HAPLOID, HOMOZYGOUS, NO_SET
from zoo.variants.haplotype_index import (
    ALLELE,
    ANCHORED,
    AT,
    CODE,
    FLAGS,
    GROWS,
    INSERTED,
    MANY,
    NO_SEQUENCE,
    POSITION,
    REACH,
    REPLACED,
    SET,
    SHIFT,
    SPAN,
    WRONG,
)

__all__ = ["fill_windows", "phase_windows", "splice_windows"]

APPLIED, OVERLAP, SYMBOLIC, UNKNOWN_PHASE, OTHER_SET, MISMATCH = 1, 2, 3, 4, 5, 6
"""What became of an allele in a window; 0 where it lies outside."""
LEFT_OUT = NO_SEQUENCE | WRONG
"""Flags of alleles that are never applied: without a sequence, or with a REF that the genome does not have."""

_NO_SET_CHOSEN = -9
_ENDLESS = np.int64(1) << 40


@numba.njit(nogil=True, cache=True)
def _begin(first, last, h, bins, shift, carried, start):
    """The first allele that can bear on what lies right of `start`, back to where a run of overlaps begins."""
    b = min(max(start, 0) >> shift, bins.shape[1] - 2)
    low, high = bins[h, b], bins[h, b + 1] if b + 2 < bins.shape[1] else last
    while low < high:
        middle = (low + high) // 2
        if carried[middle, REACH] > start:
            high = middle
        else:
            low = middle + 1
    while first < low < last and carried[low - 1, REACH] > carried[low, AT]:
        low -= 1
    return low


@numba.njit(nogil=True, cache=True)
def _copy(x, at, n, y, where, done):
    """n codes of the contig x from `at` on to y[done:]; N outside the contig."""
    # Unsigned indices of whole arrays: they are vectorised, and a slice costs more than a short copy.
    if 0 <= at <= len(x) - n:
        for j in range(n):
            y[np.uintp(done + j)] = x[np.uintp(at + j)]
    else:
        for j in range(n):
            inside = 0 <= at + j < len(x)
            y[done + j] = x[at + j] if inside else np.uint8(4)
    if len(where):
        for j in range(n):
            where[done + j] = at + j if 0 <= at + j < len(x) else -1


@numba.njit(nogil=True, cache=True)
def _owner(row):
    """The reference base that decides whether a window holds the alternate: an insertion's base before it."""
    s = row[POSITION] + row[SHIFT]
    return s if row[REPLACED] or not row[SHIFT] else s - 1


@numba.njit(nogil=True, cache=True)
def _fate(phase, chosen, haploid):
    if phase == HOMOZYGOUS or phase == chosen or (phase == HAPLOID and haploid):
        return APPLIED
    return OTHER_SET if phase >= NO_SET else UNKNOWN_PHASE


@numba.njit(nogil=True, cache=True)
def _drawn_in(low, last, end, carried, table):
    """The furthest end of a window that reads on for what its deletions leave out."""
    furthest = end
    for h in range(2):
        far = end
        for k in range(low[h], last[h]):
            if carried[k, AT] >= far:
                break
            row = table[carried[k, ALLELE]]
            if _owner(row) < far:
                far += max(0, row[REPLACED] - row[INSERTED])
        furthest = max(furthest, far)
    return furthest


@numba.njit(nogil=True, cache=True)
def _alleles_of_set(low, last, end, chosen, carried, table):
    """How many alleles of a phase set bear on the window, and the first position."""
    count, begins = 0, _ENDLESS
    for h in range(2):
        for k in range(low[h], last[h]):
            if carried[k, AT] >= end:
                break
            row = table[carried[k, ALLELE]]
            if carried[k, SET] == chosen and _owner(row) < end and not row[FLAGS] & LEFT_OUT:
                count += 1
                begins = min(begins, np.int64(carried[k, AT]))
    return count, begins


@numba.njit(nogil=True, cache=True)
def _choose_set(low, last, end, carried, table):
    """The phase set with most alleles in the window, of equals the one that begins first."""
    chosen, most, begins, tried = _NO_SET_CHOSEN, 0, _ENDLESS, _NO_SET_CHOSEN
    for h in range(2):
        for k in range(low[h], last[h]):
            if carried[k, AT] >= end:
                break
            if carried[k, SET] < NO_SET or carried[k, SET] == tried or carried[k, SET] == chosen:
                continue
            tried = carried[k, SET]
            count, begin = _alleles_of_set(low, last, end, tried, carried, table)
            if count > most or (count == most and begin < begins):
                chosen, most, begins = tried, count, begin
    return chosen


@numba.njit(nogil=True, cache=True)
def _unknown(low, last, end, chosen, haploid, carried, table):
    """How many alleles that bear on the window have an unknown phase, and the first of them."""
    count, worst = 0, -1
    for h in range(2):
        for k in range(low[h], last[h]):
            if carried[k, AT] >= end:
                break
            row = table[carried[k, ALLELE]]
            if (
                _fate(carried[k, SET], chosen, haploid) >= UNKNOWN_PHASE
                and _owner(row) < end
                and not row[FLAGS] & LEFT_OUT
            ):
                count += 1
                if worst < 0 or carried[k, AT] < carried[worst, AT]:
                    worst = k
    return count, worst


@numba.njit(nogil=True, cache=True)
def _is_haploid(start, end, position, first, last, site, ploidy):
    """Whether all calls of a sample in the window, or the last before it, are haploid."""
    one = np.searchsorted(position, start)
    two = np.searchsorted(position, end)
    if one == two:
        one, two = max(one - 1, 0), max(one, 1)
    run = first
    while run + 1 < last and site[run + 1] <= one:
        run += 1
    while run < last and (run == first or site[run] < two):
        if ploidy[run] != 1:
            return False
        run += 1
    return True


@numba.njit(nogil=True, cache=True)
def phase_windows(
    starts, ends, reads_on, sample, position, first, carried, bins, shift, sets, table,
    ploidy_first, ploidy_site, ploidy, flag, low, chosen, unphased, haploid, culprit, begin, stop,
):  # fmt: skip
    """What is known of the phase of windows begin to stop, before they are spliced.

    starts ... flag: of `splice_windows`.  low: (N, 2) the first allele that can bear on each haplotype.
    chosen: (N,) the phase set that is followed, MANY where every allele of the sample has a known phase.
    unphased, haploid: (N,).  culprit: (N,) an allele of unknown phase for which the window is refused, -1 for none.
    """
    begins, last = np.empty(2, np.int64), np.empty(2, np.int64)
    for i in range(begin, stop):
        who, start = sample[i], starts[i]
        for h in range(2):
            last[h] = first[2 * who + h + 1]
            begins[h] = _begin(first[2 * who + h], last[h], 2 * who + h, bins, shift, carried, start)
            low[i, h] = begins[h]
        run, runs = ploidy_first[who], ploidy_first[who + 1] - ploidy_first[who]
        alone = runs > 0 and ploidy[run] == 1
        if runs > 1:
            alone = _is_haploid(start, ends[i], position, run, run + runs, ploidy_site, ploidy)
        haploid[i], unphased[i], chosen[i] = alone, 0, MANY
        if sets[who] != MANY:
            continue
        end = _drawn_in(begins, last, ends[i], carried, table) if reads_on else ends[i]
        chosen[i] = _choose_set(begins, last, end, carried, table)
        unphased[i], worst = _unknown(begins, last, end, chosen[i], alone, carried, table)
        if unphased[i] and not flag:
            culprit[i] = worst


@numba.njit(nogil=True, cache=True)
def splice_windows(
    x, starts, ends, limit, reads_on, sample, first, carried, table, codes, low, chosen, haploid,
    y, y_first, where, write, size, skipped, culprit, fate, begin, stop,
):  # fmt: skip
    """Both haplotypes of windows begin to stop: window i, haplotype h to y[y_first[2 i + h] : y_first[2 i + h + 1]].

    x: (contig,) codes.  starts, ends, sample, culprit: (N,).  size, skipped: (N, 2).  limit: bases of one;
    reads_on: not ended by `ends`.  first ... codes: of `Genotypes`.  low, chosen, haploid: of `phase_windows`.
    y, where: codes and reference positions (or empty); only if `write`.  fate: (E,) of a single window, or empty.
    """
    for i in range(begin, stop):
        start, end, phase_set, alone = starts[i], _ENDLESS if reads_on else ends[i], chosen[i], haploid[i]
        # Written out here: passing a dozen arrays to a function for each haplotype takes as long as its work.
        for h in range(0 if culprit[i] >= 0 else 1 if alone else 2):
            base, at, done, missed, frozen, grew = y_first[2 * i + h], start, 0, 0, -1, False
            for k in range(low[i, h], first[2 * sample[i] + h + 1]):
                p = carried[k, AT]
                if p >= end or p - at >= limit - done:
                    break
                row = carried[k, ALLELE]
                flags, replaced, inserted = table[row, FLAGS], table[row, REPLACED], table[row, INSERTED]
                span, s = table[row, SPAN], p + table[row, SHIFT]
                owner = s if replaced or s == p else s - 1
                inside = owner < end and (owner >= start or s + replaced > start) and owner - at < limit - done
                became = APPLIED if phase_set == MANY else _fate(carried[k, SET], phase_set, alone)
                if flags & LEFT_OUT:
                    became, inside = SYMBOLIC if flags & NO_SEQUENCE else MISMATCH, p >= start
                elif became == APPLIED and p <= frozen and (p < frozen or not flags & ANCHORED or grew):
                    became = OVERLAP
                missed += inside and (became == OVERLAP or became == SYMBOLIC or became == MISMATCH)
                if inside and len(fate):
                    fate[k] = became
                if became != APPLIED:
                    continue
                frozen, grew = p + span - 1, (flags & GROWS) != 0
                n = min(min(s, end) - at, limit - done)
                if n > 0:
                    if write:
                        _copy(x, at, n, y, where, base + done)
                    at, done = at + n, done + n
                for j in range(inserted if inside else 0):
                    place = s + j if j < replaced else -1
                    anchor = place if j < replaced else (s + replaced - 1 if replaced else owner)
                    if start <= anchor < end and done < limit:
                        if write:
                            y[base + done] = codes[table[row, CODE] + j] if j else flags >> 16
                            if len(where):
                                where[base + done] = place
                        done += 1
                at = max(at, min(s + replaced, end))
            n = min(end - at, limit - done)
            if n > 0:
                if write:
                    _copy(x, at, n, y, where, base + done)
                done += n
            size[i, h], skipped[i, h] = done, missed


@numba.njit(nogil=True, cache=True)
def fill_windows(y, y_first, where, size, begin, stop):
    """N, of no position, behind the haplotypes of windows begin to stop."""
    for i in range(begin, stop):
        for h in range(2):
            for j in range(y_first[2 * i + h] + size[i, h], y_first[2 * i + h + 1]):
                y[j] = 4
                if len(where):
                    where[j] = -1
