"""A search on the disk: what it is of, its trials, and whose turn it is.

FOLDER/search.json   overrides, space, configuration, data         another one in the same folder is refused
FOLDER/trials/       0000.json 0000/ ... records and run folders   FOLDER/seeds/  the best, trained with other seeds
FOLDER/leaderboard.tsv  FOLDER/best.yaml
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.config import compose
from zoo.data.source import SPLITS, Source
from zoo.errors import ConfigError
from zoo.files.locks import Held, lock
from zoo.files.regular_files import read_bounded
from zoo.files.strict_json import parse_json
from zoo.training.run_folder import plain, write_json
from zoo_tune.space import Space, override, to_plain
from zoo_tune.trial import Trial, read_trials

FORMAT = 1
_MOST_BYTES = 1 << 24
_RUNS_OWN = ("output_dir", "resume")


@dataclass
class Study:
    """One search.

    folder: of all its files.
    overrides: the user's.  folders: of --config-dir.
    config: the default configuration.  space, defaults: what is searched, and the default of every key.
    trials: by number; the first is the default configuration.
    confirmations: finalists, trained again with other seeds.
    """

    folder: Path
    overrides: list[str]
    folders: Sequence[Path]
    config: Mapping[str, Any]
    space: Space
    defaults: Mapping[str, Any]
    trials: list[Trial] = field(default_factory=list)
    confirmations: list[Trial] = field(default_factory=list)

    @property
    def seed(self) -> int:
        """The run's seed: of every trial's training, and of the proposals."""
        return int(self.config.get("seed", 0))

    @property
    def default(self) -> Trial | None:
        """The trial of the default configuration, once it has begun."""
        return self.trials[0] if self.trials else None

    def words(self, trial: Trial) -> list[str]:
        """The overrides that make a trial's configuration, as `zoo train` takes them."""
        chosen = [override(key, value) for key, value in trial.parameters.items()]
        return [*self.overrides, *chosen, *([] if trial.seed is None else [override("seed", trial.seed)])]

    def config_of(self, trial: Trial) -> dict[str, Any]:
        """The configuration of a trial's run, as `zoo train` would compose it."""
        where = override("output_dir", str(trial.folder))
        return compose([*self.words(trial), where], folders=self.folders)

    def new_trial(self, parameters: Mapping[str, Any]) -> Trial:
        """The next trial, on record from now on."""
        number = self.trials[-1].number + 1 if self.trials else 0
        trial = Trial(number, dict(parameters), self._make(self.folder / "trials" / f"{number:04d}"))
        trial.save()
        self.trials.append(trial)
        return trial

    def confirmation(self, trial: Trial, seed: int) -> Trial:
        """A trial's configuration with another seed: the one on record, or a new one."""
        for one in self.confirmations:
            if (one.number, one.seed) == (trial.number, seed):
                return one
        folder = self._make(self.folder / "seeds" / f"{trial.number:04d}-seed-{seed}")
        made = Trial(trial.number, dict(trial.parameters), folder, seed)
        made.save()
        self.confirmations.append(made)
        return made

    def refuse_another(self, source: Source) -> None:
        """Write down what is searched; ConfigError where the folder holds a search of something else."""
        content = plain(
            {
                "format": FORMAT,
                "overrides": self.overrides,
                "config": {k: v for k, v in self.config.items() if k not in _RUNS_OWN},
                "space": to_plain(self.space),
                # The test split is counted by nobody before the search has ended.
                "data": {
                    "describe": source.describe(),
                    "examples": {split: len(source.examples(split)) for split in SPLITS if split != "test"},
                },
            }
        )
        path = self.folder / "search.json"
        if path.exists():
            _compare(_read(path), content, self.folder)
        else:
            others = sorted(p.name for p in self.folder.iterdir() if not p.name.startswith("."))
            if others:
                raise ConfigError(f"{self.folder} holds {others[0]!r} and is no search: choose another --storage")
            write_json(path, content)
        self.trials = read_trials(self.folder / "trials")
        self.confirmations = read_trials(self.folder / "seeds")
        if [trial.number for trial in self.trials] != list(range(len(self.trials))):
            raise ConfigError(f"{self.folder}/trials lacks a record: choose another --storage")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder; ConfigError where another process does."""
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"--storage {self.folder} is a file: name a folder")
        self._make(self.folder)
        try:
            with lock(self.folder / ".lock", wait=False):
                yield
        except Held as error:
            raise ConfigError(
                f"another zoo tune is at work in {self.folder}: wait for it, or choose another --storage"
            ) from error

    def _make(self, folder: Path) -> Path:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder} cannot be made ({error.strerror}): choose another --storage") from error
        return folder


@contextmanager
def log_of(trial: Trial) -> Iterator[None]:
    """What a run prints goes to train.log in its folder."""
    with (trial.folder / "train.log").open("a", encoding="utf-8") as log, redirect_stdout(log), redirect_stderr(log):
        yield


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse_json(read_bounded(path, _MOST_BYTES))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): choose another --storage") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ConfigError(f"{path} is of another format: choose another --storage")
    return content


def _compare(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    for part, name in (("config", "configuration"), ("space", "space"), ("data", "data")):
        for key in (old := _flat(before.get(part))) | (new := _flat(now[part])):
            if old.get(key) != new.get(key):
                raise ConfigError(
                    f"{folder} holds a search of another {name} ({key} was {old.get(key, 'not set')} and is "
                    f"{new.get(key, 'not set')}): choose another --storage, or give the same command as before"
                )


def _flat(content: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(content, Mapping) and content:
        return {k: v for name, inner in content.items() for k, v in _flat(inner, f"{prefix}{name}/").items()}
    return {prefix.rstrip("/"): json.dumps(content)}
