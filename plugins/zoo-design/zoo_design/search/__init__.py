"""Searches for sequences with a high objective: greedy, beam, annealing, gradient, insertion of motifs."""
