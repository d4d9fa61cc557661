"""A fault that is planted in the logits is found on validation, folded away, and said on the card."""

import json

import numpy as np
import pytest
import torch

import zoo
from zoo.data.edits import Edits
from zoo.data.source import Examples, Source
from zoo.effects.engine.incremental import incremental
from zoo.evaluation import metrics
from zoo.evaluation.reliability import ece
from zoo.fields import Field
from zoo.heads.scalar import ScalarHead
from zoo.hub.calibration import calibration_rows, calibration_words
from zoo.hub.card import facts, write_card
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.model import Ensemble, build
from zoo.outputs import Output
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.training.calibration import LEAST, calibrate

LENGTH = 24
ONE = Field("C", ("bound",), values="binary")
STRANDS = Field("C", ("plus", "minus"), rc=(1, 0), values="binary")
CLASSES = Field("", values="class", vocabulary=("none", "donor", "acceptor"))


def network(seed=0, tied=False, field=ONE, activation="sigmoid", **changes):
    """A motif_cnn whose logits have mean 0 and standard deviation 2 over random sequences."""
    torch.manual_seed(seed)
    arguments = {"filters": 6, "width": 5, "hidden": 0, "dropout": 0.0, "tied": tied}
    channels = registry().build("encoder", "motif_cnn", arguments).out_channels
    names = {"classes": list(field.vocabulary)} if field.values == "class" else {"tasks": list(field.channels)}
    head = {"name": "scalar", "in_channels": channels, **names, "rc": field.rc and list(field.rc)}
    encoder = {"name": "motif_cnn", **arguments}
    spec = ModelSpec("net", encoder, {"y": head}, LENGTH, activation={"y": activation}, **changes)
    model = build(spec).eval()
    logits = raw(model, codes_of(400, 99))
    plant(model, 2 / logits.std(0).mean(), 0)
    plant(model, 1, -raw(model, codes_of(400, 99)).mean(0))
    return model


def plant(model, scale, shift):
    channels = model.heads["y"].dense.out_features
    for part in getattr(model, "members", [model]):
        part.heads["y"].rescale(torch.as_tensor(scale).expand(channels), torch.as_tensor(shift).expand(channels))


def codes_of(n, seed):
    return np.random.default_rng(seed).integers(0, 4, (n, LENGTH)).astype(np.uint8)


def raw(model, codes):
    with torch.no_grad():
        return model({"codes": torch.from_numpy(codes)})["y"]


class Rows(Examples):
    def __init__(self, codes, labels, weight=None):
        self.codes, self.labels, self.given, self.lengths = codes, labels, weight, np.full(len(codes), LENGTH)

    def batch(self, indices, margin=0):
        batch = {"codes": self.codes[indices], "target/y": self.labels[indices]}
        return batch if self.given is None else batch | {"weight/y": self.given[indices]}


class Drawn(Source):
    """Labels that are drawn with the probabilities of a model."""

    input_length = LENGTH

    def __init__(self, model, field=ONE, n=3000, weight=None):
        self.targets = {"y": field}
        self.parts = {}
        for seed, split in enumerate(("train", "validation", "test")):
            codes, rng = codes_of(n, seed), np.random.default_rng(seed + 10)
            logits = raw(model, codes).numpy()
            if field.values == "class":
                labels = (logits + rng.gumbel(size=logits.shape)).argmax(1)
            else:
                labels = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.float32)
            self.parts[split] = Rows(codes, labels, weight)

    def examples(self, split):
        return self.parts[split]

    def describe(self):
        return {}


def error(model, source, split="test"):
    rows = source.examples(split)
    p = torch.sigmoid(raw(model, rows.codes))[:, 0].numpy()
    return ece(rows.labels[:, 0], p, np.ones((1, len(p))))[0]


def auroc(model, source):
    rows = source.examples("test")
    score = raw(model, rows.codes)[:, 0].double().numpy()
    return metrics.auroc(rows.labels[:, 0], score, np.ones((1, len(score))))[0]


def single(**changes):
    return network(**changes)


def pair(**changes):
    return Ensemble(network().spec, [network(seed, **changes) for seed in (0, 1)])


@pytest.mark.parametrize("made", [single, pair])
@pytest.mark.parametrize("how", [{}, {"tied": True}, {"conjoined": True}])
def test_logits_that_were_tripled_are_brought_back_and_keep_their_order(made, how):
    model = made(**how)
    source = Drawn(model)
    plant(model, 3.0, 0.5)
    before, ranks, worse = raw(model, codes_of(50, 5)), auroc(model, source), error(model, source)
    encoder = {k: x.clone() for k, x in model.encoder.state_dict().items()}
    (row,) = calibrate(model, source)
    assert row["scale"] == pytest.approx(1 / 3, rel=0.12)
    assert row["shift"] == pytest.approx(-0.5 / 3, abs=0.12)
    assert worse > 0.05
    assert error(model, source) < 0.03
    assert row["ece_after"] < 0.03 < row["ece_before"]
    assert auroc(model, source) == pytest.approx(ranks, abs=1e-6)
    torch.testing.assert_close(raw(model, codes_of(50, 5)), row["scale"] * before + row["shift"], rtol=1e-4, atol=1e-4)
    assert all(torch.equal(x, encoder[k]) for k, x in model.encoder.state_dict().items())
    assert row["n"] == 3000
    assert row["prevalence"] == pytest.approx(row["n_positive"] / 3000)


def test_a_model_that_is_calibrated_already_is_left_nearly_as_it_was():
    model = network()
    (row,) = calibrate(model, Drawn(model))
    assert row["scale"] == pytest.approx(1, rel=0.1)


def test_tasks_that_change_places_with_the_strand_share_one_scale_so_that_the_symmetry_stays():
    model = network(tied=True, field=STRANDS)
    source = Drawn(model, STRANDS)
    plant(model, 3.0, 0.0)
    first, second = calibrate(model, source)
    assert (first["task"], second["task"]) == ("plus", "minus")
    assert first["scale"] == second["scale"] == pytest.approx(1 / 3, rel=0.1)
    codes = codes_of(20, 4)
    other = np.ascontiguousarray((3 - codes)[:, ::-1])
    torch.testing.assert_close(raw(model, codes), raw(model, other).flip(1))


def test_classes_get_a_temperature():
    model = network(field=CLASSES, activation="softmax")
    source = Drawn(model, CLASSES)
    calls = raw(model, codes_of(100, 5)).argmax(1)
    plant(model, 3.0, 0.0)
    (row,) = calibrate(model, source)
    assert row["scale"] == pytest.approx(1 / 3, rel=0.1)
    assert row["shift"] == 0
    assert sum(row["prevalence"].values()) == pytest.approx(1)
    assert torch.equal(raw(model, codes_of(100, 5)).argmax(1), calls)
    assert "to the classes' shares there" in calibration_words(model.spec)[0]


def unchanged(model, source):
    """Rows of the calibration, after which the weights are those of before."""
    before = {k: x.clone() for k, x in model.state_dict().items()}
    rows = calibrate(model, source)
    assert all(torch.equal(x, before[k]) for k, x in model.state_dict().items())
    return rows


def test_a_head_of_measured_values_is_left_alone_and_nothing_is_said_of_it():
    model = network(activation="identity")
    assert unchanged(model, Drawn(model)) == []
    assert calibration_words(model.spec) == []


def test_too_few_examples_of_a_class_are_not_fitted_and_the_card_says_so():
    model = network()
    source = Drawn(model, n=200)
    rows = source.examples("validation")
    rows.labels[:] = 0
    rows.labels[: LEAST - 1] = 1
    (row,) = unchanged(model, source)
    assert row["reason"] == "only 49 positive of 200 examples, of 50 that it takes"
    assert "y/bound: not calibrated: only 49 positive" in calibration_words(model.spec)[0]
    rows.labels[:] = 0.4
    assert "fractions" in unchanged(model, source)[0]["reason"]
    source.parts["validation"] = Rows(rows.codes[:0], rows.labels[:0])
    assert unchanged(model, source)[0]["reason"] == "there is no validation split"


def test_labels_that_are_missing_or_have_no_weight_do_not_count():
    model = network()
    weight = (np.arange(3000) % 2).astype(np.float32)[:, None]
    source = Drawn(model, weight=weight)
    rows = source.examples("validation")
    rows.labels[::2] = 1 - rows.labels[::2]
    rows.labels[1::10] = np.nan
    plant(model, 3.0, 0.0)
    (row,) = calibrate(model, source)
    assert row["n"] == 1200
    assert row["scale"] == pytest.approx(1 / 3, rel=0.2)


def test_a_head_without_the_method_or_with_a_wrong_one_stays_as_it_is(monkeypatch):
    model = network()
    source = Drawn(model, n=600)
    plant(model, 3.0, 0.0)
    monkeypatch.setattr(ScalarHead, "rescale", lambda self, scale, shift: self.dense.bias.data.add_(1))
    assert "does not scale its prediction" in unchanged(model, source)[0]["reason"]
    monkeypatch.delattr(ScalarHead, "rescale")
    assert unchanged(model, source)[0]["reason"] == "head 'scalar' has no method `rescale`"


def test_a_calibrated_model_is_saved_with_its_record_and_comes_back_the_same(tmp_path):
    model = network()
    source = Drawn(model)
    plant(model, 3.0, 0.0)
    (row,) = calibrate(model, source)
    codes = codes_of(20, 7)
    save_bundle(model, tmp_path / "model", {"codes": torch.from_numpy(codes)})
    loaded = load_bundle(tmp_path / "model")
    assert torch.equal(raw(loaded, codes), raw(model, codes))
    assert calibration_rows(loaded.spec)[0]["scale"] == row["scale"]
    words = f"calibrated on validation, n = 3,000, to a prevalence of {row['prevalence']:.3g}: scale {row['scale']:.3g}"
    assert words in (tmp_path / "model" / "README.md").read_text()
    assert words in facts(loaded.spec)["calibration"]
    assert "- calibration:" not in write_card(loaded.spec)


def test_incremental_effects_are_those_of_full_inference_after_folding():
    model = network()
    source = Drawn(model)
    plant(model, 3.0, 0.0)
    output = Output.parse("bound:raw", model.spec)
    codes = codes_of(1, 8)
    edits = Edits.substitutions(codes)
    before = incremental(model, output).effects(codes, edits)
    (row,) = calibrate(model, source)
    after = incremental(model, output).effects(codes, edits)
    full = raw(model, edits.apply(codes)) - raw(model, codes)
    torch.testing.assert_close(after, full, rtol=0, atol=1e-5)
    torch.testing.assert_close(after, row["scale"] * before, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "stored", [None, "text", [3], [{"head": "y", "scale": -1}], [{"head": "y", "scale": "2"}], [{"head": "other"}]]
)
def test_an_older_model_or_a_record_that_is_none_is_not_calibrated(stored):
    spec = network().spec.replace(training={} if stored is None else {"calibration": stored})
    assert calibration_words(spec) == ["y: not calibrated: nothing of it is recorded"]
    assert "not calibrated: nothing of it is recorded" in write_card(spec)


def test_a_run_calibrates_the_model_that_it_saves_and_several_are_calibrated_as_their_mean(config, tmp_path):
    from zoo.training.publication import publish
    from zoo.training.run import train

    config["data"] |= {"n_validation": 400, "seed": 0}  # of the data, so that all runs share them
    config["optimizer"] |= {"lr": 1e-2}
    config |= {"trainer": {"max_epochs": 3, "batch_size": 32, "logger": "none"}, "evaluation": {"bootstrap": 0}}

    def of(name, **changes):
        folder = train({**config, "output_dir": str(tmp_path / name), **changes}).folder
        return folder, zoo.load(str(folder / "model"))

    (plain, as_trained), (first, calibrated), (second, other) = (
        of("plain", calibrate=False), of("first"), of("second", seed=1)
    )  # fmt: skip
    assert "calibrate=false" in calibration_words(as_trained.spec)[0]
    (row,) = calibration_rows(calibrated.spec)
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, 4, (30, 60)).astype(np.uint8))

    def logit(model):
        with torch.no_grad():
            return model({"codes": codes})["binding"]

    torch.testing.assert_close(logit(calibrated), row["scale"] * logit(as_trained) + row["shift"], rtol=1e-3, atol=1e-4)
    one, two = (
        next(r["value"] for r in json.loads((folder / "metrics.json").read_text()) if r["metric"] == "auroc")
        for folder in (plain, first)
    )
    assert one == pytest.approx(two, abs=1e-6)
    publish([first, second], "pair", f"file://{tmp_path}/hub")
    both = zoo.load(f"file://{tmp_path}/hub/pair")
    (joint,) = calibration_rows(both.spec)
    mean = (logit(calibrated) + logit(other)) / 2
    torch.testing.assert_close(logit(both), joint["scale"] * mean + joint["shift"], rtol=1e-3, atol=1e-4)
    publish([first, second], "apart", f"file://{tmp_path}/hub", evaluated=False)
    assert "without its data" in calibration_words(zoo.load(f"file://{tmp_path}/hub/apart").spec)[0]
