"""`GeneColumns`: the gene, the nearest feature and the distance of every row of scored variants.

a GTF, GFF3 or BED file + Variants -> (gene, feature, feature_id, distance) of each
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zoo.effects.variants.allele_windows import edit_of
from zoo.features.annotation_file import read_features
from zoo.features.nearest_feature import COLUMNS, Nearest, NearestFeature

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.variants.variants import Variants

_WRITTEN = ("malformed", "symbolic", "no_alt")
"""Statuses of rows whose ALT says nothing of the bases that change: their place is REF."""


class GeneColumns:
    """path: of a GTF, GFF3 or BED file.  notes: what a user should know of it.  Raises as `read_features` does."""

    columns = COLUMNS

    def __init__(self, path: str | Path, genome: Genome):
        features = read_features(path)
        self.nearest = NearestFeature(features, genome)
        self.notes = self.nearest.notes
        self.description = f"{Path(path).name}, {features.format}; distance in bp, negative upstream of the feature"

    def cells(self, variants: Variants) -> list[list[str | int | None]]:
        """Of every row: of the bases that its normal spelling changes, of an insertion the place between two bases."""
        return [self._nearest(variants, i).cells for i in range(len(variants))]

    def _nearest(self, variants: Variants, i: int) -> Nearest:
        if variants.pos[i] < 0:
            return Nearest()
        if variants.status[i] in _WRITTEN:
            first = int(variants.pos[i])
            return self.nearest(variants.chrom[i], first, first + len(variants.ref[i]))
        first, replaced, _ = edit_of(
            int(variants.norm_pos[i]), variants.norm_ref[i].upper(), variants.norm_alt[i].upper()
        )
        if variants.ref[i].upper() == variants.alt[i].upper():  # nothing changes: where it stands
            first, replaced = int(variants.pos[i]), len(variants.ref[i])
        return self.nearest(variants.chrom[i], first, first + replaced)
