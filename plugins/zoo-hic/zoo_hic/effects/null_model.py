"""Edits of the same kind at random places of the contig: how large a score is by chance.

    edits  ── moved by whole bins, all alike ──> the same predict_effect() ──> scores

A place keeps the edits' position within a bin, so that bins are cut as they were.  Substituted bases become as
many other bases (up to 20), or a dinucleotide shuffle of the sequence there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.errors import ConfigError
from zoo.terminal.progress import counting
from zoo_hic.effects.disruption import predict_effect
from zoo_hic.effects.edits import WindowEdit
from zoo_hic.predictor import Predictor

FEW_LETTERS = 20
_TRIES = 50
"""Places that are tried for each one that is used."""


@dataclass(frozen=True)
class NullScores:
    """scores: (n,) rms of the edits elsewhere, ascending.  notes: for the user."""

    scores: np.ndarray
    notes: tuple[str, ...] = ()

    def p(self, score: float) -> float:
        """Share of places, the edit's own among them, that score as much: (1 + k) / (1 + n)."""
        return (1 + int((self.scores >= score).sum())) / (1 + len(self.scores))

    def percentile(self, score: float) -> float:
        """Per cent of the places that score less."""
        return 100 * float((self.scores < score).mean())


def score_null(
    predictor: Predictor,
    genome: Genome,
    edits: Sequence[WindowEdit],
    n: int,
    *,
    channel: str,
    region: tuple[int, int] | None = None,
    draws: int = 8,
    seed: int = 0,
    progress: bool = False,
) -> NullScores:
    """Scores of the edits at `n` random places of their contig, each in a window placed as the true one.

    Arguments as of `predict_effect`; `region` moves with the edits.
    Places whose edits overlap the true ones, or lie where more than a tenth is N, are left out.
    Raises ConfigError where the contig has no place.
    """
    if n < 1:
        raise ConfigError(f"null of {n} places: give one at least, 50 or more for a p below 0.02")
    if not any(e.kind == "shuffle" for e in edits):
        draws = 1  # letters that become a shuffle are one sequence, not the mean of several
    rng = np.random.default_rng(seed)
    places = _places(rng, predictor, genome, edits, n)
    scores = []
    with counting(len(places), label="scoring the null", unit="places", enabled=progress) as advance:
        for number, by in enumerate(places):
            moved = [_move(rng, genome, edit, by) for edit in edits]
            around = None if region is None else (region[0] + by, region[1] + by)
            change = predict_effect(predictor, genome, moved, region=around, draws=draws, seed=seed + number)
            scores.append(change.scores[channel].rms)
            advance(1)
    scores = np.sort(np.array(scores)[np.isfinite(scores)])
    if not len(scores):
        raise ConfigError(f"no place of {edits[0].contig} has known pairs: leave the null out")
    notes = () if len(scores) == n else (f"only {len(scores)} of {n} places of the null have a score",)
    return NullScores(scores, notes)


def _places(rng, predictor: Predictor, genome: Genome, edits: Sequence[WindowEdit], n: int) -> list[int]:
    """Different distances in bp, whole bins, by which the edits are moved."""
    width = predictor.bin_size
    contig = genome.resolve(edits[0].contig)
    low, high, size = min(e.start for e in edits), max(e.end for e in edits), genome.contigs[contig]
    first, last = -(low // width), (size - high) // width
    shifts: list[int] = []
    for by in rng.integers(first, last + 1, _TRIES * n) * width if last >= first else ():
        by = int(by)
        if by in shifts or (low + by < high and high + by > low):
            continue
        if (genome.fetch(contig, low + by, high + by) > 3).mean() <= 0.1:
            shifts.append(by)
        if len(shifts) == n:
            return shifts
    if not shifts:
        raise ConfigError(f"contig {contig} has no other place for edits of {high - low:,} bp: leave the null out")
    return shifts


def _move(rng, genome: Genome, edit: WindowEdit, by: int) -> WindowEdit:
    """The edit at another place, changing as many bases as it did."""
    start, end = edit.start + by, edit.end + by
    if edit.kind != "substitute" or edit.length_change:
        return replace(edit, start=start, end=end)
    if end - start > FEW_LETTERS:
        return replace(edit, kind="shuffle", start=start, end=end, letters="")
    here = genome.fetch(edit.contig, edit.start, edit.end)
    there = genome.fetch(edit.contig, start, end).copy()
    changed = np.flatnonzero(encode(edit.letters) != here)
    there[changed] = (there[changed] + rng.integers(1, 4, len(changed))) % 4
    return replace(edit, start=start, end=end, letters=decode(there))
