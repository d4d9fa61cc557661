"""Scores of variants by gene: what a plugin registers, and how one is chosen for a model.

model + --annotation -> the registered `gene_score` that reads it -> a scorer whose rows are an allele and a gene each

A plugin adds one with `registry.add("gene_score", "mine", "zoo_mine.scores:Mine")`: a class with a static method
`reads(model) -> bool`, built as `Mine(model, genome, annotation=..., distance=..., mask=..., strands=...,
any_assembly=...)`.  Its instances are used as `zoo.effects.variants.scorer.Scorer` is, with besides

    columns: names of the scores; those that begin with DP_ are places, whole numbers of bp.
    labels: names of the columns of text in front of the scores.
    notes: what a user should know of the annotation.
    field: what VCF output gets in place of a key for each column: `key`, `header` (the line of the header) and
        `text(rows, columns)`, the value of a record with these rows of the table, "" for none.

and give `Scored` with `allele` and `labels`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zoo.effects.variants.scorer import Scorer
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.model import Model

KIND = "gene_score"
OPTIONS = ("distance", "mask")
"""What is of no use without an annotation."""


def build_scorer(model: Model, genome: Genome, **options: Any) -> Any:
    """A `Scorer`; with `annotation` the scorer by gene that reads the model.

    Raises ConfigError where none does, and for an option that goes with an annotation alone.
    """
    if options.get("annotation") is None:
        alone = [name for name in OPTIONS if options.pop(name, None)]
        options.pop("annotation", None)
        if alone:
            raise ConfigError(f"--{alone[0]} is of scores by gene: give --annotation with it, or leave it out")
        return Scorer(model, genome, **options)
    return _of_genes(model)(model, genome, **{key: value for key, value in options.items() if value is not None})


def _of_genes(model: Model) -> Any:
    from zoo.registry import registry

    for name in registry().names(KIND):
        scorer = registry().get(KIND, name)
        if scorer.reads(model):
            return scorer
    raise ConfigError(
        f"no installed plugin scores variants by gene with model {model.spec.name!r}: leave out --annotation, or "
        "choose a model of acceptors and donors, such as ci-spliceai of zoo-splice"
    )
