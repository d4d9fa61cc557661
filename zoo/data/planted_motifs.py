"""Sequences with planted motifs and known truth.

    background -> decoys (what a row lacks, letters shuffled) -> sites (what it has) -> labels, activity, counts

Every row receives one site or one decoy for each motif, and a decoy has the letters of a site: base
composition says nothing about the label.  All functions are pure: the same arguments give the same arrays.

A pair of motifs may have a grammar (`Pair`): both stand in many arrangements, and only one of them counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoo.data.codes import reverse_complement
from zoo.data.motifs import Motif
from zoo.errors import ConfigError

__all__ = ["DECOYS", "Pair", "Simulation", "activity", "background", "profile_counts", "simulate"]

DECOYS = ("shuffled", "scattered", "none")


@dataclass(frozen=True)
class Pair:
    """Two motifs whose effects do not add when they stand as one element.

    first, second: positions in the list of motifs.
    spacing: bp between the end of the first and the start of the second, which lies downstream on the strand of the
        first; a number, or a range (first, last) with both ends, from which each row draws its own.
    orientation: "same" or "opposite", the second's strand relative to the first's.
    fraction: of the rows that hold both, how many are made to hold them so arranged; the others hold them anywhere.
        One of the others that comes to stand so by chance counts as arranged too.
    synergy: what the arrangement adds to the activity beyond the two effects.
    """

    first: int = 0
    second: int = 1
    spacing: int | tuple[int, int] = 5
    orientation: str = "same"
    fraction: float = 0.5
    synergy: float = 1.0

    def __post_init__(self) -> None:
        if self.orientation not in ("same", "opposite"):
            raise ConfigError(f"pair orientation {self.orientation!r} must be 'same' or 'opposite'")
        if not _is_count(self.spacing):
            ends = list(self.spacing) if isinstance(self.spacing, Sequence) else []
            if len(ends) != 2 or not all(map(_is_count, ends)) or ends[0] > ends[1]:
                raise ConfigError(f"pair spacing {self.spacing!r} must be bp, as in 10, or a range, as in [8, 12]")
            object.__setattr__(self, "spacing", tuple(ends))
        if not 0 <= self.fraction <= 1 or self.first == self.second:
            raise ConfigError(f"{self} needs two different motifs and a fraction from 0 to 1")

    @property
    def spacings(self) -> tuple[int, int]:
        """The smallest and the largest spacing."""
        return self.spacing if isinstance(self.spacing, tuple) else (self.spacing, self.spacing)


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
    start, strand = _arrange([len(motifs[m]) for m in slots], n, length, rng)
    if pair:
        _arrange_pair(pair, motifs, slots, arranged, start, strand, length, rng)
        arranged = labels[:, pair.first] & labels[:, pair.second] & _stands(pair, motifs, slots, start, strand)
    if decoys != "none":
        for slot, m in enumerate(slots):
            rows = np.flatnonzero(~labels[:, m])
            letters = rng.permuted(_sites(motifs[m], strand[rows, slot], rng), axis=1)
            at = start[rows, slot, None] + np.arange(len(motifs[m]))
            if decoys == "scattered":
                at = rng.random((len(rows), length)).argpartition(len(motifs[m]) - 1, axis=1)[:, : len(motifs[m])]
            codes[rows[:, None], at] = letters
    for slot, m in enumerate(slots):
        rows = np.flatnonzero(labels[:, m])
        at = start[rows, slot, None] + np.arange(len(motifs[m]))
        codes[rows[:, None], at] = _sites(motifs[m], strand[rows, slot], rng)
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


def _arrange(
    widths: Sequence[int] | np.ndarray, n: int, length: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random starts (n, slots) of blocks that do not overlap, and their strands.

    widths: (slots,), or (n, slots) where rows differ.
    """
    widths = np.asarray(widths)
    free = length - widths.sum(-1, keepdims=widths.ndim == 2)
    if np.any(free < 0):
        raise ConfigError(f"sites of {length - free.min()} bp in all do not fit into {length} bp: use longer sequences")
    slots = widths.shape[-1]
    order = rng.random((n, slots)).argsort(1)
    ordered = np.take_along_axis(np.broadcast_to(widths, (n, slots)), order, 1)
    gaps = np.sort(rng.integers(0, free + 1, (n, slots)), axis=1)
    start = np.empty((n, slots), np.int64)
    np.put_along_axis(start, order, gaps + np.cumsum(ordered, axis=1) - ordered, axis=1)
    return start, np.where(rng.random((n, slots)) < 0.5, "+", "-")


def _arrange_pair(
    pair: Pair,
    motifs: Sequence[Motif],
    slots: Sequence[int],
    arranged: np.ndarray,
    start: np.ndarray,
    strand: np.ndarray,
    length: int,
    rng: np.random.Generator,
) -> None:
    """Lay the arranged rows out again, with the pair's first sites as one block."""
    first, second = slots.index(pair.first), slots.index(pair.second)
    others = [slot for slot in range(len(slots)) if slot not in (first, second)]
    width_first, width_second = len(motifs[pair.first]), len(motifs[pair.second])
    beside = [len(motifs[slots[s]]) for s in others]
    shortest, longest = pair.spacings
    needed = width_first + longest + width_second + sum(beside)
    if needed > length:
        raise ConfigError(f"sites and a pair of {needed} bp in all do not fit into {length} bp: use longer sequences")
    rows = np.flatnonzero(arranged)
    # One spacing draws no number, so that it gives the rows that it always gave.
    spacing = rng.integers(shortest, longest + 1, len(rows)) if shortest < longest else shortest
    width = np.broadcast_to(width_first + spacing + width_second, len(rows))
    widths = np.column_stack([width, *(np.full(len(rows), w) for w in beside)])
    block, block_strand = _arrange(widths, len(rows), length, rng)
    forward = block_strand[:, 0] == "+"
    start[rows, first] = block[:, 0] + np.where(forward, 0, width - width_first)
    start[rows, second] = block[:, 0] + np.where(forward, width - width_second, 0)
    strand[rows, first] = block_strand[:, 0]
    strand[rows, second] = np.where(forward == (pair.orientation == "same"), "+", "-")
    for i, slot in enumerate(others, 1):
        start[rows, slot], strand[rows, slot] = block[:, i], block_strand[:, i]


def _stands(
    pair: Pair, motifs: Sequence[Motif], slots: Sequence[int], start: np.ndarray, strand: np.ndarray
) -> np.ndarray:
    """(N,) bool: whether a place of the first motif and one of the second are arranged as the pair is."""
    shortest, longest = pair.spacings
    found = np.zeros(len(start), bool)
    for a in (slot for slot, m in enumerate(slots) if m == pair.first):
        for b in (slot for slot, m in enumerate(slots) if m == pair.second):
            downstream = start[:, b] - start[:, a] - len(motifs[pair.first])
            upstream = start[:, a] - start[:, b] - len(motifs[pair.second])
            spacing = np.where(strand[:, a] == "+", downstream, upstream)
            oriented = (strand[:, a] == strand[:, b]) == (pair.orientation == "same")
            found |= oriented & (shortest <= spacing) & (spacing <= longest)
    return found


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


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 0
