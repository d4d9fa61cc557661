"""Published networks of splice sites, ours against the original program in its own environment, base by base.

    python benchmarks/splice_ports.py --fasta chr20.fa.gz --genes genes.txt.gz \\
        --peer-python cispliceai=/envs/tf/bin/python spliceai=/envs/tf/bin/python openspliceai=/envs/osai/bin/python \\
        --weights spliceai=/envs/tf/.../spliceai/models openspliceai=FOLDER pangolin=FOLDER

200 windows of random letters and 50 of chr20, of which 44 lie around annotated ends of exons (as the transcript reads,
so that half are reversed), four in the N at its start, and two in runs of N of their own.  Each window holds the whole
context of 101 bases, as the programs take it for a variant at distance 50.  Printed: the largest absolute difference of
any probability of any base, and how many bases have a site (probability above one half), without which it would mean
little.  The original of CI-SpliceAI and SpliceAI is their package in TensorFlow, that of OpenSpliceAI its own class in
PyTorch; Pangolin's is not on the package index, and stands below as a second reading of its paper in plain torch calls.

A peer runs in a process of its own (`--peer`), which needs no zoo.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

OUTPUTS, RANDOM, REAL = 101, 200, 50
CONTEXT = {"ci-spliceai": 10_000, "spliceai-10k": 10_000, "pangolin": 10_000} | {
    f"openspliceai-{n}nt": n for n in (80, 400, 10_000)
}
PROGRAM = {"ci-spliceai": "cispliceai", "spliceai-10k": "spliceai", "pangolin": "pangolin"}
KERNELS, DILATIONS = (11, 11, 21, 41), (1, 4, 10, 25)
BASES = np.concatenate([np.eye(4, dtype=np.float32), np.zeros((1, 4), np.float32)])


def main() -> None:
    """Parse, compare, print a table."""
    if sys.argv[1:2] == ["--peer"]:
        run_peer(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fasta", required=True)
    parser.add_argument("--genes", required=True, help="#NAME CHROM STRAND TX_START TX_END EXON_START EXON_END")
    parser.add_argument("--chrom", default="20")
    parser.add_argument("--peer-python", nargs="*", default=[], metavar="PROGRAM=PYTHON")
    parser.add_argument("--weights", nargs="*", default=[], metavar="PROGRAM=FOLDER")
    parser.add_argument("--only", nargs="*", default=list(CONTEXT), choices=list(CONTEXT))
    parser.add_argument("--random", type=int, default=RANDOM)
    parser.add_argument("--real", type=int, default=REAL)
    parser.add_argument("--keep", type=Path, help="folder of the originals' numbers, which are then computed once")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    pythons, weights = (
        dict(pair.split("=", 1) for pair in pairs) for pairs in (arguments.peer_python, arguments.weights)
    )
    rows = []
    print("| model | original | windows | bases with a site | largest difference |\n|---|---|---|---|---|", flush=True)
    for name in arguments.only:
        codes = windows(arguments, CONTEXT[name] + OUTPUTS)
        kinds = f"{arguments.random} random, {arguments.real} real"
        rows.append({"windows": kinds, **compare(name, codes, pythons, weights, arguments.keep)})
        row = rows[-1]
        print(
            f"| {name} | {row['original']} | {row['windows']} | {row['sites']} | {row['difference']:.2g} |", flush=True
        )
        if arguments.output:
            arguments.output.write_text(json.dumps(rows, indent=1) + "\n")


def windows(arguments: argparse.Namespace, length: int) -> np.ndarray:
    """codes (N, L) uint8: random ones first."""
    from zoo.data.genome import Genome

    random = np.random.default_rng(1)
    made = [random.integers(0, 4, length) for _ in range(arguments.random)]
    genome = Genome.of(arguments.fasta)
    contig = genome.contig_ids([arguments.chrom])[0]
    ends = exon_ends(arguments.genes, arguments.chrom)
    real = []
    for at in random.choice(len(ends), arguments.real - 6, replace=False):
        place, strand = ends[at]
        start = place - length // 2 + int(random.integers(-40, 41))
        window = fetch(genome, contig, start, length)
        real.append(window if strand == "+" else np.where(window < 4, 3 - window, 4)[::-1])
    real += [
        fetch(genome, contig, 60_000 - length + shift, length) for shift in (1, length // 4, length // 2, length - 1)
    ]
    for holes in (1, 3):
        place, strand = ends[int(random.integers(len(ends)))]
        window = fetch(genome, contig, place - length // 2, length).copy()
        for hole in random.integers(0, length - 30, holes):
            window[hole : hole + 30] = 4
        real.append(window)
    return np.stack([*made, *real]).astype(np.uint8)


def fetch(genome, contig: np.int64, start: int, length: int) -> np.ndarray:
    """Codes (L,) of a window."""
    return genome.windows(np.array([contig]), np.array([start]), length)[0]


def exon_ends(path: str, chrom: str) -> list[tuple[int, str]]:
    """(0-based base, strand) of the inner ends of exons."""
    ends = []
    with gzip.open(path, "rt") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if line.startswith("#") or fields[1].removeprefix("chr") != chrom:
                continue
            starts, stops = ([int(x) for x in text.split(",") if x] for text in fields[5:7])
            ends += [(place, fields[2]) for place in (*starts[1:], *(stop - 1 for stop in stops[:-1]))]
    return ends


def compare(name: str, codes: np.ndarray, pythons: dict, weights: dict, keep: Path | None) -> dict:
    """The figures of one model."""
    program = PROGRAM.get(name, "openspliceai")
    with tempfile.TemporaryDirectory() as folder:
        place = keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        inputs, outputs = place / f"{name}-{len(codes)}-windows.npy", place / f"{name}-{len(codes)}-original.npy"
        np.save(inputs, codes)
        threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        quiet = dict.fromkeys(threads, "1") | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        python = pythons.get(program, sys.executable)
        command = [python, __file__, "--peer", name, str(inputs), str(outputs), weights.get(program, "")]
        if not outputs.exists():
            subprocess.run(command, check=True, env=os.environ | quiet, stderr=subprocess.DEVNULL)
        original, facts = np.load(outputs), json.loads(Path(f"{outputs}.json").read_text())
        start = time.process_time()
        ours = predict(name, codes, weights.get(program, ""), Path(folder) / "model")
    difference = np.abs(ours - original)
    return {
        "model": name,
        "original": facts["original"],
        "bases": int(ours[:, 0].size),
        "sites": int((original[:, -2:] if name != "pangolin" else original).max(1).__gt__(0.5).sum()),
        "difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
        "cpu_seconds": round(time.process_time() - start, 1),
        "cpu_seconds_original": facts["cpu_seconds"],
    }


def predict(name: str, codes: np.ndarray, weights: str, folder: Path) -> np.ndarray:
    """What ours predicts, (N, C, 101)."""
    import torch

    import zoo
    from zoo.importing.import_model import import_model

    torch.set_num_threads(1)
    if name != "ci-spliceai":
        importer = {"spliceai-10k": "spliceai", "pangolin": "pangolin"}.get(name, "openspliceai")
        import_model(weight_files(name, weights), importer, folder, name=name)
    model = zoo.load("ci-spliceai" if name == "ci-spliceai" else folder)
    with torch.no_grad():
        return np.concatenate([model.predict({"codes": torch.from_numpy(c[None])})["splice"].numpy() for c in codes])


def weight_files(name: str, folder: str) -> list[str]:
    """The files of a model, sorted."""
    pattern = {"spliceai-10k": "spliceai?.h5", "pangolin": "final.?.[0246].3.v2"}.get(name)
    return sorted(map(str, Path(folder).glob(pattern or f"model_{name.removeprefix('openspliceai-')}_rs*.pt")))


def run_peer(name: str, inputs: str, outputs: str, weights: str) -> None:
    """The original's probabilities (N, C, 101), one window at a time as the programs do."""
    codes = np.load(inputs)
    make = {"ci-spliceai": peer_cispliceai, "spliceai-10k": peer_spliceai, "pangolin": peer_pangolin}
    run, original = make.get(name, peer_openspliceai)(weight_files(name, weights))
    start = time.process_time()
    np.save(outputs, np.stack([run(BASES[c]) for c in codes]))
    facts = {"original": original, "cpu_seconds": round(time.process_time() - start, 1)}
    Path(f"{outputs}.json").write_text(json.dumps(facts))


def peer_cispliceai(files):
    """The frozen graph, in TensorFlow."""
    import tensorflow
    from cispliceai.const import VERSION
    from cispliceai.model import CISpliceAI

    model = CISpliceAI()
    return lambda x: model.predict([x])[0].T, f"cispliceai {VERSION}, TensorFlow {tensorflow.__version__}"


def peer_spliceai(files):
    """Five Keras models, whose predictions utils.get_delta_scores averages."""
    import tensorflow
    from keras.models import load_model
    from spliceai import __version__

    models = [load_model(file, compile=False) for file in files]
    original = f"spliceai {__version__}, TensorFlow {tensorflow.__version__}"
    return lambda x: np.mean([m.predict(x[None], verbose=0)[0] for m in models], 0).T, original


def peer_openspliceai(files):
    """The class of the package, whose predictions variant.utils averages."""
    import torch
    from openspliceai.header import __version__
    from openspliceai.train_base.openspliceai import SpliceAI

    torch.set_num_threads(1)
    models = []
    for file in files:
        state = torch.load(file, map_location="cpu", weights_only=True)
        stages = sum(f"residual_units.{5 * i + 4}.conv.weight" in state for i in range(4))
        shape = [np.repeat(np.asarray(x[:stages]), 4) for x in (KERNELS, DILATIONS)]
        models.append(SpliceAI(32, *shape))
        models[-1].load_state_dict(state)
        models[-1].eval()

    @torch.no_grad()
    def run(x):
        batch = torch.from_numpy(x.T[None])
        return torch.stack([m(batch) for m in models]).mean(0)[0].numpy()

    return run, f"openspliceai {__version__}, PyTorch {torch.__version__}"


def peer_pangolin(files):
    """Zeng and Li 2022, read a second time: padded convolutions, cropped at the end, and a softmax for each tissue."""
    import torch
    from torch.nn.functional import batch_norm, conv1d

    torch.set_num_threads(1)
    networks = [(file, torch.load(file, map_location="cpu", weights_only=True)) for file in files]

    def convolve(x, state, name, dilation=1):
        weight = state[f"{name}.weight"]
        return conv1d(x, weight, state[f"{name}.bias"], 1, dilation * (weight.shape[2] - 1) // 2, dilation)

    def normalize(x, state, name):
        parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return batch_norm(x, *parts).relu()

    def network(x, state, tissue):
        x = convolve(x, state, "conv1")
        skip = convolve(x, state, "skip")
        for block in range(16):
            dilation, y = DILATIONS[block // 4], x
            for i in (1, 2):
                y = convolve(
                    normalize(y, state, f"resblocks.{block}.bn{i}"), state, f"resblocks.{block}.conv{i}", dilation
                )
            x = x + y
            if block % 4 == 3:
                skip = skip + convolve(x, state, f"convs.{block // 4}")
        return convolve(skip[:, :, 5000:-5000], state, f"conv_last{2 * tissue + 1}").softmax(1)[0, 1]

    @torch.no_grad()
    def run(x):
        batch, sums = torch.from_numpy(x.T[None].copy()), torch.zeros(4, len(x) - 10_000)
        for file, state in networks:
            tissue = int(Path(file).name.split(".")[2]) // 2
            sums[tissue] += network(batch, state, tissue)
        return (sums / (len(networks) // 4)).numpy()

    return run, f"a second reading of the paper, PyTorch {torch.__version__}"


if __name__ == "__main__":
    main()
