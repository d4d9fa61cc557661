"""A run's folder: which one it is, and whether a run that was cut off goes on in it.

RUN/config.json  RUN/checkpoints/{last.ckpt,best.safetensors}  RUN/logs/  RUN/model/  RUN/metrics.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError

__all__ = ["BEST", "LAST", "RunFolder", "open_run", "write_json"]

LAST = "last.ckpt"
BEST = "best.safetensors"
_OWN = ("output_dir", "resume")


class RunFolder:
    """Paths of one run."""

    def __init__(self, path: Path):
        self.path = path
        self.config = path / "config.json"
        self.checkpoints = path / "checkpoints"
        self.last = self.checkpoints / LAST
        self.best = self.checkpoints / BEST
        self.logs = path / "logs"
        self.model = path / "model"
        self.metrics = path / "metrics.json"

    def begin(self, config: Mapping[str, Any]) -> None:
        """Write the configuration; what a run left that never came to its first checkpoint is of no use."""
        write_json(self.config, _plain(config))
        self.checkpoints.mkdir(exist_ok=True)
        if not self.last.is_file():
            self.best.unlink(missing_ok=True)

    @property
    def is_finished(self) -> bool:
        """The metrics are written last."""
        return self.metrics.is_file()


def open_run(config: Mapping[str, Any]) -> tuple[RunFolder, dict[str, Any]]:
    """The run's folder and the configuration that counts.

    resume: a run's folder; its own configuration is taken, whatever else is set.
    Without it `output_dir` is taken; if a run of the same configuration was cut off there, that one goes on
    (a job that the scheduler starts again is such a case).
    Raises ConfigError where the folder holds a finished or another run.
    """
    if config.get("resume"):
        folder = RunFolder(Path(config["resume"]).expanduser())
        if not folder.config.is_file():
            raise ConfigError(f"resume={folder.path} is no run's folder: it has no config.json")
        if folder.is_finished:
            raise ConfigError(f"run {folder.path} is finished: start a new one from it with init={folder.model}")
        return folder, {**_read(folder.config), "output_dir": str(folder.path)}
    path = config.get("output_dir") or Path(
        "runs", str(config.get("name", "run")), f"{datetime.now():%Y-%m-%d_%H-%M-%S}"
    )
    folder = RunFolder(Path(path).expanduser())
    config = {**config, "output_dir": str(folder.path)}
    if folder.is_finished:
        raise ConfigError(f"{folder.path} holds a finished run: choose another output_dir")
    if folder.last.is_file() and _without(_read(folder.config)) != _without(_plain(config)):
        raise ConfigError(
            f"{folder.path} holds a run of another configuration: go on with resume={folder.path}, "
            "or choose another output_dir"
        )
    return folder, dict(config)


def write_json(path: Path, content: Any) -> None:
    """Written beside its name and moved into place whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(beside, path)


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path} is no JSON ({error}): choose another output_dir") from error


def _plain(config: Mapping[str, Any]) -> Any:
    """As JSON would give it back."""
    try:
        return json.loads(json.dumps(dict(config)))
    except TypeError as error:
        raise ConfigError(f"the configuration must hold plain values only: {error}") from error


def _without(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in config.items() if k not in _OWN}
