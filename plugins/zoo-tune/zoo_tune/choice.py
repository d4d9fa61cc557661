"""Which trial is the best: by the validation loss, and where there was time by that of seeds nobody chose.

finalists(study) -> the default and the two best others -> trained with other seeds -> choose(study, seeds) -> Choice

The lowest of many losses is low by chance too, and the default's is not the lowest of anything.  Seeds that were drawn
after the choice do not flatter the chosen: their mean decides, and is what the chosen is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from zoo_tune.study import Study
from zoo_tune.trial import Trial

CHALLENGERS = 2
"""Trials that are trained again beside the default."""


@dataclass(frozen=True)
class Choice:
    """The best trial.

    seeds: that all finalists were trained with besides the search's own; none where there was no time.
    means: {trial number: mean validation loss over those seeds}.
    """

    trial: Trial
    seeds: tuple[int, ...]
    means: dict[int, float]

    @property
    def reason(self) -> str:
        """By what it was chosen, in words."""
        if not self.seeds:
            return "the validation loss of one seed"
        return f"the mean validation loss of the seeds {', '.join(map(str, self.seeds))}"


def finalists(study: Study) -> list[Trial]:
    """The default, if it is ok, then the two others of lowest validation loss."""
    ranked = ranking(study.trials)
    default = [trial for trial in ranked if trial.number == 0]
    return default + [trial for trial in ranked if trial.number != 0][:CHALLENGERS]


def ranking(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that are ok, by validation loss; the earlier one first where two are equal."""
    return sorted(
        (trial for trial in trials if trial.validation_loss is not None),
        key=lambda trial: (trial.validation_loss, trial.number),
    )


def choose(study: Study, seeds: Sequence[int]) -> Choice | None:
    """The best trial, by the seeds with which all finalists were trained; None where no trial is ok."""
    candidates = finalists(study)
    if not candidates:
        return None
    losses = {(one.number, one.seed): one.validation_loss for one in study.confirmations if one.is_over}
    complete = [seed for seed in seeds if all((trial.number, seed) in losses for trial in candidates)]
    if not complete or len(candidates) < 2:
        return Choice(ranking(study.trials)[0], (), {})
    means = {
        trial.number: fmean(float("inf") if (x := losses[trial.number, seed]) is None else x for seed in complete)
        for trial in candidates
    }
    best = min(candidates, key=lambda trial: means[trial.number])
    return Choice(best, tuple(complete), means)
