"""A run of design: starts are checked and repaired, searched from block by block, and judged by DNA Chisel.

starts, Objective, constraints, Settings -> Design of every start, in their order
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.data.codes import decode, encode
from zoo.effects.variants.run_identity import weights_digest
from zoo.errors import DataError
from zoo.terminal.progress import counting
from zoo_design.checkpoint import Checkpoint
from zoo_design.constraints.constraint import Constraint
from zoo_design.constraints.rules import Rules, require_possible
from zoo_design.design import Design, Edit
from zoo_design.objective import Objective
from zoo_design.search.evolution import evolve
from zoo_design.search.gradient import climb
from zoo_design.search.insertion import Insertion, insert_motifs, require_insertable
from zoo_design.search.path import Path
from zoo_design.search.settings import Settings
from zoo_design.starts import Start


@dataclass(frozen=True)
class Begin:
    """Where the search of one start begins: row of the rules, codes of the repaired start, status ok or why not."""

    row: int
    codes: np.ndarray
    status: str = "ok"


def design(
    starts: Sequence[Start],
    objective: Objective,
    constraints: Sequence[Constraint] = (),
    settings: Settings | None = None,
    *,
    checkpoint: Checkpoint | None = None,
    progress: bool = False,
    note: Callable[[str], object] = lambda text: None,
) -> list[Design]:
    """A design of every start, in their order; one that none can begin at keeps its letters, and its status says why.

    starts: as `zoo_design.starts.place` leaves them, or of the model's length.
    note: called with sentences for a reader.

    Raises ConfigError for constraints that no start can keep, DataError where no start has the letters A, C, G and T.
    """
    settings = settings or Settings()
    fits = [start.status == "ok" and len(start.sequence) == objective.length for start in starts]
    usable = [start for start, ok in zip(starts, fits, strict=True) if ok]
    if not usable:
        raise DataError(
            f"no start has {objective.length:,} letters of A, C, G and T: replace other letters, such as N, by bases"
        )
    rules = Rules(constraints, usable)
    require_insertable([Insertion.parse(w, objective.length) for w in settings.insertions], rules.constraints)
    reasons = require_possible(rules)
    for reason in filter(None, reasons):
        note(reason)
    begins = [_begin(rules, row, settings, reason) for row, reason in enumerate(reasons)]
    values = objective.values(np.stack([begin.codes for begin in begins]))
    own = objective.values(np.stack([encode(start.sequence) for start in usable]))
    finite = np.isfinite(values) & np.isfinite(own)
    for row in np.flatnonzero(~finite):
        begins[row] = replace(begins[row], status="not_finite") if begins[row].status == "ok" else begins[row]
    done = _search(objective, rules, begins, own, values, settings, checkpoint or _NoCheckpoint(), progress)
    of_usable = iter(done)
    return [next(of_usable) if ok else _left(start) for start, ok in zip(starts, fits, strict=True)]


def repaired_starts(starts: Sequence[Start], constraints: Sequence[Constraint], seed: int = 0) -> list[Start]:
    """Starts that may be of any letters, as random ones, made to keep the constraints; others stay as they are."""
    rules = Rules(constraints, starts)
    mended = [None if rules.impossible(row) else _mended(rules, row, seed) for row in range(len(starts))]
    return [replace(s, sequence=decode(m)) if m is not None else s for s, m in zip(starts, mended, strict=True)]


def identify(
    starts: Sequence[Start], objective: Objective, constraints: Sequence[Constraint], settings: Settings
) -> dict[str, Any]:
    """What a run is: the weights, the objective, the constraints, the starts and every setting."""
    import hashlib

    letters = hashlib.blake2b(digest_size=16)
    for start in starts:
        letters.update(f"{start.name}\t{start.sequence}\t{start.parts}\n".encode())
    models: Mapping[str, Any] = objective.models
    return {
        "format": 1,
        **{f"model {k}": {"file": m.spec.name, "blake2b": weights_digest(m)} for k, m in models.items()},
        "objective": objective.text,
        "constraints": [constraint.word for constraint in constraints],
        "starts": {"file": "START", "blake2b": letters.hexdigest()},
        **{key: list(v) if isinstance(v, tuple) else v for key, v in vars(settings).items()},
    }


class _NoCheckpoint:
    """Nothing is kept beside the output."""

    state = None

    def __init__(self) -> None:
        self.designs: list[Design] = []

    def add(self, designs: list[Design]) -> None:
        self.designs += designs

    def save(self, state: object) -> None:
        return None


def _begin(rules: Rules, row: int, settings: Settings, reason: str | None) -> Begin:
    codes = encode(rules.starts[row].sequence)
    if reason is not None:
        return Begin(row, codes, "impossible")
    mended = _mended(rules, row, settings.seed)
    if mended is None or (settings.method != "insert" and (mended != codes).sum() > settings.edits):
        return Begin(row, codes, "not_repaired")
    return Begin(row, mended)


def _mended(rules: Rules, row: int, seed: int) -> np.ndarray | None:
    """codes (L,) of the start where it keeps all constraints, else of what DNA Chisel makes of it."""
    codes = encode(rules.starts[row].sequence)
    if rules.keeps(codes[None], np.array([row]))[0]:
        return codes
    letters = rules.repair(row, seed)
    return None if letters is None else encode(letters)


def _search(
    objective: Objective,
    rules: Rules,
    begins: list[Begin],
    own: np.ndarray,
    values: np.ndarray,
    settings: Settings,
    checkpoint: Checkpoint | _NoCheckpoint,
    progress: bool,
) -> list[Design]:
    """Block by block; own, values (R,): the objective of every start as it was given, and repaired."""
    size = objective.rows_at_once()
    if settings.method == "beam":
        size = max(1, size // settings.width)
    total = len(begins) * settings.number_of_steps
    with counting(total, label="designing", unit="steps", enabled=progress) as advance:
        advance(len(checkpoint.designs) * settings.number_of_steps)
        while len(checkpoint.designs) < len(begins):
            first = len(checkpoint.designs)
            block = begins[first : first + size]
            rows = np.array([begin.row for begin in block if begin.status == "ok"], np.int64)
            paths = [Path(begins[row].codes, (), (float(values[row]),)) for row in rows]
            if checkpoint.state is not None:
                advance(checkpoint.state.step * len(rows))
            best = _run(objective, rules, rows, paths, settings, checkpoint, advance)
            ended = dict(zip(rows.tolist(), best, strict=True))
            checkpoint.add([_finish(rules, b, ended.get(b.row), float(own[b.row]), settings) for b in block])
            advance((len(block) - len(rows)) * settings.number_of_steps)
    return checkpoint.designs


def _run(
    objective: Objective,
    rules: Rules,
    rows: np.ndarray,
    paths: list[Path],
    settings: Settings,
    checkpoint: Checkpoint | _NoCheckpoint,
    advance: Callable[[int], object],
) -> list[Path]:
    if not paths:
        return []
    if settings.method == "gradient":
        return climb(objective, rules, rows, paths, settings, advance=advance)
    if settings.method == "insert":
        return insert_motifs(objective, rules, rows, paths, settings, advance=advance)
    return evolve(
        objective, rules, rows, paths, settings, state=checkpoint.state, advance=advance, save=checkpoint.save
    )


def _finish(rules: Rules, begin: Begin, path: Path | None, own: float, settings: Settings) -> Design:
    start = rules.starts[begin.row]
    protected = rules.protected[begin.row]
    if path is None:
        judged = rules.judge(start.sequence, begin.row)
        return Design(start.name, start.sequence, start.sequence, own, own, (), (own,), judged, begin.status, protected)
    sequence = decode(path.codes)
    repairs = tuple(
        Edit(at, a, b, 0, path.values[0] - own)
        for at, (a, b) in enumerate(zip(start.sequence, decode(begin.codes), strict=True))
        if a != b
    )
    judged = rules.judge(sequence, begin.row)
    status = "ok" if all(kept for _, kept in judged) else "constraint_broken"
    if settings.method == "insert" and len(path.changes) < len(settings.insertions):
        status = "no_place"
    edits = (*repairs, *path.edits())
    return Design(start.name, start.sequence, sequence, own, path.value, edits, path.values, judged, status, protected)


def _left(start: Start) -> Design:
    """The row of a start that no search begins at."""
    nan = float("nan")
    return Design(start.name, start.sequence, start.sequence, nan, nan, (), (nan,), (), start.status, ())
