"""Variants: read, checked against the genome, left-aligned; phased genotypes and the haplotypes they make."""
