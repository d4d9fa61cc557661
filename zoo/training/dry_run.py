"""`zoo train --dry-run`: what a run would learn from, how large its model is, how long it would take.

configuration -> data, model, loss -> a few steps, timed and thrown away -> lines for a person; nothing is written
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from zoo.composition.settings import settings_of
from zoo.data.source import SPLITS
from zoo.layers.channels_last import in_channels_last
from zoo.terminal.columns import align
from zoo.training.adapters import tune_settings
from zoo.training.data_summary import DataSummary
from zoo.training.module import TrainingModule
from zoo.training.plan import TrainingPlan
from zoo.training.resume import open_run
from zoo.training.settings import TrainerSettings, member_seeds
from zoo.training.trainer import trial

_WARM_UP, _STEPS, _VALIDATION_STEPS = 3, 12, 3
_SECONDS = 10.0
"""Of timed steps; the one at hand is finished."""
_MOST_COLUMNS = 8


@dataclass
class StepClock(Callback):
    """When every batch of training and of validation ended, in seconds; training stops once enough is known."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """The first batch begins."""
        self.train.append(_now())

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """A step and the gathering of its batch."""
        self.train.append(_now())
        if len(self.train) > 2 and self.train[-1] - self.train[0] > _SECONDS:
            trainer.should_stop = True

    def on_validation_start(self, trainer: pl.Trainer, module: Any) -> None:
        """The first batch begins."""
        self.validation.append(_now())

    def on_validation_batch_end(self, trainer: pl.Trainer, module: Any, *others: Any) -> None:
        """A batch was judged."""
        self.validation.append(_now())


def dry_run(config: Mapping[str, Any], with_arguments: bool = False) -> Iterator[str]:
    """Lines on a run that is not begun; errors are those of the run itself.

    with_arguments: what fills every argument comes first, as `TrainingPlan.explain` lists it.
    """
    folder, config = open_run(config)
    settings = settings_of(TrainerSettings, "trainer", config.get("trainer"))
    if settings.threads:
        torch.set_num_threads(settings.threads)
    torch.manual_seed(int(config.get("seed", 0)))
    plan = TrainingPlan.of(config)
    yield from plan.explain().splitlines() if with_arguments else plan.summary()
    yield from class_table(plan.data)
    yield from task_table(plan.data)
    module = plan.module(settings)
    yield f"model        {_parameters(plan)}"
    epoch = len(module.train_loader)
    early = f", fewer where validation is not better for {settings.patience} epochs" if settings.patience else ""
    yield (
        f"steps        {epoch:,} an epoch of {settings.batch_size:,} examples, {module.total_steps:,} in "
        f"{settings.max_epochs:,} epochs{early if module.validation_loader else ''}"
    )
    yield from _measured(plan, module, settings)
    yield f"would write  {folder.path}; nothing is written now"


def class_table(data: DataSummary) -> list[str]:
    """Examples of every split, and of every class of the first 8 columns that have classes."""
    header, columns = ["", "examples"], [np.array([data.n[split] for split in SPLITS])]
    for name, labels in data.statistics.items():
        if labels.is_class:
            shown = list(enumerate(labels.field.vocabulary))[:_MOST_COLUMNS]
            header += [str(word) for _, word in shown]
            columns += [labels.of_class[:, k] for k, _ in shown]
            continue
        for c in np.flatnonzero(labels.is_binary)[:_MOST_COLUMNS]:
            header += [f"{labels.columns[c] or name} 1", f"{labels.columns[c] or name} 0"]
            columns += [labels.ones[:, c], labels.zeros[:, c]]
    rows = [header, *([split, *(f"{int(x[i]):,}" for x in columns)] for i, split in enumerate(SPLITS))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return ["  ".join([row[0].ljust(11), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]


def task_table(data: DataSummary) -> list[str]:
    """Labels of every split, a line a task, of targets with more than 8: positives / negatives, or how many."""
    rows = []
    for name, labels in data.statistics.items():
        if labels.is_class or len(labels.columns) <= _MOST_COLUMNS:
            continue
        kinds = (labels.ones, labels.zeros)
        for c, column in enumerate(labels.columns):
            shown = kinds if labels.is_binary[c] else (labels.n,)
            rows.append([column or name, *(" / ".join(f"{x[s, c]:,}" for x in shown) for s in range(len(SPLITS)))])
    if not rows:
        return []
    rows.insert(0, ["task", *SPLITS])
    return align(rows, numbers=True)


def _parameters(plan: TrainingPlan) -> str:
    model = plan.model
    encoder = sum(p.numel() for p in model.encoder.parameters())
    total = sum(p.numel() for p in model.parameters())
    frozen = ", the encoder frozen" if plan.config.get("freeze_encoder") else ""
    if tune_settings(plan.config):
        trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
        frozen = f"; {trained:,} are trained: adapters of the encoder, and the heads"
    return f"{total:,} parameters: encoder {model.spec.encoder['name']} {encoder:,}, heads {total - encoder:,}{frozen}"


def _measured(plan: TrainingPlan, module: TrainingModule, settings: TrainerSettings) -> Iterator[str]:
    """Seconds an epoch and memory, from a few steps of one process with its share of the batch."""
    share = max(1, settings.batch_size // settings.processes)
    one = replace(settings, devices=1, nodes=1, batch_size=share)
    tried = module if settings.processes == 1 else plan.module(one)
    clock, on_gpu = StepClock(), settings.accelerator == "gpu"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    with in_channels_last(plan.model, not on_gpu):
        trial(one, tried, clock, _WARM_UP + _STEPS, _VALIDATION_STEPS)
    step, n = _seconds_a_step(clock.train)
    judged, _ = _seconds_a_step(clock.validation)
    validation = 0 if module.validation_loader is None else judged * len(module.validation_loader)
    epoch = step * len(module.train_loader) + validation
    device = torch.cuda.get_device_name() if on_gpu else f"CPU, {torch.get_num_threads()} threads"
    where = device if settings.processes == 1 else f"{settings.processes} devices, from one of them: {device}"
    members = len(member_seeds(plan.config))
    whole = f"for all of {members} members" if members > 1 else "for all"
    yield (
        f"time         about {_duration(epoch)} an epoch, {_duration(epoch * settings.max_epochs * members)} {whole} "
        f"({where}; {n} steps timed, {1000 * step:.0f} ms each)"
    )
    what = "of the GPU" if on_gpu else "of this process, data and libraries included"
    yield f"memory       {_peak_bytes(on_gpu) / 1e9:.2f} GB {what}, at the peak of these steps"


def _seconds_a_step(times: list[float]) -> tuple[float, int]:
    """The median after the first steps, which compile and allocate; and of how many."""
    steps = np.diff(times)
    steps = steps[min(_WARM_UP, max(0, len(steps) - 1)) :]
    return (float(np.median(steps)), len(steps)) if len(steps) else (0.0, 0)


def _peak_bytes(on_gpu: bool) -> int:
    if on_gpu:
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _now() -> float:
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()
    return time.monotonic()


def _duration(seconds: float) -> str:
    """As a person would say it.

    >>> _duration(0.42), _duration(42), _duration(600), _duration(9000)
    ('0.42 s', '42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
