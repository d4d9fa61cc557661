"""Effects of variants on a model's output: scores of single alleles, of pairs and of whole haplotypes."""
