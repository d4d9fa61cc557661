"""Contact maps predict_stretches beyond distance: `compare_maps` makes the table that an evaluation prints."""

from __future__ import annotations

from zoo_hic.metrics.bands import Bands, Squares, cut_band, cut_bands, diagonals
from zoo_hic.metrics.blocks import Figure
from zoo_hic.metrics.boundaries import Overlap, boundaries, li_threshold, overlap, strong_boundaries
from zoo_hic.metrics.distance import (
    Curve,
    NullCorrelation,
    by_diagonal,
    correlations,
    curve,
    distance_only,
    mean_by_distance,
    shift_null,
)
from zoo_hic.metrics.insulation import insulation, insulation_correlation, insulation_tracks, window_bins
from zoo_hic.metrics.pairs import Enrichment, enrichment, read_pairs
from zoo_hic.metrics.stratum import StratumAdjusted, stratum_adjusted
from zoo_hic.metrics.summary import MetricRow, compare_maps, lines
from zoo_hic.metrics.transfer import Transfer, transfer, transfer_lines

__all__ = [
    "Bands",
    "Curve",
    "Enrichment",
    "Figure",
    "MetricRow",
    "NullCorrelation",
    "Overlap",
    "Squares",
    "StratumAdjusted",
    "Transfer",
    "boundaries",
    "by_diagonal",
    "compare_maps",
    "correlations",
    "curve",
    "cut_band",
    "cut_bands",
    "diagonals",
    "distance_only",
    "enrichment",
    "insulation",
    "insulation_correlation",
    "insulation_tracks",
    "li_threshold",
    "lines",
    "mean_by_distance",
    "overlap",
    "read_pairs",
    "shift_null",
    "stratum_adjusted",
    "strong_boundaries",
    "transfer",
    "transfer_lines",
    "window_bins",
]
