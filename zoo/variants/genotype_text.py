"""Genotype columns of VCF text to arrays: one compiled pass over the bytes of whole lines."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["HAPLOID", "HOMOZYGOUS", "NO_SET", "PROBLEMS", "UNPHASED", "group", "parse"]

NO_SET = -1
"""Phased, FORMAT PS absent: all such genotypes of a contig are one phase set (VCF 4.3, 1.6.2)."""
UNPHASED = -2
HOMOZYGOUS = -3
"""Both haplotypes carry the allele: phase has no meaning."""
HAPLOID = -4

PROBLEMS = {
    1: "has fewer or more columns than its header: the file is cut off or damaged, fetch it again",
    2: "has no position of 1 or more in column 2: correct or drop it",
    3: "comes after a greater position or between two other contigs: sort the file with `bcftools sort`",
    4: "has a genotype with an allele that ALT does not list: correct or drop it",
    5: "has a genotype of more than two alleles, haplotypes of diploids and haploids can be read: leave it out",
    6: "has a genotype that is no GT (VCF 4.3, 1.6.2): correct or drop it",
    7: "has a phase set (PS) that is no whole number of 0 or more: correct or drop it",
    8: "has GT behind another FORMAT key, it must be the first (VCF 4.3, 1.6.2): correct the file",
}

_TAB, _END, _RETURN, _COLON, _COMMA, _DOT, _ZERO, _BAR, _SLASH = 9, 10, 13, 58, 44, 46, 48, 124, 47


@numba.njit(nogil=True, cache=True)
def parse(
    text, contig, sample_of, samples, end, state, ploidy, position, alleles, letters, letter, slots, value, phase
):
    """Read the lines of one contig; what is found goes to the arrays, from their beginning.

    text: (bytes,) uint8, whole lines.  contig: its name.  sample_of: (columns,) the number of a sample column
    among `samples` wanted ones, -1 unwanted.  end: stop at this 0-based position.
    state: (4,) int64 [sites, alleles, last position, 1 within the contig and 2 behind it], kept between calls.
    ploidy: (samples,) the ploidy last seen, 0 before any.
    position, alleles: (lines,) 0-based, and REF plus ALT alleles.  letters: (alleles,) length of each.
    letter: (bytes,).  slots, value, phase: (entries,) 2 * sample + haplotype: allele and phase set;
    2 * samples + sample: site of a missing genotype; 3 * samples + sample: site where the ploidy becomes `phase`.

    Returns sites, alleles, letters, entries, problem (0 for none), line of the problem.
    """
    n = len(text)
    i, line = 0, -1
    v = a = c = e = 0
    columns = len(sample_of)
    while i < n:
        line += 1
        if text[i] == 35 or text[i] == _END or text[i] == _RETURN:
            while text[i] != _END:
                i += 1
            i += 1
            continue
        same = True
        j = 0
        while text[i] != _TAB and text[i] != _END:
            if j >= len(contig) or text[i] != contig[j]:
                same = False
            i, j = i + 1, j + 1
        if text[i] == _END:
            return v, a, c, e, 1, line
        if not same or j != len(contig):
            if state[3] == 1:
                state[3] = 2
            while text[i] != _END:
                i += 1
            i += 1
            continue
        if state[3] == 2:
            return v, a, c, e, 3, line
        state[3] = 1
        i += 1
        p = 0
        while 48 <= text[i] <= 57 and p < 1 << 31:
            p = p * 10 + (text[i] - _ZERO)
            i += 1
        if text[i] != _TAB or p < 1 or p >= 1 << 31:
            return v, a, c, e, 2, line
        p -= 1
        if p < state[2]:
            return v, a, c, e, 3, line
        if p >= end:
            state[3] = 2
            return v, a, c, e, 0, line
        state[2] = p
        position[v] = p
        site, first = state[0] + v, state[1] + a
        i += 1
        while text[i] != _TAB and text[i] != _END:
            i += 1
        if text[i] == _END:
            return v, a, c, e, 1, line
        i += 1
        count = 0
        for column in range(2):
            begin = i
            while text[i] != _TAB and text[i] != _END:
                if column == 1 and text[i] == _COMMA:
                    letters[a + count] = i - begin
                    begin = i + 1
                    count += 1
                else:
                    letter[c] = text[i]
                    c += 1
                i += 1
            if text[i] == _END or i == begin:
                return v, a, c, e, 1, line
            if column == 1 and i - begin == 1 and text[i - 1] == _DOT:
                c -= 1
            else:
                letters[a + count] = i - begin
                count += 1
            i += 1
        alleles[v] = count
        a += count
        v += 1
        tabs = 0
        while tabs < 3 and text[i] != _END:
            if text[i] == _TAB:
                tabs += 1
            i += 1
        if tabs < 3:
            return v, a, c, e, 1, line
        has_gt = text[i] == 71 and text[i + 1] == 84 and (text[i + 2] == _COLON or text[i + 2] <= _RETURN)
        key, ps = 0, -1
        while text[i] != _TAB and text[i] > _RETURN:
            if text[i] == _COLON:
                key += 1
                if text[i + 1] == 80 and text[i + 2] == 83 and (text[i + 3] == _COLON or text[i + 3] <= _RETURN):
                    ps = key
                if text[i + 1] == 71 and text[i + 2] == 84 and (text[i + 3] == _COLON or text[i + 3] <= _RETURN):
                    return v, a, c, e, 8, line
            i += 1
        for column in range(columns):
            if text[i] != _TAB:
                return v, a, c, e, 1, line
            i += 1
            s = sample_of[column]
            if s < 0:
                while text[i] > _RETURN:
                    i += 1
                continue
            if not has_gt:
                slots[e], value[e], phase[e] = 2 * samples + s, site, 0
                e += 1
                while text[i] > _RETURN:
                    i += 1
                continue
            if text[i] == _BAR or text[i] == _SLASH:  # VCF 4.4 allows a phase before the first allele
                i += 1
            one, two, called, phased = -1, -1, 0, False
            while True:
                g = 0
                if text[i] == _DOT:
                    g = -1
                    i += 1
                else:
                    begin = i
                    while 48 <= text[i] <= 57 and g < 1 << 20:
                        g = g * 10 + (text[i] - _ZERO)
                        i += 1
                    if i == begin:
                        return v, a, c, e, 6, line
                    if g >= count:
                        return v, a, c, e, 4, line
                called += 1
                if called == 1:
                    one = g
                elif called == 2:
                    two = g
                else:
                    return v, a, c, e, 5, line
                if text[i] == _BAR:
                    phased = True
                elif text[i] != _SLASH:
                    break
                i += 1
            if text[i] > _RETURN and text[i] != _COLON:
                return v, a, c, e, 6, line
            group_of = -2
            if phased:
                group_of = -1
                if ps >= 0:
                    field = 0
                    while text[i] > _RETURN and field < ps:
                        if text[i] == _COLON:
                            field += 1
                        i += 1
                    if field == ps and text[i] > _RETURN and text[i] != _COLON and text[i] != _DOT:
                        number = 0
                        while 48 <= text[i] <= 57 and number < 1 << 31:
                            number = number * 10 + (text[i] - _ZERO)
                            i += 1
                        if (text[i] > _RETURN and text[i] != _COLON) or number >= 1 << 31:
                            return v, a, c, e, 7, line
                        group_of = number
            while text[i] > _RETURN:
                i += 1
            if one < 0 or (called == 2 and two < 0):
                slots[e], value[e], phase[e] = 2 * samples + s, site, 0
                e += 1
            if called == 1:
                group_of = -4
                if one < 0:  # `.` stands for a missing genotype of any ploidy
                    continue
            elif one == two:
                group_of = -3
            if ploidy[s] != called:
                slots[e], value[e], phase[e] = 3 * samples + s, site, called
                e += 1
                ploidy[s] = called
            if one > 0:
                slots[e], value[e], phase[e] = 2 * s, first + one, group_of
                e += 1
            if two > 0:
                slots[e], value[e], phase[e] = 2 * s + 1, first + two, group_of
                e += 1
        if text[i] == _RETURN:
            i += 1
        if text[i] != _END:
            return v, a, c, e, 1, line
        i += 1
    return v, a, c, e, 0, line


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
