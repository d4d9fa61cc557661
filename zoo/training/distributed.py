"""What several processes tell each other; with one process nothing happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["add_up", "gather_rows", "is_parallel", "share_buffers", "share_gradients", "share_state"]


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
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    flat = torch.cat([p.grad.reshape(-1) for p in parameters])
    dist.all_reduce(flat)
    for p, summed in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        p.grad.copy_(summed.view_as(p))


def share_state(module: nn.Module) -> None:
    """Give every process the parameters and buffers of the first."""
    if is_parallel():
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, src=0)


def share_buffers(module: nn.Module) -> None:
    """Give every process the buffers of the first (running statistics of a normalisation)."""
    if is_parallel():
        for buffer in module.buffers():
            dist.broadcast(buffer, src=0)


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
