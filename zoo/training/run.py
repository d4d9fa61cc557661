"""`train`: one run, from a configuration to a run folder that holds a model."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zoo.composition.settings import settings_of
from zoo.data.source import Source
from zoo.errors import ZooError
from zoo.evaluation.baseline_choice import require_rivals
from zoo.evaluation.comparison import card_rows
from zoo.evaluation.task_table import task_rows
from zoo.hub.calibration import calibration_words
from zoo.model import Model
from zoo.training.calibration import calibrate, leave_uncalibrated
from zoo.training.distributed import launcher, rank
from zoo.training.launch import leave_with_parent, run_processes
from zoo.training.members import train_members
from zoo.training.plan import TrainingPlan
from zoo.training.provenance import describe_data
from zoo.training.resume import open_run
from zoo.training.run_folder import RunFolder, write_json
from zoo.training.settings import TrainerSettings

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback

    from zoo.evaluation.result import Evaluation


@dataclass(frozen=True)
class Result:
    """Where a run wrote, and how good it is on the test split.

    metrics: rows of name, value, n and split, as `zoo evaluate` gives them; empty on all processes but the first.
    """

    folder: Path
    metrics: tuple[Mapping[str, Any], ...]
    model_folder: Path


def train(config: Mapping[str, Any], *, source: Source | None = None, callbacks: Sequence[Callback] = ()) -> Result:
    """Train, evaluate and save the model that a configuration describes (`zoo.compose([...])`).

    source: takes the place of the configured data, as data that several runs share.
    callbacks: of Lightning, for every network's trainer, behind our own, so that what one raises at an epoch's end
        leaves a run that can go on.  They do not see the fine-tuning that follows augmentation.
    Both are for runs of one process.

    The validation split chooses the best epoch; the test split is looked at once, at the end.
    A signal ends the run after the step at hand with SystemExit (143 for SIGTERM, 130 for SIGINT);
    `resume` goes on from there.
    """
    folder, config = open_run(config)
    require_rivals((config.get("evaluation") or {}).get("rivals") or ())
    settings = settings_of(TrainerSettings, "trainer", config.get("trainer"))
    if rank() == 0:
        folder.begin(config)
    if settings.processes > 1 and launcher() is None:
        run_processes(folder.config, settings)
        return Result(folder.path, tuple(json.loads(folder.metrics.read_text(encoding="utf-8"))), folder.model)

    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(int(config.get("seed", 0)))
    plan = TrainingPlan.of(config, source)
    model = train_members(plan, settings, folder, callbacks)
    if model is None:
        return Result(folder.path, (), folder.model)

    describe_data(model, config, plan.source)
    if config.get("calibrate", True):
        calibrate(model, plan.source)
    else:
        leave_uncalibrated(model, "calibrate=false")
    evaluation = plan.evaluate(model)
    metrics = tuple(evaluation.rows) if evaluation else ()
    if evaluation:
        evaluation.write(_predictions(folder, evaluation), {"model": str(folder.model)})
        if len(task_rows(metrics)) > 1:
            evaluation.write_tasks(folder.path / f"tasks_{evaluation.split}.tsv", {"model": str(folder.model)})
    else:
        split = (config.get("evaluation") or {}).get("split", "test")
        print(f"no {split} split: the model is saved without metrics", file=sys.stderr)
    _save(model, plan.source, folder, metrics)
    _tell(folder, evaluation, calibration_words(model.spec))
    return Result(folder.path, metrics, folder.model)


def _save(model: Model, source: Source, folder: RunFolder, metrics: tuple[Mapping[str, Any], ...]) -> None:
    """The model folder, then the metrics: a run that has them is finished."""
    from zoo.hub.model_folder import save_bundle

    model.spec = model.spec.replace(metrics=card_rows(metrics))
    save_bundle(model, folder.model, _golden_batch(source, model.spec.input_length))
    write_json(folder.metrics, list(metrics))


def _golden_batch(source: Source, length: int) -> Mapping[str, np.ndarray]:
    """Eight windows of the declared length, of which a source of mixed lengths has others too; else random bases."""
    for split in ("test", "validation", "train"):
        examples = source.examples(split)
        rows = np.flatnonzero(np.asarray(examples.lengths) == length)[:8]
        if len(rows):
            return examples.batch(rows)
    return {"codes": np.random.default_rng(0).integers(0, 4, (8, length), np.uint8)}


def _tell(folder: RunFolder, evaluation: Evaluation | None, calibration: Sequence[str]) -> None:
    """What it is worth beside the baselines, whether it is calibrated, where it wrote, and the next command."""
    if evaluation:
        print(f"{evaluation.table()}\n\npredictions  {_predictions(folder, evaluation)}")
    for words in calibration:
        print(f"calibration  {words}")
    print(f"run          {folder.path}")
    print(f"model        {folder.model}")
    print(f"next         zoo publish {folder.path} --name NAME --to file:///a/folder")


def _predictions(folder: RunFolder, evaluation: Evaluation) -> Path:
    return folder.path / f"predictions_{evaluation.split}.tsv"


def _main(config: str) -> int:
    """One of the processes that `run_processes` starts."""
    threading.Thread(target=leave_with_parent, daemon=True).start()
    try:
        train(json.loads(Path(config).read_text(encoding="utf-8")))
    except ZooError as error:
        if rank():
            time.sleep(2)  # the first process reports it, unless the mistake is this one's alone
        print(f"zoo: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
