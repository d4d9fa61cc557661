"""Loops give the same with and without numba, and a few steps do not import it."""

import subprocess
import sys

import numpy as np

from zoo.data import window_kernels
from zoo.data.compiled_loop import WORTH, CompiledLoop


def test_numba_is_used_once_there_is_enough_to_do():
    @CompiledLoop
    def double(x):
        for i in range(len(x)):
            x[i] *= 2

    assert double.of(WORTH) is double.python
    compiled = double.of(1)
    assert compiled is not double.python
    x, y = np.arange(5), np.arange(5)
    double.python(x)
    compiled(y)
    assert x.tolist() == y.tolist() == [0, 2, 4, 6, 8]


def test_windows_are_the_same_with_and_without_numba():
    random = np.random.default_rng(0)
    codes = random.integers(0, 5, 300).astype(np.uint8)
    offset, size = np.array([0, 120]), np.array([120, 180])
    contig, start = random.integers(0, 2, 40), random.integers(-40, 200, 40)
    where = codes, offset, size, contig, start, random.random(40) < 0.5, np.arange(40)
    for loop, shape in ((window_kernels.gather_codes, (40, 31)), (window_kernels.gather_one_hot, (40, 4, 31))):
        plain, compiled = np.full(shape, 9, np.uint8), np.full(shape, 9, np.uint8)
        loop.python(*where, plain, 0, 40)
        loop.compiled(*where, compiled, 0, 40)
        np.testing.assert_array_equal(plain, compiled)


TYPED = """
import sys
from zoo.cli.main import main
code = main(["score", "chr1:51:A>C", "--model", "ctcf-motif-cnn", "--fasta", sys.argv[1], "--max-n", "1"])
slow = {"numba", "pandas", "pyarrow", "scipy", "lightning", "hydra", "torch._dynamo"} & set(sys.modules)
print(code, sorted(slow))
"""


def test_a_typed_variant_imports_only_what_it_needs(tmp_path):
    (tmp_path / "g.fa").write_text(f">chr1\n{'A' * 400}\n")
    done = subprocess.run(
        [sys.executable, "-c", TYPED.replace("chr1:51", "chr1:151"), str(tmp_path / "g.fa")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "0 []"
