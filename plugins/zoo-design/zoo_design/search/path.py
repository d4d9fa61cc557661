"""`Path`: a sequence on its way, with every change and the objective after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.data.codes import decode, encode
from zoo_design.design import Edit


@dataclass(frozen=True)
class Change:
    """Letters that took the place of others at a 0-based position, in a step of the search counted from 1."""

    position: int
    reference: str
    alternate: str
    step: int


@dataclass(frozen=True)
class Path:
    """codes (L,) uint8.  values: the objective of the start, then after every step."""

    codes: np.ndarray
    changes: tuple[Change, ...]
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """Of the sequence as it is."""
        return self.values[-1]

    def substitute(self, position: int, base: int, value: float) -> Path:
        """One step on: another base at a position, and the objective that is expected there."""
        codes = self.codes.copy()
        codes[position] = base
        step = len(self.values)
        change = Change(int(position), "ACGT"[self.codes[position]], "ACGT"[base], step)
        return Path(codes, (*self.changes, change), (*self.values, float(value)))

    def insert(self, position: int, letters: str, value: float) -> Path:
        """One step on: letters in the place of as many others."""
        codes = self.codes.copy()
        codes[position : position + len(letters)] = encode(letters)
        before = decode(self.codes[position : position + len(letters)])
        change = Change(int(position), before, letters, len(self.values))
        return Path(codes, (*self.changes, change), (*self.values, float(value)))

    def stay(self) -> Path:
        """One step on without a change."""
        return replace(self, values=(*self.values, self.value))

    def measured(self, value: float) -> Path:
        """With the objective of the sequence as a pass of its own gave it, in the place of the expected one."""
        return replace(self, values=(*self.values[:-1], float(value)))

    def edits(self) -> tuple[Edit, ...]:
        """Changes with what each step gained."""
        return tuple(
            Edit(c.position, c.reference, c.alternate, c.step, self.values[c.step] - self.values[c.step - 1])
            for c in self.changes
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        changes = [[c.position, c.reference, c.alternate, c.step] for c in self.changes]
        return {"sequence": decode(self.codes), "changes": changes, "values": list(self.values)}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Path:
        """Undo `to_json`."""
        changes = tuple(Change(int(p), str(r), str(a), int(s)) for p, r, a, s in plain["changes"])
        return cls(encode(plain["sequence"]), changes, tuple(float(v) for v in plain["values"]))
