"""`data=simulated_cells`: three cell types whose signal opens different motifs; one of them is never trained on.

cell            opens         used for
first           CTCF, REST    training, validation
second          REST, NRF1    training, validation
third           CTCF, NRF1    the test
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.data.motifs import RELEASE, get_motifs
from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo_multimodal.simulation.rows import TRACK, SignalRows, counts, sequences

CELLS = ("first", "second", "third")
OPENS = ((0, 1), (1, 2), (0, 2))
"""Motifs that every cell opens."""
HEIGHT, SPREAD, JITTER = 8.0, 40.0, 8


class SimulatedCells(Source):
    """Windows around a motif, or its shuffled letters, which are open in two of three cells; bound = motif and open.

    An example is a window in a cell: its sequence, the cell's signal, the cell's id.  In the third cell, which only the
    test split has, a motif is open that both trained cells do not share, and closed the one that they do: the mean of
    what a model predicts in them is no better there than sequence and signal each alone.

    motifs: three JASPAR names.
    n_train, n_validation, n_test: windows; each is an example in every cell of its split.
    length, bin_size: bp of a window, and of a bin of the signal.
    seed: of the data.
    """

    def __init__(
        self,
        *,
        motifs: Sequence[str] = ("CTCF", "REST", "NRF1"),
        n_train: int = 1_500,
        n_validation: int = 300,
        n_test: int = 1_000,
        length: int = 256,
        bin_size: int = 16,
        seed: int = 0,
    ):
        if len(motifs) != len(CELLS):
            raise ConfigError(f"data simulated_cells takes three motifs, not {len(motifs)}: one that each cell closes")
        self.motifs, self._bin_size, self._seed = get_motifs(motifs), bin_size, seed
        self.input_length, self.contexts = length, CELLS
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self.inputs = {
            "signal": Field("AT", (TRACK,), unit="counts", bin_size=bin_size, required=False, transform="log1p"),
            "context": Field("", values="class", vocabulary=CELLS, required=False),
        }
        self.targets = {"bound": Field("C", ("bound",), values="binary")}
        self._config = {"name": "simulated_cells", "motifs": list(motifs), "length": length, "bin_size": bin_size}
        self._config |= {**{f"n_{split}": n for split, n in self._n.items()}, "seed": seed}

    def examples(self, split: str) -> Examples:
        """Every window of a split in each of its cells: the third for the test, the first two else."""
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        cells = CELLS[2:] if split == "test" else CELLS[:2]
        parts = [self.in_cell(split, cell) for cell in cells]
        return SignalRows(split, {key: np.concatenate([part[key] for part in parts]) for key in parts[0]})

    def in_cell(self, split: str, cell: str) -> dict[str, np.ndarray]:
        """All windows of a split in one cell, as a batch; the order is the same in every cell."""
        n, at = self._n[split], CELLS.index(cell)
        rng = np.random.default_rng([self._seed, SPLITS.index(split)])
        kind, holds = rng.integers(0, len(self.motifs), n), rng.random(n) < 0.5
        codes = sequences(self.motifs, kind, holds, self.input_length, JITTER, rng)
        elsewhere = rng.uniform(0, self.input_length, n)
        is_open = np.isin(kind, OPENS[at])
        centre = np.stack([np.full(n, self.input_length / 2), elsewhere], 1)
        height = HEIGHT * np.stack([is_open, rng.random(n) < 0.3], 1)
        signal = counts(
            centre,
            height,
            length=self.input_length,
            bin_size=self._bin_size,
            spread=SPREAD,
            rng=np.random.default_rng([self._seed, SPLITS.index(split), at]),
        )
        bound = (is_open & holds).astype(np.float32)[:, None]
        return {"codes": codes, "signal": signal, "context": np.full(n, at, np.int64), "target/bound": bound}

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "simulated_cells",
            "motifs": [{"name": m.name, "id": m.id} for m in self.motifs],
            "release": RELEASE,
            "licence": "motifs: JASPAR, CC BY 4.0; sequences and signal: simulated",
            "splits": {split: {"n": n * (1 if split == "test" else 2)} for split, n in self._n.items()},
            "opens": {cell: [self.motifs[m].name for m in OPENS[i]] for i, cell in enumerate(CELLS)},
            "config": self._config,
        }
