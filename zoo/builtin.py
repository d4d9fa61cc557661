"""The core's own parts, registered through the same hook as anybody's."""

from __future__ import annotations

from zoo.plugins import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """Encoders, heads, objectives, interpreters and data sources that need no further library."""
    registry.add("encoder", "motif_cnn", "zoo.encoders.motif_cnn:MotifCNN")
    registry.add("encoder", "residual_cnn", "zoo.encoders.residual_cnn:ResidualCNN")
    registry.add("head", "scalar", "zoo.heads.scalar:ScalarHead")
    registry.add("head", "profile", "zoo.heads.profile:ProfileHead")
    registry.add("head", "channels", "zoo.heads.channels:ChannelsHead")
    registry.add("objective", "cross_entropy", "zoo.objectives.cross_entropy:CrossEntropy")
    registry.add("objective", "poisson", "zoo.objectives.poisson:Poisson")
    registry.add("objective", "squared_error", "zoo.objectives.squared_error:SquaredError")
    registry.add("objective", "heteroscedastic", "zoo.objectives.heteroscedastic:Heteroscedastic")
    registry.add("objective", "confounder_penalty", "zoo.objectives.confounder_penalty:ConfounderPenalty")
    registry.add("objective", "domain_adversarial", "zoo.objectives.domain_adversarial:DomainAdversarial")
    registry.add("objective", "moment_matching", "zoo.objectives.moment_matching:MomentMatching")
    registry.add("interpreter", "ism", "zoo.interpreters.ism:ISM")
    registry.add("data", "simulated", "zoo.data.sources.simulation:Simulated")
    registry.add("data", "simulated_labs", "zoo.data.sources.simulated_labs:SimulatedLabs")
    registry.add("data", "peaks", "zoo.data.sources.peaks:Peaks")
    registry.add("data", "fasta", "zoo.data.sources.fasta:Fasta")
    registry.add("data", "table", "zoo.data.sources.table:Table")
    registry.add("data", "bound_sequences", "zoo.data.sources.bound_sequences:BoundSequences")
    registry.add("data", "mixture", "zoo.data.sources.mixture:Mixture")
    registry.add("data", "assays", "zoo.data.sources.assays:Assays")
    registry.add("rule", "pointwise", "zoo.effects.engine.rules.pointwise:pointwise")
    registry.add("rule", "convolution", "zoo.effects.engine.rules.convolution:conv1d")
    registry.add("rule", "pooling", "zoo.effects.engine.rules.pooling:max_pool1d")
    registry.add("rule", "shape", "zoo.effects.engine.rules.shape:move")
    registry.add("rule", "linear", "zoo.effects.engine.rules.linear:linear")
    registry.add("rule", "layers", "zoo.effects.engine.rules.layers:tied_convolution")
    for name in ("difference", "log2_fold_change", "jensen_shannon", "gain_loss"):
        registry.add("score", name, f"zoo.effects.variants.scores:{name}")
    registry.add("engine", "local", "zoo.effects.variants.engines:Local")
    for name in ("facts", "performance", "attribution", "validation"):
        registry.add("section", name, f"zoo.report.{name}:{name}")
    registry.models("zoo", "registry.yaml")
