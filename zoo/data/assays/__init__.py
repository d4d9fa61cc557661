"""A sheet of experiments, and what each of them says of every window of a genome."""
