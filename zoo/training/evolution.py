"""Evolution-inspired augmentation: mutations, deletions, insertions and translocations of the sequences trained on.

codes (N, L) uint8, draws (N,) uint64 of `zoo.training.splitmix` -> evolve -> codes (N, L) uint8

The kinds of change, and that each sequence gets a fixed number of them, follow EvoAug (Lee, Tang and Koo, Genome
Biology 24:105, 2023).  Differs from it in that the window keeps its length (what an insertion pushes over the ends is
lost), in that a change that is drawn has a size of 1 bp at least, and in that no noise is added to the one-hot input.
Reverse complements are the run's `strand`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError
from zoo.fields import Field
from zoo.training.splitmix import stream

_MOVES = ("inversion", "deletion", "insertion", "translocation")
"""Changes that move bases, in the order in which they are made; mutations come last."""
_N = 4
"""Code of an unknown base."""


@dataclass(frozen=True, kw_only=True)
class AugmentationSettings:
    """The configuration's group `augmentation`: how training sequences are changed, anew in every epoch.

    mutation: share of the bases that become another base.
    deletion: longest stretch that is cut out, bp; random bases fill the window up on both ends.
    insertion: longest stretch of random bases that is put in, bp; both ends lose as much.
    translocation: largest distance that the sequence is rotated by, bp; what leaves one end enters at the other.
    inversion: longest stretch that is replaced by its reverse complement, bp.
    max_operations: kinds of change a sequence gets, drawn from those that are not 0.
    scalar_only: no change at all where a target or an input has positions, or where the data have no sequences.
    finetune_epochs: epochs afterwards on the sequences as they are, from the best epoch's weights.
    finetune_lr: their learning rate, as a share of the optimizer's.
    """

    mutation: float = 0.0
    deletion: int = 0
    insertion: int = 0
    translocation: int = 0
    inversion: int = 0
    max_operations: int = 2
    scalar_only: bool = False
    finetune_epochs: int = 0
    finetune_lr: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.mutation <= 1:
            raise ConfigError(f"augmentation.mutation is {self.mutation}: give a share from 0 to 1, such as 0.05")
        if not self.finetune_lr > 0:
            raise ConfigError(f"augmentation.finetune_lr is {self.finetune_lr}: give a share above 0, such as 0.1")
        for name, least in (*((name, 0) for name in (*_MOVES, "finetune_epochs")), ("max_operations", 1)):
            if (value := getattr(self, name)) < least:
                raise ConfigError(f"augmentation.{name} is {value}: give a whole number of {least} or more")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the changes that are made, in their order; () for none."""
        return tuple(name for name in (*_MOVES, "mutation") if getattr(self, name) > 0)


def allowed_augmentation(settings: AugmentationSettings, fields: Mapping[str, Field]) -> AugmentationSettings:
    """The settings, or with `scalar_only` none where a target or an input has positions.

    fields: of every key of a batch that has to do with the sequence, as `zoo.training.augment.batch_fields` gives them.
    Raises ConfigError where bases would move under targets or inputs that stay in their places.
    """
    moves = [name for name in settings.kinds if name in _MOVES]
    placed = next((k for k, field in fields.items() if k != "codes" and field.position_axes), None)
    if placed is not None and settings.scalar_only:
        return AugmentationSettings()
    if moves and placed is not None:
        kind, _, name = placed.rpartition("/")
        raise ConfigError(
            f"augmentation.{moves[0]} moves bases, and {kind or 'input'} {name!r} has positions, which would no longer "
            f"be theirs: set augmentation=none, or {' '.join(f'augmentation.{move}=0' for move in moves)}"
        )
    return settings


def evolve(codes: np.ndarray, draws: np.ndarray, settings: AugmentationSettings) -> np.ndarray:
    """codes (N, L) uint8, draws (N,) uint64 -> changed codes (N, L) uint8, a function of each row and its draw alone.

    An N is moved like any base, and stays one: mutations leave it out.
    """
    kinds, (n, length) = settings.kinds, codes.shape
    if not kinds or not codes.size:
        return codes
    codes = codes.copy()
    numbers = stream(draws, 3 * len(kinds)).reshape(n, len(kinds), 3)
    chosen = np.argsort(np.argsort(numbers[:, :, 0], axis=1), axis=1) < settings.max_operations
    letters = stream(draws, length, 1)
    for i, kind in enumerate(kinds):
        rows = np.flatnonzero(chosen[:, i])
        if kind == "mutation":
            codes[rows] = _mutate(codes[rows], letters[rows], settings.mutation)
        elif longest := min(getattr(settings, kind), length - 1):
            size = 1 + numbers[rows, i, 1] % np.uint64(longest)
            bases = ((letters[rows] >> np.uint64(2 * i)) & np.uint64(3)).astype(np.uint8)
            codes[rows] = _MOVE[kind](codes[rows], bases, size.astype(np.int64)[:, None], numbers[rows, i, 2][:, None])
    return codes


def _mutate(codes: np.ndarray, letters: np.ndarray, rate: float) -> np.ndarray:
    """Every base becomes each of the three others with a third of `rate`."""
    hit = (letters >> np.uint64(24) < np.uint64(round(rate * (1 << 40)))) & (codes < _N)
    others = 1 + (letters >> np.uint64(8) & np.uint64(0xFFFF)) % np.uint64(3)
    return np.where(hit, (codes + others.astype(np.uint8)) % np.uint8(4), codes)


def _delete(codes: np.ndarray, bases: np.ndarray, size: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Without `size` (N, 1) bases from a start drawn by `place` (N, 1); half of them are made up for in front."""
    length = codes.shape[1]
    start = (place % (length - size + 1).astype(np.uint64)).astype(np.int64)
    at = np.arange(length) - size // 2
    source = np.where(at < start, at, at + size)
    return _take(codes, source, (at < 0) | (source >= length), bases)


def _insert(codes: np.ndarray, bases: np.ndarray, size: np.ndarray, place: np.ndarray) -> np.ndarray:
    """With `size` (N, 1) of `bases` (N, L) before a base drawn by `place` (N, 1); half of them are lost in front."""
    length = codes.shape[1]
    start = (place % np.uint64(length + 1)).astype(np.int64)
    at = np.arange(length) + size // 2
    return _take(codes, np.where(at < start, at, at - size), (at >= start) & (at < start + size), bases)


def _rotate(codes: np.ndarray, bases: np.ndarray, size: np.ndarray, place: np.ndarray) -> np.ndarray:
    """By `size` (N, 1), to the side that `place` (N, 1) draws."""
    length = codes.shape[1]
    by = np.where(place & np.uint64(1), size, -size)
    return _take(codes, (np.arange(length) - by) % length)


def _invert(codes: np.ndarray, bases: np.ndarray, size: np.ndarray, place: np.ndarray) -> np.ndarray:
    """With the reverse complement of `size` (N, 1) bases from a start drawn by `place` (N, 1)."""
    length = codes.shape[1]
    start = (place % (length - size + 1).astype(np.uint64)).astype(np.int64)
    at = np.arange(length)
    inside = (at >= start) & (at < start + size)
    turned = _take(codes, np.where(inside, 2 * start + size - 1 - at, at))
    return np.where(inside & (turned < _N), 3 - turned, turned)


_MOVE: dict[str, Callable[..., np.ndarray]] = {
    "inversion": _invert,
    "deletion": _delete,
    "insertion": _insert,
    "translocation": _rotate,
}


def _take(
    codes: np.ndarray, source: np.ndarray, new: np.ndarray | None = None, bases: np.ndarray | None = None
) -> np.ndarray:
    """codes (N, L) at `source` (N, L), and `bases` (N, L) where `new` (N, L)."""
    taken = np.take_along_axis(codes, source.clip(0, codes.shape[1] - 1), axis=1)
    return taken if new is None else np.where(new, bases, taken)
