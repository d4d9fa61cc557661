"""What a model must remember of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from zoo.data.source import Source
from zoo.model import Model
from zoo.training.adapters import tune_settings
from zoo.training.callbacks import best_epoch_of
from zoo.training.composition_baseline import composition_baseline, describe_composition
from zoo.training.module import TrainingModule
from zoo.training.settings import TrainerSettings


def describe_data(model: Model, config: Mapping[str, Any], source: Source) -> None:
    """Put into the spec what the model predicts and what it has learned it from."""
    described = dict(source.describe())
    composition = describe_composition(composition_baseline(source))
    model.spec = model.spec.replace(
        task=str(
            config.get("task")
            or described.get("task")
            or ", ".join(channel for field in source.targets.values() for channel in field.channels)
        ),
        description=str(config.get("description") or described.get("description") or ""),
        genome=_mapping(described.pop("genome", None) or config.get("genome")),
        splits=_mapping(described.pop("splits", None)),
        audit=_mapping(described.pop("audit", None)),
        licence=str(described.get("licence", "")),
        citation=str(described.get("citation", "")),
        data={**described, **({"composition": composition} if composition else {})},
    )


def describe_training(
    model: Model,
    config: Mapping[str, Any],
    settings: TrainerSettings,
    module: TrainingModule,
    trainer: Any,
    seconds: float,
    finetuning: Mapping[str, Any] | None = None,
) -> None:
    """Put into the spec how its weights were made.

    trainer: of the phase with augmentation, if there was one; finetuning: what came after it.
    """
    best = best_epoch_of(trainer)
    best = best if best is not None and best.epoch >= 0 else None
    tune = tune_settings(config)
    trained = sum(p.numel() for p in module.model.parameters() if p.requires_grad)
    on_gpu, augmentation = settings.accelerator == "gpu", module.train_loader.augmentation
    model.spec = model.spec.replace(
        training={
            "seed": config.get("seed", 0),
            "strand": config.get("strand", "none"),
            "init": config.get("init"),
            **({"tune": {**asdict(tune), "trained_weights": trained}} if tune else {}),
            "objective": config.get("objective"),
            "objectives": config.get("objectives") or {},
            **({"schedules": config["schedules"]} if config.get("schedules") else {}),
            "optimizer": asdict(module.settings),
            **({"augmentation": asdict(augmentation)} if augmentation.kinds else {}),
            "batch_size": settings.batch_size,
            "micro_batch": module.micro_rows,
            "shift": module.margin,
            **({"sampling": settings.sampling} if settings.sampling != "examples" else {}),
            **({"ema": settings.ema} if settings.ema else {}),
            "precision": settings.precision,
            "processes": settings.processes,
            "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {torch.get_num_threads()} threads",
            **({"passes_per_epoch": passes} if (passes := module.train_loader.passes) > 1 else {}),
            "epochs": trainer.current_epoch,
            "best_epoch": None if best is None else best.epoch + 1,
            "validation_loss": None if best is None else finetuning["validation_loss"] if finetuning else best.loss,
            **(
                {}
                if best is None or best.monitor is None
                else {best.monitor.key: (finetuning or {}).get(best.monitor.key, best.best)}
            ),
            "steps": trainer.global_step,
            **({"finetuning": dict(finetuning)} if finetuning else {}),
            "seconds": round(seconds, 1),
        },
    )


def _mapping(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, Mapping) else {"name": value}
