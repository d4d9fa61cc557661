"""From groups, options and overrides to one plain dictionary.  Nothing else imports Hydra.

    compose(["encoder=dilated_cnn", "seed=3"])            in Python: the configuration
    run(task, ["encoder=dilated_cnn", "-m", "seed=1,2"])  on the command line: one run, or a sweep of runs

A user's mistake is a ConfigError that names the offending override; Hydra's own exceptions stay inside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.composition.flags import read_flags
from zoo.composition.option_files import Groups, groups, value_at
from zoo.composition.signature_check import check_config
from zoo.composition.sweep_results import record_failure, report
from zoo.errors import ConfigError, ZooError, did_you_mean
from zoo.extras import EXTRAS, need
from zoo.files.locations import core_file

__all__ = ["compose", "run"]

Task = Callable[[dict], Any]


def compose(overrides: list[str] | None = None, config: str = "train", folders: Iterable[Path] = ()) -> dict[str, Any]:
    """The plain, resolved and checked configuration of one run, as `zoo train` would get it.

    overrides: "group=option" and "key=value", as on the command line.
    config: a file of conf/ without its ending.
    folders: with further options, as --config-dir names them.
    Raises ConfigError for whatever cannot be used.
    """
    with _session(groups(folders)) as session:
        return session.plain(session.compose(config, session.read(list(overrides or []))))


def run(task: Task, args: list[str], config: str = "train") -> int:
    """The command line of a task: `group=option`, `key=value`, -m, --cfg job, --config-dir.

    task: called with the configuration, whose `output_dir` is the run's folder.  With a launcher it runs in
    another process, so it must be a function that can be imported.
    Returns the exit code; raises ConfigError for a mistake in `args`, and whatever a single run raises.
    """
    asked = read_flags(args)
    with _session(groups(asked.folders)) as session:
        overrides = session.read(asked.overrides, sweep=asked.multirun)
        if asked.show:
            from omegaconf import OmegaConf

            sys.stdout.write(OmegaConf.to_yaml(session.plain(session.compose(config, overrides))))
            return 0
        return session.sweep(config, overrides, task) if asked.multirun else session.run(config, overrides, task)


@contextmanager
def _session(available: Groups) -> Iterator[_Session]:
    """A Hydra of our own; the caller's singletons, if there are any, are put back."""
    need("training", *EXTRAS["train"][1])
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.singleton import Singleton
    from hydra.core.utils import JobRuntime

    kinds = (GlobalHydra, HydraConfig, JobRuntime, version.VersionBase)
    before = {kind: Singleton._instances.pop(kind, None) for kind in kinds}
    try:
        version.setbase("1.3")
        path = create_config_search_path(str(core_file("conf")))
        anchor = "main"
        for folder in available.folders[1:]:
            path.append(provider=str(folder), path=f"file://{folder}", anchor=anchor)
            anchor = str(folder)
        yield _Session(Hydra.create_main_hydra2(task_name="zoo", config_search_path=path), available)
    finally:
        for kind, instance in before.items():
            Singleton._instances.pop(kind, None)
            if instance is not None:
                Singleton._instances[kind] = instance


@dataclass
class _Session:
    """What is asked of Hydra, and what it answers in our words."""

    hydra: Any
    groups: Groups

    def read(self, words: list[str], sweep: bool = False) -> list[str]:
        """Overrides as Hydra is to get them; mistakes that show without composing are raised here."""
        return [self._read(word, sweep) for word in words]

    def compose(self, config: str, overrides: list[str], sweep: bool = False) -> Any:
        from hydra.types import RunMode

        with _explained(self.groups):
            return self.hydra.compose_config(
                config_name=config,
                overrides=list(overrides),
                run_mode=RunMode.MULTIRUN if sweep else RunMode.RUN,
                with_log_configuration=False,
            )

    def plain(self, composed: Any) -> dict[str, Any]:
        """Resolved and checked, without Hydra's own part."""
        self._check_choices(composed)
        return _settled(composed, composed.hydra, self.groups)

    def run(self, config: str, overrides: list[str], task: Task) -> int:
        """One run in its folder; raises what the task raises."""
        from hydra.core.utils import run_job

        from zoo.training.distributed import launched, rank  # imports torch

        composed = self.compose(config, overrides)
        plain = self.plain(composed)
        given = _gives(overrides, "output_dir", "hydra.run.dir")
        several = plain["trainer"]["devices"] * plain["trainer"]["nodes"] > 1
        if several and launched() and not given and not plain["resume"]:
            raise ConfigError("several processes make this run: give them one folder with output_dir=runs/NAME")
        if plain["resume"] or rank():  # the records are there already, or the first process keeps them
            task(plain)
            return 0
        folder = Path(plain["output_dir"]) if given else _fresh(Path(plain["output_dir"]))
        settings = [f"output_dir={_quoted(folder)}"]
        if (folder / ".hydra").exists():
            settings.append("hydra.output_subdir=null")  # a run that goes on keeps the records of its start
        composed = self.compose(config, [*overrides, *settings])
        job = _Job(task, self.groups)
        run_job(
            hydra_context=self._context(composed),
            task_function=job,
            config=composed,
            job_dir_key="hydra.run.dir",
            job_subdir_key=None,
        )
        if job.error is not None:
            raise job.error
        return 0

    def sweep(self, config: str, overrides: list[str], task: Task) -> int:
        """Run every job, then print and write the table; 1 where a job failed."""
        from hydra.core.plugins import Plugins

        overrides = ["hydra.sweep.dir" + w[len("output_dir") :] if _gives([w], "output_dir") else w for w in overrides]
        composed = self.compose(config, overrides, sweep=True)
        self._check_jobs(composed)
        folder = Path(composed.hydra.sweep.dir)
        if not _gives(overrides, "hydra.sweep.dir"):
            folder = _fresh(folder)
            composed = self.compose(config, [*overrides, f"hydra.sweep.dir={_quoted(folder)}"], sweep=True)
        sweeper = Plugins.instance().instantiate_sweeper(
            config=composed, hydra_context=self._context(composed), task_function=_Job(task, self.groups, sweep=True)
        )
        lost = None
        try:
            with _explained(self.groups):
                sweeper.sweep(arguments=list(composed.hydra.overrides.task))
        except ZooError:
            raise
        except (KeyboardInterrupt, SystemExit):
            report(folder)
            raise
        except Exception as error:  # a launcher gives up when one of its processes dies; the others have results
            lost = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
        return report(folder, lost)

    def _check_jobs(self, composed: Any) -> None:
        """A mistake in any job of a grid stops the sweep before the first one starts."""
        from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
        from hydra.core.override_parser.overrides_parser import OverridesParser

        if not composed.hydra.sweeper._target_.endswith(".BasicSweeper"):
            return
        loader = self.hydra.config_loader
        parsed = OverridesParser.create(loader).parse_overrides(list(composed.hydra.overrides.task))
        with _explained(self.groups):
            for job in BasicSweeper.split_arguments(parsed, None)[0]:
                one = loader.load_sweep_config(composed, list(job))
                self._check_choices(one)
                _settled(one, one.hydra, self.groups, quiet=True)

    def _context(self, composed: Any) -> Any:
        from hydra._internal.callbacks import Callbacks
        from hydra.types import HydraContext

        return HydraContext(config_loader=self.hydra.config_loader, callbacks=Callbacks(composed))

    def _read(self, word: str, sweep: bool) -> str:
        from hydra.core.override_parser.overrides_parser import OverridesParser
        from hydra.errors import HydraException

        if "=" not in word and not word.startswith("~"):
            raise ConfigError(f"{word!r} is neither group=option nor key=value" + self.groups.as_option(word))
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException as error:
            raise ConfigError(_grammar(word)) from error
        if override.is_sweep_override() and not sweep:
            raise ConfigError(
                f"{word} is several values: add -m to run each of them, or quote a list: '{_listed(word)}'"
            )
        key = override.key_or_group
        section, *rest = key.split(".")
        if section == "hydra" or key.startswith("hydra/"):
            return word
        if key in self.groups.options and not isinstance(override.value(), Mapping):
            for option in _choices(override):
                if option is not None:
                    self.groups.check(word, key, str(option))
            return word
        if "/" in key:
            raise ConfigError(f"{word}: there is no group {key!r}" + did_you_mean(key, list(self.groups.options)))
        known = [*self.groups.options, *self.groups.top()]
        if section not in known:
            raise ConfigError(f"{word}: there is no group or key {section!r}" + did_you_mean(section, known))
        if rest and not override.is_delete():
            return "++" + word.lstrip("+")  # the constructor's signature decides, not what the YAML happens to list
        return word

    def _check_choices(self, composed: Any) -> None:
        """An option that two plugins define is refused wherever it was chosen, in an experiment for instance."""
        for place, option in composed.hydra.runtime.choices.items():
            group = str(place).partition("@")[0]
            if group in self.groups.options and isinstance(option, str) and option in self.groups.options[group]:
                self.groups.check(f"{place}={option}", group, option)


@dataclass
class _Job:
    """What Hydra calls, here or in a process that a launcher started."""

    task: Task
    groups: Groups
    sweep: bool = False
    error: Exception | None = None

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig

        settings = HydraConfig.get()
        folder = Path(settings.runtime.output_dir)
        (folder / "error.txt").unlink(missing_ok=True)
        HydraConfig.instance().cfg = None  # Lightning would start its further processes through Hydra
        try:
            config = _settled(composed, settings, self.groups, quiet=not self.sweep)
            result = self.task({**config, "output_dir": str(folder)})
        except Exception as error:
            self.error = error
            if self.sweep:
                record_failure(error, folder)
            return None
        return result if isinstance(result, float) else None


def _settled(composed: Any, settings: Any, available: Groups, quiet: bool = False) -> dict[str, Any]:
    """The checked configuration of one job; `settings` is Hydra's part."""
    plain = _plain(composed)
    experiment = settings.runtime.choices.get("experiment")
    for note in available.leave_out(plain, experiment, list(settings.overrides.task)):
        if not quiet:
            print(note, file=sys.stderr)
    for key in available.demanded(experiment):
        place, _, last = key.rpartition(".")
        if last in (part := value_at(plain, place)) and part[last] is None:
            raise ConfigError(f"{key} is missing: experiment {experiment} needs it: set {key}=...")
    check_config(plain, available.keys())
    return plain


def _fresh(folder: Path) -> Path:
    """Create `folder`, or folder-2, folder-3 ... where another run of the same second has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    number, path = 1, folder
    while True:
        try:
            path.mkdir()
            return path
        except FileExistsError:
            number += 1
            path = folder.with_name(f"{folder.name}-{number}")


def _gives(overrides: list[str], *keys: str) -> bool:
    return any(word.lstrip("+").partition("=")[0] in keys for word in overrides)


def _plain(composed: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf, flag_override
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    if "hydra" in composed:
        composed = composed.copy()
        with flag_override(composed, ["struct", "readonly"], [False, False]):
            del composed["hydra"]
    try:
        return OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key} is missing: set {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _choices(override: Any) -> list[Any]:
    if override.is_sweep_override():
        return [word.strip("'\"") for word in override.sweep_string_iterator()]
    value = override.value()
    return value if isinstance(value, list) else [value]


def _quoted(value: Any) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _listed(word: str) -> str:
    key, _, value = word.partition("=")
    return f"{key}=[{value}]"


def _grammar(word: str) -> str:
    key, _, value = word.partition("=")
    if value.count("[") != value.count("]") or value.count("{") != value.count("}"):
        return f"{word!r} cannot be read: a bracket is open: close it, and quote the whole: '{key}=[1,2]'"
    return f"{word!r} cannot be read: quote the value twice, once for the shell: '{key}=\"{value}\"'"


@contextmanager
def _explained(available: Groups) -> Iterator[None]:
    """Hydra's exceptions about a configuration, as one sentence of ours."""
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        yield
    except MissingConfigException as error:
        missing = str(error.missing_cfg_file or "")
        if missing.startswith("hydra/launcher/submitit"):
            need(missing, "hydra_plugins.hydra_submitit_launcher", "submitit")
        group, _, option = missing.rpartition("/")
        if group in available.options:
            available.check(missing, group, option)
        raise ConfigError(_one_line(error) + did_you_mean(option, error.options or [])) from error
    except (HydraException, OmegaConfBaseException) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OmegaConfBaseException):
            cause = cause.__cause__
        if cause is not None and cause.key is not None and cause.parent_node is not None:
            siblings = [str(key) for key in cause.parent_node]
            if str(cause.key) not in siblings:
                raise ConfigError(
                    f"{cause.full_key}: there is no such key" + did_you_mean(str(cause.key), siblings)
                ) from error
        raise ConfigError(_one_line(cause if cause is not None and not str(error) else error)) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{mark.name} line {mark.line + 1}" if mark else "a configuration file"
        raise ConfigError(f"{place} is no YAML: {getattr(error, 'problem', None) or _one_line(error)}") from error


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split())
