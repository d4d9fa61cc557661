"""The rule by which designs are supported, held against planted truth and against judges that are none."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from zoo.errors import ConfigError, DataError
from zoo.model import Ensemble, build
from zoo.spec import ModelSpec
from zoo_design.design import Design
from zoo_design.judgement import Controls, Judge, judge, read_controls
from zoo_design.judgement.controls import random_edits
from zoo_design.judgement.independence import relation
from zoo_design.judgement.sequence_distance import diversity, nearest_sequences

LENGTH = 40


def row(value, low, **changes):
    high = 2 * value - low
    plain = {"predictor": "m", "baseline": False, "head": "value", "task": "activity", "metric": "pearson", "n": 500}
    return {**plain, "value": value, "low": low, "high": high, "split": "test", "stratum": "all", "note": ""} | changes


def network(seed=0, encoder="motif_cnn", **spec):
    torch.manual_seed(seed)
    arguments = {"motif_cnn": {"filters": 4, "width": 5, "hidden": 4}, "residual_cnn": {"filters": 4, "width": 5}}
    plain = ModelSpec(
        name=f"model{seed}",
        encoder={"name": encoder, **arguments[encoder]},
        heads={"value": {"name": "scalar", "in_channels": 4, "tasks": ["activity"]}},
        input_length=LENGTH,
        metrics=(row(0.6, 0.5),),
        data={"files": [{"file": "a.tsv", "bytes": 1, "sha256": f"{seed:064d}"}], "splits": {"by": "column"}},
        training={"seed": seed, "seconds": 10.0 + seed},
    )
    return build(plain.replace(**spec)).eval()


class Counting(Judge):
    """Sees the share of a base, with an error of its own that depends on the sequence."""

    base, error = "A", 0.0

    def _values(self, model, sequences):
        noise = [np.random.default_rng([len(s), *s[:20].encode(), self.name.__len__()]).normal() for s in sequences]
        return np.array([s.count(self.base) for s in sequences], float) + self.error * np.array(noise)


def counting(name, model, base, error=0.0):
    one = Counting.of(model, "activity", name)
    object.__setattr__(one, "base", base)
    object.__setattr__(one, "error", error)
    return one


class Search:
    """An objective that counts A, and climbs on one network."""

    def __init__(self, model, base="A"):
        self.models, self.base, self.length = {"search": model}, base, LENGTH

    def values(self, sequences):
        assert {len(s) for s in sequences} == {LENGTH}
        return np.array([s.count(self.base) for s in sequences], float)


def sequences(n, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), LENGTH)) for _ in range(n)]


def designs(n=20, edits=15, base="A"):
    """Starts in which the first other letters behind a protected region have become `base`."""
    made = []
    for i, start in enumerate(sequences(n, seed=1)):
        letters, changed = list(start), 0
        for at in range(5, LENGTH):
            if letters[at] != base and changed < edits:
                letters[at], changed = base, changed + 1
        values = start.count(base), letters.count(base)
        made.append(
            Design(
                name=f"d{i}",
                start=start,
                sequence="".join(letters),
                start_value=float(values[0]),
                value=float(values[1]),
                edits=(),
                trajectory=tuple(map(float, values)),
                constraints=(("no BsaI", True),),
                status="ok",
                protected=((0, 5, "part"),),
            )
        )
    return made


@pytest.fixture(scope="module")
def search():
    return Search(network(0))


@pytest.fixture(scope="module")
def other():
    """A model of other data and another architecture."""
    return network(1, encoder="residual_cnn")


CONTROLS = Controls.of(sequences(300))


def test_designs_that_an_independent_judge_values_too_are_supported(search, other):
    verdict = judge(designs(), search, [counting("judge", other, "A", error=1.0)], CONTROLS)
    assert verdict.status == "supported", verdict
    table = [dict(zip(verdict.columns, r, strict=True)) for r in verdict.rows]
    assert [r["name"] for r in table] == [f"d{i}" for i in range(20)]
    assert all(r["judge.percentile"] > 95 and r["judge.gain"] > 10 for r in table)
    assert all(r["edits"] == 15 and r["nearest_distance"] >= 1 and r["copies"] == 1 for r in table)
    assert verdict.facts["constraints_met"] == 1.0


def test_designs_against_a_model_of_noise_are_not_supported(search, other):
    """The search has climbed on something that the judge does not see: the share of another base."""
    verdict = judge(designs(base="C"), search, [counting("judge", other, "G", error=1.0)], CONTROLS)
    assert verdict.status == "not supported"
    assert "no gain over the starts" in verdict.words


def test_better_than_the_start_is_not_enough_where_natural_ones_are_better_still(search, other):
    natural = [s[:10] + "A" * 30 for s in sequences(300)]
    verdict = judge(designs(edits=4), search, [counting("judge", other, "A")], Controls.of(natural))
    assert verdict.status == "not supported"
    assert "95th percentile" in verdict.words
    assert "no gain over the starts" not in verdict.words


def test_a_gain_that_any_edit_would_bring_is_none(search, other):
    """Starts without a letter that the judge likes gain by any edit; the designs gain no more than random ones do."""
    made = []
    for i, d in enumerate(designs(n=20, edits=0)):
        start = d.start.replace("A", "C")
        edited = random_edits(replace(d, start=start, sequence="A" * 12 + start[12:]), 1, seed=1000 + i)[0]
        made.append(replace(d, start=start, sequence=edited))
    verdict = judge(made, search, [counting("judge", other, "A")], Controls.of(["C" * LENGTH] * 1 + sequences(300)))
    assert verdict.opinions[0].gain.over_start.positive
    assert not verdict.opinions[0].gain.over_random.positive
    assert "random edits" in verdict.words
    assert verdict.status == "not supported"


def test_the_model_of_the_search_is_no_judge(search):
    copy = network(7)
    copy.load_state_dict(search.models["search"].state_dict())
    verdict = judge(designs(), search, [counting("copy", copy, "A")], CONTROLS)
    assert verdict.status == "not judged"
    assert "is the model of the search itself" in verdict.words


def test_a_member_of_the_searched_ensemble_is_no_judge():
    members = [network(seed) for seed in (0, 3)]
    ensemble = Ensemble(members[0].spec, members)
    assert relation(members[1], [ensemble]).kind == "same"
    assert relation(ensemble, [members[0]]).kind == "same"


def test_weights_that_were_touched_so_that_their_digest_differs_are_known_by_their_behaviour(search, other):
    with torch.no_grad():
        next(other.parameters()).add_(1e-7)
    verdict = judge(designs(), search, [counting("shadow", other, "A", error=1e-3)], CONTROLS)
    assert verdict.status == "not judged"
    assert "answers as the model of the search does" in verdict.words


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "independent"),
        ({"training": {"seed": 0, "seconds": 10.0}}, "dependent"),
        ({"training": {"seed": 5, "seconds": 3.0, "init": "hub-trunk"}}, "dependent"),
        ({"base": {"manifest": "f" * 64}}, "dependent"),
        ({"data": {"files": [{"sha256": f"{0:064d}"}], "splits": {"by": "column"}}}, "related"),
        ({"data": {"files": [{"sha256": f"{0:064d}"}], "splits": {"by": "hash"}}}, "related"),
        ({"data": {}}, "related"),
    ],
)
def test_what_a_card_says_of_kinship(changes, kind):
    origin = {"base": {"manifest": "f" * 64}} if "base" in changes else {}
    training = (
        {"training": {"seed": 0, "seconds": 10.0, "init": "hub-trunk"}}
        if changes.get("training", {}).get("init")
        else {}
    )
    searched = network(0)
    searched.spec = searched.spec.replace(**origin, **training)
    judged = network(1, encoder="residual_cnn")
    judged.spec = judged.spec.replace(**changes)
    assert relation(judged, [searched]).kind == kind


def test_another_seed_of_the_same_architecture_on_the_same_data_may_refute_and_not_support(search):
    twin = network(9, data=dict(network(0).spec.data))
    assert relation(twin, search.models.values()).kind == "dependent"
    agreeing = judge(designs(), search, [counting("twin", twin, "A", error=1.0)], CONTROLS)
    assert agreeing.status == "not judged"
    assert "only its seed differs" in agreeing.words
    assert judge(designs(), search, [counting("twin", twin, "G", error=1.0)], CONTROLS).status == "not supported"


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ((row(0.02, -0.06),), "no better than chance"),
        ((row(0.52, 0.48, metric="auroc"),), "no better than chance"),
        ((), "no held-out metric"),
        ((row(0.9, 0.8, split="train"),), "has learned from"),
        ((row(0.9, 0.8, task="another"),), "no held-out metric"),
        ((row(0.2, 0.1), row(-0.3, -0.4, predictor="GC", baseline=True)), "no better than composition"),
        ((row(0.6, 0.5), row(0.55, 0.5, predictor="2-mer ridge", baseline=True)), "no better than composition"),
    ],
)
def test_a_judge_that_is_not_known_to_be_better_than_chance_and_composition_says_nothing(search, other, metrics, words):
    weak = network(4, encoder="residual_cnn", metrics=metrics)
    verdict = judge(designs(), search, [counting("weak", weak, "A", error=1.0)], CONTROLS)
    assert verdict.status == "not judged"
    assert words in verdict.words
    against = judge(designs(base="C"), search, [counting("weak", weak, "G", error=1.0)], CONTROLS)
    assert against.status == "not judged", "nor does it refute anything"


def test_one_judge_that_disagrees_is_enough(search, other):
    third = network(2, encoder="residual_cnn")
    judges = [counting("first", other, "A", error=1.0), counting("second", third, "G", error=1.0)]
    verdict = judge(designs(), search, judges, CONTROLS)
    assert verdict.status == "not supported"
    assert "second sees" in verdict.words
    spread = [r[verdict.columns.index("disagreement_percentile")] for r in verdict.rows]
    assert np.median(spread) > 95, "two judges that part on the designs agree on most natural ones"
    assert any("have left what the judges know" in note for note in verdict.notes)


def test_copies_of_one_good_design_are_one_design(search, other):
    many = [replace(designs()[0], name=f"copy{i}") for i in range(50)]
    verdict = judge(many, search, [counting("judge", other, "A", error=1.0)], CONTROLS)
    assert verdict.status == "not judged"
    assert "fewer than 10 distinct designs" in verdict.words
    statuses = [r[verdict.columns.index("judge_status")] for r in verdict.rows]
    assert statuses == ["ok"] + ["duplicate"] * 49
    assert verdict.facts["duplicates"] == pytest.approx(49 / 50)


def test_designs_that_break_a_constraint_stay_in_the_table_and_do_not_count(search, other):
    broken = [replace(d, constraints=(("no BsaI", False),)) for d in designs()[:12]]
    failed = [replace(d, status="no_improvement", name=f"{d.name}b") for d in designs()[12:]]
    verdict = judge([*broken, *failed], search, [counting("judge", other, "A", error=1.0)], CONTROLS)
    assert verdict.status == "not judged"
    assert len(verdict.rows) == 20
    assert {r[verdict.columns.index("judge_status")] for r in verdict.rows} == {"constraint_broken", "no_design"}
    assert verdict.facts["constraints_met"] == 0.0
    assert np.isnan(verdict.rows[-1][verdict.columns.index("constraints_met")])


def test_without_natural_sequences_nothing_is_supported_and_much_is_refuted(search, other):
    assert judge(designs(), search, [counting("judge", other, "A")], Controls.of(sequences(199))).status == "not judged"
    against = judge(designs(base="C"), search, [counting("judge", other, "G", error=1.0)], Controls.of())
    assert against.status == "not supported"
    assert judge(designs(), search, [], CONTROLS).words.startswith("no judge was given")
    assert judge([], search, [counting("judge", other, "A")], CONTROLS).status == "not judged"


def test_a_real_network_judges_and_other_lengths_have_no_value(search, other):
    short = {"start": "ACGT", "sequence": "ACGT", "status": "too_short", "protected": ()}
    made = [*designs(12), replace(designs()[13], sequence="ACGT" * 11), replace(designs()[14], **short)]
    verdict = judge(made, search, [Judge.of(other, "activity", "net")], CONTROLS)
    values = [r[verdict.columns.index("net.value")] for r in verdict.rows]
    assert np.isfinite(values[:12]).all()
    assert np.isnan(values[12])
    statuses = [r[verdict.columns.index("judge_status")] for r in verdict.rows]
    assert statuses == ["ok"] * 12 + ["no_judge_value", "no_design"]
    direct = Judge.of(other, "activity").values([designs()[0].sequence])[0]
    assert values[0] == pytest.approx(direct)
    with pytest.raises(ConfigError, match="two judges are called"):
        judge(made, search, [Judge.of(other, "activity"), Judge.of(other, "activity")], CONTROLS)


def test_random_edits_spare_what_is_protected_and_are_as_many():
    design = designs(1)[0]
    for edited in random_edits(design, 20, seed=0):
        assert edited[:5] == design.start[:5]
        assert sum(a != b for a, b in zip(edited, design.start, strict=True)) == 15


def test_a_training_sequence_moved_by_one_base_is_near():
    known = sequences(500, seed=5)
    moved = "G" + known[123][:-1]
    nearest = nearest_sequences([moved, known[7]], known)
    assert nearest.index.tolist() == [123, 7]
    assert nearest.distance[0] <= 2
    assert nearest.distance[1] == 0


def test_diversity_counts_copies_and_edits():
    variety = diversity(["AAAA", "AAAA", "AATT"])
    assert variety.copies.tolist() == [2, 2, 1]
    assert variety.mean_distance.tolist() == [1.0, 1.0, 2.0]
    assert variety.duplicates == pytest.approx(1 / 3)


def test_natural_sequences_come_from_fasta_and_from_tables(tmp_path):
    (tmp_path / "a.fa").write_text(">p1 activity=2\nACGT\n>p2\nacgg\n")
    (tmp_path / "b.tsv").write_text("name\tsequence\tactivity\nq\tAAAA\t1\n")
    (tmp_path / "c.csv").write_text("seq,expr\nCCCC,1\n")
    (tmp_path / "d.csv").write_text("letters,expr\nCCCC,1\n")
    controls = read_controls(tmp_path / "a.fa", tmp_path / "b.tsv")
    assert controls.natural == ("ACGT", "ACGG")
    assert (controls.training, controls.names) == (("AAAA",), ("q",))
    assert read_controls(tmp_path / "c.csv", None).training == ("CCCC",)
    with pytest.raises(DataError, match="no column 'sequence'"):
        read_controls(tmp_path / "d.csv", None)


def test_what_is_printed_and_written_says_the_verdict_and_every_judge(search, other):
    verdict = judge(designs(), search, [counting("judge", other, "A", error=1.0)], CONTROLS)
    lines = verdict.lines()
    assert lines[-1].startswith("supported: ")
    assert any(line.startswith("natural") for line in lines)
    assert verdict.comments()["verdict"] == lines[-1]
    assert "Pearson's r 0.600 [0.500, 0.700] on 500 test examples" in verdict.comments()["judge.judge"]
    columns = verdict.extra()
    assert "status" not in columns
    assert columns["judge_status"] == ["ok"] * 20


def test_a_judge_that_does_not_count_is_named_beside_one_that_does(search, other):
    weak = network(4, encoder="residual_cnn", metrics=())
    judges = [counting("judge", other, "A", error=1.0), counting("weak", weak, "G", error=1.0)]
    verdict = judge(designs(), search, judges, CONTROLS)
    assert verdict.status == "supported"
    assert any(note.startswith("weak does not count: ") and "no held-out metric" in note for note in verdict.notes)


def test_an_ensemble_judges_by_its_mean_and_its_members_disagree(search):
    members = [network(seed, encoder="residual_cnn") for seed in (11, 12, 13)]
    ensemble = Ensemble(members[0].spec, members)
    one = Judge.of(ensemble, "activity", "ensemble")
    some = [d.sequence for d in designs()]
    assert one.member_values(some).shape == (3, 20)
    assert one.values(some) == pytest.approx(one.member_values(some).mean(0), abs=1e-5)
    verdict = judge(designs(), search, [one], CONTROLS)
    spread = np.array([r[verdict.columns.index("disagreement")] for r in verdict.rows])
    assert (spread > 0).all()
    assert not any("one network has judged" in note for note in verdict.notes)
    assert verdict.opinions[0].relation.kind == "independent"
