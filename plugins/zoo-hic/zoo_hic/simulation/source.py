"""`data=simulated_contacts`: contact maps whose boundaries and loops are written in the sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.terminal.progress import counting
from zoo_hic.simulation.contact_maps import SimulatedContig, simulate_contig
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.source import build_settings
from zoo_hic.windows import TARGET, SquareWindows, Stretch


class SimulatedContacts(Source):
    """Windows of simulated contigs; each split has contigs of its own.

    target: contacts (N, 1, T, T), log(O/E) of the counts, NaN on the `nearest` diagonals.
    bins: T of a window.
    step: bins from one training window to the next; windows of the other splits do not overlap.
    contig_bins: of a contig.
    n_train, n_validation, n_test: contigs.
    nearest: pairs fewer bins apart are left out.
    settings: of zoo_hic.simulation.settings.MapSettings, by name; its defaults where they are not given.
    seed: of the data; a run's own seed leaves it alone.
    """

    def __init__(
        self,
        *,
        bins: int = 128,
        step: int = 32,
        contig_bins: int = 1024,
        n_train: int = 24,
        n_validation: int = 3,
        n_test: int = 4,
        nearest: int = 2,
        settings: Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        if contig_bins < bins:
            raise ConfigError(f"contigs of {contig_bins} bins hold no window of {bins}: set data.contig_bins={bins}")
        arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self._config = {"name": "simulated_contacts", **arguments, "settings": dict(settings) if settings else None}
        values = {k: tuple(v) if isinstance(v, (list, tuple)) else v for k, v in (settings or {}).items()}
        self.settings = build_settings(MapSettings, values, "simulated contacts have no setting")
        self.targets = {
            TARGET: Field("CTT", ("log_oe",), "log(observed / expected)", bin_size=self.settings.resolution)
        }
        self.input_length = bins * self.settings.resolution
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self._bins, self._step, self._contig_bins, self._nearest, self._seed = bins, step, contig_bins, nearest, seed
        self._made: dict[str, list[SimulatedContig]] = {}

    def contigs(self, split: str) -> list[SimulatedContig]:
        """The simulated contigs of a split, with their truth."""
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        if split not in self._made:
            made = []
            with counting(self._n[split], label=f"simulating {split}", unit="contigs") as advance:
                for i in range(self._n[split]):
                    rng = np.random.default_rng((self._seed, SPLITS.index(split), i))
                    made.append(simulate_contig(rng, self._contig_bins, self.settings))
                    advance(1)
            self._made[split] = made
        return self._made[split]

    def examples(self, split: str) -> Examples:
        """Windows of the contigs of a split."""
        stretches = []
        for i, contig in enumerate(self.contigs(split)):
            reader = lambda start, end, codes=contig.codes: codes[start:end]  # noqa: E731
            stretches.append(
                Stretch(f"{split}{i}", 0, self._contig_bins, contig.log_oe[None].astype(np.float32), reader)
            )
        step = self._step if split == "train" else self._bins
        return SquareWindows(stretches, self._bins, self.settings.resolution, step=step, nearest=self._nearest)

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "name": "simulated_contacts",
            "licence": "simulated",
            "splits": {split: {"contigs": n} for split, n in self._n.items()},
            "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.settings).items()},
            "preprocessing": "log(counts / mean of their diagonal over the contig); no clipping, no smoothing",
            "config": self._config,
        }
