"""A small genome and a cohort of experiments on it whose peaks are known."""

from __future__ import annotations

import numpy as np
import pytest

LENGTH = 60_000
CONTIGS = ("1", "2", "3")


@pytest.fixture(scope="session")
def cohort_genome(tmp_path_factory):
    rng = np.random.default_rng(5)
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text("".join(f">{c}\n{''.join(rng.choice(list('ACGT'), LENGTH))}\n" for c in CONTIGS))
    return path


def summits_of(first, step):
    """(contig, summit) of one experiment: every `step` bp from `first` on, on all contigs."""
    return [(f"chr{c}", at) for c in CONTIGS for at in range(first, LENGTH - 500, step)]


@pytest.fixture(scope="session")
def cohort(tmp_path_factory, cohort_genome):
    """Four experiments: A and B of K562 in lab 1, the targets again in liver in lab 2; and a sheet of them."""
    folder = tmp_path_factory.mktemp("cohort")
    peaks = {
        "A_K562": summits_of(1_000, 3_000),
        "B_K562": summits_of(2_000, 3_000),
        "A_liver": summits_of(1_000, 6_000),
        "B_liver": summits_of(2_030, 6_000),
    }
    rows = ["name\tassay\ttarget\tcell\tbatch\tpeaks\tdonor"]
    for name, summits in peaks.items():
        (folder / f"{name}.bed").write_text("".join(f"{c}\t{s}\t{s + 1}\n" for c, s in summits))
        target, cell = name.split("_")
        rows.append(f"{name}\tChIP-seq\t{target}\t{cell}\t{'lab1' if cell == 'K562' else 'lab2'}\t{name}.bed\td1")
    (folder / "experiments.tsv").write_text("\n".join(rows) + "\n")
    return folder
