"""An attribution that is right passes, one that is wrong does not, and the words say which."""

import numpy as np
import pytest
import torch

from zoo.attribution.kinds import actual, as_effects, per_base
from zoo.attribution.result import Attributed
from zoo.attribution.sequences import attribute_codes
from zoo.attribution.validation import compare, validate
from zoo.errors import ConfigError
from zoo.interfaces import Attribution, Interpreter
from zoo.outputs import Output
from zoo.testing.probe import LENGTH, READ, probe_model


class Gradient(Interpreter):
    """The plain gradient, as a stand-in for any interpreter."""

    def attribute(self, model, batch, output):
        with torch.enable_grad():
            x = model.prepare(batch)["one_hot"].clone().requires_grad_()
            (found,) = torch.autograd.grad(output.scalar(model.predict({"one_hot": x})).sum(), x)
        return Attribution({"one_hot": found}, "hypothetical")


class Elsewhere(Gradient):
    """Its positions are turned around."""

    def attribute(self, model, batch, output):
        found = super().attribute(model, batch, output)
        return Attribution({"one_hot": found.values["one_hot"].flip(2)}, "hypothetical")


class Nothing(Gradient):
    def attribute(self, model, batch, output):
        return Attribution({"one_hot": torch.zeros_like(model.prepare(batch)["one_hot"])}, "hypothetical")


class Raw(Gradient):
    def attribute(self, model, batch, output):
        x = model.prepare(batch)["one_hot"]
        return Attribution({"one_hot": x * 2}, "contribution")


@pytest.fixture(scope="module")
def codes():
    return np.random.default_rng(0).integers(0, 4, (30, LENGTH)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    made = probe_model()
    with torch.no_grad():
        made.encoder.weight.mul_(0.1)
    return made


def test_a_true_attribution_is_called_faithful(model, codes):
    found = validate(model, codes, interpreter=Gradient())
    row = found.row("pearson")
    assert row["value"] > 0.95
    assert row["low"] < row["value"] < row["high"]
    assert row["n"] == 30
    assert abs(row["null_high"]) < 0.1
    assert found.row("sign")["value"] > 0.95
    assert found.row("top_k")["value"] > 0.8
    (verdict,) = found.verdicts()
    assert verdict.answer == "yes"
    assert "30 sequences" in verdict.words
    assert found.row("pearson", "numbers")["n"] == 30 * 3 * LENGTH


def test_mutagenesis_agrees_with_itself(model, codes):
    found = validate(model, codes[:12], interpreter="ism")
    np.testing.assert_allclose(found.each["pearson"], 1)
    np.testing.assert_allclose(found.each["spearman"], 1)
    assert found.row("top_k")["value"] == found.row("sign")["value"] == 1


@pytest.mark.parametrize("interpreter", [Elsewhere, Nothing])
def test_a_wrong_attribution_is_not_faithful(model, codes, interpreter):
    found = validate(model, codes, interpreter=interpreter())
    assert found.verdicts()[0].answer == "no"
    assert found.constant == (30 if interpreter is Nothing else 0)


def test_a_shuffled_attribution_fails_and_looks_like_the_null(model, codes):
    right = attribute_codes(model, codes, interpreter=Gradient())
    rng = np.random.default_rng(1)
    turned = np.stack([row[:, rng.permutation(LENGTH)] for row in right.values])
    wrong = Attributed(right.codes, turned, right.kind, right.predictions, right.output, right.interpreter, right.names)
    found = compare(wrong, attribute_codes(model, codes, interpreter="ism"))
    assert found.verdicts()[0].answer == "no"
    assert abs(found.row("pearson")["value"]) < 0.15


def test_a_saturated_models_gradient_is_caught(codes):
    saturated = probe_model()
    with torch.no_grad():
        saturated.encoder.weight.mul_(60)
    assert validate(saturated, codes, interpreter=Gradient()).verdicts()[0].answer == "no"


def test_raw_contributions_are_refused_before_mutagenesis_is_run(model, codes):
    with pytest.raises(ConfigError, match="no substitution can show"):
        validate(model, codes, interpreter=Raw())


def test_few_sequences_and_a_silent_model_leave_the_question_open(model, codes):
    assert validate(model, codes[:5], interpreter=Gradient()).verdicts()[0].answer == "unsure"
    silent = probe_model()
    with torch.no_grad():
        silent.encoder.weight.zero_()
    found = validate(silent, codes, interpreter=Gradient())
    assert found.silent == 30
    assert found.verdicts()[0].answer == "unsure"


def test_the_order_of_the_sequences_does_not_matter(model, codes):
    one, other = (validate(model, x, interpreter=Gradient(), n_shuffles=20) for x in (codes, codes[::-1].copy()))
    np.testing.assert_allclose(one.row("pearson")["value"], other.row("pearson")["value"], rtol=1e-6)
    np.testing.assert_allclose(one.each["spearman"], other.each["spearman"][::-1], rtol=1e-6)


def test_an_n_is_left_out(model, codes):
    with_n = codes[:12].copy()
    with_n[:, READ[0]] = 4
    found = validate(model, with_n, interpreter=Gradient())
    assert found.row("pearson", "numbers")["n"] == 12 * 3 * (LENGTH - 1)
    assert found.row("pearson")["value"] > 0.9


def test_a_table_and_a_file_hold_every_number(model, codes, tmp_path):
    from zoo.files.tables import read_table

    found = validate(model, codes[:12], interpreter=Gradient(), names=[f"s{i}" for i in range(12)])
    assert "Pearson r, pooled" in found.table()
    assert found.write(str(tmp_path / "each.tsv")) == 12
    comments, rows = read_table(tmp_path / "each.tsv")
    assert [row["name"] for row in rows] == [f"s{i}" for i in range(12)]
    assert float(rows[3]["pearson"]) == pytest.approx(found.each["pearson"][3], rel=1e-5)
    assert comments["model"] == "probe"


def test_kinds_are_brought_to_one():
    """One linear truth, w[b, i], told in three kinds: all give the same effects and the same score of a base."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=(1, 4, 6)) + 5
    codes = np.array([[0, 1, 2, 3, 4, 0]], np.uint8)
    here = np.where(codes < 4, w[0, np.minimum(codes, 3), np.arange(6)], w.mean(1))
    effect = w - here[:, None]
    np.testing.assert_allclose(as_effects(w, "hypothetical", codes), effect)
    np.testing.assert_allclose(as_effects(effect, "effect", codes), effect)
    score = here - w.mean(1)
    np.testing.assert_allclose(per_base(w, "hypothetical", codes), score)
    np.testing.assert_allclose(per_base(effect, "effect", codes), score, atol=1e-12)
    contribution = (w - w.mean(1, keepdims=True)) * (np.arange(4)[:, None] == codes[:, None])
    np.testing.assert_allclose(per_base(contribution, "contribution", codes, centered=True), score, atol=1e-12)
    with pytest.raises(ConfigError, match="center=true"):
        per_base(contribution, "contribution", codes)
    with pytest.raises(ConfigError, match="hypothetical"):
        as_effects(contribution, "contribution", codes)
    shown = actual(w, "hypothetical", codes)
    assert (shown[0, :, 4] == 0).all()
    np.testing.assert_allclose(shown[0, 2, 2], w[0, 2, 2])


def test_the_output_is_named_where_the_model_has_several(codes):
    from zoo.hub.loader import load

    shipped = load("ctcf-motif-cnn")
    with pytest.raises(ConfigError, match="CTCF, CTCF_short"):
        Output.one(None, shipped.spec)
    assert Output.one("CTCF:raw", shipped.spec) == Output.parse("CTCF:raw", shipped.spec)
