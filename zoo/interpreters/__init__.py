"""Interpreters of the core (kind "interpreter")."""
