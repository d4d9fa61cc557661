"""The model card."""

from __future__ import annotations

import re

import pytest

from zoo.hub.card import facts, write_card


def test_the_card_states_what_a_reader_needs(model):
    spec = model.spec.replace(
        metrics=(
            {
                "task": "CTCF",
                "predictor": "tiny",
                "metric": "auroc",
                "value": 0.91,
                "low": 0.9,
                "high": 0.92,
                "n": 1133,
            },
            {
                "task": "CTCF",
                "predictor": "GC content",
                "metric": "auroc",
                "value": 0.503,
                "low": 0.48,
                "high": 0.52,
                "n": 1133,
            },
        ),
        splits={"test": ["chrX"]},
        genome={"name": "hg19"},
        audit={"clean": True, "n": {"train": 10, "test": 5}},
        citation="Somebody 2025",
        versions={"torch": "2.13.0"},
    )
    card = write_card(spec)
    for text in (
        'zoo.load("tiny-ctcf")', "20 bp", "sigmoid", "A, C, G, T",
        "| CTCF | GC content | auroc | 0.503 | 0.48 | 0.52 | 1133 |",
        "chrX", "hg19", "clean: True", "licence: MIT", "Somebody 2025", "torch: 2.13.0", 'license: "mit"',
    ):  # fmt: skip
        assert text in card


def test_a_model_without_an_evaluation_says_so(model):
    assert "No evaluation is recorded" in write_card(model.spec)


@pytest.mark.parametrize("key", ["name", "description", "licence", "citation"])
def test_a_strangers_text_stays_text(model, key):
    evil = "x\n---\n# Free\n<script>alert(1)</script> [click](http://evil) | `rm` {{ 7 * 7 }}\x1b[2J"
    spec = model.spec.replace(**{key: evil})
    card = write_card(spec)
    body = card.split("---\n", 2)[2]
    assert "<script>" not in body
    assert not re.search(r"(?<!\\)\[click", body)
    assert "# Free" not in [line.strip() for line in card.splitlines()]
    assert card.splitlines().count("---") == 2
    assert "\x1b" not in card
    assert all(text.isprintable() for text in facts(spec).values())
