"""How much memory there is to spend."""

from __future__ import annotations

import torch

__all__ = ["available_bytes"]


def available_bytes(device: torch.device) -> int:
    """Bytes that can be taken now without harm: of the GPU, or of this machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return psutil.virtual_memory().available
