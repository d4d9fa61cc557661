"""Configurations that this plugin adds to zoo."""
