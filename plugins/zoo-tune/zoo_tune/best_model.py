"""The best trial, judged once: its run gets the metrics of any run, and how it was chosen.

judge(study, choice, source) -> RUN/model, RUN/metrics.json: the best and the default on the same test rows
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.data.source import Source
from zoo.evaluation.comparison import main_metric
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
    beside = study.folder / "default_metrics.json"
    rows = json.loads(folder.metrics.read_text(encoding="utf-8"))
    if choice.trial.number in looks.trials and rows:
        of_default = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else []
        return _tables(rows, of_default if choice.trial.number else [])
    plan = TrainingPlan.of(study.config_of(choice.trial), source)
    model = load_bundle(folder.model)
    evaluation = plan.evaluate(model)
    if evaluation is None:
        return "no test split: the best model is saved without metrics"
    looks.add(choice.trial.number)
    of_default = []
    if choice.trial.number != 0 and study.default is not None and study.default.status == "ok":
        # Not among the rows of the model: as a baseline it would take the place of the best rival.
        of_default = _of_default(study.default, source, evaluation.split, study.config)
        write_json(beside, of_default)
    tuning = _provenance(study, choice, len(looks.trials)) | _main_values(of_default)
    training = {**model.spec.training, "tuning": tuning}
    model.spec = model.spec.replace(metrics=tuple(evaluation.rows), training=training)
    golden = golden_inputs(folder.model)
    evaluation.write(folder.path / f"predictions_{evaluation.split}.tsv", {"model": str(folder.model)})
    save_bundle(model, folder.model, golden)
    write_json(folder.metrics, evaluation.rows)
    return _tables(evaluation.rows, of_default)


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
    """Metrics of the default configuration's model on the rows that the best one is judged by."""
    n_bootstrap = (config.get("evaluation") or {}).get("bootstrap", 1000)
    model = load_bundle(RunFolder(trial.folder).model)
    return evaluate(model, source, split, baselines=False, n_bootstrap=n_bootstrap, name=DEFAULT).rows


def _tables(rows: Sequence[Mapping[str, Any]], of_default: Sequence[Mapping[str, Any]]) -> str:
    """The best one beside its rivals, then the default on the same rows."""
    return "\n\n".join(table_of(some) for some in (rows, of_default) if some)


def _main_values(of_default: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The default's main metric, for the card, of at most eight tasks."""
    metric = main_metric(of_default)
    rows = [row for row in of_default if row["metric"] == metric and row["stratum"] == "all"][:8]
    return {"default_on_test": {f"{row['task'] or row['head']} {metric}": row["value"] for row in rows}} if rows else {}


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
