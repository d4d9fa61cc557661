"""`GroundTruth`: what a perfect model of the simulator would predict for any sequence.

It stands wherever a model of contact maps does, so that regions, edits and variants can be checked against the truth:

    codes (N, L) ── scan ── sites ── boundaries and loops ──> contacts (N, 1, T, T)

Its maps are the log of the factor on the contacts expected from distance; what has no site between is 0.  They are not
centred by distance as those of a trained model are, which no difference of two maps sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.fields import CODES, ONE_HOT, Field, Grid
from zoo.spec import ModelSpec
from zoo_hic.simulation.sequence import find_sites
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import build_structure
from zoo_hic.windows import TARGET


class GroundTruth(nn.Module):
    """A model without weights.  bins: T of a window.  settings: of the simulator.  data: of its card."""

    def __init__(self, bins: int, settings: MapSettings | None = None, data: Mapping[str, Any] | None = None):
        super().__init__()
        self.settings, self.bins = settings or MapSettings(), bins
        width = self.settings.resolution
        field = Field("CTT", ("log_oe",), "log(observed / expected)", bin_size=width)
        self.spec = ModelSpec(
            "oracle",
            {"name": "oracle"},
            {TARGET: {"name": "oracle"}},
            bins * width,
            outputs={TARGET: (field, Grid(0, width, bins))},
            data=data or {},
        )
        self.input_fields = {"one_hot": ONE_HOT}
        self.device = torch.device("cpu")

    def flip(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The batch read from the other strand."""
        return {"codes": CODES.flip(batch["codes"])}

    def predict(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{codes (N, L)} -> {contacts (N, 1, T, T)}."""
        sites = [find_sites(codes, self.settings) for codes in batch["codes"].cpu().numpy()]
        maps = np.stack([build_structure(s, self.bins, self.settings) for s in sites])
        return {TARGET: torch.from_numpy(maps)[:, None]}
