"""`zoo tune` in Python: a command's words to a study, a search, and the best model.

study, notes = open_study(["experiment=demo"], storage="tune/demo")
tune(study, minutes=30)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from zoo.composition.overrides import sets
from zoo.config import compose
from zoo.errors import ConfigError, need
from zoo_tune.best_model import judge, write_best
from zoo_tune.choice import Choice, choose
from zoo_tune.leaderboard import table, write_leaderboard
from zoo_tune.space import override, read_space
from zoo_tune.space_of_encoder import checks, describe, fit_space, shipped_space
from zoo_tune.study import Study


def open_study(
    overrides: list[str],
    folders: Sequence[Path] = (),
    storage: str | Path | None = None,
    search_file: str | Path | None = None,
) -> tuple[Study, list[str]]:
    """What would be searched, and a sentence for every change of the space; nothing is written.

    overrides, folders: as `zoo.compose` takes them.  storage: folder of the search, tune/<name> by default.
    search_file: a space in place of the encoder's ready one.
    Raises ConfigError for whatever cannot be composed, in the middle of the space too.
    """
    need("zoo tune", "optuna", install="zoo-tune")
    for key in ("output_dir", "resume"):
        if sets(overrides, key):
            raise ConfigError(f"{key} belongs to one run, and zoo tune makes many: give their folder by --storage")
    config = compose(overrides, folders=folders)
    if search_file is not None:
        space, strict = read_space(search_file), True
    else:
        space, strict = shipped_space(str(config["encoder"]["name"]), folders)[0], False
    space, defaults, notes = fit_space(space, config, overrides, strict)
    for parameters in checks(space):
        compose([*overrides, *(override(key, value) for key, value in parameters.items())], folders=folders)
    folder = Path(storage) if storage is not None else Path("tune", str(config["name"]))
    return Study(folder.expanduser(), overrides, folders, config, space, defaults), notes


def space_text(study: Study) -> str:
    """The search space, a line a key."""
    return "\n".join(describe(study.space, study.defaults))


def tune(study: Study, minutes: float | None, trials: int | None = None, confirm: int = 2) -> int:
    """Search, choose, judge and print; returns the exit code: 130 or 143 after a signal, 1 where no trial is ok.

    minutes: of this call.  trials: in all.  confirm: other seeds of the finalists.
    """
    from zoo.training.plan import TrainingPlan
    from zoo_tune.search import Budget, require_validation, search

    budget = Budget(minutes, trials, confirm)
    with study.alone():
        plan = TrainingPlan.of(study.config)
        require_validation(plan.source, dict(study.config))
        study.refuse_another(plan.source)
        if study.trials:
            print(f"going on with {len(study.trials)} trials of {study.folder}", file=sys.stderr)
        else:
            print(*plan.summary(), sep="\n", file=sys.stderr)
        try:
            search(study, plan.source, budget)
        except (KeyboardInterrupt, SystemExit) as signal:
            print(f"stopped; the same command goes on from {study.folder}", file=sys.stderr)
            return signal.code if isinstance(signal, SystemExit) and isinstance(signal.code, int) else 130
        print(f"{table(study)}\n")
        choice = choose(study, budget.seeds(study.seed))
        if choice is None:
            print("zoo: error: no trial came to its end: give more minutes, or look at train.log", file=sys.stderr)
            return 1
        _tell(study, choice, judge(study, choice, plan.source))
    return 0


def _tell(study: Study, choice: Choice, metrics: str) -> None:
    """What was chosen and by what, what it is worth, where it is, and the next command."""
    best = "the default settings" if choice.trial.number == 0 else f"trial {choice.trial.number}"
    worth = f": {choice.means[choice.trial.number]:.5g}" if choice.means else ", which is the lowest of several"
    print(f"best: {best}, by {choice.reason}{worth}")
    if choice.means and 0 in choice.means and choice.trial.number != 0:
        print(f"the default settings: {choice.means[0]:.5g}")
    elif choice.trial.number == 0:
        print("no trial was better than the default settings")
    print(f"\n{metrics}\n")
    print(f"leaderboard  {write_leaderboard(study)}")
    print(f"run          {choice.trial.folder}")
    print(f"again        {write_best(study, choice)}")
    print(f"next         zoo publish {choice.trial.folder} --name NAME --to file:///a/folder")
