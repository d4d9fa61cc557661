"""Matches are memelite's, said in words that are tested; and a small q alone is no match."""

import os
import warnings

import memelite
import numpy as np
import pytest

from zoo.data.motifs import Motif
from zoo.errors import ConfigError, DataError
from zoo_motifs.databases import jaspar
from zoo_motifs.letter_similarity import AGREES, measure_agreement
from zoo_motifs.tomtom import COLUMNS, MAX_Q, match

TARGETS = jaspar()[:60]


def cut(motif, first, last, reverse=False, name="part"):
    part = Motif(name, name, motif.counts[:, first:last])
    return part.reverse_complement() if reverse else part


def shuffled(motif, seed=0):
    """The same information at every column, but of other letters."""
    return Motif("decoy", "decoy", np.random.default_rng(seed).permuted(motif.counts, axis=0))


def test_numbers_are_those_of_memelite():
    queries = [cut(TARGETS[i], 1, 7) for i in range(5)]
    found = match(queries, TARGETS)
    p, _, offset, overlap, strand = memelite.tomtom(
        [q.probabilities(0) for q in queries], [t.probabilities(0) for t in TARGETS]
    )
    np.testing.assert_allclose(found.p, p, rtol=1e-12)
    np.testing.assert_array_equal(found.offset, offset)
    np.testing.assert_array_equal(found.overlap, overlap)
    np.testing.assert_array_equal(found.reverse, strand == 1)


def test_q_is_benjamini_hochberg_over_the_whole_table_or_within_a_query():
    queries = [cut(TARGETS[i], 1, 7) for i in range(3)]

    def slowly(p):
        order = np.argsort(p)
        scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
        q = np.empty(len(p))
        q[order] = np.minimum(1, np.minimum.accumulate(scaled[::-1])[::-1])
        return q

    table, query = match(queries, TARGETS), match(queries, TARGETS, over="query")
    np.testing.assert_allclose(table.q.ravel(), slowly(table.p.ravel()), rtol=1e-12)
    np.testing.assert_allclose(query.q, [slowly(p) for p in query.p], rtol=1e-12)
    assert (table.q >= table.p).all()


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("first", "last"), [(0, 8), (2, 9), (3, 11)])
def test_a_piece_is_found_where_it_was_cut_out(first, last, reverse):
    whole = next(t for t in TARGETS if len(t) >= 12)
    found = match([cut(whole, first, last, reverse)], TARGETS)
    (best,) = found.best(0)
    assert found.targets[best] is whole
    expected = len(whole) - last if reverse else first
    row = dict(zip(COLUMNS, found.row(0, best), strict=True))
    assert row["offset"] == expected
    assert row["overlap"] == last - first
    assert row["orientation"] == ("-" if reverse else "+")
    assert row["query"] == "part"
    assert row["q_value"] < 0.05
    assert found.agreement[0, best] == pytest.approx(1)


def test_a_query_that_begins_before_its_target_has_a_negative_offset():
    whole = next(t for t in TARGETS if len(t) >= 12)
    longer = Motif("longer", "longer", np.hstack([np.full((4, 3), 5.0), whole.counts]))
    found = match([longer], TARGETS)
    (best,) = found.best(0)
    assert (found.targets[best], found.offset[0, best]) == (whole, -3)
    assert found.agreement[0, best] == pytest.approx(1)


def test_agreement_is_the_cosine_of_the_aligned_columns():
    one = Motif("a", "a", np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]) * 8.0)
    flat = Motif("b", "b", np.full((4, 3), 2.0))
    other = shuffled(one, 3)
    zero = np.zeros((1, 1), int)

    def of(query, target, offset=0, overlap=3, reverse=False):
        arguments = ([query], [target], zero + offset, zero + overlap, np.full((1, 1), reverse))
        return measure_agreement(*arguments)[0, 0]

    assert of(one, one) == pytest.approx(1)
    assert of(one, one.reverse_complement(), reverse=True) == pytest.approx(1)
    assert of(one, flat) == 0
    x, y = one.probabilities(0) - 0.25, other.probabilities(0) - 0.25
    assert of(one, other) == pytest.approx((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))
    assert of(one, one, overlap=1) == pytest.approx(1), "letters outside the overlap do not count"
    assert of(cut(one, 1, 2), one, offset=1, overlap=1) == pytest.approx(1), "a part of a motif is no disagreement"


def test_decoys_match_by_q_alone_and_are_marked():
    rng = np.random.default_rng(0)
    vague = [Motif(f"v{i}", f"v{i}", rng.dirichlet([4] * 4, 21).T * 100) for i in range(30)]
    found = match(vague, jaspar())
    assert (found.q.min(1) < 0.01).mean() > 0.8, "TOMTOM takes the vague for the vague"
    assert sum(len(found.best(i, None, max_q=MAX_Q, agree=AGREES)) for i in range(30)) == 0
    matching = [row for row in found.rows() if row[3] <= MAX_Q]
    assert len(matching) == (found.q <= MAX_Q).sum(), "they are shown"
    assert {row[-1] for row in matching} == {"low_agreement"}
    known = [jaspar()[i] for i in rng.choice(1019, 30, replace=False)]
    decoys = match([shuffled(m, i) for i, m in enumerate(known)], jaspar())
    assert sum(len(decoys.best(i, max_q=0.05, agree=AGREES)) for i in range(30)) <= 1
    themselves = match(known, jaspar())
    assert all(themselves.best(i, max_q=0.05, agree=AGREES) for i in range(30))


def test_every_match_is_a_row_whatever_its_agreement_and_a_query_without_any_has_one():
    flat = Motif("flat", "flat", np.full((4, 8), 5.0))
    found = match([*TARGETS[:20], flat, shuffled(TARGETS[3])], TARGETS)
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in found.rows()]
    matching = [row for row in rows if row["q_value"] <= MAX_Q]
    assert len(matching) == (found.q <= MAX_Q).sum()
    assert all((row["status"] == "ok") == (row["agreement"] >= AGREES) for row in matching)
    others = [row for row in rows if row["q_value"] > MAX_Q]
    assert {row["status"] for row in others} == {"no_match"}
    assert [row["query"] for row in others] == ["flat", "decoy"]
    assert all(row["p_value"] == found.p[20 + i].min() for i, row in enumerate(others))
    every = list(found.rows(every=True))
    assert len(every) == found.p.size
    assert sum(row[-1] == "no_match" for row in every) == (found.q > MAX_Q).sum()


@pytest.mark.parametrize("left", [0, 6, 14])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_query_that_is_wider_than_the_motif_or_holds_two_has_its_name(left, reverse):
    first, second = (next(t for t in TARGETS if len(t) == width) for width in (11, 9))
    letters = np.random.default_rng(left).integers(0, 4, left)
    extra = np.eye(4)[letters].T * 900 + 25
    wide = Motif("wide", "wide", np.hstack([extra.reshape(4, left), first.counts, second.counts]))
    query = wide.reverse_complement() if reverse else wide
    found = match([query], jaspar())
    best = found.named(0)
    assert best is not None
    assert found.status(0, best) == "ok"
    if found.targets[best].id == first.id:
        assert found.agreement[0, best] == pytest.approx(1)
    names = {row[1].split()[0] for row in found.rows()}
    assert {first.id, second.id} & names


def test_a_query_is_named_by_a_target_that_agrees_where_there_is_one():
    one, other = TARGETS[0], TARGETS[1]
    found = match([one], [shuffled(one), other, one])
    found.p[0], found.q[0] = [1e-9, 0.2, 1e-8], [1e-8, 0.3, 1e-7]
    assert found.named(0) == 2
    found.q[0] = [1e-8, 0.3, 0.2]
    assert found.named(0) == 0
    assert found.status(0, 0) == "low_agreement"
    found.q[0] = 0.5
    assert found.named(0) is None


def test_rows_are_sorted_and_bounded():
    found = match([TARGETS[0], TARGETS[1]], TARGETS)
    rows = list(found.rows(3, max_q=1))
    assert [r[0] for r in rows] == [rows[0][0]] * 3 + [rows[3][0]] * 3
    assert rows[0][2] <= rows[1][2] <= rows[2][2]
    assert len(list(found.rows(every=True))) == 2 * len(TARGETS)
    assert all(r[3] <= 1e-4 for r in found.rows(None, max_q=1e-4))


def test_a_handful_of_targets_is_a_note_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        few, many = match(TARGETS[:1], TARGETS[:5]), match(TARGETS[:1], TARGETS)
    assert len(few.notes) == 1
    assert "there are 5 targets" in few.notes[0]
    assert many.notes == []


def test_nothing_to_compare_is_refused():
    with pytest.raises(DataError, match="0 queries and 60 targets"):
        match([], TARGETS)
    with pytest.raises(DataError, match="1 queries and 0 targets"):
        match(TARGETS[:1], [])
    with pytest.raises(ConfigError, match="over 'all'"):
        match(TARGETS[:1], TARGETS, over="all")


def test_motifs_of_one_column_and_of_no_information_do_not_fail():
    flat = Motif("flat", "flat", np.full((4, 8), 5.0))
    short = Motif("a", "a", np.array([[9.0], [1], [0], [0]]))
    long = Motif("long", "long", np.tile(TARGETS[0].counts, 8))
    found = match([flat, short, long], TARGETS)
    assert np.isfinite(found.p).all()
    assert ((found.p >= 0) & (found.p <= 1)).all()
    assert (found.agreement[0] == 0).all()


def test_a_process_may_fork_afterwards():
    import numba

    if numba.threading_layer() == "omp":
        pytest.skip("something else in this process chose OpenMP before")
    match(TARGETS[:2], TARGETS)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(match(TARGETS[:2], TARGETS).p.shape != (2, 60))
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


MEME_SUITE = """
    MA1493.1 7.27055e-06 3 +, MA2105.1 8.50107e-06 0 -, MA0941.2 0.000127592 1 -, MA2075.1 0.000166235 1 -,
    MA0819.3 0.000195190 1 -, MA0310.2 0.000226288 0 -, MA2014.2 0.000232044 2 -, MA2152.1 0.000270617 2 -,
    MA0930.3 0.000331681 0 +, MA2401.1 0.000339412 2 +, MA0937.1 0.000339412 2 -, MA1033.1 0.000339412 2 -,
    MA0626.2 0.000363785 2 +, MA1333.2 0.000381670 3 +, MA0931.2 0.000388859 1 -
"""
"""p, offset and orientation by the tomtom of the MEME suite 5.5.7, ACGTGT against JASPAR 2024 CORE, all groups."""


def test_matches_are_those_of_the_meme_suite():
    groups = ("vertebrates", "plants", "insects", "nematodes", "fungi", "urochordates", "diatoms")
    targets = [m for group in groups for m in jaspar(tax_group=group, release="JASPAR2024")]
    query = np.where(np.arange(4)[:, None] == ["ACGT".index(b) for b in "ACGTGT"], 0.931818, 0.0227273)
    found = match([Motif("ACGTGT", "ACGTGT", query)], targets, over="query")
    place = {t.id: i for i, t in enumerate(targets)}
    shown = {row[1].split()[0]: row for row in found.rows()}
    for line in MEME_SUITE.split(","):
        name, p, offset, orientation = line.split()
        assert found.p[0, place[name]] == pytest.approx(float(p), rel=0.4), "theirs have pseudocounts"
        row = dict(zip(COLUMNS, shown[name], strict=True))
        assert (row["offset"], row["orientation"], row["status"]) == (int(offset), orientation, "ok")
    assert {"MA1493.1", "MA2105.1"} == set(list(shown)[:2]), "the two whose q is below 0.05 in theirs"
