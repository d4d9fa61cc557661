"""What the performance section says of known numbers: it neither flatters nor hides."""

import numpy as np
import pytest

from zoo.evaluation.comparison import clean_rows, compare_rows, main_metric
from zoo.pictures.canvas import drawn_text
from zoo.report.performance import performance
from zoo.report.section import Picture, Table, Text


def row(predictor, value, low=None, high=None, **more):
    plain = {"head": "binding", "task": "CTCF", "metric": "auroc", "n": 100, "n_positive": 40, "split": "test"}
    plain |= {"baseline": predictor != "net", "unit": "examples", "stratum": "all", "note": ""}
    return {"predictor": predictor, "value": value, "low": low, "high": high, **plain, **more}


def of(section, kind):
    return [part for part in section.parts if isinstance(part, kind)]


@pytest.mark.parametrize(
    ("baseline", "better"),
    [
        ((0.7, 0.65, 0.79), "yes"),
        ((0.79, 0.7, 0.85), "unsure"),
        ((0.95, 0.92, 0.97), "no"),
        ((0.7, None, None), "unsure"),
    ],
)
def test_a_model_is_better_only_where_intervals_do_not_overlap(baseline, better):
    found = compare_rows(
        clean_rows([row("net", 0.85, 0.8, 0.9), row("gc", 0.5, 0.4, 0.6), row("pwm", *baseline)]), "binding", "CTCF"
    )
    assert found.baseline["predictor"] == "pwm"
    assert found.better == better


def test_a_baseline_of_other_examples_is_not_compared_with():
    rows = [
        row("net", 0.85, 0.8, 0.9),
        row("pwm", 0.99, 0.98, 1.0, n=50),
        row("gc", 0.5, 0.4, 0.6),
        row("old", 0.9, split="train"),
    ]
    assert compare_rows(clean_rows(rows), "binding", "CTCF").baseline["predictor"] == "gc"


def test_losses_are_never_the_leading_metric_since_less_of_them_is_better():
    assert main_metric(clean_rows([row("net", 0.3, metric="log_loss"), row("net", 0.8, metric="auprc")])) == "auprc"
    assert main_metric(clean_rows([row("net", 0.3, metric="mse")])) is None


def test_rows_of_a_stranger_are_made_fit_or_dropped():
    rows = [
        *("text", None, 3, [1]),
        row("net", float("nan"), "0.8", True),
        row("a\x1b[31m\n" * 100, 10**400, n=-1),
        {"predictor": {"a": 1}},
        row("net", 0.8, member=2),
        row("b", 0.5, baseline="yes"),
    ]
    clean = clean_rows(rows)
    assert [r["value"] for r in clean] == [None, None, None, 0.5]
    assert [(r["low"], r["high"]) for r in clean[:1]] == [(None, None)]
    assert clean[1]["n"] == 0
    assert len(clean[1]["predictor"]) == 200
    assert "\x1b" not in clean[1]["predictor"]
    assert clean[3]["baseline"] is False
    assert len(clean_rows([row("net", 0.5)] * 30_000)) == 20_000


def test_stored_numbers_are_said_to_be_stored_and_drawn_with_their_intervals(plain, model, judges):
    stored = [row("net", 0.85, 0.8, 0.9), row("pwm", 0.7, 0.65, 0.75), row("net", 0.3, metric="log_loss")]
    subject = plain(model(metrics=tuple(stored)))
    section = performance(subject)
    assert "as stored with the model" in section.parts[0].text
    assert of(section, Text)[1].text == "Is it worth explaining? Unsure: It is close."
    (picture,) = of(section, Picture)
    assert "net 0.850 [0.800, 0.900]; pwm 0.700 [0.650, 0.750]" in picture.alt
    (table,) = of(section, Table)
    assert table.columns == ["predictor", "AUROC", "log loss", "n", "split"]
    assert table.rows == [
        ["net", "0.850 [0.800, 0.900]", "0.300", 100, "test"],
        ["pwm", "0.700 [0.650, 0.750]", None, 100, "test"],
    ]
    assert judges.asked[0][1:] == ("binding", "CTCF")
    assert subject.results["worth"] is judges.worth


def test_without_any_number_the_section_says_that_nothing_is_known(plain, judges):
    section = performance(plain())
    assert [p.tone for p in section.parts] == ["unsure"]
    assert "unknown" in section.parts[0].text


def test_data_at_hand_are_evaluated_once_and_drawn_with_their_n(opened, judges):
    section = performance(opened)
    evaluation = opened.results["evaluation"]
    assert evaluation.value("auroc")["value"] > 0.9
    assert [p.alt.split(" ")[0] for p in of(section, Picture)] == [
        "AUROC",
        "AUPRC",
        "ROC",
        "Precision-recall",
        "Reliability",
        "Losses",
    ]
    assert "n = 120, 60 positive" in of(section, Picture)[2].caption
    assert {r[0] for r in of(section, Table)[0].rows} == {"knows-ctcf", "GC", "2-mer logistic", "6-mer logistic"}
    performance(opened)
    assert opened.results["evaluation"] is evaluation


def test_a_stored_baseline_that_was_not_computed_again_is_named(opened, judges):
    stored = (row("net", 0.85, 0.8, 0.9), row("PWM MA0139.1", 0.8, 0.75, 0.85))
    opened.model.spec = opened.model.spec.replace(metrics=stored)
    told = of(performance(opened), Text)[-1]
    assert "PWM MA0139.1, AUROC 0.800 [0.750, 0.850]" in told.text
    assert told.tone == "unsure"


def test_curves_agree_with_the_metric(opened, judges):
    from sklearn.metrics import average_precision_score

    section = performance(opened)
    truth, score = (opened.results["evaluation"].predictions[k] for k in ("CTCF.label", "CTCF"))
    roc, precision = (p.figure.axes[0] for p in of(section, Picture)[2:4])
    x, y = roc.lines[1].get_data()
    assert np.trapezoid(y, x) == pytest.approx(opened.results["evaluation"].value("auroc")["value"])
    x, y = precision.lines[1].get_data()
    assert precision.lines[1].get_drawstyle() == "steps-pre"
    assert (np.diff(x) * y[1:]).sum() == pytest.approx(average_precision_score(truth, score))
    assert precision.lines[0].get_ydata()[0] == truth.mean()


def test_dollars_of_a_name_begin_no_formula():
    assert drawn_text("$x^{$") == r"\$x^{\$"
