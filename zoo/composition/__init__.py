"""What surrounds the composition of a run: groups and their options, flags, checks, sweeps.  None of it needs Hydra."""
