"""Every objective states the labels that it can learn from, and what it states is true of its loss."""

import math

import pytest
import torch

from zoo.objectives.head_objective import HeadObjective
from zoo.registry import registry

NAMES = registry().names("objective")
HEADS = [name for name in NAMES if issubclass(registry().get("objective", name), HeadObjective)]


def test_every_objective_states_it_or_says_that_it_reads_no_target():
    assert len(NAMES) >= 5
    for name in NAMES:
        kind = registry().get("objective", name)
        assert hasattr(kind, "target_range"), f"objective {name} states no target_range: None where it reads no target"
        assert (kind.target_range is None) == (name not in HEADS), name


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("label", [-3.0, -0.5, 0.0, 0.5, 1.0, 2.5, 7.0])
def test_the_loss_of_a_label_inside_has_a_lower_limit_and_outside_has_none(name, label):
    """A loss that falls without end as the prediction runs off cannot be trained on."""
    objective = registry().build("objective", name)
    assert len(HEADS) == 4
    x = torch.tensor([-80.0, -40.0, 0.0, 40.0, 80.0]).reshape(-1, 1, 1)
    loss = objective.losses(x, torch.full_like(x, label)).flatten()
    bounded = float(loss.min()) > -10 * (1 + abs(label))
    assert objective.target_range.allows("real", label, label) == bounded
    assert math.isfinite(float(loss[2]))


def test_a_multinomial_shape_takes_the_labels_of_its_counts():
    objective = registry().build("objective", "poisson", {"shape_weight": 5.0})
    assert not objective.target_range.allows("real", -1, 3)


def test_class_ids_are_for_cross_entropy_with_as_many_classes_alone():
    three = registry().build("objective", "cross_entropy", {"classes": ["a", "b", "c"]})
    assert three.target_range.allows("class", 0, 2)
    assert not three.target_range.allows("class", 0, 3)
    assert not three.target_range.allows("binary", 0, 1)
    for name in HEADS:
        assert not registry().build("objective", name).target_range.allows("class", 0, 1), name
