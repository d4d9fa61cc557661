"""Every way to search: what a design says of itself is true, constraints hold, and a run that was cut off goes on."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from zoo.data.codes import decode
from zoo.errors import ConfigError
from zoo.hub.loader import load
from zoo_design.checkpoint import Checkpoint
from zoo_design.cli.design import command
from zoo_design.constraints.words import read_constraints
from zoo_design.objective import Objective
from zoo_design.run import design, identify
from zoo_design.search.settings import Settings
from zoo_design.starts import Part, Start
from zoo_design.writers import read_designs

LENGTH = 200
METHODS = ("greedy", "beam", "anneal", "gradient")


@pytest.fixture(scope="module")
def objective():
    return Objective.parse("CTCF:raw", {"ctcf": load("ctcf-motif-cnn")})


def starts(n, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Start(f"s{i}", decode(rng.integers(0, 4, LENGTH).astype(np.uint8)), (Part(60, 80, "rbs"),)) for i in range(n)
    ]


def check(designs, objective):
    """Values are those of a fresh prediction, edits lead from start to sequence, protected bases stay."""
    fresh, before = (objective.values([getattr(d, k) for d in designs]) for k in ("sequence", "start"))
    for one, value, first in zip(designs, fresh, before, strict=True):
        assert one.value == pytest.approx(value, abs=1e-4)
        assert one.start_value == pytest.approx(first, abs=1e-4)
        letters = list(one.start)
        for edit in one.edits:
            end = edit.position + len(edit.alternate)
            assert "".join(letters[edit.position : end]) == edit.reference
            letters[edit.position : end] = edit.alternate
        assert "".join(letters) == one.sequence
        for a, b, _ in one.protected:
            assert one.start[a:b] == one.sequence[a:b]


@pytest.mark.parametrize("method", METHODS)
def test_a_search_climbs_within_its_constraints_and_tells_the_truth(objective, method):
    words = ["protect=rbs", "gc=40-60%", "avoid=BsaI", "homopolymer=6"]
    designs = design(starts(3), objective, read_constraints(words, None), Settings(method, edits=6, seed=1))
    check(designs, objective)
    for one in designs:
        assert one.status == "ok"
        assert one.obeys
        assert one.value > one.start_value + 2
        assert sum(a != b for a, b in zip(one.start, one.sequence, strict=True)) <= 6
        assert "GGTCTC" not in one.sequence
        assert "GAGACC" not in one.sequence
        assert 0.4 <= sum(base in "GC" for base in one.sequence) / LENGTH <= 0.6
    again = design(starts(3), objective, read_constraints(words, None), Settings(method, edits=6, seed=1))
    assert [one.sequence for one in again] == [one.sequence for one in designs]


def test_greedy_takes_the_best_of_all_substitutions_in_every_step(objective):
    (one,) = design(starts(1, seed=2), objective, (), Settings("greedy", edits=3))
    letters = one.start
    for step, edit in enumerate(one.edits):
        mutants = [
            letters[:i] + base + letters[i + 1 :] for i in range(LENGTH) for base in "ACGT" if base != letters[i]
        ]
        best = mutants[int(objective.values(mutants).argmax())]
        letters = letters[: edit.position] + edit.alternate + letters[edit.position + 1 :]
        assert letters == best
        assert one.trajectory[step + 1] == pytest.approx(objective.values([best])[0], abs=1e-4)


def test_a_beam_finds_no_less_than_greed(objective):
    some = starts(4, seed=3)
    greedy = design(some, objective, (), Settings("greedy", edits=4))
    beam = design(some, objective, (), Settings("beam", edits=4, width=4))
    assert all(b.value >= g.value - 1e-4 for b, g in zip(beam, greedy, strict=True))


def test_a_motif_is_put_where_it_counts_most(objective):
    (one,) = design(starts(1, seed=4), objective, (), Settings("insert", insertions=("CCACTAGGGGGCGC@41-120",)))
    check([one], objective)
    place = max(one.sequence.find(site) for site in ("CCACTAGGGGGCGC", "GCGCCCCCTAGTGG"))
    assert 40 <= place <= 120 - 14
    assert one.value > one.start_value + 5


def test_a_start_that_breaks_a_constraint_is_repaired_and_the_repair_counts_as_edits(objective):
    broken = starts(1, seed=5)[0]
    broken = Start("broken", broken.sequence[:100] + "GGTCTC" + broken.sequence[106:])
    (one,) = design([broken], objective, read_constraints(["avoid=BsaI"], None), Settings(edits=4))
    check([one], objective)
    assert one.obeys
    assert any(edit.step == 0 for edit in one.edits)
    assert sum(a != b for a, b in zip(one.start, one.sequence, strict=True)) <= 4


def test_what_no_design_can_keep_is_named_before_the_run(objective):
    held = starts(1, seed=6)[0]
    held = Start("held", "GGTCTC" + held.sequence[6:])
    with pytest.raises(ConfigError, match=r"protected bases of 'held' hold a site of BsaI at 1-6"):
        design([held], objective, read_constraints(["avoid=BsaI", "protect=1-20"], None))
    other = starts(1, seed=7)[0]
    both = design([held, other], objective, read_constraints(["avoid=BsaI", "protect=1-20"], None), Settings(edits=2))
    assert [one.status for one in both] == ["impossible", "ok"]


def test_starts_that_do_not_fit_keep_a_row(objective):
    some = [
        *starts(1, seed=8),
        Start("odd", "ACGN" * 50, status="non_acgt"),
        Start("short", "ACGT", status="too_short"),
    ]
    designs = design(some, objective, (), Settings(edits=1))
    assert [(one.name, one.status) for one in designs] == [("s0", "ok"), ("odd", "non_acgt"), ("short", "too_short")]


def test_a_run_that_was_cut_off_goes_on_to_the_same_designs(objective, tmp_path, monkeypatch):
    some, settings = starts(2, seed=9), Settings("anneal", edits=3, steps=8, seed=3)
    whole = design(some, objective, (), settings)
    monkeypatch.setattr("zoo_design.checkpoint.SECONDS", 0.0)
    run = identify(some, objective, (), settings)

    class Cut(Exception):
        pass

    class CutOff(Checkpoint):
        def save(self, state):
            super().save(state)
            if state.step == 4:
                raise Cut

    out = tmp_path / "designs.tsv"
    with pytest.raises(Cut):
        design(some, objective, (), settings, checkpoint=CutOff(out, run))
    with pytest.raises(ConfigError, match="--resume"):
        Checkpoint(out, run)
    resumed = design(some, objective, (), settings, checkpoint=Checkpoint(out, run, resume=True))
    assert [(a.sequence, a.edits) for a in resumed] == [(a.sequence, a.edits) for a in whole]
    other = identify(some, objective, read_constraints(["avoid=BsaI"], None), settings)
    with pytest.raises(ConfigError, match="is of another run, since"):
        Checkpoint(out, other, resume=True)


def test_two_models_are_designed_for_at_once(objective):
    models = {"a": load("ctcf-motif-cnn"), "b": load("ctcf-dilated-cnn")}
    both = Objective.parse("2*a/CTCF:raw - b/CTCF:raw", models)
    (one,) = design(starts(1, seed=10), both, (), Settings(edits=2))
    value = 2 * Objective.parse("CTCF:raw", {"a": models["a"]}).values([one.sequence])
    value -= Objective.parse("CTCF:raw", {"b": models["b"]}).values([one.sequence])
    assert one.value == pytest.approx(value[0], abs=1e-3)
    assert one.value > one.start_value
    with pytest.raises(ConfigError, match="is an output of several models: write a/CTCF"):
        Objective.parse("CTCF:raw - b/CTCF:raw", models)


def test_the_command_writes_every_file_it_is_asked_for(tmp_path):
    outs = [tmp_path / f"designs{ending}" for ending in (".fasta", ".tsv", ".csv", ".gb", ".png")]
    words = ["random:3", "--model", "ctcf-motif-cnn", "--objective", "CTCF:raw", "--edits", "2"]
    words += ["--constraint", "avoid=BsaI", *(word for out in outs for word in ("-o", str(out)))]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert "3 designs, median CTCF:raw" in result.output
    assert all(out.stat().st_size > 0 for out in outs)
    read = [read_designs(out)[0] for out in outs[:-1]]
    assert [one.sequence for one in read[0]] == [one.sequence for one in read[1]]
    assert read[1] == read[2]
    assert not list(tmp_path.glob("*.checkpoint.json"))


def test_a_judge_that_is_the_searchs_own_model_supports_nothing(tmp_path):
    words = ["random:12", "--model", "ctcf-motif-cnn", "--objective", "CTCF:raw", "--edits", "2"]
    words += ["--judge", "own=ctcf-motif-cnn", "-o", str(tmp_path / "d.tsv")]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    assert "not judged" in result.output
    header = [line for line in (tmp_path / "d.tsv").read_text().splitlines() if line.startswith("##verdict")]
    assert "not judged" in header[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["random:2", "--objective", "CTCFF"], "did you mean 'CTCF'"),
        (["random:2", "--objective", "CTCF:raw", "--constraint", "avoid=BsaJJ"], "did you mean 'BsaJI'"),
        (["random:2", "--objective", "CTCF:raw", "--constraint", "gc=70-40%"], "the lower one first"),
        (["nothing.fasta", "--objective", "CTCF:raw"], "is no file"),
        (["ACGTACGT", "--objective", "CTCF:raw"], "8 bp"),
        (["random:2", "--objective", "CTCF:raw", "--method", "insert"], "needs a motif"),
        (["random:2", "--objective", "CTCF:raw", "--resume"], "name it with -o"),
    ],
)
def test_bad_input_has_one_sentence_with_its_remedy(words, sentence):
    result = CliRunner().invoke(command, [*words, "--model", "ctcf-motif-cnn"])
    assert result.exit_code != 0
    assert sentence in str(result.exception)
    assert json.dumps(str(result.exception)).count("\\n") == 0
