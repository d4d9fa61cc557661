"""The phase after augmentation: a short fine-tuning on the sequences as they are, from the best epoch's weights.

fit with augmentation -> best.safetensors -> finetune -> finetuning_best.safetensors, where that validates better

It is a `fit` of its own, with checkpoints of its own: a run that goes on finds the first phase ended, and goes on with
the second.  After Lee, Tang and Koo (Genome Biology 24:105, 2023): augmented sequences keep the labels of those they
were made from, which need not be theirs; the sequences themselves put that right.
"""

from __future__ import annotations

import math
import sys
from dataclasses import asdict, replace
from typing import Any

import lightning.pytorch as pl

from zoo.training.callbacks import best_epoch_of
from zoo.training.distributed import rank
from zoo.training.module import TrainingModule
from zoo.training.plan import TrainingPlan
from zoo.training.resume import load_best
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings
from zoo.training.trainer import fit, make_trainer


def finetune(
    plan: TrainingPlan,
    settings: TrainerSettings,
    folder: RunFolder,
    module: TrainingModule,
    trainer: pl.Trainer,
    label: str = "",
) -> dict[str, Any] | None:
    """Go on without mutations, deletions and so on, for `augmentation.finetune_epochs` at a lower learning rate.

    module, trainer: of the first phase, ended.  label: stands before the lines on stderr.
    Reverse complements and shifts stay, scheduled coefficients stay at their end.  Without a validation split the last
    weights count.  Returns what the model remembers of it, None where there is no such phase.
    """
    augmentation = module.train_loader.augmentation
    if not augmentation.kinds or not augmentation.finetune_epochs:
        return None
    load_best(plan.model, folder)
    settings = replace(settings, max_epochs=augmentation.finetune_epochs)
    optimizer = replace(module.settings, lr=module.settings.lr * augmentation.finetune_lr, warmup=0)
    second = _without_augmentation(plan, asdict(optimizer)).module(settings)
    second.received_signal = module.received_signal
    second.terms.held = True
    second.train()
    tuned = make_trainer(settings, folder.finetuning, second, label=f"{label}fine-tuning ")
    first, best = best_epoch_of(trainer), best_epoch_of(tuned)
    if first is not None and best is not None:
        best.go_on_from(first)
    if rank() == 0:
        whence = "the last epoch" if first is None or first.epoch < 0 else f"epoch {first.epoch + 1}"
        print(
            f"{label}fine-tuning without augmentation, from {whence}, learning rate {optimizer.lr:g}", file=sys.stderr
        )
    fit(tuned, second, folder.finetuning)
    if rank() == 0 and best is not None and best.epoch < 0:
        print(f"{label}fine-tuning found nothing better on validation: the weights of before are kept", file=sys.stderr)
    return {
        "lr": optimizer.lr,
        "epochs": tuned.current_epoch,
        "steps": tuned.global_step,
        "best_epoch": None if best is None or best.epoch < 0 else best.epoch + 1,
        "validation_loss": best.loss if best is not None and math.isfinite(best.loss) else None,
        **({} if best is None or best.monitor is None or best.loss == math.inf else {best.monitor.key: best.best}),
    }


def load_best_of_both(plan: TrainingPlan, folder: RunFolder) -> None:
    """The weights of the phase that validated best."""
    load_best(plan.model, folder.finetuning if folder.finetuning.best.is_file() else folder)


def _without_augmentation(plan: TrainingPlan, optimizer: dict[str, Any]) -> TrainingPlan:
    """The same data, model and objectives, trained otherwise."""
    config = {**plan.config, "strand": plan.strand, "augmentation": None, "optimizer": optimizer}
    second = TrainingPlan.of(config, plan.source)
    second.model, second.loss = plan.model, plan.loss
    return second
