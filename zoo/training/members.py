"""The networks of a run: one, or several that differ in their seed alone and become one `Ensemble`.

plan -> source, built once -> for every seed: fresh weights -> fit, finetune -> weights of the best epoch -> one model
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import torch
from lightning.pytorch.callbacks import Callback

from zoo.layers.channels_last import in_channels_last
from zoo.model import Model
from zoo.training.adapters import merge_adapters, tune_settings
from zoo.training.distributed import rank
from zoo.training.fine_tuning import base_of
from zoo.training.phases import finetune, load_best_of_both
from zoo.training.plan import TrainingPlan
from zoo.training.provenance import describe_training
from zoo.training.publication import join
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings, member_seeds
from zoo.training.trainer import fit, make_trainer


def train_members(
    plan: TrainingPlan, settings: TrainerSettings, folder: RunFolder, callbacks: Sequence[Callback] = ()
) -> Model | None:
    """Train the networks of a run one after another; the model that they are, None on all processes but the first.

    A member's seed draws its first weights, the order of its batches, their augmentation and dropout.  The data, with
    their splits and negatives, are those of the run's own seed, and all members share them.  Members that are trained
    already are loaded from their checkpoints.  callbacks: for every network's trainer, without that of a fine-tuning.
    """
    seeds = member_seeds(plan.config)
    if len(seeds) == 1:
        return _train(plan, settings, folder, callbacks)
    members = []
    for i, (seed, part) in enumerate(zip(seeds, folder.parts(len(seeds)), strict=True)):
        source = plan.source
        torch.manual_seed(seed)
        member = TrainingPlan.of({**plan.config, "seed": seed, "members": 1, "strand": plan.strand}, source)
        member.strand_reason = plan.strand_reason
        members.append(_train(member, settings, part, callbacks, f"member {i + 1}/{len(seeds)}  ", first=i == 0))
    trained = [member for member in members if member is not None]
    return join(trained, trained[0].spec.name) if trained else None


def _train(
    plan: TrainingPlan,
    settings: TrainerSettings,
    folder: RunFolder,
    callbacks: Sequence[Callback],
    label: str = "",
    first: bool = True,
) -> Model | None:
    """One network with the weights of its best epoch, on the CPU, in eval mode."""
    _, model, module = plan.source, plan.model, plan.module(settings)
    if first and (lines := plan.summary()) and rank() == 0:
        print(*lines, sep="\n", file=sys.stderr)
    trainer = make_trainer(settings, folder, module, callbacks, label)
    since = time.monotonic()
    with in_channels_last(model, settings.accelerator == "cpu"):
        fit(trainer, module, folder)
        finetuning = finetune(plan, settings, folder, module, trainer, label)
    if not trainer.is_global_zero:
        return None
    load_best_of_both(plan, folder)
    config = {**plan.config, "strand": plan.strand}
    describe_training(model, config, settings, module, trainer, time.monotonic() - since, finetuning)
    if plan.published is not None and tune_settings(plan.config):
        merge_adapters(model, base_of(plan.config, plan.published))
    return model
