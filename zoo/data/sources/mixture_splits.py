"""Which examples of every source of a mixture a split has, so that no sequence is on two sides.

{name: source} -> MixtureSplits(...).of("train", name) -> (examples, rows), and what was dropped
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from zoo.data.leakage_audit import hash_examples, known_examples
from zoo.data.source import SPLITS, Examples, Source


@dataclass
class MixtureSplits:
    """Examples without leaks between the sources.

    held_out: names of the sources that are the test, the others being training and validation; empty where every source
        has its own splits.
    dropped: {reason: examples}, filled as splits are asked for.

    A training example that another source is validated or tested on, on either strand, is dropped, and a validation
    example that another is tested on.  With sources held out it is the test that gives way: examples that training or
    validation of the others holds on either strand, or overlaps on the genome, are dropped, so that training is not
    chosen by the source that judges.
    """

    sources: Mapping[str, Source]
    held_out: Collection[str] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    _hashed: dict[tuple[str, str], np.ndarray | None] = field(default_factory=dict)

    def of(self, split: str, name: str) -> tuple[Examples, np.ndarray]:
        """A source's examples of a split, and those of them that are used."""
        examples = self.sources[name].examples(split)
        if not self.held_out:
            others = [(other, judge) for other in self.sources for judge in SPLITS[SPLITS.index(split) + 1 :]]
            return examples, self._without(name, split, examples, others)
        if (name in self.held_out) != (split == "test"):
            return examples, np.arange(0)
        others = [(other, "validation") for other in self.sources if other not in self.held_out]
        if split != "test":
            return examples, self._without(name, split, examples, others if split == "train" else [])
        seen = [self.sources[o].examples(s) for s in SPLITS[:2] for o in self.sources if o not in self.held_out]
        known = known_examples(examples, seen)
        self.dropped[f"{name}_test_known_from_training"] = int(known.sum())
        return examples, np.flatnonzero(~known)

    def _without(self, name: str, split: str, examples: Examples, judges: list[tuple[str, str]]) -> np.ndarray:
        """Rows that no (source, split) of another source judges."""
        later = [h for other, judge in judges if other != name and (h := self._hashes(other, judge)) is not None]
        own = self._hashes(name, split) if later else None
        if own is None:
            return np.arange(len(examples))
        keep = ~np.isin(own, np.concatenate(later))
        self.dropped[f"{name}_{split}_in_a_later_split"] = int((~keep).sum())
        return np.flatnonzero(keep)

    def _hashes(self, name: str, split: str) -> np.ndarray | None:
        """Hashes of a source's sequences, None where its examples are none."""
        if (name, split) not in self._hashed:
            examples = self.sources[name].examples(split)
            coded = len(examples) and "codes" in examples.batch(np.array([0]))
            self._hashed[name, split] = hash_examples(examples)[0] if coded else None
        return self._hashed[name, split]
