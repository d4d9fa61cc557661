"""Engines: where the alleles of a file are scored.  The core's own does it in this process, chunk by chunk.

VariantFile + Scorer -> engine -> (alleles of some records, their scores), in the order of the file

A plugin adds one with `registry.add("engine", "mine", "zoo_mine.engine:Mine")`: a class whose keyword arguments are the
options of `--engine-option`.  Its instances are called as `Local` is.  One that has an attribute `device` puts the
models on devices itself, and its constructor is given what `--device` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from zoo.composition.key_value import key_values

if TYPE_CHECKING:
    from zoo.effects.variants.rows import Scored
    from zoo.effects.variants.scorer import Scorer
    from zoo.variants.files import VariantFile
    from zoo.variants.variants import Variants


class Engine(Protocol):
    """What scores the chunks of a file."""

    def __call__(
        self, variants: VariantFile, scorer: Scorer, profiles: bool = False
    ) -> Iterator[tuple[Variants, Scored]]:
        """(alleles, scores) of every chunk, in order, none missing and none twice; profiles as of `Scorer`."""
        ...


class Local:
    """Scores in this process."""

    def __call__(
        self, variants: VariantFile, scorer: Scorer, profiles: bool = False
    ) -> Iterator[tuple[Variants, Scored]]:
        """(alleles, scores) of every chunk."""
        for part in variants:
            yield part, scorer(part, profiles)


def build_engine(name: str, options: Sequence[str] = (), device: str = "auto") -> Engine:
    """The registered engine `name` with options as typed, "workers=4".

    Raises ConfigError for an option that is no NAME=VALUE or that the engine does not have.
    """
    from zoo.registry import registry

    arguments = key_values(options, "--engine-option workers=4")
    return registry().build("engine", name, arguments, inject={"device": device})
