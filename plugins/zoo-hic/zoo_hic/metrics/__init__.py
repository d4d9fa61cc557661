"""Contact maps evaluated beyond distance: `summary.compare_maps` makes the table that an evaluation prints."""
