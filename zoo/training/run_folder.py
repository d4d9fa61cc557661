"""A run's folder: where each of its files is.

RUN/config.json  RUN/checkpoints/{last.ckpt,best.safetensors}  RUN/logs/  RUN/model/  RUN/metrics.json
RUN/members/0/{checkpoints/,logs/} ... in the place of RUN/checkpoints/ and RUN/logs/ where several networks are trained
checkpoints/finetuning_{last.ckpt,best.safetensors}, finetuning_logs/ beside them for the phase after augmentation
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError
from zoo.files.atomic import write_file
from zoo.training.settings import member_seeds

_MESSAGES = ("train.log", "error.txt", ".out", ".err")
"""What the configuration and a scheduler write before a run begins, by the end of the name."""


class RunFolder:
    """Paths of one run, or of one of its members.

    run: the folder by which the run is resumed.
    phase: what the names of its checkpoints and logs begin with.
    """

    def __init__(self, path: Path, run: Path | None = None, phase: str = ""):
        self.path, self.run = path, run or path
        self.config = path / "config.json"
        self.checkpoints = path / "checkpoints"
        self.last = self.checkpoints / f"{phase}last.ckpt"
        self.best = self.checkpoints / f"{phase}best.safetensors"
        self.logs = path / f"{phase}logs"
        self.model = path / "model"
        self.metrics = path / "metrics.json"

    @property
    def finetuning(self) -> RunFolder:
        """The same folder in the phase after augmentation: `zoo.training.phases`."""
        return RunFolder(self.path, self.run, "finetuning_")

    def refuse_foreign(self) -> None:
        """ConfigError where the folder is there and holds something other than a run or what writes of one."""
        if self.path.exists() and not self.path.is_dir():
            raise ConfigError(f"output_dir {self.path} is a file: name a folder")
        if not self.path.is_dir() or self._is_of_a_run():
            return
        for path in sorted(self.path.iterdir()):
            if not path.name.startswith(".") and not path.name.endswith(_MESSAGES):
                raise ConfigError(
                    f"output_dir {self.path} holds {path.name!r} and is no run's folder: choose another, or a new one"
                )

    def _is_of_a_run(self) -> bool:
        """Whether config.json is a run's; a model's has no output_dir."""
        try:
            return "output_dir" in json.loads(self.config.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError):
            return False

    def begin(self, config: Mapping[str, Any]) -> None:
        """Write the configuration; what a run left that never came to its first checkpoint is of no use."""
        parts = self.parts(len(member_seeds(config)))
        write_json(self.config, plain(config))
        for folder in parts:
            folder.checkpoints.mkdir(parents=True, exist_ok=True)
            for phase in (folder, folder.finetuning):
                if not phase.last.is_file():
                    phase.best.unlink(missing_ok=True)

    def parts(self, members: int) -> list[RunFolder]:
        """Where each network has its checkpoints and logs: the run's own folder for a single one."""
        return (
            [self] if members == 1 else [RunFolder(self.path / "members" / str(i), self.path) for i in range(members)]
        )

    @property
    def is_begun(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return any(folder.last.is_file() for folder in (self, *self.parts(2)))

    @property
    def is_finished(self) -> bool:
        """The metrics are written last."""
        return self.metrics.is_file()


def write_json(path: Path, content: Any) -> None:
    """Replaces the file whole."""
    write_file(path, json.dumps(content, indent=2) + "\n")


def plain(config: Mapping[str, Any]) -> Any:
    """As JSON would give it back."""
    try:
        return json.loads(json.dumps(dict(config)))
    except TypeError as error:
        raise ConfigError(f"the configuration must hold plain values only: {error}") from error
