"""TOMTOM of many motifs against JASPAR CORE vertebrates: `zoo_motifs.tomtom` beside memelite called by hand.

    python benchmarks/tomtom.py

The queries are matrices of JASPAR of which sites are drawn again, so that each has relatives and none is in the
database.  Both cases take turns, after one call each that compiles; medians are printed.  `zoo match-motifs` is the
whole command in a process of its own, from MEME file to table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np

from zoo.data.motifs import Motif
from zoo_motifs.databases import jaspar
from zoo_motifs.meme import write_meme
from zoo_motifs.tomtom import match


def noisy(n: int, sites: int, seed: int = 0) -> list[Motif]:
    """n matrices of JASPAR, each counted again over so many drawn sites."""
    rng = np.random.default_rng(seed)
    known = jaspar()
    made = []
    for i, chosen in enumerate(rng.choice(len(known), n, replace=False)):
        drawn = known[chosen].sample(rng, sites)
        made.append(Motif(f"query_{i}", f"query_{i}", (drawn[:, None] == np.arange(4)[None, :, None]).sum(0) + 0.1))
    return made


def main() -> int:
    """Print the table; 1 where the numbers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--motifs", type=int, default=300)
    parser.add_argument("--sites", type=int, default=50, help="drawn for each (default 50)")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    numba.set_num_threads(min(arguments.threads, numba.config.NUMBA_NUM_THREADS))
    queries, targets = noisy(arguments.motifs, arguments.sites), jaspar()

    def ours():
        return match(queries, targets)

    def theirs():
        from memelite import tomtom

        return tomtom([q.probabilities(0) for q in queries], [t.probabilities(0) for t in targets])

    def ours_with_agreement():
        found = match(queries, targets)
        return found.agreement

    cases = {"zoo": ours, "zoo, with agreement": ours_with_agreement, "memelite by hand": theirs}
    same = np.array_equal(ours().p, np.clip(theirs()[0], 0, 1))
    times: dict[str, list[float]] = {name: [] for name in cases}
    ours_with_agreement()
    for _ in range(arguments.repeats):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            times[name].append(time.perf_counter() - began)
    base = statistics.median(times["memelite by hand"])
    print(f"{'':24s}{'seconds':>10s}{'ratio':>8s}")
    for name, each in times.items():
        print(f"{name:24s}{statistics.median(each):10.2f}{statistics.median(each) / base:8.2f}")
    with tempfile.TemporaryDirectory() as folder:
        write_meme(Path(folder) / "queries.meme", queries)
        command = [sys.executable, "-m", "zoo.cli.main", "match-motifs", "queries.meme", "-o", "matches.tsv"]
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        print(f"{'zoo match-motifs':24s}{time.perf_counter() - began:10.2f}")
    print(
        f"{len(queries)} motifs against {len(targets):,} of JASPAR CORE vertebrates, n = {arguments.repeats} turns, "
        f"{numba.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}, memelite {version('memelite')}; "
        f"p-values {'are equal' if same else 'DIFFER'}"
    )
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
