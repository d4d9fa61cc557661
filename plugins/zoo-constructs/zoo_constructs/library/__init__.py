"""A library of constructs as examples to train on: files, measurements, splits, baselines."""
