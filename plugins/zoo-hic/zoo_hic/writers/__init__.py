"""Contact maps as files: .cool."""

from __future__ import annotations

from zoo_hic.writers.cool import write_cool

__all__ = ["write_cool"]
