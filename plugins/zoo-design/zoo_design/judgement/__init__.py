"""Designs are judged, not believed: by independent models, beside natural sequences and random ones."""

from __future__ import annotations

from zoo_design.judgement.controls import Controls
from zoo_design.judgement.judgement import judge
from zoo_design.judgement.judges import Judge
from zoo_design.judgement.library import read_controls
from zoo_design.judgement.verdict import Verdict

__all__ = ["Controls", "Judge", "Verdict", "judge", "read_controls"]
