"""Epistasis: what two variants do together, beyond the sum of what each does alone.

    f(reference)   f(a)   f(b)   f(a and b)        epistasis = f(ab) - f(a) - f(b) + f(reference)

The null puts the same two changes into dinucleotide shuffles of the window: how large the term becomes by composition
alone.  One window a pair, whose middle is the middle between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
from zoo.data.edits import Edits
from zoo.data.genome import Genome
from zoo.effects.variants.allele_windows import AlleleWindows, Anchor, Edit, edit_of, has_own_reference
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.scorer import Scorer
from zoo.errors import ConfigError, need
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.prediction.further_inputs import Signals, take
from zoo.variants.variants import Variants

if TYPE_CHECKING:
    import pandas

    from zoo.model import Model

COLUMNS = (
    "chrom", "pos_a", "ref_a", "alt_a", "pos_b", "ref_b", "alt_b", "distance", "status", "output",
    "effect_a", "effect_b", "joint", "epistasis", "null_mean", "null_sd", "null_n", "p_value",
)  # fmt: skip


def epistasis(
    model: Model | str,
    variants: str | Path | Sequence[str],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome,
    output: str | None = None,
    max_distance: int | None = None,
    shuffles: int = 100,
    seed: int = 0,
    anchor: Anchor = "both",
    max_pairs: int = 10_000,
    any_assembly: bool = False,
    signals: Signals | None = None,
    context: str | None = None,
) -> pandas.DataFrame:
    """A row for every pair of variants of a contig that lie in one window.

    model, variants, fasta, output, anchor: as of zoo.score_variants; output must be one number.  An effect is the
        `difference` of zoo.score_variants in the window of the pair.
    max_distance: bp between the first bases of a pair; half of the model's input where it is not given.
    shuffles: backgrounds of the null, 0 for none.  p_value is two-sided and empirical: (1 + number of backgrounds in
        which the term is as large or larger) / (1 + shuffles).
    max_pairs: more pairs than that are an error, not a surprise.
    any_assembly, signals, context: of zoo.score_variants.  A shuffled window has the tracks of its own.

    status: ok, overlap (the two cannot stand in one sequence), out_of_bounds, too_many_n, not_finite.
    """
    need("epistasis", "pandas")
    import pandas

    model = as_model(model)
    genome = Genome.of(fasta)
    Output.one(output, model.spec)
    scorer = Scorer(model, genome, output=output, anchor=anchor, signals=signals, context=context)
    alleles = Variants.join(ScoreJob(variants, genome, scorer, any_assembly=any_assembly).alleles())
    length = model.spec.input_length
    reach = length // 2 if max_distance is None else max_distance
    if not 0 < reach < length:
        raise ConfigError(f"max_distance {reach} must be at least 1 and below the model's {length:,} bp")
    pairs = pairs_of(alleles, reach)
    if len(pairs) > max_pairs:
        raise ConfigError(f"{len(pairs):,} pairs within {reach:,} bp are more than {max_pairs:,}: narrow the region")
    rows = [_pair(alleles, a, b, scorer, shuffles, seed) for a, b in pairs]
    return pandas.DataFrame(rows, columns=COLUMNS)


def pairs_of(variants: Variants, reach: int) -> list[tuple[int, int]]:
    """Rows (a, b) of the pairs of scorable variants at most `reach` bp apart, a before b."""
    ok = np.flatnonzero(variants.ok)
    order = ok[np.lexsort((variants.norm_pos[ok], variants.contig[ok]))].tolist()
    pairs = []
    for i, a in enumerate(order):
        for b in order[i + 1 :]:
            if variants.contig[b] != variants.contig[a] or variants.norm_pos[b] - variants.norm_pos[a] > reach:
                break
            pairs.append((a, b))
    return pairs


def _pair(variants: Variants, a: int, b: int, scorer: Scorer, shuffles: int, seed: int) -> list:
    """The row of COLUMNS of a pair."""
    genome, length, name = scorer.genome, scorer.length, scorer.output.names[0]
    place = [variants.norm_pos[i] for i in (a, b)]
    cells = [
        variants.chrom[a],
        *[x for i in (a, b) for x in (int(variants.norm_pos[i]) + 1, variants.norm_ref[i], variants.norm_alt[i])],
        int(place[1] - place[0]),
    ]
    start = int(sum(place)) // 2 - length // 2
    contig = variants.contig[[a]]
    if start < 0 or start + length > genome.lengths(contig)[0]:
        return [*cells, "out_of_bounds", name, *[None] * 8]
    first, second = (
        edit_of(int(p - start), variants.norm_ref[i], variants.norm_alt[i]) for p, i in zip(place, (a, b), strict=True)
    )
    if first[0] + first[1] > second[0] or first[:1] == second[:1]:
        return [*cells, "overlap", name, *[None] * 8]
    sets = [[first], [second], [first, second]]
    own = [(0, int(p - start), variants.norm_ref[i]) for p, i in zip(place, (a, b), strict=True)
           if has_own_reference(variants, i)]  # fmt: skip
    windows = AlleleWindows.of(genome, contig, np.array([start]), sets, np.zeros(3, np.int64), length, own)
    if (windows.reference == 4).mean() > scorer.max_n:
        return [*cells, "too_many_n", name, *[None] * 8]
    effects = _effects(scorer, windows)
    numbers = [*effects[0], _term(effects)[0]]
    if not np.isfinite(numbers).all():
        return [*cells, "not_finite", name, *(float(x) if np.isfinite(x) else None for x in numbers), *[None] * 4]
    if not shuffles:
        return [*cells, "ok", name, *map(float, numbers), None, None, 0, None]
    in_shuffles = _effects(scorer, _shuffled(windows, sets, shuffles, seed))
    null = _term(in_shuffles)
    same = 1e-6 * max(np.abs(effects).max(), np.abs(in_shuffles).max())  # float32 tells no smaller terms apart
    as_large = int((np.abs(null) >= abs(numbers[3]) - same).sum())
    tail = [null.mean(), null.std(ddof=1) if shuffles > 1 else None, shuffles, (1 + as_large) / (1 + shuffles)]
    return [*cells, "ok", name, *map(float, numbers), *tail]


def _term(effects: np.ndarray) -> np.ndarray:
    return effects[:, 2] - effects[:, 0] - effects[:, 1]


def _effects(scorer: Scorer, windows: AlleleWindows) -> np.ndarray:
    """(R, 3): effects of the first variant, the second, and both, in R windows; anchors as of `Scorer`."""
    engine, moves = scorer.engine, windows.moves
    still, moved = np.flatnonzero(~moves), np.flatnonzero(moves)
    effects = np.empty(len(moves))
    further = scorer.further.windows(windows.contig, windows.start)
    carried = engine.effects(windows.reference, windows.edits[still], inputs=further)
    effects[still] = carried[:, 0].double().cpu().numpy()
    if len(moved):
        reference = engine.full(windows.reference, further)[:, 0].double().cpu().numpy()
        beside = take(further, windows.edits.row[moved])
        each = [engine.full(windows.alternate(moved, anchor), beside)[:, 0].double() for anchor in scorer.anchors]
        effects[moved] = torch.stack(each).mean(0).cpu().numpy() - reference[windows.edits.row[moved]]
    return effects.reshape(-1, 3)


def _shuffled(windows: AlleleWindows, sets: list[list[Edit]], shuffles: int, seed: int) -> AlleleWindows:
    """The same changes in shuffled windows that hold the same reference alleles at the same places."""
    flank = windows.before.shape[1]
    codes = np.concatenate([windows.before[0], windows.codes[0]])
    backgrounds = dinucleotide_shuffle(codes, shuffles, seed)
    for at, old, _ in sets[2]:
        kept = slice(flank + at, flank + at + max(old, 1))
        backgrounds[:, kept] = codes[kept]
    edits = Edits.sets(sets * shuffles, np.repeat(np.arange(shuffles), 3))
    place = {"contig": windows.contig.repeat(shuffles), "start": windows.start.repeat(shuffles)}
    return replace(windows, codes=backgrounds[:, flank:], before=backgrounds[:, :flank], edits=edits, **place)
