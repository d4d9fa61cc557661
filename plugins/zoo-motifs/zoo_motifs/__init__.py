"""Motifs in what a model has learnt, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Four commands, a section of the report, and an experiment with planted motifs."""
    registry.command("match-motifs", "zoo_motifs.cli.match_motifs:command", "Find motifs in a database by TOMTOM")
    registry.command("filter-motifs", "zoo_motifs.cli.filter_motifs:command", "Motifs of a model's first filters")
    registry.command("motif-spacing", "zoo_motifs.cli.motif_spacing:command", "How the distance of two motifs matters")
    registry.command("modisco", "zoo_motifs.cli.modisco:command", "Motifs in attributions, by TF-MoDISco")
    registry.add("section", "filters", "zoo_motifs.filters_section:filters")
    registry.configs("pkg://zoo_motifs.conf")
