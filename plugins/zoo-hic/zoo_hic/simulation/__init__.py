"""Simulated contact maps: their numbers, the sequence, the structure that follows from its motifs, and its truth."""
