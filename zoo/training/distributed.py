"""Which process this is, as its launcher counts, and what several processes tell each other.

With one process nothing happens.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

_VARIABLES = {
    "torchrun": ("RANK", "WORLD_SIZE"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS"),
    "local": ("LOCAL_RANK", "WORLD_SIZE"),
}
"""Environment variables that hold a process's number and how many there are, by launcher."""


def launcher() -> str | None:
    """Who started this process: torchrun, slurm (srun, one task a device), local (`run_processes`) or nobody (None).

    torchrun comes first, since it may itself run inside a single SLURM task, which then is number 0 of 1.
    """
    if {"RANK", "WORLD_SIZE", "LOCAL_RANK"} <= os.environ.keys():
        return "torchrun"
    return next((name for name in ("slurm", "local") if _VARIABLES[name][0] in os.environ), None)


def rank() -> int:
    """Number of this process among all processes of the run; 0 for the first, or the only one."""
    return _number(0)


def world() -> int:
    """Number of processes of the run."""
    return _number(1)


def _number(which: int) -> int:
    """Of the pair in `_VARIABLES`; 0 of 1 without a launcher."""
    name = launcher()
    text = os.environ.get(_VARIABLES[name][which], "") if name else ""
    return int(text) if text.isdigit() else which


def is_parallel() -> bool:
    """Whether this process is one of several that train together."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def add_up(values: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """{name: ()} summed over all processes, in float64 (float32 where the device has no float64)."""
    if not is_parallel() or not values:
        return dict(values)
    dtype = torch.float32 if device.type == "mps" else torch.float64
    flat = torch.stack([torch.as_tensor(v, device=device).detach().to(dtype).reshape(()) for v in values.values()])
    dist.all_reduce(flat)
    return dict(zip(values, flat.unbind(), strict=True))


def share_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its sum over all processes; a process without one adds nothing."""
    if not is_parallel():
        return
    parameters = [p for p in parameters if p.requires_grad]
    gradients = []
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        gradients.append(p.grad)
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    for g, summed in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        g.copy_(summed.view_as(g))


def share_tensors(tensors: Iterable[Tensor]) -> None:
    """Give every process the values of the first."""
    if is_parallel():
        for tensor in tensors:
            dist.broadcast(tensor, src=0)


def gather_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """{key: (n, ...)} -> {key: (N, ...)}, the rows of all processes; a process without rows may lack keys."""
    if not is_parallel():
        return dict(arrays)
    everyone: list = [None] * dist.get_world_size()
    dist.all_gather_object(everyone, dict(arrays))
    keys = dict.fromkeys(key for part in everyone for key in part)
    return {key: np.concatenate([part[key] for part in everyone if key in part]) for key in keys}


def gather_rows(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """{key: (n, ...)} -> {key: (N, ...)}, the rows of all processes in the order of their ranks.

    Only the rows of this process carry a gradient: summed over the processes the gradient is whole.
    """
    if not is_parallel():
        return dict(tensors)
    rank, world = dist.get_rank(), dist.get_world_size()
    counts: list = [None] * world
    dist.all_gather_object(counts, {k: len(x) for k, x in tensors.items()})
    gathered = {}
    for key, x in tensors.items():
        sizes = [count[key] for count in counts]
        padded = x.new_zeros((max(sizes), *x.shape[1:]))
        padded[: len(x)] = x.detach()
        everyone = [torch.empty_like(padded) for _ in range(world)]
        dist.all_gather(everyone, padded)
        rows = [part[:n] for part, n in zip(everyone, sizes, strict=True)]
        rows[rank] = x
        gathered[key] = torch.cat(rows)
    return gathered
