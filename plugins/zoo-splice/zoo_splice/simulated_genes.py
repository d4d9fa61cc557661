"""`data=simulated_splice_sites`: genes of a simulated genome, whose splice sites need an enhancer in their exon.

random background -> genes of exons and introns on both strands -> sites with an enhancer beside them, decoys without
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.codes import encode, reverse_complement
from zoo.data.planted_motifs import background
from zoo.data.source import SPLITS
from zoo.errors import ConfigError
from zoo_splice.gene_table import Genes
from zoo_splice.splice_source import SpliceSource, SpliceWindows

ENHANCER = "GAAGAAGA"
_EXON, _INTRON, _SPACER = (60, 160), (150, 400), 100
_NEAR = 12
_DONOR = np.array(
    [[33, 60, 9, 0, 0, 53, 71, 7, 16], [36, 13, 3, 0, 0, 3, 8, 6, 16], [18, 13, 80, 100, 0, 41, 12, 81, 21],
     [13, 14, 8, 0, 100, 3, 9, 6, 47]], float)  # fmt: skip
"""Percent of A C G T from 3 bases of the exon to 6 of the intron, about those of human genes."""
_ACCEPTOR_END = np.array([[22, 4, 100, 0, 24], [32, 72, 0, 0, 14], [20, 0, 0, 100, 50], [26, 24, 0, 0, 12]], float)
"""Percent of A C G T over the last 4 bases of the intron and the first of the exon."""
_PYRIMIDINES = np.array([9, 33, 10, 48], float)


class SimulatedSpliceSites(SpliceSource):
    """Genes of 3 to 8 exons on either strand of three simulated contigs, one a split.

    Every acceptor and donor has the enhancer GAAGAAGA within its exon, 12 bp or less from the site.  Introns hold
    decoys drawn from the same letters without an enhancer, so that no model of a site's own bases tells them apart.

    n_train, n_validation, n_test: genes.
    decoys: pairs of an acceptor and a donor without an enhancer in an intron of at least 240 bp.
    windows: settings, see `SpliceWindows`.
    seed: of the data.
    """

    def __init__(
        self,
        *,
        n_train: int = 200,
        n_validation: int = 40,
        n_test: int = 60,
        decoys: int = 1,
        windows: SpliceWindows | Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        if min(n.values()) < 1 or decoys not in (0, 1):
            raise ConfigError(f"genes {list(n.values())} and decoys {decoys}: need a gene a split, and 0 or 1 decoys")
        self._config = {f"n_{split}": number for split, number in n.items()} | {"decoys": decoys, "seed": seed}
        contigs = [
            _Contig(split, number, decoys, np.random.default_rng((seed, i)))
            for i, (split, number) in enumerate(n.items())
        ]
        genome = SimulatedGenome([contig.codes for contig in contigs])
        rows = [row for contig in contigs for row in contig.rows]
        genes = Genes.of(rows, *([x for c in contigs for x in getattr(c, side)] for side in ("left", "right")))
        contig = np.array([SPLITS.index(row[1]) for row in rows], np.int64)
        lengths = {c.name: len(c.codes) for c in contigs}
        regions = {split: [(i, 0, lengths[split])] for i, split in enumerate(SPLITS)}
        settings = settings_of(SpliceWindows, "data.windows", windows)
        super().__init__(genes, contig, genome, lengths, regions, settings, seed)

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "source": "simulated_splice_sites",
            "enhancer": ENHANCER,
            "licence": "simulated",
            "windows": vars(self.windows),
            "n": self.numbers(),
            "config": self._config,
        }


class SimulatedGenome:
    """Contigs in memory.  codes: of each contig (length,) uint8."""

    def __init__(self, codes: list[np.ndarray]):
        self.codes = codes

    def windows(
        self, contig_ids: np.ndarray, starts: np.ndarray, length: int, strands: np.ndarray | None = None
    ) -> np.ndarray:
        """(N, length) uint8, as `zoo.data.genome.Genome.windows` gives them."""
        out = np.full((len(starts), length), 4, np.uint8)
        for row, (contig, start) in enumerate(zip(contig_ids, starts, strict=True)):
            codes = self.codes[contig]
            low, high = max(0, start), min(len(codes), start + length)
            if low < high:
                out[row, low - start : high - start] = codes[low:high]
            if strands is not None and strands[row] < 0:
                out[row] = reverse_complement(out[row])
        return out


class _Contig:
    """One contig with its genes.

    rows, left, right: what `Genes.of` takes.
    """

    def __init__(self, name: str, n: int, decoys: int, rng: np.random.Generator):
        self.name, parts, at = name, [], 0
        self.rows: list[tuple[str, str, int, int, int]] = []
        self.left, self.right = [], []
        for number in range(n):
            codes, exons = _gene(decoys, rng)
            strand = int(rng.choice([-1, 1]))
            if strand < 0:
                codes, exons = reverse_complement(codes), [(len(codes) - e, len(codes) - s) for s, e in exons[::-1]]
            parts += [background(1, _SPACER, rng=rng)[0], codes]
            at += _SPACER
            self.rows.append((f"{name}_{number + 1}", name, strand, at, at + len(codes)))
            self.left.append([at + s for s, _ in exons[1:]])
            self.right.append([at + e - 1 for _, e in exons[:-1]])
            at += len(codes)
        self.codes = np.concatenate([*parts, background(1, _SPACER, rng=rng)[0]])


def _gene(decoys: int, rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Codes (length,) as the transcript reads, and its exons, 0-based half-open."""
    n = int(rng.integers(3, 9))
    exon, intron = rng.integers(*_EXON, n), rng.integers(*_INTRON, n - 1)
    starts = np.concatenate([[0], np.cumsum(exon[:-1] + intron)])
    exons = [(int(s), int(s + width)) for s, width in zip(starts, exon, strict=True)]
    codes = background(1, exons[-1][1], rng=rng)[0]
    for (_, end), (start, _) in pairwise(exons):
        _write_donor(codes, end, rng)
        _write_acceptor(codes, start, rng)
        _write(codes, end - 3 - len(encode(ENHANCER)) - int(rng.integers(_NEAR - 8)), encode(ENHANCER))
        _write(codes, start + 1 + int(rng.integers(_NEAR - 8)), encode(ENHANCER))
        if decoys and start - end >= 240:
            middle = (start + end) // 2
            _write_acceptor(codes, middle - 40, rng)
            _write_donor(codes, middle + 40, rng)
    return codes, exons


def _write_donor(codes: np.ndarray, end: int, rng: np.random.Generator) -> None:
    """end: of the exon, whose last base is the one before."""
    _write(codes, end - 3, _draw(_DONOR, rng))


def _write_acceptor(codes: np.ndarray, start: int, rng: np.random.Generator) -> None:
    """start: of the exon."""
    tract = _draw(np.repeat(_PYRIMIDINES[:, None], 16, axis=1), rng)
    _write(codes, start - 20, tract)
    _write(codes, start - 4, _draw(_ACCEPTOR_END, rng))


def _write(codes: np.ndarray, at: int, letters: np.ndarray) -> None:
    codes[at : at + len(letters)] = letters


def _draw(percent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    steps = np.cumsum(percent / percent.sum(0), axis=0)[:3]
    return (rng.random(percent.shape[1]) >= steps).sum(0).astype(np.uint8)
