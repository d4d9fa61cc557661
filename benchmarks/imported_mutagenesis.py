"""`zoo mutate` on an imported ChromBPNet of the published sizes, beside full inference of every mutant.

    python benchmarks/imported_mutagenesis.py --positions 100

A ChromBPNet of 512 and 128 filters (8 and 4 layers, windows of 2,114 bp) with random weights is written as a file of
bpnet-lite, imported, and every substitution around the middle is computed twice: by the incremental engine, and for
some mutants by a forward pass of the whole window, on one thread.  Printed are mutations per CPU second, without what
is done once (importing, compiling), and the largest difference.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import zoo
from zoo.data.codes import decode
from zoo.importing.import_model import import_model
from zoo.outputs import Output

LENGTH = 2114


def state(filters: int, layers: int) -> dict[str, torch.Tensor]:
    """Random weights of one BPNet by bpnet-lite's names, of a size that keeps the outputs near 1."""
    layer = {f"rconvs.{i}": (filters, filters, 3) for i in range(layers)}
    shapes = {"iconv": (filters, 4, 21), **layer, "fconv": (1, filters, 75), "linear": (1, filters)}
    weights = {f"{name}.weight": 0.5 * torch.randn(s) / np.prod(s[1:]) ** 0.5 for name, s in shapes.items()}
    return weights | {f"{name}.bias": 0.1 * torch.randn(shape[0]) for name, shape in shapes.items()}


def cpu_seconds(function):
    """(result, CPU seconds) of a call."""
    since = time.process_time()
    result = function()
    return result, time.process_time() - since


def naive(model, codes: np.ndarray, output: Output, positions: np.ndarray) -> np.ndarray:
    """Effects (4, P) by a forward pass a mutant, in batches of 3."""
    effects = np.zeros((4, len(positions)))
    with torch.inference_mode():
        reference = output.of(model, {"codes": torch.from_numpy(codes[None])})
        for i, position in enumerate(positions):
            others = [base for base in range(4) if base != codes[position]]
            mutants = np.repeat(codes[None], 3, 0)
            mutants[np.arange(3), position] = others
            effects[others, i] = (output.of(model, {"codes": torch.from_numpy(mutants)}) - reference)[:, 0]
    return effects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=100, help="around the middle, 3 substitutions each")
    parser.add_argument("--sample", type=int, default=4, help="positions of full inference")
    parser.add_argument(
        "--outputs", nargs="+", default=["counts:raw", "counts_with_bias:raw", "profile@-50..50:raw:mean"]
    )
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        parts = {"accessibility": state(512, 8), "bias": state(128, 4)}
        tensors = {f"{part}.{name}": x for part, weights in parts.items() for name, x in weights.items()}
        torch.save(tensors, Path(folder) / "chrombpnet.torch")
        import_model([Path(folder) / "chrombpnet.torch"], "chrombpnet", Path(folder) / "chrombpnet")
        model = zoo.load(Path(folder) / "chrombpnet")
    codes = np.random.default_rng(0).integers(0, 4, LENGTH).astype(np.uint8)
    start = LENGTH // 2 - args.positions // 2
    positions = np.linspace(start, start + args.positions - 1, args.sample).astype(int)
    for text in args.outputs:
        output = Output.parse(text, model.spec)
        zoo.mutate(model, decode(codes), output=text, start=start, end=start + 1)
        span = {"start": start, "end": start + args.positions}
        ours, spent = cpu_seconds(lambda text=text, span=span: zoo.mutate(model, decode(codes), output=text, **span))
        full, slow = cpu_seconds(lambda output=output: naive(model, codes, output, positions))
        rate, naive_rate = 3 * args.positions / spent, 3 * args.sample / slow
        difference = np.abs(ours.numpy()[:, positions - start] - full).max()
        print(
            f"{text:26} ours {rate:8.1f} a CPU second (n = {3 * args.positions}), full inference {naive_rate:6.2f} "
            f"(n = {3 * args.sample}), {rate / naive_rate:5.1f} x, "
            f"largest difference {difference:.1g} of {np.abs(full).max():.2g}"
        )


if __name__ == "__main__":
    main()
