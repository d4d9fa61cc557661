"""Models trained on the simulated sources find what was planted; a small run is trained, published and reported."""

import numpy as np
import pytest
import torch

import zoo
from zoo.config import compose
from zoo.errors import ConfigError
from zoo.training.publication import publish
from zoo.training.run import train
from zoo_multimodal.simulation.cells import SimulatedCells
from zoo_multimodal.simulation.distant_signal import SimulatedDistantSignal
from zoo_multimodal.simulation.planted_truth import accuracy_in_unseen_cell, attention_at_peak

TINY = ["data.n_train=64", "data.n_validation=32", "data.n_test=32", "encoder.channels=8", "trainer.max_epochs=1"]
QUIET = ["trainer.logger=none", "trainer.progress=none"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return train(compose(["experiment=simulated_multimodal", *TINY, f"output_dir={folder}"]))


def test_a_model_is_published_pulled_and_answers_as_it_did(tiny, tmp_path):
    source = publish(tiny.folder, "towers", to=f"file://{tmp_path}")
    model, trained = zoo.load(source), zoo.load(str(tiny.model_folder))
    batch = {k: torch.from_numpy(x) for k, x in SimulatedCells(n_test=32).examples("test").batch(np.arange(8)).items()}
    torch.testing.assert_close(model.predict(batch)["bound"], trained.predict(batch)["bound"], rtol=0, atol=0)
    assert model.spec.inputs["signal"].transform == "log1p"
    assert "log1p" in (tiny.model_folder / "README.md").read_text() + (tiny.model_folder / "config.json").read_text()


def test_a_report_shows_where_the_model_looks(tiny):
    from zoo.report.parts import prepare
    from zoo.report.subject import open_subject
    from zoo_multimodal.attention_section import attention

    subject = open_subject(str(tiny.folder), n=8, n_validation=0, interpreter="ism")
    section = attention(subject)
    kinds = [part["kind"] for part in prepare(section)]
    assert kinds == ["text", "text", "pictures"]
    assert 0 < subject.results["attention"]["on_signal"] < 1
    assert subject.results["attention"]["n"] == 32


def test_the_third_cell_is_in_the_test_alone_and_opens_what_the_others_do_not_share():
    source = SimulatedCells(n_train=60, n_validation=40, n_test=400)
    assert set(source.examples("train").batch(np.arange(120))["context"]) == {0, 1}
    assert set(source.examples("test").batch(np.arange(400))["context"]) == {2}
    first, second, third = (source.in_cell("test", cell) for cell in ("first", "second", "third"))
    assert (first["codes"] == third["codes"]).all()
    both = first["target/bound"] + second["target/bound"]
    assert not third["target/bound"][both == 2].any()
    assert third["target/bound"][both == 1].all()
    middle = third["signal"][:, 0, 7:9].mean(1)
    assert middle[third["target/bound"][:, 0] > 0].min() > 1


def test_peaks_lie_where_the_truth_says():
    source = SimulatedDistantSignal(n_test=400)
    batch, truth = source.examples("test").batch(np.arange(400)), source.truth("test")
    height = batch["signal"][np.arange(400), 0, (truth["peak"] // 32).astype(int)]
    assert height[truth["far"]].min() > height[~truth["far"]].mean()
    np.testing.assert_array_equal(batch["target/bound"][:, 0] > 0, truth["holds"] & truth["far"])
    with pytest.raises(ConfigError, match="less than half"):
        SimulatedDistantSignal(distance=600)


@pytest.mark.slow
def test_an_unseen_cell_is_predicted_from_its_signal(tmp_path):
    config = compose(["experiment=simulated_multimodal", f"output_dir={tmp_path / 'run'}"])
    result = train(config)
    accuracy = accuracy_in_unseen_cell(zoo.load(str(result.model_folder)), SimulatedCells())
    assert accuracy["auroc"] >= 0.9
    assert accuracy["auroc"] >= accuracy["mean_of_trained"] + 0.1
    assert accuracy["n"] == 1_000


@pytest.mark.slow
def test_attention_peaks_at_a_signal_that_counts_400_bp_away(tmp_path):
    result = train(compose(["experiment=simulated_distant_signal", f"output_dir={tmp_path / 'run'}"]))
    numbers = attention_at_peak(zoo.load(str(result.model_folder)), SimulatedDistantSignal())
    assert numbers["auroc"] > 0.9
    assert numbers["top_decile"] >= 0.9
    assert numbers["effect_removed"] >= 0.9
