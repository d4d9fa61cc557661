"""The parts of `zoo_hic.simulate`: its numbers, the sequence, and the structure that follows from the motifs."""
