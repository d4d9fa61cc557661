"""What a design must keep: read from short words or a file, checked before, during and after the search."""
