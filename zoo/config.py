"""Hydra: its search path (conf/ of the core and of every plugin), overrides, and one plain dictionary a run.

    compose(["encoder=dilated_cnn", "seed=3"])            in Python: the configuration
    run(task, ["encoder=dilated_cnn", "-m", "seed=1,2"])  on the command line: one run, or a sweep of runs

A user's mistake is a ConfigError that names the offending override; Hydra's own exceptions stay inside.

Hydra gives groups of options that a plugin adds to by a folder, overrides, and sweeps with launchers (joblib,
submitit), which a grid of our own would not have.  `hydra_session` alone imports what Hydra calls private.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from zoo.composition.flags import read_flags
from zoo.composition.option_files import Groups, groups
from zoo.composition.overrides import one_line, quote_conditions, quoted, sets, syntax_advice, yaml_error
from zoo.composition.sweep_results import record_failure, refuse_foreign, report
from zoo.errors import EXTRAS, ConfigError, ZooError, did_you_mean, need
from zoo.files.locations import core_file, new_folder

Task = Callable[[dict], Any]


def compose(overrides: list[str] | None = None, config: str = "train", folders: Iterable[Path] = ()) -> dict[str, Any]:
    """The plain, resolved and checked configuration of one run, as `zoo train` would get it.

    overrides: "group=option" and "key=value", as on the command line.
    config: a file of conf/ without its ending.
    folders: with further options, as --config-dir names them.
    Raises ConfigError for whatever cannot be used.
    """
    with hydra_session(groups(folders)) as session:
        return session.plain(session.compose(config, [session.read(w) for w in quote_conditions(overrides)]))


def run(task: Task, args: list[str], config: str = "train") -> int:
    """The command line of a task: `group=option`, `key=value`, -m, --cfg job, --config-dir.

    task: called with the configuration, whose `output_dir` is the run's folder.  With a launcher it runs in
    another process, so it must be a function that can be imported.
    Returns the exit code; raises ConfigError for a mistake in `args`, and whatever a single run raises.
    """
    flags = read_flags(args)
    with hydra_session(groups(flags.folders)) as session:
        overrides = [session.read(w, sweep=flags.multirun) for w in quote_conditions(flags.overrides)]
        if flags.show:
            from omegaconf import OmegaConf

            sys.stdout.write(OmegaConf.to_yaml(session.plain(session.compose(config, overrides))))
            return 0
        return session.sweep(config, overrides, task) if flags.multirun else session.run(config, overrides, task)


@contextmanager
def hydra_session(available: Groups) -> Iterator[_Session]:
    """A Hydra of our own, with every private import that zoo needs of it.

    Its search path is the core's conf/, then the folder of each plugin's configs, then those of --config-dir.
    The caller's Hydra, if there is one, is put back at the end.
    """
    need("training", *EXTRAS["train"][1])
    from hydra import version
    from hydra._internal.callbacks import Callbacks
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.singleton import Singleton
    from hydra.core.utils import JobRuntime
    from hydra.types import HydraContext

    kinds = (GlobalHydra, HydraConfig, JobRuntime, version.VersionBase)
    before = {kind: Singleton._instances.pop(kind) for kind in kinds if kind in Singleton._instances}
    try:
        version.setbase("1.3")
        path = create_config_search_path(str(core_file("conf")))
        for anchor, folder in pairwise(["main", *map(str, available.folders[1:])]):
            path.append(provider=folder, path=f"file://{folder}", anchor=anchor)
        hydra = Hydra.create_main_hydra2(task_name="zoo", config_search_path=path)
        loader = hydra.config_loader
        context = lambda composed: HydraContext(config_loader=loader, callbacks=Callbacks(composed))  # noqa: E731
        yield _Session(hydra, available, OverridesParser.create(loader), context, BasicSweeper.split_arguments)
    finally:
        for kind in kinds:
            Singleton._instances.pop(kind, None)
        Singleton._instances.update(before)


@dataclass
class _Session:
    """Composes configurations and runs them; mistakes come as our errors.

    hydra: Hydra itself.  parser: of overrides.  context: what a job of a composed configuration runs in.
    split: parsed overrides to the jobs of a grid.
    """

    hydra: Any
    groups: Groups
    parser: Any
    context: Callable[[Any], Any]
    split: Callable[[list, int | None], list]

    def read(self, word: str, sweep: bool = False) -> str:
        """An override as Hydra takes it; mistakes that show without composing are raised here."""
        from hydra.errors import HydraException

        if "=" not in word and not word.startswith("~"):
            raise ConfigError(f"{word!r} is neither group=option nor key=value" + self.groups.as_option(word))
        try:
            override = self.parser.parse_override(word)
        except HydraException as error:
            raise ConfigError(syntax_advice(word)) from error
        if override.is_sweep_override() and not sweep:
            remedy = f"add -m to run each of them, or quote a list: '{word.replace('=', '=[', 1)}]'"
            raise ConfigError(f"{word} is several values: {remedy}")
        key = override.key_or_group
        is_choice = key in self.groups.options and not isinstance(override.value(), Mapping)
        return self.groups.read_override(word, key, _choices(override) if is_choice else [], override.is_delete())

    def compose(self, config: str, overrides: list[str], sweep: bool = False) -> Any:
        from hydra.types import RunMode

        mode = RunMode.MULTIRUN if sweep else RunMode.RUN
        with _config_errors(self.groups):
            return self.hydra.compose_config(config, list(overrides), mode, with_log_configuration=False)

    def plain(self, composed: Any) -> dict[str, Any]:
        """Resolved and checked, without Hydra's own part."""
        self.groups.check_choices(composed.hydra.runtime.choices)
        return _job_config(composed, composed.hydra, self.groups)

    def run(self, config: str, overrides: list[str], task: Task) -> int:
        """One run in its folder; raises what the task raises."""
        from hydra.core.utils import run_job

        from zoo.training.distributed import launcher, rank  # imports torch
        from zoo.training.run_folder import RunFolder

        plain = self.plain(self.compose(config, overrides))
        chosen = sets(overrides, "output_dir", "hydra.run.dir")
        n_processes = plain["trainer"]["devices"] * plain["trainer"]["nodes"]
        if n_processes > 1 and launcher() and not chosen and not plain["resume"]:
            raise ConfigError("several processes make this run: give them one folder with output_dir=runs/NAME")
        if plain["resume"] or rank():  # the records are there already, or the first process keeps them
            task(plain)
            return 0
        RunFolder(Path(plain["output_dir"])).refuse_foreign()  # before Hydra writes its records there
        folder = Path(plain["output_dir"]) if chosen else new_folder(Path(plain["output_dir"]))
        settings = [f"output_dir={quoted(folder)}"]
        if (folder / ".hydra").exists():
            settings.append("hydra.output_subdir=null")  # a run that goes on keeps the records of its start
        composed = self.compose(config, [*overrides, *settings])
        job = _Job(task, self.groups)
        run_job(job, composed, job_dir_key="hydra.run.dir", job_subdir_key=None, hydra_context=self.context(composed))
        if job.error is not None:
            raise job.error
        return 0

    def sweep(self, config: str, overrides: list[str], task: Task) -> int:
        """Run every job, then print and write the table; 1 where a job failed."""
        from hydra.core.plugins import Plugins

        overrides = ["hydra.sweep.dir" + w[len("output_dir") :] if sets([w], "output_dir") else w for w in overrides]
        composed = self.compose(config, overrides, sweep=True)
        self._check_jobs(composed)
        folder = Path(composed.hydra.sweep.dir)
        if sets(overrides, "hydra.sweep.dir"):
            refuse_foreign(folder)
        else:
            folder = new_folder(folder)
            composed = self.compose(config, [*overrides, f"hydra.sweep.dir={quoted(folder)}"], sweep=True)
        sweeper = Plugins.instance().instantiate_sweeper(
            config=composed, hydra_context=self.context(composed), task_function=_Job(task, self.groups, sweep=True)
        )
        lost = None
        try:
            with _config_errors(self.groups):
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
        if not composed.hydra.sweeper._target_.endswith(".BasicSweeper"):
            return
        loader = self.hydra.config_loader
        parsed = self.parser.parse_overrides(list(composed.hydra.overrides.task))
        with _config_errors(self.groups):
            for job in self.split(parsed, None)[0]:
                one = loader.load_sweep_config(composed, list(job))
                self.groups.check_choices(one.hydra.runtime.choices)
                _job_config(one, one.hydra, self.groups, quiet=True)


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
            config = _job_config(composed, settings, self.groups, quiet=not self.sweep)
            result = self.task({**config, "output_dir": str(folder)})
        except Exception as error:
            self.error = error
            if self.sweep:
                record_failure(error, folder)
            return None
        return result if isinstance(result, float) else None


def _job_config(composed: Any, settings: Any, available: Groups, quiet: bool = False) -> dict[str, Any]:
    """The checked configuration of one job; `settings` is Hydra's part."""
    plain = _plain(composed)
    experiment = settings.runtime.choices.get("experiment")
    for note in available.leave_out(plain, experiment, list(settings.overrides.task)):
        if not quiet:
            print(note, file=sys.stderr)
    available.check_job(plain, experiment)
    return plain


def _plain(composed: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf, flag_override
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    if "hydra" in composed:
        composed = composed.copy()
        with flag_override(composed, ["struct", "readonly"], [False, False]):
            del composed["hydra"]
    try:
        return cast(dict, OmegaConf.to_container(composed, resolve=True, throw_on_missing=True))
    except MissingMandatoryValue as error:
        raise ConfigError(f"{error.full_key} is missing: set {error.full_key}=...") from error
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _choices(override: Any) -> list[Any]:
    if override.is_sweep_override():
        return [word.strip("'\"") for word in override.sweep_string_iterator()]
    value = override.value()
    return value if isinstance(value, list) else [value]


@contextmanager
def _config_errors(available: Groups) -> Iterator[None]:
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
        raise ConfigError(one_line(error) + did_you_mean(option, error.options or [])) from error
    except (HydraException, OmegaConfBaseException) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, OmegaConfBaseException):
            cause = cause.__cause__
        if cause is not None and cause.key is not None and cause.parent_node is not None:
            siblings = [str(key) for key in cause.parent_node]
            if str(cause.key) not in siblings:
                hint = did_you_mean(str(cause.key), siblings)
                raise ConfigError(f"{cause.full_key}: there is no such key{hint}") from error
        raise ConfigError(one_line(cause if cause is not None and not str(error) else error)) from error
    except YAMLError as error:
        raise ConfigError(yaml_error(error)) from error
