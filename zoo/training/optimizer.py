"""Optimisers by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from zoo.errors import ConfigError, did_you_mean
from zoo.training.schedule import SCHEDULES

OPTIMIZERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """The configuration's group `optimizer`.

    name: adam (Kingma & Ba 2015), adamw (decoupled weight decay, Loshchilov & Hutter 2019) or sgd (Nesterov).
    lr: learning rate.
    weight_decay: L2 penalty of every weight.
    momentum: of sgd.
    schedule: constant, cosine or plateau, see `zoo.training.schedule.rate_factor`.
    warmup: steps over which the learning rate rises from 0.
    """

    name: str = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.9
    schedule: str = "constant"
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.name not in OPTIMIZERS:
            raise ConfigError(f"no optimizer named {self.name!r}" + did_you_mean(self.name, OPTIMIZERS))
        if (schedule := self.schedule) not in SCHEDULES:
            raise ConfigError(f"no learning rate schedule named {schedule!r}" + did_you_mean(schedule, SCHEDULES))
        if not self.lr > 0:
            raise ConfigError(f"optimizer.lr is {self.lr}: set a learning rate above 0, such as 1e-3")


def make_optimizer(settings: OptimizerSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Fused: one pass over the memory instead of one for every operation."""
    parameters = list(parameters)
    if not parameters:
        raise ConfigError("nothing is left to train: set freeze_encoder=false, or give the model a new head")
    shared = {"lr": settings.lr, "weight_decay": settings.weight_decay, "fused": True}
    if settings.name == "sgd":
        return torch.optim.SGD(parameters, momentum=settings.momentum, nesterov=settings.momentum > 0, **shared)
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.name](parameters, **shared)
