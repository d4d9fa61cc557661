"""From the names and layouts of published files to those of the networks."""
