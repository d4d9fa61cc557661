"""Sequences with planted motifs and known truth.

    background -> decoys (what a row lacks, letters shuffled) -> sites (what it has) -> labels, activity, counts

Every row receives one site or one decoy for each motif, and a decoy has the letters of a site: base
composition says nothing about the label.  All functions are pure: the same arguments give the same arrays.

A pair of motifs may have a grammar (zoo.data.motif_pair): many arrangements, of which only one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from zoo.data.codes import reverse_complement
from zoo.data.motif_pair import Pair, place_blocks, place_pairs, stands_as
from zoo.data.motifs import Motif
from zoo.errors import ConfigError

DECOYS = ("shuffled", "scattered", "none")


@dataclass(frozen=True, eq=False)
class Simulation:
    """What `simulate` made.

    codes: (N, L) uint8.
    labels: (N, M) float32, 1 where the row holds a site of the motif.
    arranged: (N,) bool, the rows in which some site of the pair's first motif and some site of its second stand as
        `Pair` says, made so or by chance; no other row does.
    truth: columns row, motif (its name), index (its position in the list), start, end (0-based half-open),
        strand, one entry a planted site, sorted by row and start.
    """

    codes: np.ndarray
    labels: np.ndarray
    arranged: np.ndarray
    truth: dict[str, np.ndarray]


def simulate(
    motifs: Sequence[Motif],
    n: int,
    *,
    length: int = 200,
    gc: float = 0.41,
    transitions: np.ndarray | None = None,
    positives: float = 0.5,
    sites: int = 1,
    decoys: str = "shuffled",
    pair: Pair | None = None,
    seed: int | Sequence[int] = 0,
) -> Simulation:
    """Plant each motif in a fraction of n rows, independently of the other motifs.

    length: bp of a row.
    gc, transitions: of the background, see `background`.
    positives: share of the rows that hold a motif; exact to a row for each motif.
    sites: planted in a row that holds the motif; sites of a row never overlap.
    decoys: what a row without the motif holds instead: the letters of a site in shuffled order in one
        place ("shuffled"), the same letters each at a random place ("scattered"), or nothing ("none",
        which lets base composition tell the label).
    pair: a grammar of two motifs.

    Raises ConfigError where the sites do not fit.
    """
    if decoys not in DECOYS:
        raise ConfigError(f"decoys {decoys!r} must be one of {', '.join(DECOYS)}")
    if not motifs or sites < 1 or not 0 <= positives <= 1:
        raise ConfigError(f"{len(motifs)} motifs, {sites} sites, positives {positives}: need 1, 1, and 0 to 1")
    if pair and max(pair.first, pair.second) >= len(motifs):
        raise ConfigError(f"a pair needs two motifs, the list has {len(motifs)}: add one to motifs")
    rng = np.random.default_rng(seed)
    codes = background(n, length, gc=gc, transitions=transitions, rng=rng)
    labels = np.zeros((n, len(motifs)), bool)
    for m in range(len(motifs)):
        labels[rng.permutation(n)[: round(positives * n)], m] = True
    arranged = np.zeros(n, bool)
    if pair:
        arranged = labels[:, pair.first] & labels[:, pair.second] & (rng.random(n) < pair.fraction)
    slots = [m for m in range(len(motifs)) for _ in range(sites)]
    start, strand = place_blocks([len(motifs[m]) for m in slots], n, length, rng)
    if pair:
        place_pairs(pair, motifs, slots, arranged, start, strand, length, rng)
        arranged = labels[:, pair.first] & labels[:, pair.second] & stands_as(pair, motifs, slots, start, strand)
    for holds, (slot, m) in product((True,) if decoys == "none" else (False, True), enumerate(slots)):
        rows, width = np.flatnonzero(labels[:, m] == holds), len(motifs[m])
        letters = _sites(motifs[m], strand[rows, slot], rng)
        if not holds:
            letters = rng.permuted(letters, axis=1)
        at = start[rows, slot, None] + np.arange(width)
        if not holds and decoys == "scattered":
            at = rng.random((len(rows), length)).argpartition(width - 1, axis=1)[:, :width]
        codes[rows[:, None], at] = letters
    return Simulation(codes, labels.astype(np.float32), arranged, _truth(motifs, slots, labels, start, strand))


def background(
    n: int,
    length: int,
    *,
    gc: float = 0.41,
    transitions: np.ndarray | None = None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Random codes (n, length) uint8.

    gc: share of C and G, equal on both strands.
    transitions: (4, 4) probability of a base (column) after a base (row), for a first-order Markov chain
        that starts from its stationary distribution; replaces gc.

    >>> background(2, 5, gc=1.0, rng=np.random.default_rng(0)).tolist()
    [[2, 1, 1, 1, 2], [2, 2, 2, 2, 2]]
    """
    if transitions is None:
        if not 0 <= gc <= 1:
            raise ConfigError(f"gc {gc} must be a share from 0 to 1")
        steps = np.cumsum([(1 - gc) / 2, gc / 2, gc / 2])
        return np.searchsorted(steps, rng.random((n, length)), side="right").astype(np.uint8)
    transitions = np.asarray(transitions, np.float64)
    if transitions.shape != (4, 4) or (transitions < 0).any() or not np.allclose(transitions.sum(1), 1):
        raise ConfigError(f"transitions of shape {transitions.shape} must be (4, 4), each row a distribution")
    values, vectors = np.linalg.eig(transitions.T)
    stationary = np.abs(np.real(vectors[:, np.argmax(np.real(values))]))
    steps = np.cumsum(transitions, axis=1)[:, :3]
    drawn = rng.random((n, length))
    codes = np.empty((n, length), np.uint8)
    codes[:, 0] = np.searchsorted(np.cumsum(stationary / stationary.sum())[:3], drawn[:, 0], side="right")
    for i in range(1, length):
        codes[:, i] = (drawn[:, i, None] >= steps[codes[:, i - 1]]).sum(1)
    return codes


def activity(
    simulation: Simulation, effects: Sequence[float], pair: Pair | None = None, noise: float = 0.0, seed: int = 0
) -> np.ndarray:
    """(N,) float32: the effects of the motifs that a row holds, the pair's synergy, and normal noise of that sd."""
    value = simulation.labels @ np.asarray(effects, np.float64)
    if pair:
        value = value + pair.synergy * simulation.arranged
    if noise:
        value = value + noise * np.random.default_rng(seed).standard_normal(len(value))
    return value.astype(np.float32)


def profile_counts(
    simulation: Simulation,
    n_motifs: int,
    *,
    bin_size: int = 1,
    reads: float = 100.0,
    reads_background: float = 10.0,
    spread: float = 12.0,
    stranded: bool = False,
    seed: int = 0,
) -> np.ndarray:
    """Poisson read counts (N, tracks, L / bin_size) float32, a peak at every site.

    reads: expected at a site; reads_background: expected over the whole row, in every track.
    spread: sd of a peak in bp.
    stranded: two tracks a motif, + before -, whose peaks lie one spread before and after the site's middle
        as seen along each strand, the one upstream of the site's own strand with two thirds of its reads;
        otherwise one track a motif.
    """
    n, length = simulation.codes.shape
    if length % bin_size:
        raise ConfigError(f"bin_size {bin_size} does not divide {length} bp: use {length - length % bin_size} bp")
    tracks = n_motifs * (2 if stranded else 1)
    rate = np.full((n, tracks, length), reads_background / length)
    positions = np.arange(length) + 0.5
    truth = simulation.truth
    middle = (truth["start"] + truth["end"]) / 2
    forward = truth["strand"] == "+"
    peaks = [(truth["index"], middle, np.full(len(middle), reads))]
    if stranded:
        upstream, downstream = reads * 2 / 3, reads / 3
        peaks = [
            (2 * truth["index"], middle - spread, np.where(forward, upstream, downstream)),
            (2 * truth["index"] + 1, middle + spread, np.where(forward, downstream, upstream)),
        ]
    for track, centre, height in peaks:
        shape = np.exp(-0.5 * ((positions - centre[:, None]) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        np.add.at(rate, (truth["row"], track), height[:, None] * shape)
    binned = rate.reshape(n, tracks, length // bin_size, bin_size).sum(3)
    return np.random.default_rng(seed).poisson(binned).astype(np.float32)


def _sites(motif: Motif, strand: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sampled site for every strand: (n, W) as read on the forward strand."""
    drawn = motif.sample(rng, len(strand))
    backward = strand == "-"
    drawn[backward] = reverse_complement(drawn[backward])
    return drawn


def _truth(
    motifs: Sequence[Motif], slots: Sequence[int], labels: np.ndarray, start: np.ndarray, strand: np.ndarray
) -> dict[str, np.ndarray]:
    index = np.asarray(slots)
    row, slot = np.nonzero(labels[:, index])
    order = np.lexsort((start[row, slot], row))
    row, slot = row[order], slot[order]
    starts = start[row, slot]
    return {
        "row": row,
        "motif": np.array([m.name for m in motifs])[index[slot]],
        "index": index[slot],
        "start": starts,
        "end": starts + np.array([len(m) for m in motifs])[index[slot]],
        "strand": strand[row, slot],
    }
