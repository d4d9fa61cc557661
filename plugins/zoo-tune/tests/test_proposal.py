"""Proposals and pruning, over records alone: nothing is trained."""

import math
from pathlib import Path

from zoo_tune.proposal import RANDOM_TRIALS, Watch, propose
from zoo_tune.space import Choices, Range
from zoo_tune.trial import Trial, read_trials

SPACE = {"a": Range(1e-4, 1.0, log=True), "b": Range(1, 9), "c": Choices((None, [1, 2], "x"))}
DEFAULTS = {"a": 0.01, "b": 3, "c": None}


def loss_of(parameters):
    """A bowl with its bottom at a = 0.1, b = 7."""
    return (math.log10(parameters["a"]) + 1) ** 2 + 0.05 * (parameters["b"] - 7) ** 2


def tried(number, parameters, status="ok", **more):
    loss = loss_of({**DEFAULTS, **parameters})
    return Trial(
        number, parameters, Path(f"{number:04d}"), status=status, losses={1: loss}, validation_loss=loss, **more
    )


def search(n, trials=()):
    trials = list(trials) or [tried(0, {})]
    while len(trials) < n:
        trials.append(tried(len(trials), propose(SPACE, DEFAULTS, trials, len(trials), seed=3)))
    return trials


def test_proposals_lie_in_the_space_and_none_comes_twice():
    trials = search(20)
    for trial in trials[1:]:
        assert 1e-4 <= trial.parameters["a"] <= 1
        assert trial.parameters["b"] in range(1, 10)
        assert trial.parameters["c"] in (None, [1, 2], "x")
    every = [{**DEFAULTS, **trial.parameters} for trial in trials]
    assert all(one not in every[:at] for at, one in enumerate(every))


def test_what_comes_after_the_random_trials_is_better_than_they_are():
    losses = [trial.validation_loss for trial in search(40)]
    first, last = losses[1:RANDOM_TRIALS], losses[-10:]
    assert sum(last) / len(last) < 0.5 * sum(first) / len(first)


def test_a_search_that_goes_on_from_records_proposes_what_it_would_have_proposed(tmp_path):
    whole = search(14)
    for trial in whole[:11]:
        trial.folder = tmp_path / trial.folder.name
        trial.save()
    again = search(14, read_trials(tmp_path))
    assert [trial.parameters for trial in again] == [trial.parameters for trial in whole]


def test_a_small_space_ends():
    space, defaults = {"c": Choices((1, 2, 3))}, {"c": 2}
    trials = [tried(0, {})]
    for number in (1, 2):
        trials.append(Trial(number, propose(space, defaults, trials, number, 0), Path("x"), status="failed"))
    assert {trial.parameters.get("c", 2) for trial in trials} == {1, 2, 3}
    assert propose(space, defaults, trials, 3, 0) is None


def test_a_trial_above_the_median_is_hopeless_after_the_warm_up_and_a_better_one_never():
    curves = [{e: level / e for e in range(1, 9)} for level in (1.0, 1.1, 1.2, 1.3, 1.4)]
    trials = [Trial(i, {}, Path("x"), status="ok", losses=c, validation_loss=c[8]) for i, c in enumerate(curves)]
    bad, good = Watch(trials, warm_up=2), Watch(trials, warm_up=2)
    assert [bad.is_hopeless(epoch, 5.0 / epoch) for epoch in (1, 2)] == [False, True]
    assert not any(good.is_hopeless(epoch, 0.5 / epoch) for epoch in range(1, 8))
    assert not Watch(trials[:3], warm_up=2).is_hopeless(3, 5.0)


def test_a_record_reads_back_as_it_was(tmp_path):
    trial = Trial(
        4, {"a": 0.1, "c": [1, 2]}, tmp_path / "0004", status="failed", losses={1: 0.5, 2: math.nan}, reason="x"
    )
    trial.save()
    (back,) = read_trials(tmp_path)
    assert math.isnan(back.losses[2])
    assert back.lowest == 0.5
    assert {**vars(back), "losses": 0} == {**vars(trial), "losses": 0}
