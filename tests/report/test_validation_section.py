"""Verdicts as they were given, on by default, and a report that was not validated says so."""

import numpy as np
import pytest

from zoo.report.section import Picture, Table, Text
from zoo.report.summary import summary
from zoo.report.validation import validation


@pytest.fixture
def subject(plain):
    return plain(interpreter={"name": "deeplift_shap"})


def test_verdicts_are_told_with_their_answers_and_the_numbers_behind_them(subject, judges):
    section = validation(subject)
    verdict = section.parts[1]
    assert (verdict.text, verdict.tone) == ("Are they faithful? Yes: Removing them hurts.", "good")
    (table,) = [p for p in section.parts if isinstance(p, Table)]
    assert table.rows == [["Pearson r", "mean over sequences", 0.5, 0.4, 0.6, 0.1, 8]]
    assert [p.alt for p in section.parts if isinstance(p, Picture)] == [
        "Agreement of the attributions with the effects of substitutions: Pearson r 0.50.",
        "Attribution scores against effects of substitutions, 20 pairs.",
    ]
    (codes, asked), *_ = judges.asked
    np.testing.assert_array_equal(codes, subject.codes)
    assert asked["interpreter"] == {"name": "deeplift_shap"}
    assert asked["output"] is subject.output


def test_a_part_of_the_sequences_is_validated_on_and_the_report_says_how_many(subject, judges):
    subject.n_validation = 3
    subject.names = list("abcdefgh")
    section = validation(subject)
    codes, asked = judges.asked[0]
    assert "in 3 of the 8 sequences of this report (eight sequences)" in section.parts[0].text
    np.testing.assert_array_equal(codes, subject.codes[["abcdefgh".index(name) for name in asked["names"]]])
    assert len(codes) == 3


def test_without_validation_the_report_warns(subject, judges):
    subject.n_validation = 0
    (text,) = validation(subject).parts
    assert "not validated" in text.text
    assert text.tone == "unsure"
    assert judges.asked == []
    assert [f.answer for f in summary(subject).facts] == ["not known"] * 3


def test_random_sequences_weaken_the_verdicts_and_ism_is_no_test_of_itself(subject, judges):
    subject.random = True
    subject.interpreter = {"name": "ism"}
    texts = [p for p in validation(subject).parts if isinstance(p, Text)]
    assert any("says little of real ones" in text.text for text in texts)
    assert any("by definition" in text.text for text in texts)
    assert [text.tone for text in texts[1:3]] == ["unsure", "unsure"]
    assert "By definition" in summary(subject).facts[1].words


def test_the_summary_holds_the_three_answers(subject, judges):
    validation(subject)
    subject.results["worth"] = judges.worth
    facts = summary(subject).facts
    assert [(f.question, f.answer, f.tone) for f in facts] == [
        ("How good is it?", "not known", "unsure"),
        ("Are they faithful?", "yes", "good"),
        ("Is it worth explaining?", "unsure", "unsure"),
    ]
