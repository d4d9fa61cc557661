"""Shares of variance with their intervals, the insulation of parts, and the command that writes them."""

from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from zoo.config import compose
from zoo.errors import ConfigError
from zoo.outputs import Output
from zoo.report.section import Picture, Subject, Table
from zoo.testing.source import check_source
from zoo.training.plan import TrainingPlan
from zoo_constructs.cli.construct_context import command
from zoo_constructs.context.insulation import insulate
from zoo_constructs.context.library import measure_context
from zoo_constructs.context.report_section import context
from zoo_constructs.context.uncertainty import share_variance
from zoo_constructs.context.variance_partition import partition_variance
from zoo_constructs.library.simulation import SimulatedConstructs


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_shares_come_back_within_5_percent_and_inside_their_intervals(seed):
    source = SimulatedConstructs(seed=seed)
    context = source.parts["left_flank"]
    measured = source.measurements
    shares = share_variance(
        measured.values[:, 0], source.parts["part"], context, measured.sampling_variance[:, 0], resamples=100
    )
    for name, share in source.planted.items():
        assert shares.value[name] == pytest.approx(share, abs=0.05), name
        assert shares.low[name] < share < shares.high[name], name


def test_without_replicates_interaction_and_noise_are_one():
    source = SimulatedConstructs()
    shares = share_variance(
        source.measurements.values[:, 0], source.parts["part"], source.parts["left_flank"], resamples=20
    )
    assert shares.value["interaction"] == pytest.approx(0.3, abs=0.05)
    assert np.isnan(shares.value["noise"])
    assert "which only replicates tell apart" in shares.sentences()[-1]


def test_no_interaction_has_an_interval_at_zero():
    source = SimulatedConstructs(shares=(0.6, 0.3, 0.0, 0.1), seed=4)
    measured = source.measurements
    shares = share_variance(
        measured.values[:, 0],
        source.parts["part"],
        source.parts["left_flank"],
        measured.sampling_variance[:, 0],
        resamples=100,
    )
    assert shares.value["interaction"] == pytest.approx(0, abs=0.03)
    assert shares.low["interaction"] < 0 < shares.high["interaction"] < 0.1


def test_a_construct_that_is_drawn_twice_is_not_compared_with_itself():
    rng = np.random.default_rng(0)
    part, context = np.divmod(np.arange(48), 8)
    y = rng.normal(size=48)
    once = partition_variance(y, part, context)
    twice = partition_variance(y, part, context, times=np.full(48, 2.0))
    assert vars(twice)["part"] == pytest.approx(once.part)
    assert twice.interaction == pytest.approx(once.interaction)


def test_a_part_that_no_context_moves_is_insulated():
    rng = np.random.default_rng(1)
    part, context = np.divmod(np.arange(20 * 30), 30)
    y = rng.normal(size=20)[part] + np.where(part == 7, 0.0, rng.normal(size=30)[context])
    rows = insulate(y, np.array([f"p{i}" for i in part]), context, between=1.0)
    assert rows[0].part == "p7"
    assert rows[0].score == pytest.approx(1)
    assert all(row.score < 0.6 for row in rows[1:])
    assert all(row.low <= row.score <= row.high for row in rows[1:])


def test_noise_is_taken_off_and_few_contexts_have_a_status():
    rng = np.random.default_rng(2)
    part, context = np.divmod(np.arange(10 * 200), 200)
    y = rng.normal(size=10)[part] + rng.normal(0, 0.5, 2_000)
    scores = [row.score for row in insulate(y, part, context, 1.0, np.full(2_000, 0.25))]
    assert np.mean(scores) == pytest.approx(1, abs=0.05)
    (few,) = insulate(np.array([1.0, 2.0]), np.array(["a", "a"]), np.array(["x", "y"]), 1.0)
    assert (few.status, few.n, few.mean) == ("too_few_contexts", 2, 1.5)
    assert np.isnan(few.score)


def library(tmp_path, source):
    path = tmp_path / "library.tsv"
    rng = np.random.default_rng(0)
    rows = zip(source.parts["part"], source.parts["left_flank"], source.measurements.values[:, 0], strict=True)
    lines = ["part\tflank\trep1\trep2"]
    lines += [f"{p}\t{f}\t{y + rng.normal(0, 0.1):.5f}\t{y + rng.normal(0, 0.1):.5f}" for p, f, y in rows]
    lines += ["\tACGT\t1\t2", "ACGTA\tACGT\tNA\tNA"]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_command_writes_a_row_a_part_the_shares_and_a_picture(tmp_path):
    path = library(tmp_path, SimulatedConstructs(n=400, n_parts=20, n_contexts=30))
    words = [str(path), "--part", "part", "--context", "flank", "--replicates", "rep1,rep2", "--resamples", "50"]
    result = CliRunner().invoke(command, [*words, "-o", str(tmp_path / "c.tsv"), "-o", str(tmp_path / "c.png")])
    assert result.exit_code == 0, result.output
    assert "part: 0." in result.output
    lines = (tmp_path / "c.tsv").read_text().splitlines()
    header = dict(line[2:].split("=", 1) for line in lines if line.startswith("##"))
    assert header["n"] == "400"
    assert header["left_out"] == "2"
    assert float(header["share.part"].split(" ")[0]) > 0.3
    assert len([line for line in lines if not line.startswith("##")]) == 1 + 20
    assert (tmp_path / "c.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--part", "prat", "--context", "flank", "--target", "rep1"], "has no column 'prat': did you mean 'part'"),
        (["--part", "part", "--context", "flank", "--target", "rep3"], "no column 'rep3'"),
        (["--part", "flank", "--context", "part", "--replicates", "rep1"], "names 1 columns: give two or more"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, words, sentence):
    path = library(tmp_path, SimulatedConstructs(n=60, n_parts=10, n_contexts=10))
    result = CliRunner().invoke(command, [str(path), *words, "-o", str(tmp_path / "c.tsv")])
    assert result.exit_code != 0
    assert sentence in str(result.exception)


def test_the_simulated_library_keeps_the_contract():
    source = SimulatedConstructs(n=300)
    check_source(source)
    batch = source.examples("train").batch(np.arange(8))
    assert batch["codes"].shape == (8, 40)
    assert batch["variance/activity"].shape == (8, 1)
    with pytest.raises(ConfigError, match="sum to 1"):
        SimulatedConstructs(shares=(0.5, 0.5, 0.5, 0.1))


def test_columns_of_context_are_one_context_together(tmp_path):
    path = tmp_path / "two.tsv"
    rng = np.random.default_rng(0)
    rows = [(f"p{i}", f"l{j}", f"r{k}", rng.normal()) for i in range(6) for j in range(2) for k in range(3)]
    path.write_text("part\tleft\tright\ty\n" + "".join(f"{p}\t{a}\t{b}\t{y:.4f}\n" for p, a, b, y in rows))
    measured = measure_context(path, "part", ["left", "right"], "y", resamples=10)
    assert (measured.shares.parts, measured.shares.contexts) == (6, 6)


def test_a_report_shows_the_shares_as_measured_and_as_the_model_sees_them():
    source = SimulatedConstructs(n=400, n_parts=20, n_contexts=30)
    config = compose(["data=simulated_constructs", "objective=squared_error", "strand=none", "encoder.filters=8"])
    model = TrainingPlan.of(config, source).model.eval()
    output = Output.one("activity", model.spec)
    subject = Subject("m", model, output, np.zeros((0, 40), np.uint8), "", opened=SimpleNamespace(source=source))
    section = context(subject)
    table = next(part for part in section.parts if isinstance(part, Table))
    # The flanks always stand together here, so that neither can be told from the other.
    assert [row[0] for row in table.rows] == ["part"] * 3
    assert [row[1] for row in table.rows] == ["measured", "predicted", "predicted, test split"]
    assert [row[-1] for row in table.rows] == [400, 400, len(source.rows["test"])]
    shares = subject.results["context"]["part"]
    assert shares["part"] == pytest.approx(0.5, abs=0.1)
    assert table.rows[0][2].startswith(f"{shares['part']:.2f} [")
    assert table.rows[1][5] == ""  # a model has no noise
    assert any(isinstance(part, Picture) for part in section.parts)
    subject.output = Output.parse("2*activity - activity", model.spec)
    assert context(subject) is None  # no measurement is of an expression of several terms
    subject.output, subject.opened = output, None
    assert context(subject) is None
