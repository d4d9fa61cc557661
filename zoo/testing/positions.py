"""Where the positions of an embedding lie, and what they see: measured, not believed.

A NaN at one base goes wherever that base is looked at.  A small change would not do: float32 loses what a
deep network makes of it at the rim of the receptive field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.testing.report import Refused, Unmeasured
from zoo.testing.samples import sample, valid_length

_LONGEST = 1 << 18


@dataclass(frozen=True)
class Footprint:
    """What one position of the embedding sees.

    bases: bp from the first to the last base that a position sees.
    middle: bp from where the grid puts the middle of a position to the middle of what it sees.
    length: bp of the window that was measured in.
    steady: False if the bases that a position sees do not move by `bin_size` from one position to the next.
    """

    bases: int
    middle: float
    length: int
    steady: bool = True


@torch.no_grad()
def footprint(encoder: Encoder) -> Footprint | None:
    """Measure an encoder whose declared receptive field is a number; None if it reaches past the window.

    The window is twice as long as the declared field and two positions longer: a true declaration stays clear of
    the rims.
    """
    declared = encoder.receptive_field or 0
    bin_size = encoder.grid(valid_length(encoder, declared)).bin_size
    length = valid_length(encoder, max(64, 2 * declared + 2 * bin_size))
    if length > _LONGEST:
        raise Unmeasured(f"{declared:,} bp would need a window of {length:,} bp")
    if length < 2 * declared:
        raise Unmeasured(f"{declared:,} bp would need a longer window than the {length:,} bp that it reads")
    grid = encoder.grid(length)
    middle, positions = length // 2, _positions(encoder, length)
    here = _hulls(encoder, [middle], length)[0]
    if here is None:
        raise Refused(f"a base at {middle:,} of {length:,} bp is seen by no position")
    first, last = here
    if first <= 0 or last >= positions - 1:
        return None
    # an encoder that leaves its rims out has few positions to spare on either side
    shift = max(1, min(length // (16 * bin_size), first, positions - 1 - last))
    before, after = _hulls(encoder, [middle - shift * bin_size, middle + shift * bin_size], length)
    if before is None or after is None:
        raise Refused(f"a base beside {middle:,} of {length:,} bp is seen by no position")
    steady = before == (first - shift, last - shift) and after == (first + shift, last + shift)
    if not steady or bin_size == 1:
        left = right = middle
    else:
        bases = range(middle - bin_size + 1, middle + bin_size)
        seen = [(b, hull) for b, hull in zip(bases, _hulls(encoder, bases, length), strict=True) if hull]
        left = min(b for b, (start, end) in seen if start <= last <= end)
        right = max(b for b, (start, end) in seen if start <= first <= end)
    left, right = left - last * bin_size, right - first * bin_size
    return Footprint(right - left + 1, (left + right + 1) / 2 - (grid.offset + bin_size / 2), length, steady)


def check_receptive_field(encoder: Encoder, measured: Footprint | None, length: int) -> str:
    """The declared receptive field is the measured one; a whole-window encoder sees both ends."""
    declared = encoder.receptive_field
    if declared is None:
        return _sees_everything(encoder, length)
    if measured is None:
        raise Refused(f"declared {declared:,} bp, but a base is seen from more than twice as far")
    if not measured.steady:
        raise Unmeasured("the grid's bin_size is not the step between positions")
    if measured.bases != declared:
        raise Refused(f"declared {declared:,} bp, measured {measured.bases:,} bp in a window of {measured.length:,} bp")
    return f"{measured.bases:,} bp declared and measured, window {measured.length:,} bp"


def check_grid(encoder: Encoder, measured: Footprint | None, length: int) -> str:
    """Positions lie where the grid says."""
    grid = encoder.grid(length)
    if encoder.pools:
        if grid != Grid(0, length, 1):
            raise Refused(f"an encoder that pools positions away covers its window with one: Grid(0, {length}, 1)")
        return "one position, the whole window"
    if encoder.receptive_field is None:
        return _reacts_where_the_grid_says(encoder, grid, length)
    if measured is None:
        raise Unmeasured("the receptive field reaches past the window")
    if not measured.steady:
        raise Refused(f"one position to the next is not the {grid.bin_size} bp that the grid declares")
    if abs(measured.middle) > grid.bin_size / 2:
        raise Refused(
            f"what a position sees lies {measured.middle:+g} bp from where the grid puts it: "
            f"offset {grid.offset + round(measured.middle)} would be true"
        )
    return f"offset {grid.offset}, bins of {grid.bin_size} bp"


@torch.no_grad()
def _sees_everything(encoder: Encoder, length: int) -> str:
    positions = _positions(encoder, length)
    for base in (0, length // 2, length - 1):
        hull = _hulls(encoder, [base], length)[0]
        if hull != (0, positions - 1):
            raise Refused(f"declared as the whole window, but base {base} of {length} is seen by {hull or 'none'} only")
    return f"every position sees all {length:,} bp"


@torch.no_grad()
def _reacts_where_the_grid_says(encoder: Encoder, grid: Grid, length: int) -> str:
    """What a substitution moves lies about it, give or take a bin or a quarter of its width."""
    errors, allowed = [], 1.0
    bases = [int(grid.offset + (grid.end - grid.offset) * share) for share in (0.2, 0.35, 0.5, 0.65, 0.8)]
    for base in bases:
        inputs = sample(encoder.inputs, 16, length, seed=base)
        moved = {k: x.clone() for k, x in inputs.items()}
        for key, field in encoder.inputs.items():
            if "T" in field.axes and moved[key].is_floating_point():
                at = base // field.bin_size
                axis = field.position_axes[0]
                moved[key].select(axis, at).copy_(moved[key].select(axis, at).roll(1, 0))
        reaction = (encoder(moved) - encoder(inputs)).abs().sum((0, 1))
        reaction = (reaction - reaction.median()).clamp(min=0)
        if not float(reaction.max()) > 0:
            raise Unmeasured("a substitution moves all positions alike")
        at = torch.arange(len(reaction))
        moves = at[reaction > 0.1 * reaction.max()]
        allowed = max(allowed, (int(moves[-1]) - int(moves[0]) + 1) / 4)
        errors.append(float((reaction * at).sum() / reaction.sum()) - (base - grid.offset) // grid.bin_size)
    error = sorted(errors)[len(errors) // 2]
    if abs(error) > allowed:
        raise Refused(
            f"what a substitution moves lies {error:+.1f} positions from where the grid puts it "
            f"({allowed:.1f} would do): check the offset"
        )
    return f"what a substitution moves lies about it, {error:+.1f} positions off"


def _hulls(encoder: Encoder, bases: Sequence[int], length: int) -> list[tuple[int, int] | None]:
    """First and last position that sees each base, None where none does."""
    # one at a time, for an encoder that mixes its batch has failed another check already
    reached = [encoder(_with_nan(encoder, [base], length))[0].isnan().any(0) for base in bases]
    return [(int(at[0]), int(at[-1])) if len(at := r.nonzero()[:, 0]) else None for r in reached]


def _with_nan(encoder: Encoder, bases: Sequence[int], length: int) -> Mapping[str, Tensor]:
    """One example a base, every real-valued input NaN over that base."""
    inputs = sample(encoder.inputs, len(bases), length)
    poisoned = False
    for key, field in encoder.inputs.items():
        if "T" in field.axes and inputs[key].is_floating_point():
            poisoned = True
            for row, base in enumerate(bases):
                for axis in field.position_axes:
                    inputs[key][row].select(axis - 1, base // field.bin_size).fill_(torch.nan)
    if not poisoned:
        raise Unmeasured("no input has positions and real values")
    return inputs


def _positions(encoder: Encoder, length: int) -> int:
    return encoder(sample(encoder.inputs, 1, length)).shape[2]
