"""Evolution by single substitutions: greedy, beam, and simulated annealing without rejections.

Path of every start -> all substitutions with their effects -> the next paths -> ... -> the best path of every start

Annealing draws each substitution among those that keep the constraints, with a probability that grows as
exp(effect / temperature); the temperature falls by the same factor at every step.  As all effects are known, no step is
rejected (Bortz, Kalos and Lebowitz 1975).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data.codes import encode
from zoo_design.constraints.rules import Rules
from zoo_design.objective import Objective
from zoo_design.search.moves import best_substitutions, substitution_effects
from zoo_design.search.path import Path
from zoo_design.search.settings import Settings

COOLING = 100.0
"""First temperature over the last."""

SMALLEST_GAIN = 1e-6
"""Of max(1, |objective|): a greedy search ends where no substitution gains more, since float32 does not show less."""


@dataclass
class State:
    """Of a block of starts after `step` steps, so that a search can go on.

    beams: paths that are followed of every start, none where it has ended.  best: the best path of each.
    temperature: of the first step, of each.
    """

    step: int
    beams: list[list[Path]]
    best: list[Path]
    temperature: list[float]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "step": self.step,
            "beams": [[path.to_json() for path in beam] for beam in self.beams],
            "best": [path.to_json() for path in self.best],
            "temperature": self.temperature,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> State:
        """Undo `to_json`."""
        return cls(
            int(plain["step"]),
            [[Path.from_json(path) for path in beam] for beam in plain["beams"]],
            [Path.from_json(path) for path in plain["best"]],
            [float(one) for one in plain["temperature"]],
        )


def evolve(
    objective: Objective,
    rules: Rules,
    rows: np.ndarray,
    paths: list[Path],
    settings: Settings,
    *,
    state: State | None = None,
    advance: Callable[[int], object] = lambda n: None,
    save: Callable[[State], object] = lambda state: None,
) -> list[Path]:
    """The best path of every start.

    rows: (B,) which start of `rules` each is; paths: of one value each, where the search begins; they keep all
    constraints.  state: to go on with.  advance: called with the steps that were made, of all starts together; save:
    called with the state after every step.
    """
    state = state or State(0, [[path] for path in paths], list(paths), [0.0] * len(paths))
    total = settings.number_of_steps
    while state.step < total and any(state.beams):
        before = sum(bool(beam) for beam in state.beams)
        _step(objective, rules, rows, state, settings)
        ended = before - sum(bool(beam) for beam in state.beams)
        advance(before + ended * (total - state.step))
        save(state)
    _measure(objective, state)
    for i, beam in enumerate(state.beams):
        state.best[i] = max([state.best[i], *beam], key=lambda path: path.value)
    return state.best


def _measure(objective: Objective, state: State) -> None:
    """The values that were expected of the last step, from a pass of their own."""
    flat = [path for beam in state.beams for path in beam]
    if not flat:
        return
    values = iter(objective.values(np.stack([path.codes for path in flat])))
    state.beams = [[path.measured(next(values)) for path in beam] for beam in state.beams]


def _step(objective: Objective, rules: Rules, rows: np.ndarray, state: State, settings: Settings) -> None:
    """One step of all starts that have not ended; their beams and best paths are those after it."""
    owner = np.array([i for i, beam in enumerate(state.beams) for _ in beam])
    flat = [path for beam in state.beams for path in beam]
    codes, start = np.stack([path.codes for path in flat]), rows[owner]
    references = objective.references(codes)
    flat = [path.measured(value) for path, value in zip(flat, references.values, strict=True)]
    for i, path in zip(owner.tolist(), flat, strict=True):
        if path.value > state.best[i].value:
            state.best[i] = path
    effects = substitution_effects(references, codes, _free(rules, codes, start, settings.edits))
    state.step += 1
    if settings.method == "anneal":
        scores = _annealed(effects, owner, rows, state, settings)
        chosen = best_substitutions(scores, codes, start, rules)
        state.beams = [[] for _ in state.beams]
        for i, path, effect, moves in zip(owner.tolist(), flat, effects, chosen, strict=True):
            state.beams[i] = [path.substitute(*moves[0], path.value + effect[moves[0]])] if moves else []
    elif settings.method == "beam":
        chosen = best_substitutions(effects, codes, start, rules, settings.width)
        state.beams = _widest(owner, flat, effects, chosen, len(state.beams), settings.width)
    else:
        chosen = best_substitutions(effects, codes, start, rules)
        state.beams = [[] for _ in state.beams]
        for i, path, effect, moves in zip(owner.tolist(), flat, effects, chosen, strict=True):
            if moves and effect[moves[0]] > SMALLEST_GAIN * max(1.0, abs(path.value)):
                state.beams[i] = [path.substitute(*moves[0], path.value + effect[moves[0]])]


def _free(rules: Rules, codes: np.ndarray, start: np.ndarray, edits: int) -> np.ndarray:
    """(B, L): positions that may change; where all edits are spent, those alone that differ from the start."""
    origin = np.stack([encode(rules.starts[row].sequence) for row in start])
    differs = codes != origin
    spent = differs.sum(1, keepdims=True) >= edits
    return rules.free[start] & (differs | ~spent)


def _annealed(effects: np.ndarray, owner: np.ndarray, rows: np.ndarray, state: State, settings: Settings) -> np.ndarray:
    """Scores whose largest is a draw: effect / temperature and Gumbel noise, from the seed, the start and the step."""
    scores = np.full_like(effects, -np.inf)
    steps = max(1, settings.number_of_steps - 1)
    for b, i in enumerate(owner.tolist()):
        finite = effects[b][np.isfinite(effects[b])]
        if state.step == 1:
            state.temperature[i] = settings.temperature or (float(finite.std()) if finite.size else 0.0) or 1.0
        temperature = state.temperature[i] * COOLING ** -((state.step - 1) / steps)
        noise = np.random.default_rng([settings.seed, int(rows[i]), state.step]).gumbel(size=effects[b].shape)
        scores[b] = effects[b] / temperature + noise
    return scores


def _widest(
    owner: np.ndarray, flat: list[Path], effects: np.ndarray, chosen: list, starts: int, width: int
) -> list[list[Path]]:
    """Of every start the `width` best distinct sequences one substitution on."""
    candidates: list[list[tuple[float, Path, tuple[int, int]]]] = [[] for _ in range(starts)]
    for i, path, effect, moves in zip(owner.tolist(), flat, effects, chosen, strict=True):
        candidates[i] += [(path.value + effect[move], path, move) for move in moves]
    beams: list[list[Path]] = []
    for own in candidates:
        beam: dict[bytes, Path] = {}
        for value, path, move in sorted(own, key=lambda candidate: -candidate[0]):
            if len(beam) == width:
                break
            longer = path.substitute(*move, value)
            beam.setdefault(longer.codes.tobytes(), longer)
        beams.append(list(beam.values()))
    return beams
