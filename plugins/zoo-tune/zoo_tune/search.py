"""The search: the default configuration first, then proposals until the budget is spent, then other seeds.

search(study, source, budget) -> study.trials, study.confirmations; every one of them is a run folder with a record
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field

from zoo.data.source import Source
from zoo.errors import ConfigError, ZooError
from zoo.training.plan import TrainingPlan
from zoo_tune.choice import CHALLENGERS, finalists, ranking
from zoo_tune.hidden_test_split import WithoutTest
from zoo_tune.leaderboard import write_leaderboard
from zoo_tune.proposal import Watch, propose
from zoo_tune.run_of_trial import Verdict, run_trial
from zoo_tune.space import override
from zoo_tune.study import Study
from zoo_tune.trial import Trial

MOST_FAILURES = 10
"""Trials that may fail one after another."""

_SHARE_OF_SEEDS = 1 / 3
"""Of the minutes, at most, for training the finalists with other seeds."""


@dataclass
class Budget:
    """When to stop.

    minutes: of this call, None for no limit.  trials: in all, the default included, None for no limit.
    confirm: seeds with which the finalists are trained again.
    """

    minutes: float | None
    trials: int | None
    confirm: int
    _began: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        return math.inf if self.minutes is None else self.minutes * 60 - (time.monotonic() - self._began)

    def seeds(self, seed: int) -> list[int]:
        """The seeds of the finalists, behind the search's own."""
        return list(range(seed + 1, seed + 1 + self.confirm))


def search(study: Study, source: Source, budget: Budget) -> None:
    """Run trials until the budget is spent; whatever ends it, the records and the leaderboard are there.

    source: whole; the trials get it without its test split.
    Raises ZooError where the default configuration cannot be trained.
    """
    at_work = _Search(study, WithoutTest(source), budget)
    at_work.try_default()
    at_work.try_proposals()
    at_work.confirm_finalists()


@dataclass
class _Search:
    study: Study
    source: Source
    budget: Budget

    def try_default(self) -> None:
        """Trial 0, whatever it takes: what tuning gains is measured against it."""
        trial = self.study.default or self.study.new_trial({})
        if not trial.is_over or (trial.status == "failed" and not trial.losses):
            self._run(trial, lambda epoch, loss: None)
        if trial.status == "failed" and not trial.losses:
            raise ZooError(f"the default configuration cannot be trained: {trial.reason}")

    def try_proposals(self) -> None:
        """What an earlier call left unfinished, then what is proposed."""
        for trial in [trial for trial in self.study.trials if not trial.is_over]:
            if not self._is_over():
                self._run(trial, self._verdict(trial))
        failures = 0
        while not self._is_over() and (self.budget.trials is None or len(self.study.trials) < self.budget.trials):
            study = self.study
            parameters = propose(study.space, study.defaults, study.trials, len(study.trials), study.seed)
            if parameters is None:
                _tell("every combination of the search space that was drawn is tried: the search ends")
                return
            trial = study.new_trial(parameters)
            self._run(trial, self._verdict(trial))
            failures = failures + 1 if trial.status == "failed" else 0
            if failures == MOST_FAILURES:
                _tell(f"{failures} trials failed one after another, the last because {trial.reason}: the search ends")
                return

    def confirm_finalists(self) -> None:
        """The default and the best with other seeds, seed by seed, until the budget is spent."""
        candidates = finalists(self.study)
        if len(candidates) < 2:
            return
        ended = {(one.number, one.seed) for one in self.study.confirmations if one.is_over}
        for seed in self.budget.seeds(self.study.seed):
            left = [trial for trial in candidates if (trial.number, seed) not in ended]
            if self.budget.seconds_left < sum(trial.seconds for trial in left):
                _tell(f"no time is left to train the best with seed {seed}")
                return
            for trial in left:
                self._run(self.study.confirmation(trial, seed), self._out_of_time)

    def _run(self, trial: Trial, verdict: Verdict) -> None:
        name = f"trial {trial.number}" + ("" if trial.seed is None else f", seed {trial.seed}")
        _tell(f"{name}: {' '.join(override(k, v) for k, v in trial.parameters.items()) or 'the default configuration'}")
        try:
            run_trial(self.study, trial, self._source_of(trial), verdict)
        finally:
            write_leaderboard(self.study)
        loss = "" if trial.lowest is None else f", validation {trial.lowest:.5g}"
        reason = f" ({trial.reason})" if trial.reason else ""
        text = f"  {trial.status}{reason}{loss}, {len(trial.losses)} epochs, {trial.seconds:.1f} s"
        ranked = ranking(self.study.trials)
        if ranked and trial.seed is None:
            text += f"; best {ranked[0].validation_loss:.5g} of trial {ranked[0].number}"
        if self.budget.minutes is not None:
            text += f"; {max(0.0, self.budget.seconds_left) / 60:.1f} minutes left"
        _tell(text)

    def _source_of(self, trial: Trial) -> Source:
        """The shared data, or the seed's own where the data are drawn with the run's seed."""
        if trial.seed is None or (self.study.config.get("data") or {}).get("seed") is not None:
            return self.source
        return WithoutTest(TrainingPlan.of(self.study.config_of(trial)).source)

    def _verdict(self, trial: Trial) -> Verdict:
        epochs = int((self.study.config.get("trainer") or {}).get("max_epochs", 1))
        others = [other for other in self.study.trials if other is not trial]
        watch = Watch(others, warm_up=max(2, epochs // 4))

        def verdict(epoch: int, loss: float) -> tuple[str, str] | None:
            if not math.isfinite(loss):
                return "failed", f"it diverged: the validation loss of epoch {epoch} is {loss}"
            if self._is_over():
                return "stopped", f"the budget was spent in epoch {epoch}"
            if watch.is_hopeless(epoch, loss):
                return "pruned", f"above the median of earlier trials in epoch {epoch}"
            return None

        return verdict

    def _out_of_time(self, epoch: int, loss: float) -> tuple[str, str] | None:
        return ("stopped", f"the budget was spent in epoch {epoch}") if self.budget.seconds_left <= 0 else None

    def _is_over(self) -> bool:
        """Whether what is left of the minutes is for the finalists' seeds."""
        if self.budget.minutes is None:
            return False
        seconds = [trial.seconds for trial in finalists(self.study)]
        one_seed = (1 + CHALLENGERS) * sum(seconds) / max(1, len(seconds))
        seeds = min(self.budget.confirm, int(_SHARE_OF_SEEDS * self.budget.minutes * 60 / max(one_seed, 1e-9)))
        return self.budget.seconds_left <= seeds * one_seed


def require_validation(source: Source, config: dict) -> None:
    """ConfigError for data without a validation split, and for runs of several processes or networks."""
    if not len(source.examples("validation")):
        raise ConfigError("the validation split is empty, by which trials are judged: give the data's splits one")
    trainer = config.get("trainer") or {}
    if int(trainer.get("devices", 1)) * int(trainer.get("nodes", 1)) > 1:
        raise ConfigError("a trial is one process: set trainer.devices=1 trainer.nodes=1")
    if config.get("members", 1) != 1:
        raise ConfigError(
            f"a trial is one network, not members={config['members']}: leave it out, and give it to the `zoo train` "
            "command that best.yaml holds in the end"
        )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
