"""What the networks of a model say of both alleles of variants of one gene, sharing what they have in common.

genome, strand and bounds of a gene, alleles -> stretches whose contexts meet -> probabilities (K, bases) of each
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from zoo.data.codes import reverse_complement
from zoo.effects.engine.precision import full_precision
from zoo.layers.one_hot import one_hot
from zoo_splice.variants.allele_pass import Shape, alternate_outputs
from zoo_splice.variants.reference_pass import ReferencePass
from zoo_splice.variants.residual_stack import ResidualStack

if TYPE_CHECKING:
    from zoo.data.genome import Genome

N = 4
TOGETHER = 8
"""Alleles of one shape that go through a network at once: their layers fit into the caches of a CPU."""
LONGEST = 60_000
"""bp of outputs of one stretch: what a network keeps of it is 4 KB a base."""


@dataclass(frozen=True, eq=False)
class Allele:
    """first, last: bases that are looked at, 0-based half-open.  position: of REF.  reference: bases of it.

    letters: codes of ALT.  own: codes of REF where the genome has ambiguity codes, None where it is the genome's.
    """

    first: int
    last: int
    position: int
    reference: int
    letters: np.ndarray
    own: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Strand:
    """One strand of a gene: all outside of `bounds` (0-based half-open) is N."""

    genome: Genome
    contig: int
    strand: int
    bounds: tuple[int, int]


def allele_outputs(
    stacks: Sequence[ResidualStack], strand: Strand, alleles: Sequence[Allele]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(number of the allele, (K, last - first) of the reference, (K, ... + shift) of the alternate allele), each once.

    Probabilities are the mean of the networks, float32, at bases in the order of the genome.
    """
    for numbers in _stretches(alleles, stacks[0].reach):
        stretch = Stretch(strand, [alleles[i] for i in numbers], stacks[0].reach)
        for i, (reference, alternate) in zip(numbers, stretch.outputs(stacks), strict=True):
            yield i, reference, alternate


def _stretches(alleles: Sequence[Allele], reach: int) -> Iterator[list[int]]:
    """Numbers of alleles whose contexts meet, by place; one with a REF of its own is alone."""
    stretch: list[int] = []
    begin = end = 0
    for i in sorted(range(len(alleles)), key=lambda i: alleles[i].first):
        allele = alleles[i]
        if allele.own is not None:
            yield [i]
            continue
        if stretch and (allele.first - end > 2 * reach or max(end, allele.last) - begin > LONGEST):
            yield stretch
            stretch = []
        if not stretch:
            begin = end = allele.first
        stretch.append(i)
        end = max(end, allele.last)
    if stretch:
        yield stretch


class Stretch:
    """The sequence around some alleles as the transcript reads."""

    def __init__(self, strand: Strand, alleles: Sequence[Allele], reach: int):
        self.strand, self.alleles, self.reach = strand, list(alleles), reach
        self.start = min(a.first for a in alleles) - reach
        self.end = max(a.last for a in alleles) + reach
        codes = strand.genome.windows(np.array([strand.contig]), np.array([self.start]), self.end - self.start)[0]
        for allele in alleles:
            if allele.own is not None:
                codes[allele.position - self.start :][: allele.reference] = allele.own
        codes[: max(0, strand.bounds[0] - self.start)] = N
        codes[max(0, strand.bounds[1] - self.start) :] = N
        self._forward = codes
        self.codes = codes if strand.strand > 0 else reverse_complement(codes)

    def outputs(self, stacks: Sequence[ResidualStack]) -> list[tuple[np.ndarray, np.ndarray]]:
        """(reference, alternate) of every allele."""
        device = stacks[0].stem[0].device
        places = [self.outputs_of(allele) for allele in self.alleles]
        sums: list[list[Tensor]] = [[] for _ in self.alleles]
        with torch.inference_mode(), full_precision(device):
            sequence = self._one_hot(self.codes, stacks[0].stem[0])
            for stack in stacks:
                passed = ReferencePass(stack, sequence, places)
                alternates = self._alternates(passed)
                for i, (a, b) in enumerate(places):
                    both = [passed.probabilities.at(a, b)[0, :, 0], alternates[i]]
                    sums[i] = (
                        [x + y for x, y in zip(sums[i], both, strict=True)] if sums[i] else [x.clone() for x in both]
                    )
        turn = slice(None, None, self.strand.strand)
        return [tuple((x / len(stacks)).cpu().numpy()[:, turn] for x in pair) for pair in sums]  # type: ignore[misc]

    def outputs_of(self, allele: Allele) -> tuple[int, int]:
        """Where the bases that are looked at lie in `codes`."""
        return self._oriented(allele.first, allele.last)

    def alternate_codes(self, i: int) -> np.ndarray:
        """`codes` of the stretch with allele i."""
        begin, end, letters = self._edits[i]
        return np.concatenate([self.codes[:begin], letters, self.codes[end:]])

    @cached_property
    def _edits(self) -> list[tuple[int, int, np.ndarray]]:
        """Of every allele: what is replaced in `codes`, and by what, without the bases that both alleles share."""
        edits = []
        for allele in self.alleles:
            at, new = allele.position - self.start, allele.letters
            old = self._forward[at : at + allele.reference]
            n = min(len(old), len(new))
            left = _shared(old[:n], new[:n])
            right = _shared(old[::-1][: n - left], new[::-1][: n - left])
            begin, end = allele.position + left, allele.position + len(old) - right
            letters = new[left : len(new) - right]
            edits.append(
                (*self._oriented(begin, end), letters if self.strand.strand > 0 else reverse_complement(letters))
            )
        return edits

    def _oriented(self, begin: int, end: int) -> tuple[int, int]:
        if self.strand.strand > 0:
            return begin - self.start, end - self.start
        return self.end - end, self.end - begin

    def _alternates(self, passed: ReferencePass) -> list[Tensor]:
        """(K, bases) of every allele; those of one shape go together."""
        outputs: list[Tensor] = [torch.empty(0)] * len(self.alleles)
        shapes: dict[Shape, list[int]] = {}
        for i, (begin, end, letters) in enumerate(self._edits):
            a, b = self.outputs_of(self.alleles[i])
            if begin == end and not len(letters):  # nothing changes, to the last bit
                outputs[i] = passed.probabilities.at(a, b)[0, :, 0]
                continue
            shape = Shape(begin - a, begin - a + len(letters), len(letters) - (end - begin), b - a)
            shapes.setdefault(shape, []).append(i)
        for shape, members in shapes.items():
            for at in range(0, len(members), TOGETHER):
                some = members[at : at + TOGETHER]
                letters = np.stack([self._edits[i][2] for i in some])
                first = [self.outputs_of(self.alleles[i])[0] for i in some]
                x = self._one_hot(letters, passed.stack.stem[0])
                for i, y in zip(some, alternate_outputs(passed, shape, first, x), strict=True):
                    outputs[i] = y
        return outputs

    @staticmethod
    def _one_hot(codes: np.ndarray, like: Tensor) -> Tensor:
        """(L,) -> (4, L), (N, L) -> (N, 4, L), on the device and of the type of a tensor."""
        x = one_hot(torch.from_numpy(np.ascontiguousarray(np.atleast_2d(codes))).to(like.device), "zero", like.dtype)
        return x if codes.ndim == 2 else x[0]


def _shared(one: np.ndarray, other: np.ndarray) -> int:
    """How many bases two sequences of one length have in common at the front."""
    differ = np.flatnonzero(one != other)
    return int(differ[0]) if len(differ) else len(one)
