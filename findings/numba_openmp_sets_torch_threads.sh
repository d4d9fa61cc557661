#!/usr/bin/env bash
# A one-thread benchmark that is none: numba 0.68.1 and torch 2.13.0 share one OpenMP runtime in a process, and when numba starts
# its OpenMP pool it sets that runtime's number of threads to its own (all cores), whatever torch.set_num_threads said.  A step of
# tangermeme 1.6.0's greedy design is enough, and OMP_NUM_THREADS=1 does not help: numba does not read it.  NUMBA_NUM_THREADS=1 does.
# What is timed after the first call of the peer runs on all cores, the rival's own code too.  Needs two cores.
set -euo pipefail
constraints=$(cd "$(dirname "$0")/.." && pwd)/constraints.txt # the build of torch without CUDA
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --constraint "$constraints" \
    torch==2.13.0 numba==0.68.1 tangermeme==1.6.0
cd "$folder"
cat >threads.py <<'PYTHON'
import os
from importlib.metadata import version

import torch

torch.set_num_threads(1)
import numba
from tangermeme.design import greedy_substitution


class Network(torch.nn.Module):
    def forward(self, x):
        return x.float().sum((1, 2))[:, None] + x[:, 0, :5].float().sum(1, keepdim=True)


x = torch.nn.functional.one_hot(torch.arange(60)[None] % 4, 4).transpose(1, 2).float()
greedy_substitution(Network(), x, max_iter=1, device="cpu")
print(f"torch {version('torch')}, numba {numba.__version__} ({numba.threading_layer()}), tangermeme {version('tangermeme')}: "
      f"torch was told 1 thread and has {torch.get_num_threads()} of {os.cpu_count()} "
      f"(NUMBA_NUM_THREADS={os.environ.get('NUMBA_NUM_THREADS')}, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')})")
raise SystemExit(torch.get_num_threads())
PYTHON
[ "$(nproc)" -ge 2 ] || { echo "one core alone: nothing to see" && exit 1; }
unset NUMBA_NUM_THREADS OMP_NUM_THREADS
threads() { "$@" "$folder/venv/bin/python" threads.py >&2 && echo 0 || echo $?; }
test "$(threads env)" -ge 2
test "$(threads env OMP_NUM_THREADS=1)" -ge 2
test "$(threads env NUMBA_NUM_THREADS=1)" -eq 1
