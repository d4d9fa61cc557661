"""The losses of a training run, epoch by epoch, from the files its logger left.

RUN/logs/metrics.csv, RUN/logs_2/metrics.csv of a run that went on -> one history -> a picture
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.pictures.curves import draw_losses
from zoo.report.section import Picture, Subject, Text
from zoo.terminal.printable import printable

MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class History:
    """Losses of a run.

    steps, train: (m,) logged optimiser steps and the training loss at each.
    ends, validation: (k,) steps at the end of each epoch and the validation loss there; epochs: (k,) counted from 1.
    parts: names of the terms that the training loss adds up.
    """

    steps: np.ndarray
    train: np.ndarray
    ends: np.ndarray
    epochs: np.ndarray
    validation: np.ndarray
    parts: tuple[str, ...]

    def train_by_epoch(self) -> tuple[np.ndarray, np.ndarray]:
        """(epochs, mean of the losses that were logged within each)."""
        at = np.searchsorted(self.ends, self.steps)
        kept = [i for i in range(len(self.ends)) if (at == i).any()]
        return self.epochs[kept], np.array([self.train[at == i].mean() for i in kept])


def training(subject: Subject) -> Iterator[Text | Picture]:
    """Losses of training and validation by epoch, where the model is from a run folder that holds its logs."""
    if subject.run is None:
        return
    history = read_history(subject.run)
    if history is None:
        several = (subject.run / "members").is_dir()
        reason = "those of its networks stand in members/*/logs" if several else "its logger was not csv"
        yield Text(f"The run's folder holds no losses by epoch ({reason}).")
        return
    if not len(history.ends):
        yield Picture(
            draw_losses([("training", history.steps, history.train)], unit="step"),
            f"Training loss over {int(history.steps[-1]):,} steps; there was no validation.",
            "Loss while the model was trained; there was no validation split to judge it by.",
        )
        return
    epochs, means = history.train_by_epoch()
    best, reason = _kept(history, subject.model.spec.training)
    named = [("training", epochs, means), ("validation", history.epochs, history.validation)]
    caption = (
        f"Loss by epoch, lower is better. Training: mean of the steps that were logged within the epoch, while the "
        f"weights still changed; validation: all examples of the split at the epoch's end. The weights of epoch {best} "
        f"were kept, where the validation {reason}{_finetuning(subject)}."
    )
    loss = history.validation[history.epochs == best][0]
    last = f"validation loss {loss:.4g} at epoch {best} of {int(history.epochs[-1])}"
    if len(history.parts) > 1:  # The losses add up different terms: one axis would compare what cannot be compared.
        for curve in named:
            yield Picture(
                draw_losses([curve], best=best),
                f"Loss of {curve[0]} by epoch; {last}.",
                f"{curve[0].capitalize()}. {caption}",
            )
        return
    yield Picture(draw_losses(named, best=best), f"Losses of training and validation by epoch; {last}.", caption)


def _kept(history: History, trained: Mapping[str, Any]) -> tuple[int, str]:
    """The epoch whose weights were kept, and why: for the least loss, or for the metric that was monitored."""
    metrics = [key.removeprefix("validation_") for key in trained if key.startswith("validation_")]
    metric, epoch = next((name for name in metrics if name != "loss"), None), trained.get("best_epoch")
    if metric is not None and isinstance(epoch, int) and epoch in history.epochs:
        return epoch, f"{printable(metric)} is best"
    return int(history.epochs[np.argmin(history.validation)]), "loss is least"


def _finetuning(subject: Subject) -> str:
    """What came after the phase with augmentation, "" where nothing did; its losses stand in a folder of their own."""
    tuned = subject.model.spec.training.get("finetuning")
    if not isinstance(tuned, dict) or not isinstance(tuned.get("epochs"), int):
        return ""
    after = f", and {tuned['epochs']} more epochs without augmentation, which are not drawn, "
    if isinstance(tuned.get("best_epoch"), int) and isinstance(tuned.get("validation_loss"), float):
        return after + f"went on from them to a validation loss of {tuned['validation_loss']:.4g}"
    return after + "found nothing better"


def read_history(run: Path) -> History | None:
    """None where no CSV of the run holds a training loss; a row that cannot be read is passed over."""
    train: dict[int, float] = {}
    validation: dict[int, tuple[int, float]] = {}
    parts: dict[str, None] = {}
    for path in _files(run):
        rows = list(_rows(path))
        # A run that went on from a checkpoint did some steps again: what it did last counts.
        begin = min((step for step, _, _ in rows), default=0)
        train = {step: loss for step, loss in train.items() if step < begin}
        validation = {step: seen for step, seen in validation.items() if step < begin}
        for step, epoch, row in rows:
            if (loss := _number(row.get("train/loss"))) is not None:
                train[step] = loss
            if epoch is not None and (loss := _number(row.get("validation_loss"))) is not None:
                validation[step] = (epoch, loss)
            parts |= dict.fromkeys(k for k in row if k and k.startswith("train/") and k != "train/loss")
    if not train:
        return None
    steps, ends = sorted(train), sorted(validation)
    return History(
        np.array(steps),
        np.array([train[s] for s in steps]),
        np.array([s + 1 for s in ends]),  # the logger counts the epoch's last step from 0, our losses from 1
        np.array([validation[s][0] + 1 for s in ends]),
        np.array([validation[s][1] for s in ends]),
        tuple(parts),
    )


def _files(run: Path) -> list[Path]:
    """logs, logs_2, ... in the order of time."""
    found = []
    for path in run.glob("logs*/metrics.csv"):
        _, _, number = path.parent.name.partition("_")
        if path.parent.name == "logs" or number.isdigit():
            found.append((int(number or 1), path))
    return [path for _, path in sorted(found) if path.stat().st_size <= MOST_BYTES]


def _rows(path: Path) -> Iterator[tuple[int, int | None, dict[str, str]]]:
    """(step, epoch, cells) of every row that has a step."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            step, epoch = _number(row.get("step")), _number(row.get("epoch"))
            if step is not None:
                yield int(step), None if epoch is None else int(epoch), row


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None
