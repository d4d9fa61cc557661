"""Objectives of the core (kind "objective"): the loss terms that training minimises."""
