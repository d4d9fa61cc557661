"""Every `sh` and `python` block of the guides runs, in order, in one folder a guide."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def test_the_guides_are_found():
    assert {g.stem for g in GUIDES} >= {"train", "share", "plugins", "benchmarks", "interpret", "effects", "variants"}


@pytest.mark.slow
@pytest.mark.parametrize("guide", [g for g in GUIDES if BLOCK.search(g.read_text())], ids=lambda g: g.stem)
def test_the_examples_of_a_guide_run(guide, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "ZOO_CACHE": str(tmp_path / "cache"), "COLUMNS": "100"}
    env |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    env.pop("ZOO_HUB", None)
    for language, code in BLOCK.findall(guide.read_text()):
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
