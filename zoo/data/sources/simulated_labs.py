"""`data=simulated_labs`: one planted motif, measured in several laboratories that each add something of their own.

motif rows with shuffled decoys, of the GC content of their class -> an artefact in a share of positives, of negatives
    -> labels, domain (the laboratory), covariates (GC content, whether the artefact is there)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from zoo.composition.settings import settings_of
from zoo.data.codes import encode
from zoo.data.gc_matched_negatives import gc_fraction
from zoo.data.motifs import RELEASE, get_motifs
from zoo.data.planted_motifs import simulate
from zoo.data.sequences import Sequences
from zoo.data.source import SPLITS, Source
from zoo.data.sources.domains import RowAnnotations, described_domains
from zoo.data.sources.sequence_examples import ReadyExamples
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field


@dataclass(frozen=True, kw_only=True)
class Lab:
    """What a laboratory adds.

    positives, negatives: share of its positives and of its negatives that hold the artefact.
    gc, gc_of_positives: share of C and G in the background of a negative and of a positive; null for that of negatives.
    prevalence: share of its rows that are positives.
    """

    positives: float = 0.0
    negatives: float = 0.0
    gc: float = 0.41
    gc_of_positives: float | None = None
    prevalence: float = 0.5


DEFAULT_LABS = {"a": {}, "b": {}}


class SimulatedLabs(Source):
    """Sequences with a planted motif in several simulated laboratories.

    Every row holds a site of the motif or its letters in shuffled order, as in `data=simulated`; then a share of the
    rows, which depends on laboratory and label, gets the artefact, away from the site.  Where that share depends on the
    label, the artefact says something of the label that holds in that laboratory alone.

    labs: {name: settings, see `Lab`}; two without an artefact by default.
    held_out_domain: the laboratory whose rows are the test, the others being training and validation; null for all.
    motif: JASPAR name or identifier.
    artefact: letters that are written into the sequence, such as the rest of an adapter.
    label_noise: share of the training and validation labels that are turned around.
    n_train, n_validation, n_test: rows of every laboratory that the split has.
    length: bp of a row.
    seed: of the data; a run's own seed leaves it alone.
    """

    def __init__(
        self,
        *,
        labs: Mapping[str, Mapping[str, Any]] | None = None,
        held_out_domain: str | None = None,
        motif: str = "CTCF",
        artefact: str = "AGATCGGAAGAGC",
        label_noise: float = 0.0,
        n_train: int = 1_000,
        n_validation: int = 500,
        n_test: int = 2_000,
        length: int = 100,
        seed: int = 0,
    ):
        labs = dict(labs or DEFAULT_LABS)
        self.labs = {name: settings_of(Lab, f"data.labs.{name}", lab) for name, lab in labs.items()}
        self.domains, self.covariates = tuple(self.labs), ("gc", "artefact")
        self._motif, self._artefact = get_motifs([motif])[0], encode(artefact)
        if held_out_domain is not None and held_out_domain not in self.labs:
            raise ConfigError(
                f"data.held_out_domain {held_out_domain!r} is no laboratory" + did_you_mean(held_out_domain, self.labs)
            )
        if held_out_domain is not None and len(self.labs) < 2:
            raise ConfigError("data.held_out_domain leaves nothing to train on: data.labs has one laboratory alone")
        if length < (least := 2 * (len(self._motif) + len(self._artefact))):
            raise ConfigError(f"data.length {length} leaves no room beside the motif: give {least} bp or more")
        self.held_out, self._noise, self._seed = held_out_domain, label_noise, seed
        self.input_length = length
        self._n = dict(zip(SPLITS, (n_train, n_validation, n_test), strict=True))
        self.targets = {"binding": Field("C", channels=(self._motif.name,), values="binary")}
        self._config = {
            "name": "simulated_labs",
            "labs": {name: asdict(lab) for name, lab in self.labs.items()},
            "held_out_domain": held_out_domain,
            "motif": motif,
            "artefact": artefact,
            "label_noise": label_noise,
            **{f"n_{split}": n for split, n in self._n.items()},
            "length": length,
            "seed": seed,
        }
        self._examples: dict[str, ReadyExamples] = {}
        self._annotations: dict[str, RowAnnotations] = {}

    def examples(self, split: str) -> ReadyExamples:
        """The rows of one split, one laboratory after another."""
        if split not in self._n:
            raise ConfigError(f"no split {split!r}" + did_you_mean(split, SPLITS))
        if split not in self._examples:
            of_held_out = [self.held_out is None or (name == self.held_out) == (split == "test") for name in self.labs]
            made = [self._rows(i, split) for i, here in enumerate(of_held_out) if here]
            codes, labels, artefact, domain = (np.concatenate(parts) for parts in zip(*made, strict=True))
            covariates = np.stack([gc_fraction(codes), artefact], 1).astype(np.float32)
            annotations = RowAnnotations(domain, self.domains, covariates, self.covariates)
            sequences = Sequences.from_codes(list(codes))
            sequences.headers[:] = [f"{split}_{i}" for i in range(len(codes))]
            self._annotations[split] = annotations
            values = labels[:, None].astype(np.float32)
            everything = np.arange(len(codes))
            self._examples[split] = ReadyExamples(sequences, everything, "binding", values, annotations=annotations)
        return self._examples[split]

    def describe(self) -> dict[str, Any]:
        """Provenance for the model card; `config` builds the same source again."""
        n = {split: {"n": len(self.examples(split))} for split in SPLITS}
        rows = {split: np.arange(len(self.examples(split))) for split in SPLITS}
        by_domain = {s: described_domains(self._annotations[s], {s: rows[s]}, {})["domains"][s] for s in SPLITS}
        return {
            "name": "simulated_labs",
            "motifs": [{"name": self._motif.name, "id": self._motif.id}],
            "release": RELEASE,
            "licence": "motifs: JASPAR, CC BY 4.0; sequences: simulated",
            "splits": n,
            "domains": by_domain,
            "covariates": list(self.covariates),
            "negatives": "the same background with decoys: shuffled",
            "config": self._config,
        }

    def _rows(self, number: int, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """codes (n, L), labels (n,), whether the artefact is there (n,), ids of the laboratory (n,)."""
        lab, seed = self.labs[self.domains[number]], [self._seed, number, SPLITS.index(split)]
        rng, n = np.random.default_rng([*seed, 2]), self._n[split]
        n_positive = round(lab.prevalence * n)
        gc_of_positives = lab.gc if lab.gc_of_positives is None else lab.gc_of_positives
        classes = [(n - n_positive, lab.gc, 0.0), (n_positive, gc_of_positives, 1.0)]
        codes, holds, middle = [], [], []
        for label, (rows, gc, positives) in enumerate(classes):
            made = simulate(
                [self._motif], rows, length=self.input_length, gc=gc, positives=positives, seed=[*seed, label]
            )
            sites = rng.uniform(0, self.input_length, rows)  # of a negative: of the place that a site might have had
            sites[made.truth["row"]] = (made.truth["start"] + made.truth["end"]) / 2
            codes.append(made.codes)
            middle.append(sites)
            holds.append(rng.random(rows) < (lab.negatives, lab.positives)[label])
        order = rng.permutation(n)
        codes, holds, middle = (np.concatenate(parts)[order] for parts in (codes, holds, middle))
        labels = np.repeat([0.0, 1.0], [n - n_positive, n_positive])[order]
        self._write_artefact(codes, holds, middle, rng)
        if self._noise and split != "test":
            labels = np.abs(labels - (rng.random(n) < self._noise))
        return codes, labels, holds.astype(np.float32), np.full(n, number, np.int64)

    def _write_artefact(
        self, codes: np.ndarray, holds: np.ndarray, middle: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Into the rows of a mask, at a random place of the half of the sequence that the site's middle is not in."""
        rows, width, length = np.flatnonzero(holds), len(self._artefact), self.input_length
        reach = -(-len(self._motif) // 2)
        right = middle[rows] < length / 2
        lowest = np.where(right, np.ceil(middle[rows]).astype(int) + reach, 0)
        highest = np.where(right, length - width, np.floor(middle[rows]).astype(int) - reach - width)
        start = rng.integers(lowest, np.maximum(highest, lowest) + 1)
        codes[rows[:, None], start[:, None] + np.arange(width)] = self._artefact
