"""Genotype columns of VCF text to arrays: one compiled pass over the bytes of whole lines."""

from __future__ import annotations

from enum import IntEnum

import numba

NO_SET = -1
"""Phased, FORMAT PS absent: all such genotypes of a contig are one phase set (VCF 4.3, 1.6.2)."""
UNPHASED = -2
HOMOZYGOUS = -3
"""Both haplotypes carry the allele: phase has no meaning."""
HAPLOID = -4


class Problem(IntEnum):
    """Why a line was refused; SPLIT alone is of the whole file."""

    NONE = 0
    COLUMNS = 1
    POSITION = 2
    ALLELE = 3
    PLOIDY = 4
    GENOTYPE = 5
    FORMAT = 6
    OUTSIDE = 7
    SPLIT = 8


PROBLEMS = {
    Problem.COLUMNS: "has fewer or more columns than its header: the file is cut off or damaged, fetch it again",
    Problem.POSITION: "has no position of 1 or more in column 2: correct or drop it",
    Problem.ALLELE: "has a genotype with an allele that ALT does not list: correct or drop it",
    Problem.PLOIDY: "has a genotype of more than two alleles, only haploids and diploids can be read: leave it out",
    Problem.GENOTYPE: "has a genotype that is no GT (VCF 4.3, 1.6.2): correct or drop it",
    Problem.FORMAT: "has GT behind another FORMAT key, it must be the first (VCF 4.3, 1.6.2): correct the file",
    Problem.OUTSIDE: "lies beyond the end of its contig: correct or drop it",
    Problem.SPLIT: "comes behind records of another contig: sort the file with `bcftools sort`",
}

_NONE, _COLUMNS, _POSITION = (int(p) for p in list(Problem)[:3])
_ALLELE, _PLOIDY, _GENOTYPE, _FORMAT, _OUTSIDE, _SPLIT = (int(p) for p in list(Problem)[3:])

_TAB, _END, _RETURN, _HASH, _COLON, _COMMA, _DOT, _ZERO, _NINE, _BAR, _SLASH = b"\t\n\r#:,.09|/"
_G, _T, _P, _S = b"GTPS"

_SITES, _ALLELES, _PLACE, _ASTRAY = range(4)
"""Of `state`."""
STATE = (0, 0, 0, 0)
"""Before the first line."""
_FEW = 16
"""So many lines of other contigs may lie between those of one, as a misspelt name makes them."""
_WITHIN, _BEHIND = 1, 2
"""Of state[_PLACE]: within the lines of the contig, or behind them."""
_LARGEST = 1 << 31
_LABEL = 1 << 30
"""Phase sets whose label is no number are numbered from here on, by a hash."""


@numba.njit(nogil=True, cache=True)
def parse(
    text, contig, sample_of, samples, end, length, state, ploidy,
    position, alleles, letters, letter, slots, value, phase, refused,
):  # fmt: skip
    """Read the lines of one contig; what they hold goes to the arrays, from their beginning.

    text: (bytes,) uint8, whole lines.  contig: its name.  sample_of: (columns,) the number of a sample column
    among `samples` chosen ones, -1 for the others.  end: stop at this 0-based position.  length: bp of the contig.
    state: `STATE`, kept between calls: sites, alleles, 1 within the contig and 2 behind it, lines there.
    ploidy: (samples,) the ploidy last seen, 0 before any.
    position, alleles: (lines,) 0-based, and REF plus ALT alleles.  letters: (alleles,) length of each.
    letter: (bytes,).  slots, value, phase: (entries,) 2 * sample + haplotype: allele and phase set;
    2 * samples + sample: site of a missing genotype; 3 * samples + sample: site where the ploidy becomes `phase`.
    refused: (lines, 3) `Problem`, line, position or -1 of every line that was left out.

    Returns sites, alleles, letters, entries, refused lines.
    """
    i, line = 0, -1
    v = a = c = e = b = 0
    ploidy_before = ploidy.copy()
    while i < len(text):
        line += 1
        begin, c0, e0 = i, c, e
        i, p, count, c, problem = _fixed(text, i, contig, state, end, length, letters, a, letter, c)
        if not problem and p >= 0:
            position[v] = p
            alleles[v] = count
            i, has_gt, ps, problem = _format(text, i)
            site, first = state[_SITES] + v, state[_ALLELES] + a
            if not problem:
                i, e, problem = _samples(
                    text, i, has_gt, ps, count, sample_of, samples, site, first, ploidy, slots, value, phase, e
                )
            if not problem:
                v, a = v + 1, a + count
        if problem:
            refused[b, 0], refused[b, 1], refused[b, 2] = problem, line, p
            b += 1
            i, c, e = begin, c0, e0
            ploidy[:] = ploidy_before
            for k in range(e):
                if slots[k] >= 3 * samples:
                    ploidy[slots[k] - 3 * samples] = phase[k]
            while text[i] != _END:
                i += 1
            i += 1
    return v, a, c, e, b


@numba.njit(nogil=True, cache=True)
def _fixed(text, i, contig, state, end, length, letters, a, letter, c):
    """The columns before FORMAT: (FORMAT, or the next line; position, -1 for no record of the contig before `end`; how
    many alleles; letters so far; problem).
    """
    i, c, j, same = max(i, 0), max(c, 0), 0, True
    comment = text[i] == _HASH or text[i] == _END or text[i] == _RETURN
    while not comment and text[i] != _TAB and text[i] != _END:
        same = same and j < len(contig) and text[i] == contig[j]
        i, j = i + 1, j + 1
    if text[i] == _END and not comment:
        return i, -1, 0, c, _COLUMNS
    if comment or not same or j != len(contig):
        if not comment and state[_PLACE]:
            state[_ASTRAY] = state[_ASTRAY] + 1 if state[_PLACE] == _BEHIND else 1
            state[_PLACE] = _BEHIND
        while text[i] != _END:
            i += 1
        return i + 1, -1, 0, c, _NONE
    if state[_PLACE] == _BEHIND and state[_ASTRAY] > _FEW:
        return i, -1, 0, c, _SPLIT
    i, p, state[_PLACE] = i + 1, 0, _WITHIN
    while _ZERO <= text[i] <= _NINE and p < _LARGEST:
        p = p * 10 + (text[i] - _ZERO)
        i += 1
    if text[i] != _TAB or p < 1 or p >= _LARGEST:
        return i, -1, 0, c, _POSITION
    p -= 1
    if p >= length:
        return i, p, 0, c, _OUTSIDE
    if p >= end:
        state[_PLACE], state[_ASTRAY] = _BEHIND, 0
        while text[i] != _END:
            i += 1
        return i + 1, -1, 0, c, _NONE
    i += 1
    while text[i] != _TAB and text[i] != _END:  # ID
        i += 1
    if text[i] == _END:
        return i, p, 0, c, _COLUMNS
    i, tabs, count = i + 1, 1, 0
    begin = i
    while tabs < 3 and text[i] != _END:  # REF and ALT
        if text[i] > _RETURN and not (tabs == 2 and text[i] == _COMMA):
            letter[c] = text[i]
            c += 1
        else:
            if i == begin:
                return i, p, count, c, _COLUMNS
            if tabs == 2 and text[i] == _TAB and i - begin == 1 and text[begin] == _DOT:
                c -= 1
            else:
                letters[a + count] = i - begin
                count += 1
            begin = i + 1
            tabs += text[i] == _TAB
        i += 1
    while tabs < 6 and text[i] != _END:  # QUAL, FILTER, INFO
        tabs += text[i] == _TAB
        i += 1
    return i, p, count, c, _NONE if tabs == 6 else _COLUMNS


@numba.njit(nogil=True, cache=True)
def _format(text, i):
    """FORMAT: (the tab behind it, whether it begins with GT, place of PS or -1, problem)."""
    i = max(i, 0)
    begin, key, has_gt, ps = i, 0, False, -1
    while True:
        if text[i] == _COLON or text[i] <= _RETURN:
            if i - begin == 2 and text[begin] == _G and text[begin + 1] == _T:
                has_gt = True
                if key:
                    return i, has_gt, ps, _FORMAT
            elif i - begin == 2 and text[begin] == _P and text[begin + 1] == _S:
                ps = key
            if text[i] <= _RETURN:
                return i, has_gt, ps, _NONE
            begin, key = i + 1, key + 1
        i += 1


@numba.njit(nogil=True, cache=True)
def _samples(text, i, has_gt, ps, count, sample_of, samples, site, first, ploidy, slots, value, phase, e):
    """The columns behind FORMAT: (the next line, entries so far, problem)."""
    i, e = max(i, 0), max(e, 0)
    for column in range(len(sample_of)):
        if text[i] != _TAB:
            return i, e, _COLUMNS
        i += 1
        s = sample_of[column]
        one, two, called, phased = -1, -1, 0, False
        if s >= 0 and has_gt:
            if text[i] == _BAR or text[i] == _SLASH:  # VCF 4.4 allows a phase before the first allele
                i += 1
            more = True
            while more:
                begin, g = i, 0
                while _ZERO <= text[i] <= _NINE and g < 1 << 20:
                    g = g * 10 + (text[i] - _ZERO)
                    i += 1
                if i == begin:
                    if text[i] != _DOT:
                        return i, e, _GENOTYPE
                    i, g = i + 1, -1
                if g >= count:
                    return i, e, _ALLELE
                if called == 2:
                    return i, e, _PLOIDY
                one, two = (g, two) if called == 0 else (one, g)
                called += 1
                phased = phased or text[i] == _BAR
                more = text[i] == _BAR or text[i] == _SLASH
                i += more
            if text[i] > _RETURN and text[i] != _COLON:
                return i, e, _GENOTYPE
        at = i
        while text[i] > _RETURN:
            i += 1
        if s < 0:
            continue
        if one < 0 or (called == 2 and two < 0):
            slots[e], value[e], phase[e] = 2 * samples + s, site, 0
            e += 1
        if called == 0 or (called == 1 and one < 0):  # `.` stands for a missing genotype of any ploidy
            continue
        group_of = HAPLOID if called == 1 else HOMOZYGOUS if one == two else NO_SET if phased else UNPHASED
        if group_of == NO_SET and ps >= 0:
            group_of = _phase_set(text, at, ps)
        if ploidy[s] != called:
            slots[e], value[e], phase[e] = 3 * samples + s, site, called
            e += 1
            ploidy[s] = called
        for haplotype in range(2):
            allele = two if haplotype else one
            if allele > 0:
                slots[e], value[e], phase[e] = 2 * s + haplotype, first + allele, group_of
                e += 1
    i += text[i] == _RETURN
    return i + 1, e, _NONE if text[i] == _END else _COLUMNS


@numba.njit(nogil=True, cache=True)
def _phase_set(text, i, ps):
    """The number of the phase set in field `ps` of a column whose GT ends at i: its own, or a hash of the label."""
    field = 0
    while text[i] > _RETURN and field < ps:
        field += text[i] == _COLON
        i += 1
    if field < ps or text[i] <= _RETURN or text[i] == _COLON:
        return NO_SET
    if text[i] == _DOT and (text[i + 1] <= _RETURN or text[i + 1] == _COLON):
        return NO_SET
    number, is_number, label = 0, True, 0
    while text[i] > _RETURN and text[i] != _COLON:
        digit = text[i] - _ZERO
        is_number = is_number and 0 <= digit <= 9 and number < _LARGEST
        number = number * 10 + digit if is_number else number
        label = (label * 31 + text[i]) % 1_000_003_723
        i += 1
    return number if is_number and number < _LARGEST else _LABEL + label
