"""Design along the gradient: logits of every base, of which the model sees the best allowed sequence.

Path of every start -> logits (B, L, 4) -> argmax within the constraints -> model -> straight-through gradient -> logits

The forward pass reads a sequence of letters that keeps all constraints; the backward pass takes the derivative with
respect to it as that of the softmax of the logits (straight-through estimator, Bengio et al. 2013; for DNA: Linder and
Seelig 2021, "fast activation maximization").  Protected bases have no logits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
import torch

from zoo.data.codes import encode
from zoo.prediction.inference import evaluating
from zoo_design.constraints.rules import Rules
from zoo_design.objective import Objective
from zoo_design.search.path import Change, Path
from zoo_design.search.settings import Settings

LEARNING_RATE = 0.1
NOISE = 0.01


def climb(
    objective: Objective,
    rules: Rules,
    rows: np.ndarray,
    paths: list[Path],
    settings: Settings,
    *,
    advance: Callable[[int], object] = lambda n: None,
) -> list[Path]:
    """The best sequence that was seen of every start; its values are the best so far after every step.

    Arguments as of `evolution.evolve`.
    """
    begin = np.stack([path.codes for path in paths])
    origin = np.stack([encode(rules.starts[row].sequence) for row in rows])
    model = next(iter(objective.models.values()))
    device = next(model.parameters()).device
    noise = [np.random.default_rng([settings.seed, int(row)]).normal(0, NOISE, (begin.shape[1], 4)) for row in rows]
    logits = torch.tensor(np.eye(4)[begin] + np.stack(noise), dtype=model.dtype, device=device, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=LEARNING_RATE)
    codes, best = begin, list(paths)
    with ExitStack() as stack:
        for one in objective.models.values():
            stack.enter_context(evaluating(one))
        for step in range(settings.number_of_steps + 1):
            values = _pass(objective, logits, codes)
            optimizer.zero_grad()
            (logits.grad,) = torch.autograd.grad(-values.sum(), logits)
            now = zip(best, codes, values.tolist(), strict=True)
            best = [_better(path, new, value, step) for path, new, value in now]
            if step == settings.number_of_steps:
                break
            optimizer.step()
            codes = nearest_allowed(logits.detach().double().cpu().numpy(), begin, origin, rows, rules, settings.edits)
            advance(len(rows))
    return best


def _pass(objective: Objective, logits: torch.Tensor, codes: np.ndarray) -> torch.Tensor:
    """The objective of the letters, (B,), with the gradient of the softmax."""
    soft = logits.softmax(2)
    letters = torch.nn.functional.one_hot(torch.from_numpy(codes.astype(np.int64)).to(logits.device), 4).to(soft.dtype)
    return objective.of_one_hot((letters + soft - soft.detach()).transpose(1, 2))


def _better(path: Path, codes: np.ndarray, value: float, step: int) -> Path:
    """One step on, at the better of two sequences; a new one is written as its changes from the begin of the search."""
    if step == 0:
        return path.measured(value)
    if not value > path.value:
        return path.stay()
    begin = path.codes.copy()
    for change in reversed(path.changes):
        begin[change.position] = "ACGT".index(change.reference)
    changes = tuple(
        Change(int(at), "ACGT"[begin[at]], "ACGT"[codes[at]], step) for at in np.flatnonzero(begin != codes)
    )
    return Path(codes.copy(), changes, (*path.values, value))


def nearest_allowed(
    logits: np.ndarray, begin: np.ndarray, origin: np.ndarray, rows: np.ndarray, rules: Rules, edits: int
) -> np.ndarray:
    """Of every start the letters of the highest logits, as far as constraints and edits allow: (B, L) uint8.

    logits (B, L, 4).  begin (B, L) keeps the constraints and is what is left where a change is not allowed; origin
    (B, L): from which edits are counted.  Changes are made in the order of what their logits gain.
    """
    wished = logits.argmax(2).astype(np.uint8)
    gain = logits.max(2) - np.take_along_axis(logits, begin[..., None].astype(np.int64), 2)[..., 0]
    gain[(wished == begin) | ~rules.free[rows]] = -np.inf
    codes = begin.copy()
    order = np.argsort(-gain, axis=1, kind="stable")[:, : 4 * edits]
    for rank in range(order.shape[1]):
        b = np.arange(len(codes))
        at = order[:, rank]
        open_rows = np.flatnonzero(gain[b, at] > -np.inf)
        if not len(open_rows):
            break
        trial = codes[open_rows].copy()
        trial[np.arange(len(trial)), at[open_rows]] = wished[open_rows, at[open_rows]]
        kept = ((trial != origin[open_rows]).sum(1) <= edits) & rules.keeps(trial, rows[open_rows])
        codes[open_rows[kept]] = trial[kept]
    return codes
