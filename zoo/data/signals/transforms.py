"""Transforms of a binned signal: named in the configuration, the field and the card, applied when a window is read.

none    the value as it is
log1p   ln(1 + value)
sqrt    its square root
clip99  at most the 99th percentile of the track's own bins that are not 0
"""

from __future__ import annotations

from zoo.data.signals import bin_kernels
from zoo.errors import ConfigError, did_you_mean

TRANSFORMS = {
    "none": bin_kernels.NONE,
    "log1p": bin_kernels.LOG1P,
    "sqrt": bin_kernels.SQRT,
    "clip99": bin_kernels.CLIP,
}
PERCENTILE = 99
LEAST = {"log1p": -1.0, "sqrt": 0.0}
"""A transform makes no number of a bin below; -1 itself is none of log1p's either."""


def transform_name(name: str | None) -> str:
    """One of TRANSFORMS, as a field has it or None for none; ConfigError for another."""
    name = name or "none"
    if name not in TRANSFORMS:
        raise ConfigError(f"signal transform {name!r} is unknown{did_you_mean(name, TRANSFORMS)}")
    return name
