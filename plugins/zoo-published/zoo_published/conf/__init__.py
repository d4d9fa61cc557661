"""Options that this plugin adds to the configuration."""
