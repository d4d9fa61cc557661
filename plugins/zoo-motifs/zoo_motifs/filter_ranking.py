"""The filters that matter most for an output, with the known motif that each matches: for the command and the report.

model, codes -> filter_motifs -> ablate_filters -> sorted; TOMTOM against a database -> RankedFilters
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.motifs import Motif
from zoo.terminal.progress import counting
from zoo_motifs.filters import FilterMotif, filter_motifs
from zoo_motifs.importance import Importance, ablate_filters
from zoo_motifs.meme import label
from zoo_motifs.tomtom import MAX_Q, Matches, match

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output

ABLATED = 200
"""Sequences on which filters are ablated, at most: it takes a prediction for each filter and sequence."""

COLUMNS = (
    *("filter", "importance", "drop", "sites", "sequences", "maximum", "bits", "consensus"),
    *("match", "p_value", "q_value", "agreement", "offset", "overlap", "orientation", "match_status"),
)


@dataclass(frozen=True)
class RankedFilter:
    """One active filter.

    motif: its counts, trimmed.  importance: None for a model that reads more than sequence.
    target: position of the match among the database's motifs, `Matches.named`; None where there is none.
    """

    filter: FilterMotif
    motif: Motif
    importance: Importance | None
    query: int
    target: int | None

    @property
    def bits(self) -> float:
        """Information of the motif, against equal base frequencies."""
        return float(self.motif.information.sum())


@dataclass(frozen=True)
class RankedFilters:
    """filters: the most important first, or the most informative where importance is not known.

    silent: those with too few sites.  matches: all active filters against the database, in the order of
    `RankedFilter.query`; None without one.  n, length: sequences that were scanned, and their bp.  max_q: of a match.
    """

    filters: Sequence[RankedFilter]
    silent: Sequence[FilterMotif]
    matches: Matches | None
    threshold: float
    n: int
    length: int
    n_ablated: int
    notes: list[str] = field(default_factory=list)
    max_q: float = MAX_Q

    def rows(self) -> Iterator[list[Any]]:
        """One a filter, as `COLUMNS` has them; a filter without a match has None there."""
        for one in self.filters:
            seen, matters = one.filter, one.importance
            row: list[Any] = [seen.name, *((matters.change, matters.drop) if matters else (None, None))]
            row += [seen.n_sites, seen.sequences, seen.maximum, one.bits, one.motif.consensus]
            match_cells: list[Any] = [None] * 7
            if one.target is not None and self.matches is not None:
                *match_cells, agreement, _ = self.matches.row(one.query, one.target)[1:]
                match_cells.insert(3, agreement)
            yield [*row, *match_cells, self.match_status(one)]

    def match_status(self, one: RankedFilter) -> str | None:
        """ok, low_agreement or no_match; None without a database."""
        if self.matches is None:
            return None
        return "no_match" if one.target is None else self.matches.status(one.query, one.target, self.max_q)

    def alignment(self, one: RankedFilter) -> tuple[Motif | None, int, bool]:
        """The match of a filter, its offset and whether it is reverse-complemented; None where there is none."""
        if one.target is None or self.matches is None:
            return None, 0, False
        at = one.query, one.target
        return self.matches.targets[one.target], int(self.matches.offset[at]), bool(self.matches.reverse[at])

    def name_match(self, one: RankedFilter, strand: bool = False, mark: bool = False) -> str:
        """The match in words; "" where there is none.

        strand: say that it is the other one.  mark: say that the agreement is low.
        """
        target, _, reverse = self.alignment(one)
        if target is None:
            return ""
        low = mark and self.match_status(one) == "low_agreement"
        return (
            label(target) + (", reverse complement" if strand and reverse else "") + (" (low agreement)" if low else "")
        )


def rank_filters(
    model: Model,
    codes: np.ndarray,
    *,
    output: Output | None = None,
    targets: Sequence[Motif] | None = None,
    threshold: float = 0.5,
    min_sites: int = 10,
    trim: float = 0.25,
    max_q: float = MAX_Q,
    progress: bool = False,
) -> RankedFilters:
    """Filters of the first convolution, ranked by importance and matched to a database.

    codes: (N, L) uint8, L of the model where filters are to be ablated.
    output: what they matter for; None leaves importance out.
    targets: known motifs; None leaves matching out.
    trim: columns of less than so many bits are cut from both ends of a filter's motif.
    max_q: a match has at most this q; see `Matches.named` for the one that is taken of several.

    Raises ConfigError and DataError as `filter_motifs` does.
    """
    filters = filter_motifs(model, codes, threshold=threshold, min_sites=min_sites, progress=progress)
    active = [one for one in filters if not one.silent]
    motifs = [one.motif(trim) for one in active]
    notes: list[str] = []
    subset = codes[_spread(len(codes), ABLATED)]
    matters: dict[str, Importance] = {}
    needed = [k for k, f in model.input_fields.items() if f.required and k != "one_hot"]
    if needed and output is not None:
        notes.append(f"the model reads {', '.join(needed)} too: filters are ranked by information, not by importance")
    elif output is not None and active:
        with counting(len(active), label="ablating filters", unit="filters", enabled=progress) as advance:
            matters = ablate_filters(model, subset, output, active, advance=advance)
    matches = match(motifs, targets) if targets and motifs else None
    if matches:
        notes += matches.notes
    ranked = []
    for i, (one, motif) in enumerate(zip(active, motifs, strict=True)):
        target = matches.named(i, max_q) if matches else None
        ranked.append(RankedFilter(one, motif, matters.get(one.name), i, target))
    ranked.sort(key=lambda r: -(r.importance.change if r.importance else r.bits))
    silent = [one for one in filters if one.silent]
    n, length = codes.shape
    n_ablated = len(subset) if matters else 0
    return RankedFilters(ranked, silent, matches, threshold, n, length, n_ablated, notes, max_q)


def _spread(n: int, most: int) -> np.ndarray:
    """At most so many rows, evenly spread."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(int)
