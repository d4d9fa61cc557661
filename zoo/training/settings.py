"""The configuration's groups `trainer` and `tune`, checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoo.errors import ConfigError, did_you_mean

_CHOICES = {
    "accelerator": ("cpu", "gpu"),
    "precision": ("32-true", "bf16-mixed"),
    "logger": ("csv", "tensorboard", "none"),
    "sampling": ("examples", "tasks"),
}

_TUNE = ("none", "lora")


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """How to train.

    accelerator: cpu or gpu.
    devices: processes a machine, each with a device of its own.
    nodes: machines; more than one needs srun or torchrun.
    precision: 32-true or bf16-mixed (GPU only).
    max_epochs: epochs; an epoch is a pass over the training split.
    epoch_steps: steps of an epoch, about: a small split is passed over several times; 0 for one pass.
    batch_size: examples a step, over all processes together.
    sampling: examples, each once an epoch; or tasks: as many are drawn, with replacement, so that every task, and in it
        positives and negatives, comes equally often, however rare it is.
    micro_batch: rows that are computed at a time; auto decides by window and channels.
    monitor: what the best epoch is chosen by, and what patience and plateaus look at: loss, or a metric of
        `zoo evaluate` (auroc, auprc, pearson, ...) on the validation split, as the mean over the tasks.
    patience: epochs without a better validation before training stops; 0 never stops early.
    ema: the part of a moving average of the weights that a step keeps, such as 0.999; the average is validated and
        saved in place of the weights themselves.  0 for no average.
    shift: bp by which a training window may be moved to either side.
    gradient_clip: largest norm of a gradient, null for no limit.
    checkpoint_every: steps between checkpoints within an epoch; one is written at every epoch's end too.
    log_every: steps between logged training losses.
    logger: csv, tensorboard or none.
    bar: progress bar on a terminal.
    threads: CPU threads a process, null for torch's choice.
    """

    accelerator: str = "cpu"
    devices: int = 1
    nodes: int = 1
    precision: str = "32-true"
    max_epochs: int = 20
    epoch_steps: int = 0
    batch_size: int = 64
    sampling: str = "examples"
    micro_batch: int | str = "auto"
    monitor: str = "loss"
    patience: int = 5
    ema: float = 0.0
    shift: int = 0
    gradient_clip: float | None = None
    checkpoint_every: int = 200
    log_every: int = 10
    logger: str = "csv"
    bar: bool = True
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if (value := getattr(self, name)) not in choices:
                raise ConfigError(f"trainer.{name} is {value!r}" + did_you_mean(str(value), choices))
        for name in ("devices", "nodes", "max_epochs", "batch_size", "checkpoint_every", "log_every"):
            _at_least(name, getattr(self, name), 1)
        for name in ("epoch_steps", "patience", "shift"):
            _at_least(name, getattr(self, name), 0)
        if self.micro_batch != "auto":
            _at_least("micro_batch", self.micro_batch, 1)
        if not isinstance(self.ema, int | float) or not 0 <= self.ema < 1:
            raise ConfigError(
                f"trainer.ema is {self.ema!r}: give a decay from 0 (no average) to below 1, such as 0.999"
            )
        if self.precision == "bf16-mixed" and self.accelerator == "cpu":
            raise ConfigError(
                "trainer.precision=bf16-mixed on a CPU is 5 to 7 times slower than 32-true where the processor has no "
                "bf16 units: set trainer.precision=32-true, or trainer=gpu"
            )
        if self.accelerator == "gpu":
            import torch

            if torch.cuda.device_count() < self.devices and "SLURM_PROCID" not in os.environ:
                raise ConfigError(
                    f"trainer asks for {self.devices} GPU and {torch.cuda.device_count()} are visible: "
                    "set trainer=cpu, or look at `zoo doctor`"
                )

    @property
    def processes(self) -> int:
        """Processes over all machines."""
        return self.devices * self.nodes


@dataclass(frozen=True, kw_only=True)
class TuneSettings:
    """The configuration's group `tune`: what of a published encoder is trained, beside the heads.

    name: none trains all of it (or nothing, with freeze_encoder=true), lora trains low-rank adapters.
    rank: of an adapter; a layer of 64 to 64 channels and width 3 has 12,288 weights, its adapter of rank 8 has 2,048.
    alpha: the adapters' difference counts alpha / rank times, so that a learning rate means the same for every rank;
        null for the rank itself.
    layers: names of the encoder's convolutions and linear layers that get an adapter, with * and ?; a list of such.
    bias: the biases of these layers are trained too, and stored.
    dropout: probability with which one of an adapter's terms is left out in training.
    """

    name: str = "none"
    rank: int = 8
    alpha: float | None = None
    layers: str | Sequence[str] = "*"
    bias: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.name not in _TUNE:
            raise ConfigError(f"tune.name is {self.name!r}" + did_you_mean(str(self.name), _TUNE))
        if not isinstance(self.rank, int) or isinstance(self.rank, bool) or not 1 <= self.rank <= 4096:
            raise ConfigError(f"tune.rank is {self.rank!r}: give a whole number from 1 to 4,096, such as 8")
        if self.alpha is not None and not self.alpha > 0:
            raise ConfigError(f"tune.alpha is {self.alpha!r}: give a number above 0, or null for the rank")
        if not 0 <= self.dropout < 1:
            raise ConfigError(f"tune.dropout is {self.dropout!r}: give a probability from 0 to below 1")

    @property
    def scale(self) -> float:
        """The factor of B A."""
        return 1.0 if self.alpha is None else self.alpha / self.rank

    @property
    def patterns(self) -> list[str]:
        """`layers` as a list."""
        return [self.layers] if isinstance(self.layers, str) else [str(pattern) for pattern in self.layers]


def member_seeds(config: Mapping[str, Any]) -> list[int]:
    """The seed of every network that the run trains: seed * members + 0, 1, ..., so that two runs share none.

    >>> member_seeds({"seed": 2, "members": 5}), member_seeds({"seed": 2})
    ([10, 11, 12, 13, 14], [2])
    """
    n, seed = config.get("members", 1), int(config.get("seed", 0))
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= 100:
        raise ConfigError(f"members is {n!r}: give a whole number of networks from 1 to 100")
    return [seed * n + i for i in range(n)]


def _at_least(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"trainer.{name} is {value!r}: give a whole number of {least} or more")
