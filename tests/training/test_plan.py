"""The plan of a run: what is built, and what fills every argument."""

from __future__ import annotations

import inspect

import pytest

from zoo.errors import ConfigError
from zoo.registry import INJECTED, registry
from zoo.training.arguments import Argument
from zoo.training.plan import TrainingPlan
from zoo.training.settings import TrainerSettings


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


@pytest.mark.parametrize(
    ("objectives", "lengths"), [({}, {40, 41}), ({"gc": {"name": "confounder_penalty", "coefficient": 0.1}}, {40})]
)
def test_a_step_is_of_several_lengths_unless_a_term_looks_across_its_rows(config, tmp_path, objectives, lengths):
    table = tmp_path / "rows.tsv"
    rows = [f"{'ACGT' * 10}{'C' * (i % 16 == 15)}\t{i % 2}\t{'train' if i < 48 else 'validation'}\n" for i in range(64)]
    table.write_text("".join(["sequence\tlabel\tsplit\n", *rows]))
    data = {"name": "table", "table": str(table), "cohort": {"covariates": ["gc"]}}
    plan = TrainingPlan.of({**config, "data": data, "objectives": objectives})
    module = plan.module(TrainerSettings(batch_size=48))
    steps = [step if isinstance(step, list) else [step] for step in module.train_loader]
    of_steps = [{rows["codes"].shape[1] for rows in step} for step in steps]
    assert lengths in of_steps
    assert len(steps) == (1 if len(lengths) == 2 else 2)
    assert sum(len(rows["codes"]) for step in steps for rows in step) == 48
