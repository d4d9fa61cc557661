"""Section `attention` of a report: where a model with towers for sequence and signal looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from zoo.report.section import Picture, Section, Text

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.report.section import Subject

MOST = 200


def attention(subject: Subject) -> Section | None:
    """Mean weights by distance from the centre; None for a model of another encoder.

    `subject.results["attention"]` gets {on_signal, n}: the mean share of the weights that lies on the signal.
    """
    from zoo.model import Ensemble
    from zoo_multimodal.attention_picture import draw_attention
    from zoo_multimodal.attention_weights import attention_weights
    from zoo_multimodal.encoder import MultiModalTowers

    model = subject.model
    first = model.members[0] if isinstance(model, Ensemble) else model
    if not isinstance(first.encoder, MultiModalTowers):
        return None
    batch, origin = _batch(subject)
    weights = attention_weights(model, batch)
    share = float(weights.on_signal.mean())
    subject.results["attention"] = {"on_signal": share, "n": len(weights.sequence)}
    parts: list[Text | Picture] = [
        Text(
            f"Where the model looks from the centre of {origin}: the mean weight of every position over all of them, "
            "relative to even weights. A thin line is a head, the thick one their mean. Weights say what the model "
            "listened to, not what it would answer without it."
        )
    ]
    if weights.tracks:
        missing = not weights.signal.any()
        words = "The signal is missing here, so that all weight lies on the sequence."
        parts.append(
            Text(words if missing else f"{share:.0%} of the weight lies on the signal.", "unsure" if missing else "")
        )
    caption = f"n = {len(weights.sequence):,}; the sequence in steps of {weights.sequence_bin} bp"
    if weights.tracks:
        caption += f", signal in bins of {weights.signal_bin} bp"
    parts.append(Picture(draw_attention(weights), "Attention weights by distance from the centre", caption))
    return Section("Where it looks: attention over sequence and signal", parts)


def _batch(subject: Subject) -> tuple[dict[str, Tensor], str]:
    """Windows of the test split with their signal where the data are at hand, else the report's sequences alone."""
    if subject.opened is not None:
        examples = subject.opened.source.examples("test")
        rows = np.flatnonzero(examples.lengths == subject.model.spec.input_length)
        if len(rows):
            rows = np.sort(np.random.default_rng(subject.seed).permutation(rows)[:MOST])
            batch = {key: torch.from_numpy(np.asarray(x)) for key, x in examples.batch(rows).items()}
            return batch, f"{len(rows):,} windows of the test split"
    return {"codes": torch.from_numpy(subject.codes[:MOST])}, subject.origin
