"""Designs to files and back; the end of the name says which: FASTA, a table, GenBank."""

from __future__ import annotations

from zoo_design.writers.files import DESIGNS, read_designs, write_designs

__all__ = ["DESIGNS", "read_designs", "write_designs"]
