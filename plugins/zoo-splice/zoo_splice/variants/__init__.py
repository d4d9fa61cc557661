"""Scores of variants by gene: what an allele does to the acceptors and donors of the transcripts that it lies in."""
