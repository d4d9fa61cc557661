"""Effects of sequence changes on the output of a model: saturation mutagenesis, variants, incremental inference."""
