"""Promoters to design with: two halves that share no similar sequence, and one of them with shuffled values.

ecoli_mpra_expr.csv.gz (seq, expr; 165 bp) -> groups of promoters with a common word of 20 bp
    -> 15 % of the groups are test rows of every table; half of the others are those of table "designer", the others of
       "judge"; "sabotaged" is "designer" with the values of its training and validation rows shuffled
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

TABLES = ("designer", "judge", "sabotaged")


def read_promoters(path: Path) -> tuple[list[str], np.ndarray]:
    """Sequences and log2 activities (N,)."""
    with gzip.open(path, "rt") as file:
        rows = list(csv.DictReader(file))
    return [row["seq"].upper() for row in rows], np.array([float(row["expr"]) for row in rows])


def similarity_groups(sequences: Sequence[str], word: int = 20) -> np.ndarray:
    """(N,) the group of every sequence: those that share a word of `word` bp are in one, directly or through others."""
    parents = np.arange(len(sequences))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    first: dict[str, int] = {}
    for i, sequence in enumerate(sequences):
        for j in range(len(sequence) - word + 1):
            a, b = root(first.setdefault(sequence[j : j + word], i)), root(i)
            parents[max(a, b)] = min(a, b)
    return np.array([root(i) for i in range(len(sequences))])


def write_tables(sequences: Sequence[str], values: np.ndarray, folder: Path, seed: int = 0) -> dict[str, Path]:
    """{table: TSV with name, sequence, activity and split}.

    Beside them `library.fasta` with every promoter, and `training.tsv` with what "designer" learns from.
    """
    groups = similarity_groups(sequences)
    draw = np.array([int(hashlib.sha256(f"{seed}:{g}".encode()).hexdigest()[:12], 16) / 16**12 for g in groups])
    half = np.where(draw < 0.15, -1, (draw * 1e6).astype(int) % 2)
    validation = (draw * 1e4) % 1 < 0.12
    shuffled = values.copy()
    learned = np.flatnonzero(half == 0)
    shuffled[learned] = values[np.random.default_rng(seed).permutation(learned)]
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for table, (own, y) in zip(TABLES, ((0, values), (1, values), (0, shuffled)), strict=True):
        paths[table] = folder / f"{table}.tsv"
        with paths[table].open("w") as file:
            file.write("name\tsequence\tactivity\tsplit\n")
            for i in np.flatnonzero((half == own) | (half == -1)):
                split = "test" if half[i] == -1 else "validation" if validation[i] else "train"
                file.write(f"p{i}\t{sequences[i]}\t{y[i]:.6g}\t{split}\n")
    with (folder / "library.fasta").open("w") as file:
        for i, (sequence, y) in enumerate(zip(sequences, values, strict=True)):
            file.write(f">p{i} activity={y:.6g}\n{sequence}\n")
    with (folder / "training.tsv").open("w") as file:
        lines = paths["designer"].read_text().splitlines(keepends=True)
        file.writelines(line for line in lines if line.endswith(("\tsplit\n", "\ttrain\n")))
    return paths


def write_starts(table: Path, path: Path, n: int, seed: int = 0) -> None:
    """n test promoters with a GC content of 40 to 60 % and no site of BsaI, as FASTA."""
    rows = [line.rstrip("\n").split("\t") for line in table.read_text().splitlines()[1:]]
    fit = [
        (name, sequence)
        for name, sequence, _, split in rows
        if split == "test" and "GGTCTC" not in sequence and "GAGACC" not in sequence
        if 0.4 <= sum(letter in "GC" for letter in sequence) / len(sequence) <= 0.6
    ]
    chosen = np.random.default_rng(seed).choice(len(fit), n, replace=False)
    path.write_text("".join(f">{fit[i][0]}\n{fit[i][1]}\n" for i in np.sort(chosen)))
