"""Encoders of the core (kind "encoder"): one-hot sequence to an embedding."""
