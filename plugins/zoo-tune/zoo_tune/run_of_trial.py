"""A trial's training: an ordinary run, watched epoch by epoch, and what came of it.

run_trial(study, trial, source, watch) -> trial.status: ok, pruned, stopped or failed
"""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable
from typing import Any

from lightning.pytorch.callbacks import Callback

from zoo.data.source import Source
from zoo.errors import ZooError
from zoo.training.run import train
from zoo.training.run_folder import RunFolder
from zoo_tune.study import Study, log_of
from zoo_tune.trial import Trial

Verdict = Callable[[int, float], tuple[str, str] | None]
"""(epoch, validation loss) -> None to go on, or the status and the reason that end the trial."""


class TrialEnd(Exception):
    """A trial ends before its training does."""

    def __init__(self, status: str, reason: str):
        super().__init__(reason)
        self.status, self.reason = status, reason


class LossByEpoch(Callback):
    """Notes the validation loss after every epoch's checkpoint, and ends the run where `verdict` says so."""

    def __init__(self, trial: Trial, verdict: Verdict):
        self.trial, self.verdict = trial, verdict

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """The last epoch of a run ends it anyway."""
        epoch, loss = trainer.current_epoch + 1, float(trainer.callback_metrics["validation_loss"])
        self.trial.losses[epoch] = loss
        self.trial.save()
        is_last = trainer.should_stop or epoch >= trainer.max_epochs
        end = None if is_last else self.verdict(epoch, loss)
        if end is not None:
            raise TrialEnd(*end)


def run_trial(study: Study, trial: Trial, source: Source, verdict: Verdict) -> None:
    """Train, from the trial's checkpoint on if there is one; the record says how it ended.

    source: without its test split.
    Raises KeyboardInterrupt and SystemExit for a signal, after which the record says `stopped`.
    """
    since, trial.status, trial.reason = time.monotonic(), "running", ""
    trial.save()
    try:
        with log_of(trial):
            if not RunFolder(trial.folder).is_finished:
                train(study.config_of(trial), source=source, callbacks=[LossByEpoch(trial, verdict)])
        trial.validation_loss = _kept_loss(trial)
        trial.status = "ok"
        if trial.validation_loss is None:
            trial.status, trial.reason = "failed", "no epoch had a validation loss that is a number"
    except TrialEnd as end:
        trial.status, trial.reason = end.status, end.reason
    except (KeyboardInterrupt, SystemExit):
        trial.status, trial.reason = "stopped", "a signal ended it"
        raise
    except Exception as error:
        trial.status, trial.reason = "failed", _sentence(error)
        with log_of(trial):
            traceback.print_exc()
    finally:
        trial.seconds += time.monotonic() - since
        trial.save()


def _kept_loss(trial: Trial) -> float | None:
    """The validation loss of the weights in the run's model folder, as its card says it."""
    config = RunFolder(trial.folder).model / "config.json"
    loss = json.loads(config.read_text(encoding="utf-8"))["training"].get("validation_loss")
    return float(loss) if loss is not None and math.isfinite(loss) else None


def _sentence(error: Exception) -> str:
    text = str(error) if isinstance(error, ZooError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:500]
