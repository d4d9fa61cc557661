"""What splicing asks of `Genotypes`, worked out once: every allele's change, and where a haplotype's alleles are."""

from __future__ import annotations

import numba
import numpy as np

from zoo.variants.genotype_text import HOMOZYGOUS, NO_SET

POSITION, SPAN, SHIFT, REPLACED, INSERTED, CODE, REFERENCE, FLAGS = range(8)
"""Columns of `allele_table`."""
REACH, AT, ALLELE, SET = range(4)
"""Columns of `carried_of`."""
ANCHORED, GROWS, NO_SEQUENCE, WRONG = 1, 2, 4, 8
MANY = -8


@numba.njit(nogil=True, cache=True)
def allele_table(position, site_first, letters, letters_first, codes, symbolic):
    """(A, 8) int32: position and length of REF; the stretch that changes (its offset from the position, bases
    replaced, bases put in, where their codes begin); where REF's codes begin; flags, with the first code of REF and of
    the stretch, so that an SNV is read from this row alone.

    The stretch is what is left without the shared last and then the shared first letters; of alleles that begin
    alike the first letter is always kept out of it.
    """
    table = np.zeros((len(letters_first) - 1, 8), np.int32)
    for v in range(len(position)):
        ref0 = letters_first[site_first[v]]
        span = letters_first[site_first[v] + 1] - ref0
        ref = letters[ref0 : ref0 + span]
        for a in range(site_first[v], site_first[v + 1]):
            alt0, alt_end = letters_first[a], letters_first[a + 1]
            alt = letters[alt0:alt_end]
            row = table[a]
            row[POSITION], row[SPAN], row[REFERENCE] = position[v], span, ref0
            if symbolic[a]:
                row[FLAGS] = NO_SEQUENCE
                continue
            r, n = span, len(alt)
            alike = ref[0] == alt[0]
            keep = 1 if alike else 0
            while r > keep and n > keep and ref[r - 1] & 0xDF == alt[n - 1] & 0xDF:
                r, n = r - 1, n - 1
            shift = 0
            while shift < r and shift < n and ref[shift] & 0xDF == alt[shift] & 0xDF:
                shift += 1
            row[SHIFT], row[REPLACED], row[INSERTED], row[CODE] = shift, r - shift, n - shift, alt0 + shift
            pure = (r == shift) != (n == shift)
            row[FLAGS] = (ANCHORED if alike and pure else 0) | (GROWS if len(alt) > span else 0)
            row[FLAGS] |= np.int64(codes[ref0]) << 8
            if n > shift:
                row[FLAGS] |= np.int64(codes[alt0 + shift]) << 16
    return table


@numba.njit(nogil=True, cache=True)
def carried_of(first, allele, phase, table):
    """(E, 4) int32, what a search needs in one place: the furthest end of a REF among the alleles of the same
    haplotype up to this one (its reach), position, allele and phase.
    """
    carried = np.empty((len(allele), 4), np.int32)
    for h in range(len(first) - 1):
        far = 0
        for k in range(first[h], first[h + 1]):
            p = table[allele[k], POSITION]
            far = max(far, p + table[allele[k], SPAN])
            carried[k, REACH], carried[k, AT], carried[k, ALLELE], carried[k, SET] = far, p, allele[k], phase[k]
    return carried


@numba.njit(nogil=True, cache=True)
def bins_of(first, carried):
    """(2 S, B + 1) int32: the first allele of a haplotype whose reach lies right of bin * width; and log2(width).

    Bins are as wide as make them half as many as the alleles; a search then ends within a cache line or two.
    """
    haplotypes, far = len(first) - 1, 0
    for h in range(haplotypes):
        if first[h + 1] > first[h]:
            far = max(far, carried[first[h + 1] - 1, REACH])
    wanted, shift = max(1, len(carried) // (2 * haplotypes)), 4
    while far >> shift > wanted:
        shift += 1
    bins = np.empty((haplotypes, (far >> shift) + 2), np.int32)
    for h in range(haplotypes):
        k = first[h]
        for b in range(bins.shape[1]):
            while k < first[h + 1] and carried[k, REACH] <= b << shift:
                k += 1
            bins[h, b] = k
    return bins, shift


@numba.njit(nogil=True, cache=True)
def sets_of(first, phase):
    """(S,) int32: the one phase set of a sample whose every allele has a known phase; a code below them where not."""
    sets = np.empty((len(first) - 1) // 2, np.int32)
    for s in range(len(sets)):
        sets[s] = HOMOZYGOUS
        for k in range(first[2 * s], first[2 * s + 2]):
            if phase[k] == HOMOZYGOUS or phase[k] == sets[s]:
                continue
            if phase[k] < NO_SET or sets[s] != HOMOZYGOUS:
                sets[s] = MANY
                break
            sets[s] = phase[k]
    return sets


@numba.njit(nogil=True, cache=True)
def group(slots, value, phase, n):
    """Entries by slot, in file order within each: first (n + 1,), value, phase."""
    first = np.zeros(n + 1, np.int64)
    for s in slots:
        first[s + 1] += 1
    for s in range(n):
        first[s + 1] += first[s]
    at = first[:-1].copy()
    values, phases = np.empty_like(value), np.empty_like(phase)
    for k in range(len(slots)):
        j = at[slots[k]]
        values[j], phases[j] = value[k], phase[k]
        at[slots[k]] = j + 1
    return first, values, phases


@numba.njit(nogil=True, cache=True)
def wrong_references(x, position, site_first, letters_first, codes):
    """(V,) bool: sites whose REF the contig x does not have; where it has N, it may be anything."""
    wrong = np.zeros(len(position), np.bool_)
    for v in range(len(position)):
        first = letters_first[site_first[v]]
        span, p = letters_first[site_first[v] + 1] - first, position[v]
        wrong[v] = p + span > len(x)
        for j in range(0 if wrong[v] else span):
            wrong[v] |= x[p + j] != 4 and x[p + j] != codes[first + j]
    return wrong
