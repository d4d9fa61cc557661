"""Batches that know where they are: the same examples in the same order after a kill, and on any number of processes.

    for batch in Loader(source.examples("train"), batch_size=64, seed=0, shuffle=True): ...

The order of a pass over the split is drawn from (seed, pass), the augmentation of an example from (seed, pass, index);
an epoch is one pass, or several of a small split.
There are no worker processes: a batch is one gather, and one thread makes the next while this one is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from zoo.data.source import Examples, Source
from zoo.errors import ConfigError
from zoo.training.evolution import AugmentationSettings, evolve
from zoo.training.settings import TrainerSettings
from zoo.training.splitmix import draw
from zoo.training.task_sizes import balanced_weights

REVERSE = "augment/reverse"
"""(N,) bool: examples to read from the other strand."""
START = "augment/start"
"""(N,) int64: bp from the first base of the widened window to the first base that is kept."""


class Loader:
    """One batch after another as {key: tensor (N, ...)}; every `iter` is an epoch, or what is left of one.

    batch_size: examples of one batch over all processes together.
    shuffle: a new order every epoch, drawn with the examples' sampling weights where they have some;
        otherwise the order given, without augmentation.
    reverse: draw whether an example is read from the other strand.
    shift: bp an example may be moved by to either side, in steps of `step` bp.
    epoch_steps: batches of an epoch, about; a split that makes fewer is passed over the nearest number of times, each
        time in a new order and with new augmentation.
    augmentation: how else its sequence is changed, flanks for the shift included.
    weights: (n,) sampling weights in place of the examples' own.
    pin: put batches into memory that a GPU copies from directly.
    mix_lengths: a training batch is drawn from examples of all lengths, and is a list of batches of one length each
        where it meets several.  Without it a batch holds examples of one length, and the few of a rare length make a
        small batch, in which each of them counts for many.

    Over several processes each takes every world-th row of the same batch, so that all take equally many steps,
    nothing is padded and no example is seen twice; a share may be empty.  `state_dict` counts the batches handed out,
    not those prepared.
    """

    def __init__(
        self,
        examples: Examples,
        *,
        batch_size: int,
        seed: int = 0,
        shuffle: bool = False,
        reverse: bool = False,
        shift: int = 0,
        step: int = 1,
        epoch_steps: int = 0,
        augmentation: AugmentationSettings | None = None,
        weights: np.ndarray | None = None,
        pin: bool = False,
        mix_lengths: bool = False,
    ):
        self.weights = examples.weights if weights is None else weights
        self.examples, self.batch_size, self.seed, self.shuffle = examples, batch_size, seed, shuffle
        self.reverse, self.shift, self.step, self.pin = reverse, shift, step, pin
        self.augmentation = augmentation or AugmentationSettings()
        self.rank, self.world = 0, 1
        self._epoch, self._batch = 0, 0
        self._lengths = np.zeros(len(examples), int) if mix_lengths and shuffle else np.asarray(examples.lengths)
        self.passes = max(1, round(epoch_steps / max(1, len(self._pass(0)))))
        self._n_batches = len(self._plan(0)) if self.weights is None else None

    def shard(self, rank: int, world: int) -> None:
        """Hand out the share of process `rank` of `world`."""
        self.rank, self.world = rank, world

    def __len__(self) -> int:
        """Batches of an epoch; with sampling weights over several lengths, of the epoch at hand."""
        return self._n_batches if self._n_batches is not None else len(self._plan(self._current()[0]))

    @property
    def rows(self) -> int:
        """Examples of an epoch, counted as often as they are shown."""
        return len(self.examples) * self.passes

    def __iter__(self) -> Iterator[dict[str, Tensor] | list[dict[str, Tensor]]]:
        self._epoch, self._batch = self._current()
        plan = self._plan(self._epoch)
        with ThreadPoolExecutor(1, thread_name_prefix="zoo-loader") as thread:
            ahead = None
            while self._batch < len(plan):
                ready = ahead or thread.submit(self._gather, plan[self._batch])
                following = self._batch + 1
                ahead = thread.submit(self._gather, plan[following]) if following < len(plan) else None
                batch = ready.result()
                self._batch = following
                yield batch

    def state_dict(self) -> dict[str, int]:
        """Where we are: the epoch, and how many of its batches were handed out."""
        return {"epoch": self._epoch, "batch": self._batch}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there at the next `iter`."""
        self._epoch, self._batch = int(state["epoch"]), int(state["batch"])

    def _current(self) -> tuple[int, int]:
        """Epoch and batch that the next `iter` begins with."""
        if self._batch and self._batch >= len(self._plan(self._epoch)):
            return self._epoch + 1, 0
        return self._epoch, self._batch

    def _plan(self, epoch: int) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """The epoch's batches over all processes: (pass over the split, indices, keys of their augmentation)."""
        passes = range(epoch * self.passes, (epoch + 1) * self.passes)
        return [(i, *batch) for i in passes for batch in self._pass(i)]

    def _pass(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The batches of the pass `number` over the split."""
        n = len(self.examples)
        keys = order = np.arange(n)
        if self.shuffle:
            generator = np.random.default_rng([self.seed, number])
            weights = self.weights
            if weights is None:
                keys = order = generator.permutation(n)
            else:
                weights = np.asarray(weights, np.float64)
                order = generator.choice(n, n, p=weights / weights.sum())
        plan = []
        for length in np.unique(self._lengths[order]) if n else ():
            at = np.flatnonzero(self._lengths[order] == length)
            plan += [at[i : i + self.batch_size] for i in range(0, len(at), self.batch_size)]
        if self.shuffle and len(np.unique(self._lengths)) > 1:
            plan = [plan[i] for i in generator.permutation(len(plan))]
        return [(order[at], keys[at]) for at in plan]

    def _gather(self, planned: tuple[int, np.ndarray, np.ndarray]) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        number, indices, keys = planned[0], planned[1][self.rank :: self.world], planned[2][self.rank :: self.world]
        lengths = np.asarray(self.examples.lengths)[indices]
        if len(np.unique(lengths)) < 2:
            return self._gather_rows(number, indices, keys, planned)
        parts = (lengths == length for length in np.unique(lengths))
        return [self._gather_rows(number, indices[at], keys[at], planned) for at in parts]

    def _gather_rows(
        self, number: int, indices: np.ndarray, keys: np.ndarray, planned: tuple[int, np.ndarray, np.ndarray]
    ) -> dict[str, Tensor]:
        """Rows of one length; of none, a batch of no rows with the keys of the planned one."""
        empty = len(indices) == 0
        if empty:
            indices, keys = planned[1][:1], planned[2][:1]
        margin = self.shift - self.shift % self.step if self.shuffle else 0
        # Sources may reuse their buffers, and the next batch is made while this one is used: hence the copy.
        batch = {k: torch.from_numpy(np.array(v)) for k, v in self.examples.batch(indices, margin=margin).items()}
        batch["index"] = torch.from_numpy(np.array(indices, np.int64))
        if self.shuffle and (self.reverse or margin or self.augmentation.kinds):
            drawn = draw(self.seed, number, keys)
            if self.augmentation.kinds and ("codes" in batch or not self.augmentation.scalar_only):
                if "codes" not in batch:
                    raise ConfigError("these data have no sequences as codes to change: set augmentation=none")
                batch["codes"] = torch.from_numpy(evolve(batch["codes"].numpy(), drawn, self.augmentation))
            if self.reverse:
                batch[REVERSE] = torch.from_numpy((drawn & np.uint64(1)).astype(bool))
            if margin:
                steps = (drawn >> np.uint64(1)) % np.uint64(2 * margin // self.step + 1)
                batch[START] = torch.from_numpy(steps.astype(np.int64) * self.step)
        if empty:
            batch = {k: v[:0] for k, v in batch.items()}
        return {k: v.pin_memory() for k, v in batch.items()} if self.pin else batch


def make_loaders(
    source: Source,
    settings: TrainerSettings,
    *,
    seed: int,
    reverse: bool,
    step: int,
    augmentation: AugmentationSettings,
    mix_lengths: bool,
) -> tuple[Loader, Loader | None]:
    """Of the training split, and of the validation split where it has examples.

    reverse, step, augmentation, mix_lengths: as in `Loader`.
    Raises ConfigError where there is nothing to train on, or too little flank for the shift.
    """
    examples, held_out = source.examples("train"), source.examples("validation")
    if not len(examples):
        raise ConfigError("the training split is empty: look at the data's splits")
    if settings.shift > examples.margin:
        raise ConfigError(
            f"trainer.shift is {settings.shift} bp but these examples have {examples.margin} bp of flank: "
            f"set trainer.shift={examples.margin}"
        )
    shared = {"batch_size": settings.batch_size, "seed": seed, "pin": settings.accelerator != "cpu"}
    balanced = balanced_weights(examples, source.targets) if settings.sampling == "tasks" else None
    train = Loader(
        examples,
        weights=balanced,
        shuffle=True,
        reverse=reverse,
        shift=settings.shift,
        step=step,
        epoch_steps=settings.epoch_steps,
        augmentation=augmentation,
        mix_lengths=mix_lengths,
        **shared,
    )
    return train, Loader(held_out, **shared) if len(held_out) else None
