"""What --dry-run prints, and that it leaves nothing behind."""

import re

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.errors import ConfigError
from zoo.fields import Field
from zoo.training.data_summary import DataSummary
from zoo.training.dry_run import class_table, dry_run, task_table
from zoo.training.label_statistics import LabelStatistics
from zoo.training.plan import TrainingPlan


def files_in(folder):
    return sorted(str(path) for path in folder.rglob("*"))


def small(config, **changes):
    data = {**config["data"], "n_train": 120, "n_validation": 30, "n_test": 30}
    return {**config, "data": data, "output_dir": None, **changes}


def test_it_prints_size_time_memory_and_place_and_writes_nothing(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = files_in(tmp_path)
    config = small(config, name="planned")
    lines = list(dry_run(config))
    assert files_in(tmp_path) == before
    text = "\n".join(lines)
    plan = TrainingPlan.of(config)
    n = sum(p.numel() for p in plan.model.parameters())
    assert f"model        {n:,} parameters" in text
    assert re.search(r"time         about [\d.]+ s an epoch, .* for all \(CPU, \d+ threads; \d+ steps timed", text)
    assert re.search(r"memory       [\d.]+ GB of this process", text)
    assert re.search(r"would write  runs/planned/\d{4}-.*; nothing is written now", text)
    steps = -(-120 // config["trainer"]["batch_size"])
    assert f"steps        {steps} an epoch of" in text
    assert any(line.startswith("  warning: validation is small") for line in lines)


def test_the_table_counts_every_split_and_class(config):
    plan = TrainingPlan.of(small(config))
    rows = [line.split() for line in class_table(plan.data)]
    (target,) = plan.source.targets
    for i, split in enumerate(("train", "validation", "test"), 1):
        examples = plan.source.examples(split)
        labels = examples.batch(np.arange(len(examples)))[f"target/{target}"][:, 0]
        ones = int(labels.sum())
        assert rows[i][:4] == [split, str(len(labels)), str(ones), str(len(labels) - ones)]


def test_what_would_stop_the_run_stops_it_too(config, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no run's folder"):
        list(dry_run(small(config, output_dir=str(tmp_path))))


def test_a_sweep_has_no_dry_run(capsys):
    assert main(["train", "--dry-run", "-m", "seed=1,2"]) == 1
    assert "--dry-run looks at one run" in capsys.readouterr().err


def test_the_command_prints_it_and_with_explain_the_arguments_too(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sizes = [f"data.n_{split}={n}" for split, n in (("train", 64), ("validation", 16), ("test", 16))]
    assert main(["train", "experiment=demo", *sizes, "--dry-run", "--explain"]) == 0
    printed = capsys.readouterr().out
    assert printed.index("encoder: ") < printed.index("simulated: 64 train") < printed.index("would write")
    assert printed.count("simulated: 64 train") == 1
    assert files_in(tmp_path) == []


def test_many_tasks_have_a_line_each():
    names = tuple(f"t{i}" for i in range(9))
    statistics = LabelStatistics(Field("C", channels=names, values="binary"))
    statistics.add("train", np.array([[1.0] * 9, [0.0] * 8 + [np.nan]]))
    statistics.add("test", np.array([[0.0] * 9]))
    lines = [line.split() for line in task_table(DataSummary([], {}, {"binding": statistics}, []))]
    assert lines[0] == ["task", "train", "validation", "test"]
    assert lines[1] == ["t0", *"1 / 1".split(), *"0 / 0".split(), *"0 / 1".split()]
    assert lines[9] == ["t8", *"1 / 0".split(), *"0 / 0".split(), *"0 / 1".split()]
    assert task_table(DataSummary([], {}, {"x": LabelStatistics(Field("C", channels=names[:8]))}, [])) == []
