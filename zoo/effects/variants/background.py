"""How large a score is among scores that mean nothing: its quantile in a background distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.edits import Edits
from zoo.effects.variants.allele_windows import AlleleWindows, cut
from zoo.errors import ConfigError, DataError
from zoo.files.pipes import with_names

if TYPE_CHECKING:
    from zoo.effects.variants.scorer import Scorer
    from zoo.variants.files import VariantFile

LEAST = 20
TEMPLATES = 200


@dataclass(frozen=True)
class Background:
    """values: {column: sizes of its scores, sorted}.  description: what they are scores of."""

    values: dict[str, np.ndarray]
    description: str

    @property
    def columns(self) -> list[str]:
        """One a score: <score>.quantile; positions have none."""
        return [f"{name}.quantile" for name in self.values]

    def quantiles(self, columns: list[str], scores: np.ndarray) -> np.ndarray:
        """scores (A, len(columns)) -> (A, number of own columns): the share of the background that is no larger.

        Sizes are compared, whatever the sign.  NaN where there is no score.
        """
        quantiles = np.full((len(scores), len(self.values)), np.nan, np.float32)
        for i, (name, sizes) in enumerate(self.values.items()):
            size = np.abs(scores[:, columns.index(name)])
            share = np.searchsorted(sizes, size, side="right") / len(sizes)
            quantiles[:, i] = np.where(np.isnan(size), np.nan, share)
        return quantiles


def of_variants(scorer: Scorer, variants: VariantFile) -> Background:
    """Scores of the variants of a file, such as common ones that are matched to those in question."""
    scores = [scorer(chunk).values for chunk in variants]
    values = np.concatenate(scores) if scores else np.zeros((0, len(scorer.columns)))
    return _made(scorer, values, with_names(str(variants.path)))


def of_shuffles(scorer: Scorer, variants: VariantFile, n: int, seed: int = 0) -> Background:
    """Scores of n substitutions in dinucleotide shuffles of the windows of the file's own first substitutions.

    The bases that a template replaces, and what replaces them, stay in the middle of the shuffled window.
    Raises DataError for a file without a scorable substitution among its first records.
    """
    from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle

    if several := getattr(scorer, "scorers", None):
        each = {name: of_shuffles(one, variants, n, seed) for name, one in several.items()}
        values = {f"{name}.{column}": x for name, null in each.items() for column, x in null.values.items()}
        return Background(values, next(iter(each.values())).description)
    chunk = next(iter(variants), None)
    rows = np.zeros(0, np.int64)
    if chunk is not None:
        still = [r for r in np.flatnonzero(chunk.ok) if len(chunk.norm_ref[r]) == len(chunk.norm_alt[r])]
        rows = np.array(still, np.int64)[:TEMPLATES]
    if chunk is None or not len(rows):
        raise DataError(f"{variants.path} has no substitution to shuffle around: give a file of variants as background")
    alleles = cut(chunk, rows, scorer.genome, scorer.length)
    row = np.arange(n)
    template = row % len(rows)
    edits = alleles.edits[template]
    windows = alleles.reference[edits.row]
    each = np.random.SeedSequence(seed).generate_state(n, np.uint32)
    shuffled = np.stack([dinucleotide_shuffle(w, 1, int(s))[0] for w, s in zip(windows, each, strict=True)])
    for m in range(n):
        at, size = int(edits.position[edits.first[m]]), int(edits.reference_length[edits.first[m]])
        shuffled[m, at : at + size] = windows[m, at : at + size]
    own = Edits(row, edits.first, edits.position, edits.reference_length, edits.alternate, edits.alternate_first)
    place = alleles.contig[edits.row], alleles.start[edits.row]  # a template's own tracks stand beside its shuffles
    made = AlleleWindows(shuffled, shuffled[:, :0], own, *place, scorer.length)
    path = with_names(str(variants.path))
    description = f"{n:,} dinucleotide shuffles around {len(rows):,} substitutions of {path}, seed {seed}"
    return _made(scorer, scorer.values([made] * len(scorer.shifts), row), description)


def _made(scorer: Scorer, scores: np.ndarray, description: str) -> Background:
    values = {}
    for i, name in enumerate(scorer.columns):
        if name.removesuffix(".reverse").endswith("_at"):
            continue
        sizes = np.sort(np.abs(scores[:, i][~np.isnan(scores[:, i])]))
        if len(sizes) < LEAST:
            raise ConfigError(f"background {description} has {len(sizes)} scores of {name}: give at least {LEAST}")
        values[name] = sizes
    n = min(map(len, values.values()))
    return Background(values, f"{description} (n = {n:,})")
