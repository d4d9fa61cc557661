"""From a configuration to a run folder: wiring, loader, Lightning module, callbacks, and the run that joins them."""
