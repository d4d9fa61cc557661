"""What edits of the sequence and structural variants do to predicted contact maps."""
