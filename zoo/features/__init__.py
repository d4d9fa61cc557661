"""Genes and their parts, of GTF, GFF3 and BED files, and which of them is nearest to a place."""
