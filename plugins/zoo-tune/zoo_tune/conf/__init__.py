"""Search spaces that this plugin adds to zoo."""
