"""Intervals hold the truth as often as they say; designs that show too little have none, or are refused."""

import numpy as np
import pytest

from zoo.errors import DataError
from zoo_constructs.context.insulation import insulate
from zoo_constructs.context.library import measure_context
from zoo_constructs.context.uncertainty import share_variance


def library(rng, n_parts, n_contexts, shares, repeats=1):
    """All pairs, each in so many rows: activity, part, context."""
    pair = np.repeat(np.arange(n_parts * n_contexts), repeats)
    part, context = np.divmod(pair, n_contexts)
    sizes = zip((part, context, pair, np.arange(len(pair))), shares, strict=True)
    return sum(rng.normal(0, share**0.5, x.max() + 1)[x] for x, share in sizes), part, context


@pytest.mark.parametrize("contexts", [3, 5, 30])
@pytest.mark.parametrize("tails", ["normal", "exponential"])
def test_insulation_intervals_hold_the_truth_however_few_the_contexts(contexts, tails):
    rng = np.random.default_rng(0)
    part = np.repeat(np.arange(600), contexts)
    effect = rng.normal(size=len(part)) if tails == "normal" else rng.exponential(size=len(part)) - 1
    y = rng.normal(size=600)[part] + 0.4**0.5 * effect + rng.normal(0, 0.1**0.5, len(part))
    rows = insulate(y, part, np.tile(np.arange(contexts), 600), 1.0, np.full(len(part), 0.1))
    covered = np.mean([row.low <= 0.6 <= row.high for row in rows])
    assert covered == pytest.approx(0.95, abs=0.025) if tails == "normal" else covered > 0.87
    assert all(row.low <= row.score <= row.high for row in rows)


def test_rows_that_repeat_part_and_context_show_the_noise():
    y, part, context = library(np.random.default_rng(1), 60, 50, (0.5, 0.2, 0.2, 0.1), repeats=2)
    shares = share_variance(y, part, context, resamples=40)
    whole = sum(vars(shares.variances).values())
    assert shares.variances.interaction == pytest.approx(0.2, abs=0.02)
    assert shares.variances.noise == pytest.approx(0.1, abs=0.01)
    assert shares.low["noise"] < 0.1 / whole < shares.high["noise"]
    assert shares.sentences()[-1].startswith("noise")


def test_a_row_of_one_replicate_does_not_turn_noise_into_interaction(tmp_path):
    y, part, context = library(np.random.default_rng(2), 40, 30, (0.5, 0.2, 0.0, 0.0))
    replicates = y[:, None] + np.random.default_rng(3).normal(0, 0.3**0.5, (len(y), 2))
    path = tmp_path / "library.tsv"
    lines = ["part\tcontext\trep1\trep2"]
    for i, (p, c, (a, b)) in enumerate(zip(part, context, replicates, strict=True)):
        lines.append(f"p{p}\tc{c}\t{a:.4f}\t{b:.4f}" if i % 2 else f"p{p}\tc{c}\t{a:.4f}\tNA")
    path.write_text("\n".join(lines) + "\n")
    measured = measure_context(path, "part", ["context"], replicates=["rep1", "rep2"], resamples=10)
    assert measured.shares.variances.interaction == pytest.approx(0, abs=0.02)  # 0.079 with the rows of one value
    assert measured.header["left_out.one_replicate"] == 600


@pytest.mark.parametrize("contexts", [2, 4])
def test_few_contexts_have_shares_without_intervals(contexts):
    y, part, context = library(np.random.default_rng(4), 60, contexts, (0.5, 0.2, 0.2, 0.1))
    shares = share_variance(y, part, context, resamples=20)
    assert np.isfinite(shares.value["part"])
    assert np.isnan([*shares.low.values(), *shares.high.values()]).all()
    assert "no intervals" in shares.sentences()[-1]
    assert "nan" not in " ".join(shares.sentences())


def test_a_single_part_that_recurs_and_equal_activities_are_refused():
    part, context = np.r_[np.arange(40), 0, 40], np.r_[np.arange(40), 40, 0]
    with pytest.raises(DataError, match="one part alone stands with several contexts"):
        share_variance(np.random.default_rng(5).normal(size=42), part, context)
    with pytest.raises(DataError, match="all 100 activities are the same"):
        share_variance(np.full(100, 0.1), *np.divmod(np.arange(100), 10))
