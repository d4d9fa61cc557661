"""The spec of a published network of splice sites, and the examples that its golden outputs are made of.

parts, licence, source -> ModelSpec        length -> golden batch {codes (2, L)}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.spec import ModelSpec

HEAD = "splice"
CLASSES = ("neither", "acceptor", "donor")
OUTPUTS = 1000
"""Bases of a window that get a prediction."""

ENCODER = {
    "name": "splice_residual",
    "channels": 32,
    "kernels": [11, 11, 21, 41],
    "dilations": [1, 4, 10, 25],
    "blocks": 4,
    "slope": 0.0,
    "epsilon": 1e-3,
    "towers": 1,
    "padded": False,
}
SOFTMAX = {"name": "base_probabilities", "in_channels": 32, "tasks": list(CLASSES), "activation": "softmax", "crop": 0}


def splice_spec(name: str, encoder: Mapping[str, Any], head: Mapping[str, Any], **facts: Any) -> ModelSpec:
    """The spec of a window with 1,000 predicted bases; the network itself reads any length beyond its context.

    facts: members, description, licence, citation and further fields of ModelSpec.
    """
    context = 2 * sum(
        encoder["blocks"] * (k - 1) * d for k, d in zip(encoder["kernels"], encoder["dilations"], strict=True)
    )
    return ModelSpec(
        name=name,
        encoder=dict(encoder),
        heads={HEAD: dict(head)},
        input_length=context + OUTPUTS,
        **{"task": "splice sites", "activation": {HEAD: "identity"}, **facts},
    )


def golden_codes(length: int) -> dict[str, np.ndarray]:
    """Two random windows with strong splice sites every 400 bp, the second with runs of N: {codes (2, L)}."""
    codes = np.random.default_rng(0).integers(0, 4, (2, length)).astype(np.uint8)
    acceptor, donor = (np.array(["ACGT".index(b) for b in s], np.uint8) for s in ("TTTCTTTTTCCTTTTCAGG", "CAGGTAAGTA"))
    for start in range(100, length - 300, 400):
        codes[:, start : start + len(acceptor)] = acceptor
        codes[:, start + 140 : start + 140 + len(donor)] = donor
    codes[1, : length // 4] = 4
    codes[1, length // 2 + 300 : length // 2 + 330] = 4
    return {"codes": codes}
