"""From groups, options and overrides to one plain dictionary.  Nothing else imports Hydra.

    compose(["encoder=dilated_cnn", "seed=3"])          in Python: the configuration
    run(task, ["encoder=dilated_cnn", "-m", "seed=1,2"])  the command line: one run, or a sweep of runs

A user's mistake is a ConfigError that names the offending override; Hydra's own exceptions stay inside.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.conf_groups import Groups, groups
from zoo.config_check import SECTIONS, check_config
from zoo.errors import ConfigError
from zoo.registry import did_you_mean
from zoo.resources import core_file

__all__ = ["compose", "run"]

Task = Callable[[dict], Any]


def compose(overrides: list[str] | None = None, config: str = "train") -> dict[str, Any]:
    """The plain, resolved and checked configuration of one run, as `zoo train` would get it.

    overrides: "group=option" and "key=value", as on the command line.
    config: a file of conf/ without its ending.
    Raises ConfigError for whatever cannot be used.
    """
    with _session(groups()) as session:
        composed = session.compose(config, session.read(list(overrides or [])))
        plain = _plain(composed)
    check_config(plain)
    return plain


def run(task: Task, args: list[str], config: str = "train") -> int:
    """The command line of a task: `group=option`, `key=value`, -m, --cfg job, --config-dir.

    task: called with the configuration, whose `output_dir` is the run's folder.
    Returns the exit code; raises ConfigError for a mistake in `args` and whatever a single run raises.
    """
    asked = _read_flags(args)
    with _session(groups(asked.folders)) as session:
        overrides = session.read(asked.overrides, sweep=asked.multirun)
        if asked.show:
            composed = session.compose(config, overrides)
            sys.stdout.write(_yaml(composed))
            check_config(_plain(composed))
            return 0
        if asked.multirun:
            return session.sweep(config, overrides, task)
        return session.run(config, overrides, task)


@dataclass
class _Asked:
    overrides: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    multirun: bool = False
    show: bool = False


def _read_flags(args: list[str]) -> _Asked:
    """Flags may stand anywhere among the overrides."""
    asked, words = _Asked(), iter(args)
    for word in words:
        flag, _, value = word.partition("=")
        if word in ("-m", "--multirun"):
            asked.multirun = True
        elif flag in ("-c", "--cfg"):
            value = value or next(words, "")
            if value != "job":
                raise ConfigError(f"{flag} {value}".rstrip() + " is not known: write --cfg job")
            asked.show = True
        elif flag in ("-cd", "--config-dir"):
            folder = Path(value or next(words, ""))
            if not folder.is_dir():
                raise ConfigError(
                    f"{flag} {folder} is no folder: name one that holds experiment/*.yaml or other groups"
                )
            asked.folders.append(folder.resolve())
        elif word.startswith("-"):
            known = ["--multirun", "--cfg", "--config-dir", "--help"]
            raise ConfigError(f"no option {flag!r}" + did_you_mean(flag, known))
        else:
            asked.overrides.append(word)
    return asked


@contextmanager
def _session(available: Groups) -> Iterator[_Session]:
    """A Hydra of our own; the caller's, if there is one, is put back."""
    from hydra import version
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.core.singleton import Singleton

    before = {kind: Singleton._instances.pop(kind, None) for kind in (GlobalHydra, HydraConfig)}
    base = version.VersionBase.instance().getbase()
    try:
        version.setbase("1.3")
        path = create_config_search_path(str(core_file("conf")))
        anchor = "main"
        for folder in available.folders[1:]:
            path.append(provider=str(folder), path=f"file://{folder}", anchor=anchor)
            anchor = str(folder)
        yield _Session(Hydra.create_main_hydra2(task_name="zoo", config_search_path=path), available)
    finally:
        version.VersionBase.instance().version_base = base
        for kind, instance in before.items():
            Singleton._instances.pop(kind, None)
            if instance is not None:
                Singleton._instances[kind] = instance


@dataclass
class _Session:
    hydra: Any
    groups: Groups

    def read(self, words: list[str], sweep: bool = False) -> list[str]:
        """Overrides as Hydra is to get them; a mistake that can be seen without composing is raised here."""
        return [self._read_one(word) for word in words]

    def _read_one(self, word: str) -> str:
        from hydra.core.override_parser.overrides_parser import OverridesParser
        from hydra.errors import HydraException

        if "=" not in word and not word.startswith("~"):
            raise ConfigError(f"{word!r} is neither group=option nor key=value" + self.groups.as_option(word))
        try:
            override = OverridesParser.create().parse_override(word)
        except HydraException as error:
            raise ConfigError(_grammar(word)) from error
        key = override.key_or_group
        section, *rest = key.split(".")
        if section == "hydra" or key.startswith("hydra/"):
            self._check_hydra(word, override)
            return word
        if key in self.groups.options and not isinstance(override.value(), Mapping):
            self._check_option(word, override)
            return word
        if "/" in key:
            raise ConfigError(f"{word}: no group {key!r}" + did_you_mean(key, list(self.groups.options)))
        known = [*self.groups.options, *_top_keys()]
        if section not in known:
            raise ConfigError(f"{word}: no group or key {section!r}" + did_you_mean(section, known))
        needed = SECTIONS.get(section)
        if needed is not None and len(rest) > needed and not override.is_delete():
            return "++" + word.lstrip("+")  # the constructor's signature decides, not what the YAML happens to list
        return word

    def _check_option(self, word: str, override: Any) -> None:
        group = override.key_or_group
        for option in _choices(override):
            if option is not None:
                self.groups.check(word, group, str(option))

    def _check_hydra(self, word: str, override: Any) -> None:
        if override.key_or_group == "hydra/launcher" and not override.is_delete():
            from hydra._internal.core_plugins.importlib_resources_config_source import ObjectType  # noqa: F401

    def compose(self, config: str, overrides: list[str], multirun: bool = False) -> Any:
        from hydra.errors import HydraException
        from hydra.types import RunMode

        try:
            return self.hydra.compose_config(
                config_name=config,
                overrides=list(overrides),
                run_mode=RunMode.MULTIRUN if multirun else RunMode.RUN,
                with_log_configuration=False,
            )
        except HydraException as error:
            raise ConfigError(_explain(error)) from error

    def run(self, config: str, overrides: list[str], task: Task) -> int:
        from hydra.core.utils import run_job

        composed = self.compose(config, overrides)
        check_config(_plain(composed))
        job = _Job(task)
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
        raise ConfigError("sweeps are not available")

    def _context(self, composed: Any) -> Any:
        from hydra._internal.callbacks import Callbacks
        from hydra.types import HydraContext

        return HydraContext(config_loader=self.hydra.config_loader, callbacks=Callbacks(composed))


@dataclass
class _Job:
    """What Hydra calls, here or in a process that a launcher started."""

    task: Task
    sweep: bool = False
    error: Exception | None = None

    def __call__(self, composed: Any) -> float | None:
        from hydra.core.hydra_config import HydraConfig

        settings = HydraConfig.get()
        config = _plain(composed)
        config["output_dir"] = settings.runtime.output_dir
        HydraConfig.instance().cfg = None
        result = None
        try:
            result = self.task(config)
        except Exception as error:
            self.error = error
        return result if isinstance(result, float) else None


def _plain(composed: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    if "hydra" in composed:
        with open_dict(composed):
            composed = composed.copy()
            del composed["hydra"]
    try:
        return OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        raise ConfigError(f"{error.full_key}: {str(error).splitlines()[0]}") from error


def _yaml(composed: Any) -> str:
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(_plain(composed)))


def _choices(override: Any) -> list[Any]:
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    value = override.value()
    return value if isinstance(value, list) else [value]


def _top_keys() -> list[str]:
    import yaml

    keys = yaml.safe_load((core_file("conf") / "train.yaml").read_text())
    return [key for key in keys if key not in ("defaults", "hydra")]


def _grammar(word: str) -> str:
    return f"{word!r} cannot be read: put quotes around the value, as in 'key=[1,2]' or 'key=\"a b\"'"


def _explain(error: BaseException) -> str:
    return " ".join(str(error).split())
