"""Configurations of the interpreters."""
