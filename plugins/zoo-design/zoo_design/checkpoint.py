"""Designs that are done, and the search in hand, beside the output, so that a killed run loses minutes at most.

OUT.checkpoint.json    {"run": what the run is, "designs": [...], "state": of the block in hand}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

from zoo.effects.variants.run_identity import difference
from zoo.errors import ConfigError, DataError
from zoo.files.atomic import write_file
from zoo_design.design import Design, Edit
from zoo_design.search.evolution import State

SECONDS = 10.0
"""Between two writes of a search in hand."""

_LARGEST = 1 << 30


class Checkpoint:
    """out: the first file that the designs go to.  run: plain values that say what the run is.

    designs: those that are done.  state: of the block in hand, None at the begin of one.

    Raises ConfigError where a run lies there that is not to be resumed, or is another.
    """

    def __init__(self, out: str | Path, run: Mapping[str, Any], resume: bool = False):
        self.path = Path(f"{out}.checkpoint.json")
        self.run = json.loads(json.dumps(run, default=str))
        self.designs: list[Design] = []
        self.state: State | None = None
        self._written = monotonic()
        if not self.path.is_file():
            return
        if not resume:
            raise ConfigError(f"{self.path} is of a run that did not end: go on with --resume, or delete the file")
        before = self._read()
        if changed := difference(before, self.run):
            raise ConfigError(
                f"{self.path} is of another run, since {changed}: run with what it was begun with, or delete the file "
                "to start anew"
            )

    def _read(self) -> Mapping[str, Any]:
        try:
            if self.path.stat().st_size > _LARGEST:
                raise ValueError("too large")
            plain = json.loads(self.path.read_text(encoding="utf-8"))
            self.designs = [_design(one) for one in plain["designs"]]
            self.state = State.from_json(plain["state"]) if plain["state"] else None
            return dict(plain["run"])
        except (OSError, ValueError, KeyError, TypeError, IndexError, DataError) as error:
            raise DataError(f"{self.path} cannot be read: delete it and start anew") from error

    def add(self, designs: list[Design]) -> None:
        """A block is done."""
        self.designs += designs
        self.state = None
        self._write()

    def save(self, state: State) -> None:
        """After a step; written every few seconds."""
        self.state = state
        if monotonic() - self._written > SECONDS:
            self._write()

    def close(self) -> None:
        """All is written elsewhere."""
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        state = self.state.to_json() if self.state else None
        plain = {"run": self.run, "designs": [asdict(one) for one in self.designs], "state": state}
        write_file(self.path, json.dumps(plain))
        self._written = monotonic()


def _design(plain: Mapping[str, Any]) -> Design:
    values = dict(plain)
    values["edits"] = tuple(Edit(**edit) for edit in values["edits"])
    values["trajectory"] = tuple(values["trajectory"])
    values["constraints"] = tuple((str(word), bool(kept)) for word, kept in values["constraints"])
    values["protected"] = tuple((int(a), int(b), str(name)) for a, b, name in values["protected"])
    return Design(**values)
