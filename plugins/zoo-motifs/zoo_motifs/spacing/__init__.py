"""In-silico spacing experiments: the synergy of two motifs by their distance and orientation."""
