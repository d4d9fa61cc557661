"""Configurations that older versions stored give the same examples."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.data.sources.renamed import translated
from zoo.registry import registry


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"name": "table", "split": "fold"}, {"name": "table", "splits": {"column": "fold"}}),
        ({"name": "fasta", "test_fraction": 0.2}, {"name": "fasta", "splits": {"test": 0.2}}),
        ({"name": "peaks", "negatives": 2}, {"name": "peaks", "negatives": {"per_positive": 2}}),
        ({"name": "peaks", "negatives": {"gc_bin": 0.1}}, {"name": "peaks", "negatives": {"gc_bin": 0.1}}),
        ({"name": "peaks", "repeat": 1, "extra_margin": 0}, {"name": "peaks"}),
        ({"name": "another", "noise": 0.1}, {"name": "another", "noise": 0.1}),
    ],
)
def test_every_old_key_has_its_place_and_today_s_stay(old, new):
    assert translated(old) == new


def test_a_published_model_s_simulated_data_are_made_from_its_old_words():
    config = {"name": "simulated", "n_test": 20, "gc": 0.6, "flipped": 0.1, "noise": 0.2, "stranded": True, "sites": 2}
    new = translated(config)
    source = registry().build("data", new.pop("name"), new)
    batch = source.examples("test").batch(np.arange(20))
    assert np.isin(batch["codes"], (1, 2)).mean() == pytest.approx(0.6, abs=0.05)
