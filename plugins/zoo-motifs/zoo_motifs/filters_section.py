"""Section `filters` of a report: what the first filters read, which of them matter, and which known motif they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.report.section import Picture, Section, Table, Text
from zoo_motifs.filter_ranking import RankedFilter, RankedFilters, rank_filters
from zoo_motifs.letter_similarity import AGREES
from zoo_motifs.tomtom import MAX_Q

if TYPE_CHECKING:
    import numpy as np

    from zoo.report.section import Subject

SHOWN = 12
SCANNED = 2_000


def filters(subject: Subject) -> Section | None:
    """The best filters with their logos; None for a model without a convolution that reads the sequence.

    `subject.results["filters"]` gets a list of {filter, importance, match, p_value, q_value, match_status, ...}, one a
    filter, the most important first; match is None where no known motif has a small q.
    """
    from zoo_motifs.filters import first_convolution, members

    if any(first_convolution(member) is None for member in members(subject.model)):
        return None
    from zoo_motifs.databases import database
    from zoo_motifs.filter_ranking import COLUMNS

    targets, name, _ = database("jaspar")
    codes, origin = _sequences(subject)
    ranking = rank_filters(subject.model, codes, output=subject.output, targets=targets, progress=subject.progress)
    subject.results["filters"] = [dict(zip(COLUMNS, row, strict=True)) for row in ranking.rows()]
    title = "What its first filters read"
    parts: list[Text | Picture | Table] = [Text(_how(ranking, origin, name))]
    if not ranking.filters:
        return Section(title, [*parts, Text("No filter is active in any of these sequences.", "unsure")])
    parts.insert(0, Text(*_verdict(ranking)))
    if ranking.n_ablated:
        parts.append(Text(_ranked_by(subject, ranking)))
    parts += [Text(f"Note: {note}.", "unsure") for note in ranking.notes]
    rows = [_row(ranking, one) for one in ranking.filters[:SHOWN]]
    left = len(ranking.filters) - len(rows)
    caption = f"{left} further active filters are not shown. " if left > 0 else ""
    caption += f"{len(ranking.silent)} of {len(ranking.filters) + len(ranking.silent)} filters are silent."
    return Section(title, [*parts, Table(_COLUMNS, rows, caption)])


_COLUMNS = ("filter", "logo, below the known motif", "importance", "sites", "known motif", "q", "agreement")


def _sequences(subject: Subject) -> tuple[np.ndarray, str]:
    """Those of the report; more of them where they are random anyway."""
    if not subject.random:
        return subject.codes, subject.origin
    from zoo.report.sequences import random_sequences

    chosen = random_sequences(subject.model.spec.input_length, max(SCANNED, len(subject.codes)), subject.seed)
    return chosen.codes, chosen.origin


def _row(ranking: RankedFilters, one: RankedFilter) -> list:
    from zoo_motifs.motif_logos import draw_aligned

    alt = f"Logo of {one.filter.name}: {one.motif.consensus}"
    known, numbers = "none", [None, None]
    if one.target is not None and ranking.matches is not None:
        at, known = (one.query, one.target), ranking.name_match(one, strand=True, mark=True)
        numbers = [float(ranking.matches.q[at]), float(ranking.matches.agreement[at])]
        alt = f"Logo of {known} above the l{alt[1:]}"
    picture = Picture(draw_aligned(one.motif, *ranking.alignment(one)), alt)
    change = one.importance.change if one.importance else None
    return [one.filter.name, picture, change, one.filter.n_sites, known, *numbers]


def _how(ranking: RankedFilters, origin: str, name: str) -> str:
    return (
        f"Each filter of the first layer was run over both strands of {origin}. Where its activation reached at least "
        f"{ranking.threshold:.0%} of its maximum, the bases were counted: that is its logo. Known motifs are "
        f"from {name}; a match has a q-value (TOMTOM, Benjamini-Hochberg over all comparisons) of at most {MAX_Q:g}. "
        f"Where the aligned columns agree less than {AGREES:g} in the bases they prefer (1 is equal) it is marked: "
        "the vague filters of an untrained network match the vague stretches of long motifs."
    )


def _ranked_by(subject: Subject, ranking: RankedFilters) -> str:
    return (
        f"Importance: how differently {subject.output.names[0]} changes from sequence to sequence when the filter "
        f"is held at its mean activation everywhere (standard deviation over {ranking.n_ablated:,} sequences). "
        "Redundant filters look less important than they are."
    )


def _verdict(ranking: RankedFilters) -> tuple[str, str]:
    """What the filters are, in a sentence, and its tone."""
    shown = ranking.filters[:SHOWN]
    known = [one for one in shown if ranking.match_status(one) == "ok"]
    low = sum(ranking.match_status(one) == "low_agreement" for one in shown)
    marked = f" {low} more have a match with a low agreement." if low else ""
    if not known or ranking.matches is None:
        none = f"None of the {len(shown)} most important filters matches a known motif whose bases agree."
        return none + marked.replace("more have", "have"), "unsure"
    names = list(dict.fromkeys(ranking.matches.targets[one.target].name for one in known))
    listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return f"{len(known)} of the {len(shown)} most important filters match a known motif: {listed}.{marked}", "good"
