"""The best trial, judged once: its run gets the metrics of any run, and how it was chosen.

judge(study, choice, source) -> RUN/model, RUN/metrics.json: the best and the default on the same test rows
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.source import Source
from zoo.evaluation.evaluate import evaluate
from zoo.evaluation.result import table_of
from zoo.files.atomic import write_file
from zoo.hub.golden import golden_inputs
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.training.plan import TrainingPlan
from zoo.training.run_folder import RunFolder, write_json
from zoo_tune.choice import Choice
from zoo_tune.study import Study
from zoo_tune.trial import Trial

DEFAULT = "default settings"
"""What the default configuration is called beside the best one."""


def judge(study: Study, choice: Choice, source: Source) -> str:
    """Evaluate the best trial and the default on the test split, unless that was done; returns the table.

    Writes metrics, predictions and provenance into the best trial's run; each look at the test split is counted there.
    """
    folder, looks = RunFolder(choice.trial.folder), _Looks(study.folder / "test_looks.json")
    rows = json.loads(folder.metrics.read_text(encoding="utf-8"))
    if choice.trial.number in looks.trials and rows:
        return table_of(rows)
    plan = TrainingPlan.of(study.config_of(choice.trial), source)
    model = load_bundle(folder.model)
    evaluation = plan.evaluate(model)
    if evaluation is None:
        return "no test split: the best model is saved without metrics"
    looks.add(choice.trial.number)
    if choice.trial.number != 0 and study.default is not None and study.default.status == "ok":
        evaluation.rows += _of_default(study.default, source, evaluation.split, study.config)
    training = {**model.spec.training, "tuning": _provenance(study, choice, len(looks.trials))}
    model.spec = model.spec.replace(metrics=tuple(evaluation.rows), training=training)
    golden = golden_inputs(folder.model)
    evaluation.write(folder.path / f"predictions_{evaluation.split}.tsv", {"model": str(folder.model)})
    save_bundle(model, folder.model, golden)
    write_json(folder.metrics, evaluation.rows)
    return evaluation.table()


def write_best(study: Study, choice: Choice) -> str:
    """Write best.yaml, what was chosen and how to train it again; returns the command."""
    import yaml

    command = train_command(study, choice.trial)
    content = {
        "command": command,
        "trial": choice.trial.number,
        "chosen_by": choice.reason,
        "validation_loss": choice.trial.validation_loss,
        "mean_of_seeds": {f"trial {number}": loss for number, loss in choice.means.items()},
        "parameters": choice.trial.parameters,
        "run": str(choice.trial.folder),
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=10_000)
    write_file(study.folder / "best.yaml", f"# What zoo tune chose.\n{text}")
    return command


def train_command(study: Study, trial: Trial) -> str:
    """`zoo train ...` of a trial's configuration, as a shell takes it."""
    folders = [word for folder in study.folders for word in ("--config-dir", str(folder))]
    return shlex.join(["zoo", "train", *folders, *study.words(trial)])


def _of_default(trial: Trial, source: Source, split: str, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Metrics of the default configuration's model as rows of one more predictor to compare with."""
    n_bootstrap = (config.get("evaluation") or {}).get("bootstrap", 1000)
    model = load_bundle(RunFolder(trial.folder).model)
    rows = evaluate(model, source, split, baselines=False, n_bootstrap=n_bootstrap, name=DEFAULT).rows
    return [{**row, "baseline": True} for row in rows]


def _provenance(study: Study, choice: Choice, looks: int) -> dict[str, Any]:
    """What a card must say of a model that was chosen among several."""
    statuses = [trial.status for trial in study.trials]
    default = study.default
    return {
        "trials": len(study.trials),
        "finished": statuses.count("ok"),
        "trial": choice.trial.number,
        "chosen_by": choice.reason + ", on the validation split",
        **({"mean_validation_loss": choice.means[choice.trial.number]} if choice.means else {}),
        "default_validation_loss": None if default is None else default.validation_loss,
        "looks_at_test": looks,
        "parameters": dict(choice.trial.parameters),
    }


class _Looks:
    """Trials that were judged by the test split, in the order in which that happened."""

    def __init__(self, path: Path):
        self.path = path
        self.trials: list[int] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []

    def add(self, number: int) -> None:
        """One more look."""
        self.trials.append(number)
        write_json(self.path, self.trials)
