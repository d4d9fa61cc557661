"""The plan of a run: what is built, and what fills every argument."""

from __future__ import annotations

import inspect

import pytest

from zoo.errors import ConfigError
from zoo.registry import INJECTED, registry
from zoo.training.arguments import Argument
from zoo.training.plan import TrainingPlan


def test_everything_that_a_run_offers_by_name_is_noted_with_its_origin(config):
    plan = TrainingPlan.of({**config, "head": {"name": "scalar", "pool": "max"}})
    plan.loss  # noqa: B018
    assert plan.loss.activation == plan.model.spec.activation
    head = plan.arguments["heads.binding"]
    assert head["pool"] == Argument("max", "configuration")
    assert head["in_channels"] == Argument(plan.model.encoder.out_channels, "out_channels of the encoder")
    assert head["hidden"] == Argument(0, "default")
    for part, arguments in plan.arguments.items():
        kind = {"heads": "head", "objectives": "objective"}.get(part.partition(".")[0], part)
        assert {a.filled_by for a in arguments.values()} <= {"configuration", "default", *INJECTED[kind].values()}


def test_a_part_is_built_once_and_only_when_it_is_needed(config):
    plan = TrainingPlan.of({**config, "encoder": {"name": "no_such"}})
    assert plan.source is plan.source
    with pytest.raises(Exception, match="no encoder named 'no_such'"):
        plan.model  # noqa: B018


def test_two_objectives_of_one_head_must_agree_on_its_activation(config):
    other = {"name": "squared_error", "head": "binding"}
    plan = TrainingPlan.of({**config, "objectives": {"binding": {"name": "cross_entropy"}, "other": other}})
    with pytest.raises(ConfigError, match="fit one head by terms of one activation"):
        plan.loss  # noqa: B018


@pytest.mark.parametrize("kind", sorted(INJECTED))
def test_every_argument_that_the_run_may_fill_is_taken_by_some_component(kind):
    names = registry().names(kind)
    taken = {key for name in names for key in inspect.signature(registry().get(kind, name)).parameters}
    unused = set(INJECTED[kind]) - taken
    assert unused <= {"contexts", "bin_size", "values", "rc", "tasks"}, "no component takes it"
