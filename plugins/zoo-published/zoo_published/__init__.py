"""Published networks of regulatory genomics, and importers of their weights, as a plugin of zoo."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Architectures as encoders and heads, and for each an importer of the weights that its authors publish."""
    for name, target in {
        "basset": "convolution_pooling:Basset",
        "deepsea": "convolution_pooling:DeepSEA",
        "deepstarr": "convolution_pooling:DeepSTARR",
        "danq": "danq:DanQ",
        "bpnet": "bpnet:BPNet",
        "chrombpnet": "chrombpnet:ChromBPNet",
    }.items():
        registry.add("encoder", name, f"zoo_published.networks.{target}")
        file = "bpnet" if name in ("bpnet", "chrombpnet") else "sequential"
        registry.add("importer", name, f"zoo_published.importers.{file}:{name}")
    registry.add("head", "bpnet_counts", "zoo_published.networks.bpnet:CountsHead")
    registry.add("head", "stranded_profile", "zoo_published.networks.bpnet:StrandedProfileHead")
    registry.add("head", "chrombpnet_profile", "zoo_published.networks.chrombpnet:BiasProfileHead")
    registry.add("head", "chrombpnet_counts", "zoo_published.networks.chrombpnet:BiasCountsHead")
    registry.add("head", "probabilities", "zoo_published.networks.probabilities:ProbabilitiesHead")
    registry.configs("pkg://zoo_published.conf")
