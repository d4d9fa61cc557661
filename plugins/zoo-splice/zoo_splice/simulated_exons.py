"""`data=simulated_exons`: an enhancer and a silencer in an exon, whose joint effect depends on spacing and order.

    ....[enhancer]..gap..[silencer]....    effect = main effects of what is there
    ....[silencer]..gap..[enhancer]....             -/+ strength * exp(-gap / decay) where both are, by their order

With both orders alike often at every gap the interaction is 0 on the mean, so that an additive model explains nothing
of it by construction, and a model that knows which sites are there, but not how they stand, neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.codes import encode
from zoo.data.planted_motifs import background
from zoo.data.source import SPLITS, Examples, Source
from zoo.errors import ConfigError, did_you_mean
from zoo.evaluation.baselines import Baseline
from zoo.fields import Field

TARGET = "inclusion"


@dataclass(frozen=True, kw_only=True)
class ExonElements:
    """The two elements and what they do to the log-odds of the exon's inclusion.

    enhancer, silencer: letters, read on the strand of the transcript.
    enhancer_effect, silencer_effect: of each wherever it stands.
    strength: of the interaction at gap 0: a silencer downstream of the enhancer takes it away, one upstream adds it.
    decay: bp over which the interaction falls to 1/e.
    longest_gap: bp between the two; each row draws its own, from 0 on.
    share: of the rows that hold an element, independently of the other; what a row lacks stands there with its letters
        shuffled.
    noise: sd of the measurement.
    """

    enhancer: str = "GAAGAAGA"
    silencer: str = "TTAGGGTT"
    enhancer_effect: float = 1.0
    silencer_effect: float = -1.0
    strength: float = 1.5
    decay: float = 15.0
    longest_gap: int = 50
    share: float = 0.75
    noise: float = 0.1

    def __post_init__(self) -> None:
        for name in ("enhancer", "silencer"):
            letters = getattr(self, name)
            if len(letters) < 4 or len(set(letters)) < 2 or set(letters) - set("ACGT"):
                raise ConfigError(
                    f"data.elements.{name} {letters!r} must be 4 bases or more, two kinds of A, C, G and T"
                )
        if not self.decay > 0 or self.longest_gap < 0 or not 0 < self.share <= 1 or self.noise < 0:
            raise ConfigError(
                f"data.elements need decay ({self.decay}) above 0, longest_gap ({self.longest_gap}) and noise "
                f"({self.noise}) of at least 0, and a share ({self.share}) above 0 and at most 1"
            )

    def interaction(self, gap: np.ndarray, downstream: np.ndarray) -> np.ndarray:
        """What the two do beyond their sum.  gap: bp.  downstream: whether the silencer lies behind the enhancer.

        >>> ExonElements().interaction(np.array([0, 15, 0]), np.array([True, True, False])).round(2).tolist()
        [-1.5, -0.55, 1.5]
        """
        return np.where(downstream, -1.0, 1.0) * self.strength * np.exp(-np.asarray(gap) / self.decay)


class SimulatedExons(Source):
    """Exons of random bases with an enhancer, a silencer, both or none, and the log-odds of their inclusion.

    n_train, n_validation, n_test: rows.
    length: bp of a row.
    elements: settings, see `ExonElements`.
    seed: of the data; a run's own seed leaves it alone, so that runs are compared on the same rows.
    """

    def __init__(
        self,
        *,
        n_train: int = 20_000,
        n_validation: int = 2_000,
        n_test: int = 2_000,
        length: int = 100,
        elements: ExonElements | Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        self.elements = settings_of(ExonElements, "data.elements", elements)
        needed = len(self.elements.enhancer) + len(self.elements.silencer) + self.elements.longest_gap
        if length < needed:
            raise ConfigError(f"data.length {length} bp does not hold the elements and their gap: use {needed} or more")
        self.input_length, self._seed = length, seed
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self.targets = {TARGET: Field("C", channels=(TARGET,), unit="log-odds")}
        self._config = {**{f"n_{split}": n for split, n in self._n.items()}, "length": length, "seed": seed}
        self._made: dict[str, tuple[np.ndarray, dict[str, np.ndarray]]] = {}

    def examples(self, split: str) -> Examples:
        """The rows of one split."""
        codes, truth = self._make(split)
        noise = np.random.default_rng([self._seed, SPLITS.index(split), 1]).standard_normal(len(codes))
        value = truth["main"] + truth["interaction"] + self.elements.noise * noise
        return _Exons(split, codes, value.astype(np.float32)[:, None])

    def truth(self, split: str) -> dict[str, np.ndarray]:
        """Columns (n,) of a split: enhancer, silencer (bool, is it there?), enhancer_start, silencer_start (0-based, of
        the site or of its shuffled letters), gap (bp), downstream (bool, does the silencer lie behind the enhancer?),
        main (the sum of the effects of what is there), interaction (what both do beyond it)."""
        return self._make(split)[1]

    def baselines(self, target: str) -> list[Baseline]:
        """The additive model: which of the two elements a row holds, and a weight for each."""
        return [Baseline("additive", self.holds)] if target == TARGET else []

    def holds(self, codes: np.ndarray) -> np.ndarray:
        """codes (N, L) -> (N, 2) of 0 and 1: does the row hold the enhancer, the silencer, anywhere?"""
        windows = (
            np.lib.stride_tricks.sliding_window_view(codes, len(letters), axis=1) == encode(letters)
            for letters in (self.elements.enhancer, self.elements.silencer)
        )
        return np.stack([x.all(2).any(1) for x in windows], axis=1).astype(np.float64)

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        return {
            "source": "simulated_exons",
            "licence": "simulated",
            "splits": {split: {"n": n} for split, n in self._n.items()},
            "config": {**self._config, "elements": asdict(self.elements)},
        }

    def _make(self, split: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        if split not in self._made:
            rng = np.random.default_rng([self._seed, SPLITS.index(split)])
            self._made[split] = _simulate(self.elements, self._n[split], self.input_length, rng)
        return self._made[split]


def shuffled(letters: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, W) orders of the letters of a site, each of which differs from it at three places or more where it can."""
    out = np.tile(letters, (n, 1))
    least = min(3, 2 * min(np.sum(letters == base) for base in np.unique(letters)))
    while len(rows := np.flatnonzero((out != letters).sum(1) < least)):
        out[rows] = rng.permuted(out[rows], axis=1)
    return out


def _simulate(
    elements: ExonElements, n: int, length: int, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Codes (n, length), and the columns of `SimulatedExons.truth`."""
    half = -(-n // 2)
    # Every pair of flags and gap comes in both orders; an odd row has one of them.
    order = rng.permutation(2 * half)[:n] if n % 2 else rng.permutation(n)
    holds = np.tile(rng.random((2, half)) < elements.share, 2)[:, order]
    gap = np.tile(rng.integers(0, elements.longest_gap + 1, half), 2)[order]
    downstream = (np.arange(2 * half) < half)[order]
    sites = [encode(elements.enhancer), encode(elements.silencer)]
    width = len(sites[0]) + len(sites[1]) + gap
    first = rng.integers(0, length - width + 1)
    start = [
        np.where(downstream, first, first + len(sites[1]) + gap),
        np.where(downstream, first + len(sites[0]) + gap, first),
    ]
    codes = background(n, length, gc=0.5, rng=rng)
    for site, there, at in zip(sites, holds, start, strict=True):
        letters = np.where(there[:, None], site, shuffled(site, n, rng))
        codes[np.arange(n)[:, None], at[:, None] + np.arange(len(site))] = letters
    main = holds[0] * elements.enhancer_effect + holds[1] * elements.silencer_effect
    return codes, {
        "enhancer": holds[0],
        "silencer": holds[1],
        "enhancer_start": start[0],
        "silencer_start": start[1],
        "gap": gap,
        "downstream": downstream,
        "main": main,
        "interaction": np.where(holds.all(0), elements.interaction(gap, downstream), 0.0),
    }


class _Exons(Examples):
    def __init__(self, split: str, codes: np.ndarray, value: np.ndarray):
        self._split, self._codes, self._value = split, codes, value
        self.lengths = np.full(len(codes), codes.shape[1], np.int64)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        if margin:
            raise ConfigError(f"simulated exons have no flank, but {margin} bp are asked for: set trainer.shift=0")
        return {"codes": self._codes[indices], f"target/{TARGET}": self._value[indices]}

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        return {"name": np.array([f"{self._split}_{i}" for i in np.asarray(indices)], str)}
