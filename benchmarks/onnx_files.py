"""Every shipped model of sequences as an ONNX file: how far onnxruntime is from PyTorch, and how fast each is.

    python benchmarks/onnx_files.py

Random sequences of the model's length, one thread each, the two in turn; the median of three.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import onnxruntime
import torch

import zoo
from zoo.exporting.export import export
from zoo.prediction.inference import batch_rows, inferring


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", help="default: all that are shipped")
    parser.add_argument("--bases", type=int, default=1_000_000, help="in all, of each model")
    options = parser.parse_args()
    names = options.models or [m["name"] for m in zoo.list_models() if m["source"].startswith("pkg://")]
    torch.set_num_threads(1)
    print(
        "| model | parameters | sequences | largest difference | torch, s | onnxruntime, s |\n|---|---|---|---|---|---|"
    )
    for name in names:
        model = zoo.load(name)
        if "one_hot" in model.spec.inputs:
            print(line(name, model, options.bases))


def line(name: str, model: zoo.Model, bases: int) -> str:
    """A row of the table."""
    n = max(4, bases // model.spec.input_length)
    codes = np.random.default_rng(0).integers(0, 5, (n, model.spec.input_length)).astype(np.uint8)
    rows = batch_rows(model.spec.input_length)
    parts = [codes[i : i + rows] for i in range(0, n, rows)]
    with tempfile.TemporaryDirectory() as folder:
        export(name, Path(folder, "m.onnx"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(Path(folder, "m.onnx"), options, providers=["CPUExecutionProvider"])
    heads = [o.name for o in session.get_outputs()]
    seconds, difference = ([], []), 0.0
    with inferring(model):
        for _ in range(3):
            start = time.process_time()
            ours = [model.predict({"codes": torch.from_numpy(x)}) for x in parts]
            middle = time.process_time()
            theirs = [session.run(heads, {"codes": x}) for x in parts]
            seconds[0].append(middle - start)
            seconds[1].append(time.process_time() - middle)
    for mine, other in zip(ours, theirs, strict=True):
        difference = max(
            difference, *(float(np.abs(mine[h].numpy() - x).max()) for h, x in zip(heads, other, strict=True))
        )
    parameters = sum(p.numel() for p in model.parameters())
    times = " | ".join(f"{median(s):.2f}" for s in seconds)
    return f"| `{name}` | {parameters:,} | {n:,} | {difference:.1e} | {times} |"


if __name__ == "__main__":
    main()
