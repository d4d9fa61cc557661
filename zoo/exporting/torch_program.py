"""PyTorch's exported program (.pt2): a graph with its weights, which torch alone loads and runs.

program -> write_program -> FILE.pt2 -> run_program {input: (N, ...)} -> {output: (N, ...)}
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from torch.export import ExportedProgram

METADATA = "zoo.json"
"""Name under which the file keeps its metadata: torch.export.load(file, extra_files={"zoo.json": ""})."""


def write_program(program: ExportedProgram, path: Path, facts: Mapping[str, str]) -> None:
    """Write a recorded model, and what is to be said of it."""
    with warnings.catch_warnings(), path.open("wb") as file:
        warnings.simplefilter("ignore")
        torch.export.save(program, file, extra_files={METADATA: json.dumps(dict(facts), indent=1)})


def run_program(path: Path, batches: Sequence[Mapping[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """What torch answers to each batch {input: (N, ...)} with the file that was just written."""
    with warnings.catch_warnings(), torch.no_grad(), path.open("rb") as file:
        warnings.simplefilter("ignore")
        module = torch.export.load(file).module()
        answers = [module(*(torch.from_numpy(x) for x in batch.values())) for batch in batches]
    return [{name: x.numpy() for name, x in answer.items()} for answer in answers]
