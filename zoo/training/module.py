"""The Lightning module: one optimiser step from one batch, whatever the micro-batches and processes.

batch -> shift, reverse -> weights of all rows -> for every micro-batch: forward, backward of sum / weight
      -> gradients summed over the processes -> clip -> step
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from zoo.fields import Field
from zoo.model import Model
from zoo.training.augment import augment, crop_targets
from zoo.training.distributed import add_up, gather_rows, is_parallel, share_gradients, share_tensors
from zoo.training.loader import Loader
from zoo.training.loss import Terms
from zoo.training.monitor import Monitor
from zoo.training.optimizer import OptimizerSettings, make_optimizer
from zoo.training.schedule import rate_factor

_CACHE = 2_500_000
"""Bytes of one layer's activations that a core's caches hold beside its weights."""


class TrainingModule(pl.LightningModule):
    """Trains a model on the sum over parts of `coefficient * sum / weight`.

    Sums and weights run over all rows of the batch, on every process, before they are divided; so the gradient
    does not depend on how the batch is cut.

    fields: of every key of a batch that moves with the sequence.
    micro_rows: rows of a batch that are computed at a time.
    gradient_clip: largest norm of the gradient, None for no limit.
    in_eval: modules of the model that stay in eval mode.
    monitor: the metric that the validation gives beside the loss.
    """

    def __init__(
        self,
        model: Model,
        terms: Terms,
        *,
        optimizer: OptimizerSettings,
        fields: Mapping[str, Field],
        train: Loader,
        validation: Loader | None,
        micro_rows: int,
        total_steps: int,
        seed: int = 0,
        gradient_clip: float | None = None,
        in_eval: Sequence[nn.Module] = (),
        monitor: Monitor | None = None,
    ):
        super().__init__()
        self.automatic_optimization = False
        self.model, self.terms = model, terms
        self.settings, self.fields = optimizer, dict(fields)
        self.train_loader, self.validation_loader = train, validation
        self.micro_rows, self.total_steps, self.seed = micro_rows, total_steps, seed
        self.gradient_clip, self.in_eval, self.monitor = gradient_clip, tuple(in_eval), monitor
        self.margin = train.shift - train.shift % train.step
        self.reductions = 0
        self.last_loss = float("nan")
        self.losses: dict[str, float] = {}
        self.received_signal = self.stop_signal = 0
        self._epoch_losses: list[Tensor] = []
        self._validation: dict[str, Tensor] = {}

    def setup(self, stage: str) -> None:
        """Every process takes its share of the batches."""
        for loader in (self.train_loader, self.validation_loader):
            if loader is not None:
                loader.shard(self.global_rank, self.trainer.world_size)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimiser alone: the learning rate is a function of the step."""
        return make_optimizer(self.settings, [p for p in self.parameters() if p.requires_grad])

    def training_step(self, batch: dict[str, Tensor] | list[dict[str, Tensor]], batch_idx: int) -> None:
        """One step, of one batch or of one for every length of its rows.

        The random numbers of dropout are a function of (seed, step, process).
        """
        torch.manual_seed((self.seed * 1_000_003 + self.global_step) * 1_009 + self.global_rank)
        for frozen in self.in_eval:
            frozen.eval()
        batches = [
            crop_targets(augment(rows, self.fields, self.margin), self.fields, self.model.spec)
            for rows in (batch if isinstance(batch, list) else [batch])
        ]
        optimizer = self._optimizer_at_step()
        self.terms.at_step(self.global_step, self.total_steps)
        optimizer.zero_grad()
        weights = self._weights_of_all_rows(batches)
        sums = self._accumulate_gradients(batches, weights)
        self._own_gradients_once()
        trained = [p for group in optimizer.param_groups for p in group["params"]]
        share_gradients(trained)
        if self.gradient_clip:
            torch.nn.utils.clip_grad_norm_(trained, self.gradient_clip)
        optimizer.step()
        self._note(add_up(sums, self.device))

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Adds this batch's sums and weights to those of the whole split."""
        batch = crop_targets(batch, self.fields, self.model.spec)
        for rows in self._micro_batches(batch):
            for part, (value, weight) in self._parts(rows, self.monitor).items():
                for what, x in (("sum", value), ("weight", weight)):
                    key = f"{what} {part}"
                    self._validation[key] = self._validation.get(key, 0) + x.detach().double()

    def on_validation_epoch_start(self) -> None:
        """Every process judges with the same running statistics."""
        self._validation = {}
        if self.monitor is not None:
            self.monitor.begin()
        share_tensors(self.model.buffers())

    def on_validation_epoch_end(self) -> None:
        """Logs the loss of every part over all rows, and their sum over the parts that fit a head."""
        added = add_up(dict(sorted(self._validation.items())), self.device)
        losses = {
            key.removeprefix("sum "): float(value / weight) if (weight := added[f"weight {key[4:]}"]) > 0 else 0.0
            for key, value in added.items()
            if key.startswith("sum ")
        }
        self.losses = losses
        main = [part for part in losses if self.terms.term(part).is_main] or list(losses)
        loss = sum(self.terms.term(part).coefficient * losses[part] for part in main)
        self.log("validation_loss", torch.tensor(loss, dtype=torch.float64), prog_bar=True)
        for part, value in losses.items():
            self.log(f"validation/{part}", torch.tensor(value, dtype=torch.float64))
        if self.monitor is not None:
            self.log(self.monitor.key, torch.tensor(self.monitor.value(), dtype=torch.float64))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Plain values only, so that a checkpoint is read without running anything of it."""
        checkpoint["reductions"] = self.reductions
        checkpoint["loader"] = self.train_loader.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Undo `on_save_checkpoint`; Lightning itself gives a loader its place back within an epoch alone."""
        self.reductions = int(checkpoint["reductions"])
        if "loader" in checkpoint:
            self.train_loader.load_state_dict(checkpoint["loader"])

    def _optimizer_at_step(self) -> Any:
        optimizer: Any = self.optimizers()
        schedule, warmup = self.settings.schedule, self.settings.warmup
        factor = rate_factor(schedule, self.global_step, self.total_steps, warmup, self.reductions)
        for group in optimizer.param_groups:
            group["lr"] = self.settings.lr * factor
        return optimizer

    def _weights_of_all_rows(self, batches: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """{part: ()} over micro-batches and processes; the same message carries a signal to stop."""
        weights: dict[str, Tensor] = {}
        for batch in batches:
            for part, weight in self.terms.weights(batch).items():
                weights[f"weight {part}"] = weights.get(f"weight {part}", 0) + weight
        added = add_up({"stop": torch.tensor(float(self.received_signal > 0)), **weights}, self.device)
        if added.pop("stop") > 0:
            self.stop_signal = self.received_signal or signal.SIGTERM
        return {k.removeprefix("weight "): w for k, w in added.items()}

    def _accumulate_gradients(
        self, batches: Sequence[dict[str, Tensor]], weights: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Backward of every micro-batch's share of the loss; returns {part: coefficient * sum / weight}."""
        total: dict[str, Tensor] = {}
        for rows in (rows for batch in batches for rows in self._micro_batches(batch)):
            shares = {}
            for part, (value, weight) in self._parts(rows).items():
                additive = self.terms.term(part).objective.additive
                whole = (weights[part] if additive else weight).to(value.dtype)
                share = torch.where(whole > 0, self.terms.coefficient_now(part) * value / whole.clamp(min=1e-30), 0.0)
                shares[part] = share
                seen = share.detach() if additive else share.detach() / self._world
                total[part] = total.get(part, 0) + seen
            loss = torch.stack(list(shares.values())).sum()
            if loss.requires_grad:
                loss.backward()
        zero = torch.zeros((), device=self.device)
        return {part: total.get(part, zero) for part in {**weights, **total}}

    def _own_gradients_once(self) -> None:
        """Every process computed the whole of a term that is not additive: its own parameters count once."""
        for term in self.terms.terms.values():
            if not term.objective.additive:
                for p in term.objective.parameters():
                    if p.grad is not None:
                        p.grad /= self._world

    def _parts(self, batch: Mapping[str, Tensor], monitor: Monitor | None = None) -> dict[str, tuple[Tensor, Tensor]]:
        """Forward, and the objectives in float32; a monitor notes the predictions."""
        prediction, embedding = self.model.forward_with_embedding(batch)
        if monitor is not None:
            monitor.add(prediction, batch)
        gather = gather_rows if is_parallel() else None
        with torch.autocast(self.device.type, enabled=False):
            return self.terms({h: x.float() for h, x in prediction.items()}, batch, embedding.float(), gather)

    def _micro_batches(self, batch: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
        n = len(next(iter(batch.values())))
        for first in range(0, n, self.micro_rows):
            yield {k: v[first : first + self.micro_rows] for k, v in batch.items()}
        if n == 0 and not self.terms.additive:
            yield batch

    def epoch_loss(self) -> float:
        """Mean training loss of the steps since it was last asked for."""
        losses, self._epoch_losses = self._epoch_losses, []
        return float(torch.stack(losses).mean()) if losses else float("nan")

    def _note(self, parts: Mapping[str, Tensor]) -> None:
        self._epoch_losses.append(torch.stack([x.float() for x in parts.values()]).sum())
        every = getattr(self.trainer, "log_every_n_steps")  # noqa: B009  # Lightning sets it in a connector
        if self.global_step % every == 0 or self.global_step == 1:
            values = {f"train/{part}": float(x) for part, x in parts.items()}
            self.last_loss = values["train/loss"] = sum(values.values())
            optimizer: Any = self.optimizers()
            values["learning_rate"] = optimizer.param_groups[0]["lr"]
            values |= {f"schedule/{key}": value for key, value in self.terms.scheduled.items()}
            for logger in self.loggers:
                logger.log_metrics(values, step=self.global_step)

    @property
    def _world(self) -> int:
        return self.trainer.world_size


def rows_are_independent(model: Model, additive: bool) -> bool:
    """Whether a batch may be cut: neither a term that is no sum over examples nor batch normalisation looks across."""
    return additive and not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


def micro_batch_rows(model: Model, batch_size: int, length: int, on_cpu: bool, additive: bool = True) -> int:
    """Rows of windows of `length` bp that go through the model at once; the gradient is the same for any number.

    On a GPU, and where accumulation would change the result (a term that is no sum over examples, batch
    normalisation), the whole batch.  On a CPU as many rows as keep one layer's activations in the caches, 4 at
    least, and more where reading the weights once a micro-batch would cost as much as the activations.
    A rule instead of a measurement, so that a resumed run computes in the same order.

    Measured on a BPNet-like network (2,114 bp, 64 channels) on 2 cores: 4 rows at a time train about twice as
    fast as 64.
    """
    if not on_cpu or not rows_are_independent(model, additive):
        return batch_size
    row = 4 * model.encoder.out_channels * length
    weights = 4 * sum(p.numel() for p in model.parameters())
    rows = max(4, 1 << max(0, (_CACHE // row).bit_length() - 1))
    while rows < batch_size and weights > rows * row:
        rows *= 2
    return min(rows, batch_size)
