"""`data=simulated_distant_signal`: a signal 400 bp away counts, and only where the motif stands at the centre."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.data.motifs import RELEASE, get_motifs
from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo_multimodal.simulation.rows import TRACK, SignalRows, counts, sequences

HEIGHT, SPREAD, JITTER = 10.0, 24.0, 4


class SimulatedDistantSignal(Source):
    """Windows with a motif, or its shuffled letters, at the centre, and peaks of the signal off it.

    bound = the motif stands at the centre, and a peak `distance` bp from it, on either side; each is so in half of the
    rows.  Whatever the label, half of the rows have a peak a quarter to three quarters as far, which says nothing.

    motif: JASPAR name.
    distance: bp from the centre to the peak that counts.
    n_train, n_validation, n_test: rows.
    length, bin_size: bp of a window, and of a bin of the signal.
    seed: of the data.
    """

    def __init__(
        self,
        *,
        motif: str = "CTCF",
        distance: int = 400,
        n_train: int = 3_000,
        n_validation: int = 500,
        n_test: int = 1_000,
        length: int = 1_024,
        bin_size: int = 32,
        seed: int = 0,
    ):
        if not 0 < distance < length / 2:
            raise ConfigError(
                f"distance {distance} bp does not lie in a window of {length:,} bp: use less than half of it"
            )
        self.motif, self.distance, self._bin_size, self._seed = get_motifs([motif])[0], distance, bin_size, seed
        self.input_length = length
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self.inputs = {
            "signal": Field("AT", (TRACK,), unit="counts", bin_size=bin_size, required=False, transform="log1p")
        }
        self.targets = {"bound": Field("C", ("bound",), values="binary")}
        self._config = {"name": "simulated_distant_signal", "motif": motif, "distance": distance}
        self._config |= {"length": length, "bin_size": bin_size, "seed": seed}
        self._config |= {f"n_{split}": n for split, n in self._n.items()}

    def examples(self, split: str) -> Examples:
        """The rows of one split."""
        return SignalRows(split, self._make(split)[0])

    def truth(self, split: str) -> dict[str, np.ndarray]:
        """holds, far (N,) bool: motif, peak are there.  peak (N,): bp from the start to where it is or would be."""
        return self._make(split)[1]

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "simulated_distant_signal",
            "motifs": [{"name": self.motif.name, "id": self.motif.id}],
            "release": RELEASE,
            "licence": "motifs: JASPAR, CC BY 4.0; sequences and signal: simulated",
            "splits": {split: {"n": n} for split, n in self._n.items()},
            "config": self._config,
        }

    def _make(self, split: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        n, rng = self._n[split], np.random.default_rng([self._seed, SPLITS.index(split)])
        holds, far, near = rng.random((3, n)) < 0.5
        codes = sequences([self.motif], np.zeros(n, np.int64), holds, self.input_length, JITTER, rng)
        side = rng.choice([-1, 1], (2, n))
        peak = self.input_length / 2 + self.distance * side[0]
        other = self.input_length / 2 + self.distance * rng.uniform(0.25, 0.75, n) * side[1]
        size = {"length": self.input_length, "bin_size": self._bin_size, "spread": SPREAD}
        signal = counts(np.stack([peak, other], 1), HEIGHT * np.stack([far, near], 1), rng=rng, **size)
        bound = (holds & far).astype(np.float32)[:, None]
        return {"codes": codes, "signal": signal, "target/bound": bound}, {"holds": holds, "far": far, "peak": peak}
