import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zoo.data.motifs import get_motif, scan
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError, DataError
from zoo.registry import registry


def everything(source, split):
    examples = source.examples(split)
    return examples.batch(np.arange(len(examples)))


def test_the_planted_motif_finds_its_rows_and_base_composition_does_not():
    batch = everything(Simulated(), "test")
    labels, codes = batch["target/binding"][:, 0], batch["codes"]
    assert roc_auc_score(labels, scan(get_motif("CTCF").log_odds(), codes)) > 0.97
    assert abs(roc_auc_score(labels, np.isin(codes, (1, 2)).sum(1)) - 0.5) < 0.05


def test_a_source_is_built_by_name_and_reproduces_itself():
    first, second = (registry().build("data", "simulated", {"n_test": 50, "seed": 3}) for _ in range(2))
    a, b = everything(first, "test"), everything(second, "test")
    assert all((a[key] == b[key]).all() for key in a)
    assert (everything(Simulated(n_test=50, seed=4), "test")["codes"] != a["codes"]).any()


def test_splits_share_no_row():
    source = Simulated(n_train=300, n_validation=300, n_test=300)
    rows = [row.tobytes() for split in ("train", "validation", "test") for row in everything(source, split)["codes"]]
    assert len(set(rows)) == 900


def test_truth_holds_every_positive_row_and_no_other():
    source = Simulated(motifs=["CTCF", "GATA1"], n_test=200)
    labels = everything(source, "test")["target/binding"]
    truth = source.truth("test")
    found = np.zeros_like(labels)
    found[truth["row"], truth["index"]] = 1
    assert (found == labels).all()
    assert set(truth["motif"]) == {"CTCF", "GATA1"}


def test_every_target_has_the_shape_and_names_of_its_field():
    source = Simulated(
        motifs=["CTCF", "SPI1"],
        targets=["binding", "activity", "profile"],
        n_test=20,
        profile={"bin_size": 20, "stranded": True},
    )
    batch = everything(source, "test")
    assert batch["target/binding"].shape == (20, 2)
    assert batch["target/activity"].shape == (20, 1)
    assert batch["target/profile"].shape == (20, 4, 10)
    assert source.targets["profile"].channels == ("CTCF_plus", "CTCF_minus", "SPI1_plus", "SPI1_minus")
    assert source.targets["profile"].rc == (1, 0, 3, 2)
    assert all(value.dtype == np.float32 for key, value in batch.items() if key.startswith("target/"))


def test_flipped_labels_are_in_training_only():
    clean, bad = Simulated(n_train=1000, n_test=100), Simulated(n_train=1000, n_test=100, noise={"labels": 0.2})
    changed = everything(clean, "train")["target/binding"] != everything(bad, "train")["target/binding"]
    assert 0.15 < changed.mean() < 0.25
    assert (everything(clean, "test")["target/binding"] == everything(bad, "test")["target/binding"]).all()


def test_a_heterodimer_gets_a_task_name_that_an_output_can_select():
    assert Simulated(motifs=["Ddit3::Cebpa", "CTCF", "CTCF"]).targets["binding"].channels == (
        "Ddit3_Cebpa",
        "CTCF_1",
        "CTCF_2",
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"motifs": ["CTCFF"]}, DataError, "did you mean 'CTCF'"),
        ({"targets": ["bindin"]}, ConfigError, "did you mean 'binding'"),
        ({"pair": {"spacin": 3}}, ConfigError, "did you mean 'spacing'"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(arguments, error, message):
    with pytest.raises(error, match=message):
        Simulated(**arguments)


@pytest.mark.parametrize("spacing", [2, [8, 12]])
def test_description_is_plain_json(spacing):
    import json

    text = json.dumps(Simulated(motifs=["CTCF", "SPI1"], pair={"spacing": spacing}).describe(), allow_nan=False)
    assert "MA0139.2" in text
    assert json.loads(text)["config"]["pair"]["spacing"] == spacing


def test_the_activity_of_a_grammar_is_the_synergy_where_both_stand_so():
    """The configuration as it is written in YAML; the label is read off the truth, row by row."""
    from zoo.config import compose

    config = compose(
        [
            "data=simulated",
            "data.motifs=[CTCF, SPI1]",
            "data.targets=[activity]",
            "data.noise.activity=0.0",
            "data.rows.positives=0.8",
            "data.n_test=500",
            "data.length=100",
            "data.pair={spacing: [8, 12], orientation: opposite, fraction: 0.4, synergy: 3.0}",
        ]
    )["data"]
    source = registry().build("data", config.pop("name"), config)
    value, truth = everything(source, "test")["target/activity"][:, 0], source.truth("test")
    seen = set()
    for row in range(500):
        at = {truth["index"][i]: {k: truth[k][i] for k in truth} for i in np.flatnonzero(truth["row"] == row)}
        expected = float(len(at))
        if len(at) == 2:
            first, second = at[0], at[1]
            gap = second["start"] - first["end"] if first["strand"] == "+" else first["start"] - second["end"]
            active = 8 <= gap <= 12 and first["strand"] != second["strand"]
            expected += 3.0 * active
            seen.add(bool(active))
        assert value[row] == pytest.approx(expected)
    assert seen == {True, False}
