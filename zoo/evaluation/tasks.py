"""The tasks of a target, and which examples have a label of one.

Field -> (name, channel) of every task -> labels of one task -> (n,) bool
"""

from __future__ import annotations

import numpy as np

from zoo.fields import Field


def tasks_of(field: Field) -> list[tuple[str, int | None]]:
    """(name, channel) of every task; one without a name where a target has no channels.

    >>> tasks_of(Field("C", channels=("CTCF", "SPI1")))
    [('CTCF', 0), ('SPI1', 1)]
    """
    if field.values == "class" or field.channel_axis is None:
        return [("", None)]
    return [(task, c) for c, task in enumerate(field.channels)]


def is_labelled(truth: np.ndarray, field: Field) -> np.ndarray:
    """(n,) bool: has the example any label of this task?"""
    known = truth >= 0 if field.values == "class" else np.isfinite(truth)
    return np.any(known.reshape(len(truth), -1), axis=1)
