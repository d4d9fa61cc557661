"""`data=simulated_constructs`: parts in many flanks, with planted shares of variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zoo.data.codes import decode, encode
from zoo.data.sequences import Sequences
from zoo.errors import ConfigError
from zoo_constructs.library.examples import ConstructSource
from zoo_constructs.library.measurements import Measurements
from zoo_constructs.library.splits import ConstructSplits, draw

ROLES = ("left_flank", "part", "right_flank")
NAMES = ("part", "context", "interaction", "noise")


class SimulatedConstructs(ConstructSource):
    """n distinct pairs of a part and a context (a left and a right flank), all of random letters.

    The activity is the sum of an effect of the part, one of the context, one of their pair, and noise, drawn and scaled
    so that their variances in the library are the shares; it is the mean of replicates.

    n: constructs.  n_parts, n_contexts: to draw the pairs from.
    part_length, flank_length: bp of a part, and of either flank.
    shares: of variance of part, context, interaction and noise (that of the mean); they sum to 1.
    replicates: values of each construct.
    seed: of everything.
    """

    def __init__(
        self,
        *,
        n: int = 1_500,
        n_parts: int = 60,
        n_contexts: int = 50,
        part_length: int = 20,
        flank_length: int = 10,
        shares: Sequence[float] = (0.5, 0.2, 0.2, 0.1),
        replicates: int = 3,
        seed: int = 0,
    ):
        if len(shares) != len(NAMES) or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
            raise ConfigError(
                f"shares {list(shares)} must be four numbers of 0 or more that sum to 1: {', '.join(NAMES)}"
            )
        if not 2 <= n <= n_parts * n_contexts or replicates < 2:
            raise ConfigError(
                f"n = {n:,} constructs with {replicates} replicates: give 2 to {n_parts * n_contexts:,} (parts times "
                "contexts), and 2 replicates or more"
            )
        rng = np.random.default_rng(seed)
        part, context = np.divmod(rng.choice(n_parts * n_contexts, n, replace=False), n_contexts)
        letters = [
            [decode(row) for row in rng.integers(0, 4, (number, length)).astype(np.uint8)]
            for number, length in ((n_contexts, flank_length), (n_parts, part_length), (n_contexts, flank_length))
        ]
        used = (context, part, context)
        parts = {
            role: np.array([words[i] for i in of], object) for role, words, of in zip(ROLES, letters, used, strict=True)
        }
        effects = (rng.normal(size=n_parts)[part], rng.normal(size=n_contexts)[context], rng.normal(size=n))
        activity = sum((_scaled(x, share) for x, share in zip(effects, shares, strict=False)), np.zeros(n))
        values = activity[:, None] + rng.normal(0, (shares[3] * replicates) ** 0.5, (n, replicates))
        sampling = values.var(1, ddof=1) / replicates
        pooled = np.full(n, sampling.mean())
        measured = Measurements(
            ("activity",), *(x[:, None].astype(np.float32) for x in (values.mean(1), sampling, pooled))
        )
        whole = ["".join(words) for words in zip(*parts.values(), strict=True)]
        sequences = Sequences.from_codes([encode(word) for word in whole])
        self.planted = dict(zip(NAMES, shares, strict=True))
        self.hold(replace(sequences, headers=[f"construct_{i + 1}" for i in range(n)]), parts, measured)
        self.split_by(draw(self.kmers, self.hashes, parts, ConstructSplits(by="sequence"), seed).codes)
        self._config = {"name": "simulated_constructs", "n": n, "n_parts": n_parts, "n_contexts": n_contexts}
        self._config |= {"part_length": part_length, "flank_length": flank_length, "shares": list(shares)}
        self._config |= {"replicates": replicates, "seed": seed}

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {"name": "simulated_constructs", "licence": "simulated", "config": self._config, **self.described()}


def _scaled(effect: np.ndarray, share: float) -> np.ndarray:
    """With a mean of 0 and this variance over the library."""
    return (effect - effect.mean()) / max(effect.std(), 1e-12) * share**0.5
