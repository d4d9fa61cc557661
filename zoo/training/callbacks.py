"""What happens beside the steps: the best epoch, signals, and what a person sees."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from zoo.terminal.progress import progress_bar
from zoo.training.monitor import Monitor
from zoo.training.resume import Checkpoints, save_weights


class Interrupted(SystemExit):
    """Training was told to stop by a signal; the exit code is the shell's, 128 + its number."""

    def __init__(self, signum: int):
        super().__init__(128 + signum)


class BestEpoch(Callback):
    """Keeps the weights of the lowest validation loss, and stops after `patience` epochs without a lower one.

    monitor: the metric that takes the place of the loss.
    best: its value, or the loss, in the best epoch; loss: the loss in that epoch.
    """

    def __init__(self, path: Path, patience: int, plateau: bool = False, monitor: Monitor | None = None):
        self.path, self.patience, self.plateau, self.monitor = path, patience, plateau, monitor
        self.sign = 1 if monitor is None or monitor.lower_is_better else -1
        self.best, self.loss, self.epoch, self.waited = self.sign * math.inf, math.inf, -1, 0

    def on_validation_end(self, trainer: pl.Trainer, module: Any) -> None:
        """Compare and, on the first process, write."""
        loss = float(trainer.callback_metrics["validation_loss"])
        value = loss if self.monitor is None else float(trainer.callback_metrics[self.monitor.key])
        if self.sign * value < self.sign * self.best:
            self.best, self.loss, self.epoch, self.waited = value, loss, trainer.current_epoch, 0
            if trainer.is_global_zero:
                save_weights(module.model, self.path)
            return
        self.waited += 1
        if self.plateau and self.waited % max(1, self.patience // 2) == 0:
            module.reductions += 1
        self._stop_if_due(trainer)

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """A run that was killed after its last epoch has nothing left to do."""
        self._stop_if_due(trainer)

    def go_on_from(self, earlier: BestEpoch) -> None:
        """Keep only what is better than an earlier phase's best."""
        self.best, self.loss = earlier.best, earlier.loss

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "loss": self.loss, "epoch": self.epoch, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.epoch, self.waited = state["best"], state["epoch"], state["waited"]
        self.loss = state.get("loss", self.best)

    def _stop_if_due(self, trainer: pl.Trainer) -> None:
        if self.patience and self.waited >= self.patience:
            trainer.should_stop = True


def best_epoch_of(trainer: pl.Trainer) -> BestEpoch | None:
    """The callback of a trainer that validates."""
    callbacks = getattr(trainer, "callbacks")  # noqa: B009  # Lightning sets it in a connector
    return next((callback for callback in callbacks if isinstance(callback, BestEpoch)), None)


class Signals(Callback):
    """SIGTERM, SIGINT and, under SLURM, SIGUSR1: finish the step, write a checkpoint, leave with the right exit code.

    All processes leave after the same step.  A second SIGINT leaves at once.  After SIGUSR1 the job is queued
    again (`scontrol requeue`).
    """

    def __init__(self, checkpoints: Checkpoints, run: Path):
        self.checkpoints, self.run = checkpoints, run

    def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Replace Lightning's own handlers, which are there by now.

        They would end the run with exit code 0, and talk to the other processes in mid-step.
        """
        for signum in (signal.SIGTERM, signal.SIGINT, *([signal.SIGUSR1] if "SLURM_JOB_ID" in os.environ else ())):
            try:
                signal.signal(signum, lambda number, frame: self._note(module, number))
            except ValueError:  # not in the main thread: signals are somebody else's
                return

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """The processes agreed at this step's start."""
        if module.stop_signal and batch_idx + 1 < trainer.num_training_batches:
            self.checkpoints.save(trainer)
            self._leave(trainer, module.stop_signal)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        """The epoch's checkpoint is there."""
        if module.stop_signal:
            self._leave(trainer, module.stop_signal)

    def _note(self, module: Any, signum: int) -> None:
        if signum == signal.SIGINT and module.received_signal:
            raise Interrupted(signum)
        module.received_signal = signum

    def _leave(self, trainer: pl.Trainer, signum: int) -> None:
        if trainer.is_global_zero:
            print(f"stopped at step {trainer.global_step:,}; go on with: zoo train resume={self.run}", file=sys.stderr)
            if signum == getattr(signal, "SIGUSR1", None) and os.environ.get("SLURM_JOB_ID", "").isdigit():
                subprocess.run(["scontrol", "requeue", os.environ["SLURM_JOB_ID"]], check=False)
        raise Interrupted(signum)


class EpochProgress(Callback):
    """One line an epoch on stderr, and with `bar`, below the lines, a bar for the sequences of the epoch at hand."""

    def __init__(self, bar: bool, label: str = ""):
        self._with_bar, self._label, self._bar, self._since = bar, label, None, time.monotonic()

    def on_train_epoch_start(self, trainer: pl.Trainer, module: Any) -> None:
        """Start the clock and an empty bar."""
        self._since = time.monotonic()
        if self._with_bar and trainer.is_global_zero:
            bar = progress_bar(module.train_loader.rows, label=self._epoch(trainer), unit="sequences")
            self._bar = bar.__enter__()

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """The bar counts the sequences of all processes."""
        if self._bar is not None:
            done = min((batch_idx + 1) * module.train_loader.batch_size, module.train_loader.rows)
            self._bar.label = f"{self._epoch(trainer)}  loss {module.last_loss:.4f}"
            self._bar.update(done - self._bar.pos)

    def on_train_epoch_end(self, trainer: pl.Trainer, module: Any) -> None:
        """The bar goes; losses, n and seconds stay."""
        self._stop()
        loss = module.epoch_loss()
        if not trainer.is_global_zero:
            return
        validation = trainer.callback_metrics.get("validation_loss")
        validated = "" if validation is None else f"  validation {float(validation):.4f}"
        if module.monitor is not None and validation is not None:
            validated += f"  {module.monitor.name} {float(trainer.callback_metrics[module.monitor.key]):.4f}"
        passes, seconds = module.train_loader.passes, time.monotonic() - self._since
        n = f"{len(module.train_loader.examples):,}{f' x {passes}' if passes > 1 else ''}"
        print(f"{self._epoch(trainer)}  loss {loss:.4f}{validated}  (n {n}, {seconds:.1f} s)", file=sys.stderr)

    def teardown(self, trainer: pl.Trainer, module: Any, stage: str) -> None:
        """Give the terminal back, after an error too."""
        self._stop()

    def on_exception(self, trainer: pl.Trainer, module: Any, exception: BaseException) -> None:
        """As `teardown`."""
        self._stop()

    def _epoch(self, trainer: pl.Trainer) -> str:
        return f"{self._label}epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
