"""`Scorer`: scores of variants by a model; windows of alleles in, columns of numbers out.

    Variants -> cut (windows) -> outputs of both alleles -> scores (A, columns), status (A,)

Alleles as long as the reference go through incremental inference; insertions and deletions, which move a flank, and the
alleles of a call that has only a few, through the whole model.  Variants of one window share its reference pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from zoo.effects.engine.full_inference import FullInference
from zoo.effects.variants.allele_windows import ANCHORS, AlleleWindows, Anchor, cut
from zoo.effects.variants.rows import Scored, distinct
from zoo.effects.variants.scores import finite_pairs, get_scores, merge
from zoo.effects.variants.strand_outputs import strand_outputs
from zoo.errors import ConfigError
from zoo.outputs import Output
from zoo.prediction.further_inputs import FurtherInputs, Inputs, Signals, named_tracks, take
from zoo.prediction.predict import origin

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.effects.engine.incremental import Incremental
    from zoo.fields import Grid
    from zoo.model import Model
    from zoo.variants.variants import Variants

Strands = Literal["forward", "average", "both"]
Side = Literal["left", "right"]
STRANDS = ("forward", "average", "both")
ROWS, FEW = 2048, 16
"""Alleles of a batch; those so few that they go through the whole model: to record it costs more."""


class Scorer:
    """Scores of a model's outputs for variants of a genome.

    output: which numbers, as zoo.outputs says; every one where it is not given.
    scores: names of registered scores; those of profiles need `profile`.
    profile: outputs by position, as "task" or "task@-50..50", separated by commas.
    strands: forward (as the model was trained to read), average (the mean of the outputs for both strands), or both
        (two columns each, the second of the other strand).
    shifts: bp by which windows are moved; the outputs of all are averaged.
    anchor: which rim of the window stays for insertions and deletions; see zoo.effects.variants.allele_windows.
    share: 0, or bp: variants of one stretch of so many bp share one window around its middle.
    max_n: a window with a larger part of N gets no score.
    signals, context: what the model reads beside the sequence: {track: file}, and one of its contexts.  Both alleles
        have those of the reference window.

    `options` holds these arguments, for another process to build the same scorer.
    """

    def __init__(
        self,
        model: Model,
        genome: Genome,
        *,
        output: str | None = None,
        scores: Sequence[str] = ("difference",),
        profile: str | None = None,
        strands: Strands = "forward",
        shifts: Sequence[int] = (0,),
        anchor: Anchor = "both",
        share: int = 0,
        max_n: float = 0.5,
        signals: Signals | None = None,
        context: str | None = None,
    ):
        if strands not in STRANDS or anchor not in ANCHORS:
            known = f"one of {', '.join(STRANDS)}, anchor {anchor!r} one of {', '.join(ANCHORS)}"
            raise ConfigError(f"strands {strands!r} must be {known}")
        self.further = FurtherInputs.open(model, genome, signals, context)
        self.length = model.spec.input_length
        if not 0 <= share <= self.length // 2:
            raise ConfigError(f"share {share} must be 0, or at most half of the model's {self.length:,} bp")
        self.model, self.genome = model, genome
        self.scores = get_scores(scores)
        self.output = Output.parse(output, model.spec)
        self.profiles = Output.profiles(profile, model.spec) if profile else None
        by_position = [name for name, score in self.scores.items() if score.takes == "profile"]
        if by_position and self.profiles is None:
            raise ConfigError(f"score {by_position[0]} compares profiles: name one, as in --profile task")
        self.strands, self.shifts, self.anchor, self.share, self.max_n = strands, tuple(shifts), anchor, share, max_n
        self.options = {
            "output": output,
            "scores": tuple(scores),
            "profile": profile,
            "strands": strands,
            "shifts": self.shifts,
            "anchor": anchor,
            "share": share,
            "max_n": max_n,
            "signals": {name: str(path) for name, path in named_tracks(signals).items()},
            "context": context,
        }
        turned = (False,) if strands == "forward" else (False, True)
        functions = [strand_outputs(model, self.output, self.profiles, t) for t in turned]
        shapes = {"one_hot": (4, self.length), **self.further.shapes}
        self._inputs = {"shapes": shapes, "n_encoding": model.spec.n_encoding}
        self._models = [FullInference(model, function, **self._inputs) for function in functions]

    @property
    def engine(self) -> Incremental:
        """Effects of edits on the outputs, of the forward strand."""
        return self._engines[0]

    @cached_property
    def _engines(self) -> list[Incremental]:
        """Of every strand; the model is recorded at the first use."""
        from zoo.effects.engine.incremental import Incremental

        more = {"integers": ("context",), **self._inputs}
        return [Incremental(self.model, one.function, **more) for one in self._models]

    @property
    def anchors(self) -> tuple[Side, ...]:
        """Over which insertions and deletions are averaged."""
        sides: dict[str, tuple[Side, ...]] = {"both": ("left", "right"), "left": ("left",), "right": ("right",)}
        return sides[self.anchor]

    @property
    def reach(self) -> int:
        """bp from a variant within which its windows lie."""
        return self.length + self.share + max(map(abs, self.shifts))

    @property
    def columns(self) -> list[str]:
        """Names of the scores: <output>, or <output>.<ending>, with .reverse behind those of the other strand."""
        names = []
        for strand in ("", ".reverse") if self.strands == "both" else ("",):
            for score in self.scores.values():
                outputs = self.output if score.takes == "number" or self.profiles is None else self.profiles
                names += [f"{o}{'.' + c if c else ''}{strand}" for o in outputs.names for c in score.columns]
        return names

    @property
    def origin(self) -> dict[str, str]:
        """Comment lines that tie the scores to weights and code."""
        return {**origin(self.model, self.output)}

    @property
    def comments(self) -> dict[str, str]:
        """What a table must say of the scores."""
        units = {f"score.{n}": f"{s.unit}; {s.direction}" for n, s in self.scores.items()}
        middle = "the variant's first base" if not self.share else f"the middle of its stretch of {self.share} bp"
        return {
            **units,
            "window": f"{self.length} bp, {middle} at position {self.length // 2} (0-based)",
            "anchor": f"{self.anchor}, for insertions and deletions",
            "strands": self.strands,
            "shifts": ", ".join(map(str, self.shifts)),
            **(self.further.comments or {}),
        }

    @property
    def positions(self) -> dict[str, np.ndarray]:
        """{profile: (T,) int64}, the first base of each of its positions, in bp from position L // 2 of the window."""
        places = zip(self.profiles.names if self.profiles else (), self._profile_bins(), strict=True)
        return {n: g.offset + np.arange(a, b) * g.bin_size - self.length // 2 for n, (g, a, b) in places}

    def _profile_bins(self) -> Iterator[tuple[Grid, int, int]]:
        """Of every profile: the grid of its head, and its first and last position on it."""
        for term, *_ in self.profiles.terms if self.profiles else ():
            grid = self.model.spec.outputs[term.head][1]
            if grid is not None and term.first is not None and term.last is not None:
                yield grid, term.first, term.last

    def __call__(self, variants: Variants, profiles: bool = False) -> Scored:
        """Scores of some variants, in their order; with the profiles themselves, where asked for."""
        status = variants.status.copy()
        width = sum(map(len, self.positions.values()))
        whole = np.full((len(status), 2, width), np.nan, np.float32) if profiles else None
        values = np.full((len(status), len(self.columns)), np.nan, np.float32)
        rows, same = distinct(variants, np.flatnonzero(status == "ok"))
        for first in range(0, len(rows), ROWS):
            self._some(variants, rows[first : first + ROWS], values, status, whole)
        for x in (values, status, whole):
            if x is not None:
                x[same[:, 0]] = x[same[:, 1]]
        return Scored(values, status, whole)

    def _some(self, variants, rows: np.ndarray, values: np.ndarray, status: np.ndarray, whole) -> None:
        cuts = [cut(variants, rows, self.genome, self.length, shift, self.share) for shift in self.shifts]
        reasons = self.refused(cuts, variants.contig[rows])
        status[rows[reasons != ""]] = reasons[reasons != ""]
        kept = np.flatnonzero(reasons == "")
        if not len(kept):
            return
        pairs = self.pairs(cuts, kept)
        numbers = self._numbers(pairs)
        status[rows[kept[~(np.isfinite(numbers).all(1) & finite_pairs(pairs))]]] = "not_finite"
        values[rows[kept]] = np.where(np.isfinite(numbers), numbers, np.nan)
        if whole is not None:
            start = len(self.output.names)
            whole[rows[kept]] = torch.stack([x[:, start:] for x in pairs[0]], 1).float().cpu().numpy()

    def refused(self, cuts: Sequence[AlleleWindows], contig: np.ndarray) -> np.ndarray:
        """(A,) text: out_of_bounds or too_many_n where a window at any shift is so, "" for the others.

        contig: (A,) ids.
        """
        reasons = np.full(len(contig), "", object)
        size = self.genome.lengths(contig)
        for alleles in cuts:
            start = alleles.start[alleles.edits.row]
            outside = (start < 0) | (start + self.length > size)
            missing = (alleles.reference == 4).mean(1)[alleles.edits.row] > self.max_n
            reasons[outside] = "out_of_bounds"
            reasons[missing & ~outside] = "too_many_n"
        return reasons

    def values(self, cuts: Sequence[AlleleWindows], kept: np.ndarray) -> np.ndarray:
        """Scores (len(kept), columns) float32 of some variants, from their alleles at every shift."""
        return self._numbers(self.pairs(cuts, kept))

    def pairs(self, cuts: Sequence[AlleleWindows], kept: np.ndarray) -> list[tuple[Tensor, Tensor]]:
        """Outputs for the reference and the alternate allele, (A, K) each, of every strand that has columns."""
        pairs = [[self._outputs(strand, alleles, kept) for alleles in cuts] for strand in range(len(self._models))]
        shifts = (zip(*strand, strict=True) for strand in pairs)
        merged = [(merge(old, old[0].shape[1]), merge(new, len(self.output.names))) for old, new in shifts]
        if self.strands == "average":
            merged = [tuple(torch.stack(x).mean(0) for x in zip(*merged, strict=True))]
        return [(r, a) for r, a in merged]

    def _numbers(self, pairs: list[tuple[Tensor, Tensor]]) -> np.ndarray:
        return torch.cat([self.scored(*pair) for pair in pairs], 1).float().cpu().numpy()

    def _outputs(self, strand: int, alleles: AlleleWindows, kept: np.ndarray) -> tuple[Tensor, Tensor]:
        """Outputs for the reference and the alternate allele of each variant: two of (A, K)."""
        model, edits, moves = self._models[strand], alleles.edits[kept], alleles.moves[kept]
        moved, still = np.flatnonzero(moves), np.flatnonzero(~moves)
        few = len(still) <= FEW  # of one call, so that a run that goes on gives what the whole run gives
        whole = np.arange(len(kept)) if few else moved
        used, row = np.unique(edits.row[whole], return_inverse=True)
        further = self.further.windows(alleles.contig, alleles.start)
        outputs: Any = model.full(alleles.reference[used], take(further, used)) if len(used) else None
        if few:
            references, alternate = outputs[row.reshape(-1)], outputs[row.reshape(-1)]  # two copies
            if len(still):
                own = alleles.alternate(kept[still], "left")
                alternate[still] = model.full(own, take(further, edits.row[still]))
        else:
            engine = self._engines[strand]
            effects, reference = engine.with_references(alleles.reference, edits[still], inputs=further)
            references = reference.new_empty(len(kept), reference.shape[1])
            references[still] = reference
            alternate = references.clone()
            alternate[still] += effects
            if outputs is not None:
                references[moved] = outputs[row.reshape(-1)]
        if len(moved):
            beside = take(further, edits.row[moved])
            each = [self._aligned(model, alleles, kept[moved], anchor, beside) for anchor in self.anchors]
            alternate[moved] = merge(each, len(self.output.names))
        return references, alternate

    def _aligned(
        self, model: FullInference, alleles: AlleleWindows, chosen: np.ndarray, anchor: Side, inputs: Inputs
    ) -> Tensor:
        """Outputs (A, K) for alternate alleles, profiles put at the reference's positions, NaN where there is none."""
        outputs = model.full(alleles.alternate(chosen, anchor), inputs)
        if self.profiles is None:
            return outputs
        place = torch.from_numpy(alleles.alternate_positions(chosen, anchor)).to(outputs.device)
        numbers = len(self.output.names)
        parts, at = [outputs[:, :numbers]], numbers
        for grid, first, last in self._profile_bins():
            width = last - first
            bases = grid.offset + (torch.arange(first, last) + 0.5) * grid.bin_size
            came = place[:, bases.long()]
            to = ((came - grid.offset).div(grid.bin_size, rounding_mode="floor") - first).long()
            inside = (came >= 0) & (to >= 0) & (to < width)
            profile = outputs.new_full((len(outputs), width + 1), torch.nan)
            profile.scatter_(1, torch.where(inside, to, width), outputs[:, at : at + width])
            parts.append(profile[:, :width])
            at += width
        return torch.cat(parts, 1)

    def scored(self, reference: Tensor, alternate: Tensor) -> Tensor:
        """Scores (A, columns of one strand) of the outputs for two alleles, (A, K) each."""
        numbers, columns = len(self.output.names), []
        for score in self.scores.values():
            if score.takes == "number":
                columns += [score(reference[:, i], alternate[:, i]) for i in range(numbers)]
                continue
            at = numbers
            for _, first, last in self._profile_bins():
                part = slice(at, at + last - first)
                columns.append(score(reference[:, part], alternate[:, part]))
                at = part.stop
        return torch.cat(columns, 1)
