"""Data sources (kind "data"): peaks, FASTA sets, tables and simulated sequences, as training examples."""
