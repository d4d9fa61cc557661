"""Drawings of results, made with Matplotlib's objects alone: no state of pyplot is touched."""
