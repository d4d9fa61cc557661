"""Contact maps from sequence."""

from __future__ import annotations

from zoo import hookimpl


@hookimpl
def zoo_register(registry) -> None:
    """An encoder down to bins, a head over pairs of them, maps as data, and simulated ones."""
    registry.add("encoder", "contact_cnn", "zoo_hic.encoder:ContactCNN")
    registry.add("head", "contacts", "zoo_hic.head:ContactHead")
    registry.add("data", "contact_maps", "zoo_hic.source:ContactMaps")
    registry.add("data", "simulated_contacts", "zoo_hic.simulation.source:SimulatedContacts")
    registry.add("metric", "contacts_pearson", "zoo_hic.metrics.window_metrics:PEARSON")
    registry.add("metric", "contacts_mean_diagonal_pearson", "zoo_hic.metrics.window_metrics:MEAN_DIAGONAL")
    registry.add("metric", "contacts_mse", "zoo_hic.metrics.window_metrics:MSE")
    registry.command("predict-contacts", "zoo_hic.cli.predict_contacts:command", "Contacts from sequence, and of edits")
    registry.command("evaluate-contacts", "zoo_hic.cli.evaluate_contacts:command", "Contact maps beyond distance")
    registry.configs("pkg://zoo_hic.conf")
    registry.models("zoo_hic", "registry.yaml")
