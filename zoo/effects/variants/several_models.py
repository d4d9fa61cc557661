"""`SeveralModels`: the scores of several models for the same variants, side by side, from one reading of the file.

Variants -> a Scorer of each model, with its own window -> columns <model>.<score>
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.effects.variants.rows import Scored
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.effects.variants.scorer import Scorer
    from zoo.variants.variants import Variants


class SeveralModels:
    """scorers: of each model, by its name.  Otherwise as `Scorer`.

    A row is ok where every model has a score; else it has the reason of the first that has none, its notes say which
    model lacks one and why, and the scores of the others stand.
    """

    positions: Mapping[str, np.ndarray] = {}

    def __init__(self, scorers: list[Scorer]):
        self.scorers = {scorer.model.spec.name: scorer for scorer in scorers}
        if len(self.scorers) < len(scorers):
            names = ", ".join(scorer.model.spec.name for scorer in scorers)
            raise ConfigError(f"the models {names} have one name twice: name each once, or publish one as another")
        if any(scorer.profiles for scorer in scorers):
            raise ConfigError("whole profiles are compared for one model at a time: leave out --profile, or the others")
        self.genome = scorers[0].genome

    @property
    def reach(self) -> int:
        """bp from a variant within which the windows of all models lie."""
        return max(scorer.reach for scorer in self.scorers.values())

    @property
    def columns(self) -> list[str]:
        """<model>.<column> of every model."""
        return [f"{name}.{column}" for name, scorer in self.scorers.items() for column in scorer.columns]

    @property
    def options(self) -> dict[str, Any]:
        """Of the first: all models have the same."""
        return next(iter(self.scorers.values())).options

    @property
    def origin(self) -> dict[str, str]:
        """Comment lines that tie numbers to weights and code, of every model."""
        return {f"{name}.{k}": v for name, scorer in self.scorers.items() for k, v in scorer.origin.items()}

    @property
    def comments(self) -> dict[str, str]:
        """What a table must say of the scores; what differs between models under the name of each."""
        each = {name: scorer.comments for name, scorer in self.scorers.items()}
        first = next(iter(each.values()))
        same = {k: v for k, v in first.items() if all(c.get(k) == v for c in each.values())}
        return {**same, **{f"{name}.{k}": v for name, c in each.items() for k, v in c.items() if k not in same}}

    def __call__(self, variants: Variants, profiles: bool = False) -> Scored:
        """Scores of some variants, in their order."""
        status, notes, values = variants.status.copy(), variants.notes.copy(), []
        for name, scorer in self.scorers.items():
            scored = scorer(variants)
            values.append(scored.values)
            for i in np.flatnonzero((scored.status != "ok") & (variants.status == "ok")):
                notes[i] = ";".join(filter(None, (notes[i], f"{name} {scored.status[i]}")))
                status[i] = scored.status[i] if status[i] == "ok" else status[i]
        return Scored(np.concatenate(values, 1), status, notes=notes)
