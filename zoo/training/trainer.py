"""Lightning's Trainer as we use it: our checkpoints, our signals, gradients that are summed, and less noise."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count

import lightning.pytorch as pl
import torch
from lightning.fabric.plugins.environments import ClusterEnvironment
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from lightning.pytorch.plugins.environments import LightningEnvironment, SLURMEnvironment, TorchElasticEnvironment
from lightning.pytorch.strategies import DDPStrategy

from zoo.errors import ConfigError, need
from zoo.training.callbacks import BestEpoch, EpochProgress, Interrupted, Signals
from zoo.training.distributed import launcher, share_tensors, world
from zoo.training.module import TrainingModule
from zoo.training.resume import Checkpoints
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings
from zoo.training.weight_average import WeightAverage

_EXPECTED = (
    "Experiment logs directory",
    "The number of training batches",
    "The `srun` command is available",
    "GPU available but not used",
    "isinstance.treespec, LeafSpec",
    "You defined a `validation_step` but have no",
    "It is recommended to use .self.log",  # every process logs the sum over all of them
)


class SummedGradients(DDPStrategy):
    """Several processes whose gradients the module sums itself, once a step.

    Torch's wrapper would average over processes, and expects every process to have rows.
    """

    def configure_ddp(self) -> None:
        """Equal weights everywhere, and no wrapper."""
        if self.model is not None:
            share_tensors(self.model.state_dict().values())


def fit(trainer: pl.Trainer, module: TrainingModule, folder: RunFolder) -> None:
    """Train, from the folder's checkpoint on if there is one."""
    with _quiet(), _handlers_given_back(), torch.random.fork_rng():
        try:
            trainer.fit(
                module,
                train_dataloaders=module.train_loader,
                val_dataloaders=module.validation_loader,
                ckpt_path=folder.last if folder.last.is_file() else None,
                weights_only=True,
            )
        except Interrupted:
            raise
        except SystemExit as error:  # Lightning's answer to a signal before the first step
            raise Interrupted(signal.SIGTERM if trainer.received_sigterm else signal.SIGINT) from error


def trial(
    settings: TrainerSettings, module: TrainingModule, clock: Callback, steps: int, validation_steps: int
) -> None:
    """Some steps and some batches of validation on one device; nothing is logged or kept but in the weights."""
    with _quiet(), _handlers_given_back(), torch.random.fork_rng():
        trainer = pl.Trainer(
            accelerator=settings.accelerator,
            devices=1,
            plugins=[LightningEnvironment()],
            precision=settings.precision,
            max_epochs=1,
            limit_train_batches=min(steps, len(module.train_loader)),
            limit_val_batches=validation_steps,
            callbacks=[clock],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        trainer.fit(module, train_dataloaders=module.train_loader)
        if module.validation_loader is not None:
            trainer.validate(module, dataloaders=module.validation_loader, verbose=False)


def make_trainer(
    settings: TrainerSettings,
    folder: RunFolder,
    module: TrainingModule,
    further: Iterable[Callback] = (),
    label: str = "",
) -> pl.Trainer:
    """A Trainer for one network.  further: callbacks behind our own.  label: stands before its epochs on stderr."""
    validate = module.validation_loader is not None
    plateau = module.settings.schedule == "plateau"
    checkpoints = Checkpoints(folder.last, settings.checkpoint_every)
    callbacks = [
        *([BestEpoch(folder.best, settings.patience, plateau, module.monitor)] if validate else []),
        *([WeightAverage(settings.ema)] if settings.ema else []),  # the best epoch is saved before the weights return
        checkpoints,
        Signals(checkpoints, folder.run),
        EpochProgress(settings.bar and sys.stderr.isatty(), label),
        *further,
    ]
    with _quiet():
        return pl.Trainer(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy=SummedGradients() if settings.processes > 1 else "auto",
            plugins=[_environment(settings)],
            precision=settings.precision,
            max_epochs=settings.max_epochs,
            callbacks=callbacks,
            logger=_logger(settings, folder),
            log_every_n_steps=settings.log_every,
            limit_val_batches=None if validate else 0,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=folder.path,
        )


def _environment(settings: TrainerSettings) -> ClusterEnvironment:
    """Who started the processes; one process alone needs nobody, even inside a SLURM job."""
    if settings.processes == 1:
        return LightningEnvironment()
    if launcher() in ("torchrun", "slurm") and world() != settings.processes:
        raise ConfigError(
            f"{launcher()} started {world()} processes, but trainer.devices={settings.devices} and "
            f"trainer.nodes={settings.nodes} ask for {settings.processes}: start one process for every device"
        )
    if launcher() == "torchrun":
        return TorchElasticEnvironment()
    if launcher() == "slurm" and SLURMEnvironment.detect():
        return SLURMEnvironment(auto_requeue=False)
    return LightningEnvironment()


def _logger(settings: TrainerSettings, folder: RunFolder) -> Logger | bool:
    if settings.logger == "none":
        return False
    if settings.logger == "csv":
        return CSVLogger(folder.path, name="", version=_free_name(folder))
    need("trainer.logger=tensorboard", "tensorboard")
    return TensorBoardLogger(folder.path, name="", version="logs")


def _free_name(folder: RunFolder) -> str:
    """logs; logs_2 and so on for a run that goes on, since the logger empties a folder that it finds."""
    logs = folder.logs.name
    names = (f"{logs}_{i}" if i > 1 else logs for i in count(1))
    return next(name for name in names if not (folder.path / name).exists())


@contextmanager
def _handlers_given_back() -> Iterator[None]:
    before = {s: signal.getsignal(s) for s in signal.Signals if s.name in ("SIGINT", "SIGTERM", "SIGUSR1")}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, handler in before.items():
                signal.signal(signum, handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's tips and device lists; its warnings about what we do on purpose are dropped too."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for about in _EXPECTED:
                warnings.filterwarnings("ignore", message=f".*{about}")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
