"""Resuming a run: its folder is found, its checkpoints are saved, and they are loaded again.

    open_run(config) -> RunFolder -> last.ckpt, where it is there -> Trainer.fit
    Checkpoints, every few steps and after every epoch -> last.ckpt      save_weights -> best.safetensors -> load_best

What else a checkpoint holds stands with its owner: the loader's place in `Loader.state_dict`, the best epoch in
`BestEpoch.state_dict`, the schedule's in `TrainingModule.on_save_checkpoint`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback

from zoo.errors import ConfigError
from zoo.hub.path import run_of
from zoo.model import Model
from zoo.training.run_folder import RunFolder, plain

_OWN = ("output_dir", "resume")
"""Keys that may differ between a run and the one that goes on in its folder."""


def open_run(config: Mapping[str, Any]) -> tuple[RunFolder, dict[str, Any]]:
    """The run's folder and the configuration that counts.

    resume: a run's folder; its own configuration is taken, whatever else is set.
    Without it `output_dir` is taken; if a run of the same configuration was cut off there, that one goes on
    (a job that the scheduler starts again is such a case).
    Raises ConfigError where the folder holds a finished or another run, or something that is none.
    """
    if config.get("resume"):
        resume = str(config["resume"])
        folder = RunFolder(run_of(resume) or Path(resume).expanduser())
        if not folder.config.is_file():
            raise ConfigError(f"resume={folder.path} is no run's folder: it has no config.json")
        if folder.is_finished:
            raise ConfigError(f"run {folder.path} is finished: start a new one from it with init={folder.model}")
        return folder, {**_read(folder.config), "output_dir": str(folder.path)}
    path = config.get("output_dir") or Path(
        "runs", str(config.get("name", "run")), f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    )
    folder = RunFolder(Path(path).expanduser())
    config = {**config, "output_dir": str(folder.path)}
    folder.refuse_foreign()
    if folder.is_finished:
        raise ConfigError(f"{folder.path} holds a finished run: choose another output_dir")
    if folder.is_begun and _without(_read(folder.config)) != _without(plain(config)):
        raise ConfigError(
            f"{folder.path} holds a run of another configuration: go on with resume={folder.path}, "
            "or choose another output_dir"
        )
    return folder, dict(config)


def load_best(model: Model, folder: RunFolder) -> None:
    """The weights of the best epoch, or the last ones where nothing was validated; on the CPU, in eval mode."""
    if folder.best.is_file():
        from safetensors.torch import load_file

        model.load_state_dict(load_file(folder.best))
    model.cpu().eval()


def save_weights(model: torch.nn.Module, path: Path) -> None:
    """Write the model's state as safetensors, moved into place whole."""
    from safetensors.torch import save

    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(save({k: t.detach().cpu().contiguous().clone() for k, t in model.state_dict().items()}))
    os.replace(beside, path)


class Checkpoints(Callback):
    """Keeps `last.ckpt` whole: written beside its name and moved there, every `every` steps and after every epoch."""

    def __init__(self, path: Path, every: int):
        self.path, self.every = path, every

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Within an epoch; its last step is followed by the validation and the epoch's own checkpoint."""
        if (batch_idx + 1) % self.every == 0 and batch_idx + 1 < trainer.num_training_batches:
            self.save(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        """After the validation."""
        self.save(trainer)

    def save(self, trainer: pl.Trainer) -> None:
        """All processes take part; the first one writes."""
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        trainer.save_checkpoint(beside)
        if trainer.is_global_zero:
            os.replace(beside, self.path)
        trainer.strategy.barrier()


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is no JSON ({error}): choose another output_dir") from error


def _without(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in _OWN}
