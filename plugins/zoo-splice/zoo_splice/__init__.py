"""Splice sites and the grammar of exons, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Splice sites of a genome and of a simulated one, simulated exons, and published networks of splice sites."""
    registry.add("data", "splice_sites", "zoo_splice.splice_sites:SpliceSites")
    registry.add("data", "simulated_splice_sites", "zoo_splice.simulated_genes:SimulatedSpliceSites")
    registry.add("data", "simulated_exons", "zoo_splice.simulated_exons:SimulatedExons")
    registry.add("encoder", "splice_residual", "zoo_splice.networks.residual:SpliceResidual")
    registry.add("encoder", "mmsplice_module", "zoo_splice.networks.mmsplice_module:MMSpliceModule")
    registry.add("head", "base_probabilities", "zoo_splice.networks.probabilities:BaseProbabilities")
    for name in ("spliceai", "openspliceai", "pangolin", "mmsplice"):
        registry.add("importer", name, f"zoo_splice.networks.{name}:{name}")
    weights = "zoo_splice.networks.spliceai:SpliceAIWeights"
    registry.add("installed_weights", "spliceai/spliceai/models", weights)
    for file in ("Acceptor", "Donor", "Exon", "Intron3", "Intron5"):
        weights = "zoo_splice.networks.mmsplice:MMSpliceWeights"
        registry.add("installed_weights", f"mmsplice/mmsplice/models/{file}.h5", weights)
    registry.add("gene_score", "splice", "zoo_splice.variants.gene_scores:GeneScores")
    registry.command("maxentscan", "zoo_splice.maxent.command:command", "Score 5' and 3' splice sites with MaxEntScan")
    registry.configs("pkg://zoo_splice.conf")
    registry.models("zoo_splice")
