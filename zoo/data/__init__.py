"""Genomes, intervals, sequences, splits and the sources that make training examples of them."""
