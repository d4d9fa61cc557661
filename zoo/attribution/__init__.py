"""Attributions: an interpreter run over sequences or regions, files of its scores, and their validation."""
