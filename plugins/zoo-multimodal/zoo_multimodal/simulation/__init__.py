"""Simulated sequences with signal tracks, where what decides is known."""
