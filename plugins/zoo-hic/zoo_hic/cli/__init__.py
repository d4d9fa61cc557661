"""Commands of zoo-hic."""
