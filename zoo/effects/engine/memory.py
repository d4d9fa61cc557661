"""Free memory of a device, in bytes."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch


def available_bytes(device: torch.device) -> int:
    """Bytes that can be taken now without harm: of the GPU, or of this machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return int(re.findall(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())[0]) * 1024
    except (OSError, IndexError):  # no Linux
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
