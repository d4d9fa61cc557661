"""What to try next, and when to give up: Optuna's TPE and median pruner, over the trials that are on record.

propose(space, trials, number, seed) -> parameters        Watch(...).is_hopeless(epoch, loss) -> bool

Nothing of Optuna is stored: a study is built from the records whenever one is needed, and its sampler is seeded by the
number of the trial, so that a search that was interrupted proposes what it would have proposed.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo_tune.space import Choices, Parameter, Range, Space, is_same

if TYPE_CHECKING:
    import optuna

    from zoo_tune.trial import Trial

RANDOM_TRIALS = 8
"""Trials before TPE has enough to model (Bergstra et al. 2011); the default configuration counts."""

_TRIALS_TO_COMPARE = 4
_DRAWS = 30


def propose(
    space: Space, defaults: Mapping[str, Any], trials: Sequence[Trial], number: int, seed: int
) -> dict[str, Any] | None:
    """Parameters that no trial had yet; None where 30 draws found none, as in a small space that was tried whole.

    defaults: of every key; what trial 0 ran with.
    """
    tried = [{**defaults, **trial.parameters} for trial in trials]
    for draw in range(_DRAWS):
        study = _study(space, defaults, trials, seed=(seed * 10_007 + number) * _DRAWS + draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is experimental in Optuna
            drawn = study.ask(_distributions(space)).params
        parameters = {key: _from_optuna(space[key], value) for key, value in drawn.items()}
        if parameters not in tried:
            return parameters
    return None


class Watch:
    """Compares a trial, epoch by epoch, with the median of those before it.

    warm_up: epochs that every trial gets.
    """

    def __init__(self, trials: Iterable[Trial], warm_up: int):
        import optuna

        self._study = _optuna_study(
            sampler=optuna.samplers.RandomSampler(seed=0),
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=_TRIALS_TO_COMPARE, n_warmup_steps=warm_up, n_min_trials=_TRIALS_TO_COMPARE
            ),
        )
        self._study.add_trials(
            [_frozen(trial, {}, {}) for trial in trials if trial.is_over and trial.lowest is not None]
        )
        self._trial = self._study.ask()

    def is_hopeless(self, epoch: int, loss: float) -> bool:
        """Whether the lowest loss so far lies above the median of what earlier trials had at this epoch."""
        self._trial.report(loss, epoch)
        return self._trial.should_prune()


def _study(space: Space, defaults: Mapping[str, Any], trials: Iterable[Trial], seed: int) -> optuna.Study:
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed % 2**32, n_startup_trials=RANDOM_TRIALS)
        study = _optuna_study(sampler=sampler, pruner=optuna.pruners.NopPruner())
    distributions = _distributions(space)
    study.add_trials(
        [_frozen(trial, distributions, _to_optuna(space, {**defaults, **trial.parameters})) for trial in trials]
    )
    return study


def _optuna_study(**parts: Any) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(direction="minimize", storage=optuna.storages.InMemoryStorage(), **parts)


def _frozen(trial: Trial, distributions: dict[str, Any], parameters: dict[str, Any]) -> optuna.trial.FrozenTrial:
    """A trial as Optuna knows it; one that failed or has not ended counts as pruned: worse than all that are ok."""
    import optuna

    states = optuna.trial.TrialState
    is_ok = trial.status == "ok" and trial.validation_loss is not None
    return optuna.trial.create_trial(
        state=states.COMPLETE if is_ok else states.PRUNED,
        value=trial.validation_loss if is_ok else None,
        params=parameters,
        distributions=distributions,
        intermediate_values={epoch: loss for epoch, loss in trial.losses.items() if loss == loss},
    )


def _distributions(space: Space) -> dict[str, Any]:
    from optuna import distributions as kinds

    made: dict[str, Any] = {}
    for key, parameter in space.items():
        if isinstance(parameter, Choices):
            made[key] = kinds.CategoricalDistribution([json.dumps(value) for value in parameter.values])
        elif parameter.is_whole:
            made[key] = kinds.IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
        else:
            made[key] = kinds.FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.log)
    return made


def _to_optuna(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A choice is a text to Optuna, so that lists and null can be chosen."""
    return {
        key: json.dumps(_member(parameter, parameters[key])) if isinstance(parameter, Choices) else parameters[key]
        for key, parameter in space.items()
    }


def _member(parameter: Choices, value: Any) -> Any:
    """The choice that equals a value: 0 is the choice 0.0."""
    return next((one for one in parameter.values if is_same(one, value)), value)


def _from_optuna(parameter: Parameter, value: Any) -> Any:
    return parameter.clean(value) if isinstance(parameter, Range) else json.loads(value)
