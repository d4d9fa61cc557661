"""Heads of the core (kind "head"): an embedding to scalars or profiles."""
