"""What a tensor is (`Field`) and where its positions lie (`Grid`).

Letters used for shapes everywhere: N examples, L bases, D embedding channels, T positions (bins),
C outputs (tasks, tracks), A signal tracks, K classes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import ContractError

if TYPE_CHECKING:
    from torch import Tensor

VALUES = ("real", "count", "binary", "class", "one_hot", "code")


@dataclass(frozen=True)
class Field:
    """One input, target or prediction, without its leading example axis.

    axes: one letter an axis after N. T is a position; C, A, K, D are channels (one of them at most).
        "C" scalars, "CT" a profile, "KT" class scores by position, "CTT" contact maps, "T" class ids
        by position, "" one class id an example.
    channels: names along the channel axis (tasks, tracks, bases).
    unit: what one unit of the value means, "" where there is none.
    bin_size: bp a position covers.
    rc: where each channel goes when the strand is reversed: `flipped[c] = x[rc[c]]`.  None leaves the
        channels in place.  For class ids the same table maps the ids.
    required: False for an input that may be missing (it then arrives as zeros beside `present/<name>`).
    values: real, count, binary, class, one_hot or code; metrics and baselines are chosen by it.
    vocabulary: names of the classes or contexts that the ids of a "class" field stand for.
    transform: name of what was done to the raw value (log1p, clip), None for nothing.
    """

    axes: str
    channels: tuple[str, ...] = ()
    unit: str = ""
    bin_size: int = 1
    rc: tuple[int, ...] | None = None
    required: bool = True
    values: str = "real"
    vocabulary: tuple[str, ...] = ()
    transform: str | None = None

    def __post_init__(self) -> None:
        for name in ("channels", "rc", "vocabulary"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        if self.values not in VALUES:
            raise ContractError(f"field values {self.values!r} must be one of {', '.join(VALUES)}")
        if sum(letter != "T" for letter in self.axes) > 1:
            raise ContractError(f"field axes {self.axes!r} name two channel axes: keep one")
        if self.rc is not None:
            names = self.vocabulary if self.values == "class" else self.channels
            if sorted(self.rc) != list(range(len(self.rc))) or (names and len(names) != len(self.rc)):
                raise ContractError(f"field rc {self.rc} is no permutation of {len(names) or len(self.rc)} channels")
            if any(self.rc[self.rc[c]] != c for c in self.rc):
                raise ContractError(f"field rc {self.rc} must undo itself: reversing a strand twice is nothing")

    @property
    def channel_axis(self) -> int | None:
        """Axis of the channels in a tensor with N in front, None where there is none."""
        return next((i for i, a in enumerate(self.axes, 1) if a != "T"), None)

    @property
    def position_axes(self) -> tuple[int, ...]:
        """Axes of the positions in a tensor with N in front."""
        return tuple(i for i, a in enumerate(self.axes, 1) if a == "T")

    def shape(self, n: int, positions: int) -> tuple[int, ...]:
        """Shape of n examples with `positions` on every T axis.

        >>> ONE_HOT.shape(2, 100)
        (2, 4, 100)
        """
        channels = len(self.channels or self.vocabulary) or 1
        return (n, *(positions if axis == "T" else channels for axis in self.axes))

    def flip(self, x: Tensor) -> Tensor:
        """The same example read from the other strand: positions reversed, channels permuted.

        x: (N, *axes).  Returns a tensor of the same shape; flipping twice gives x back.
        """
        from zoo.layers.strand_flip import flip_strand

        if x.dim() != len(self.axes) + 1:
            raise ContractError(f"a tensor of shape {tuple(x.shape)} has not the axes N{self.axes}")
        return flip_strand(x, self.position_axes, self.channel_axis, self.rc)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; defaults are left out."""
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {k: v for k, v in plain.items() if k == "axes" or v != _DEFAULTS[k]}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Field:
        """Undo `to_dict`; an unknown key is an error."""
        unknown = set(plain) - set(cls.__dataclass_fields__)
        if unknown or "axes" not in plain:
            raise ContractError(f"no field: {plain} (unknown keys: {sorted(unknown) or 'none'})")
        return cls(**plain)


_DEFAULTS = {
    k: list(f.default) if isinstance(f.default, tuple) else f.default for k, f in Field.__dataclass_fields__.items()
}


@dataclass(frozen=True)
class Grid:
    """Where T positions lie in an input window of L bases, in bp from its first base.

    Position t covers bases [offset + t * bin_size, offset + (t + 1) * bin_size).
    """

    offset: int
    bin_size: int
    length: int

    @property
    def end(self) -> int:
        """First base after the last position."""
        return self.offset + self.bin_size * self.length

    def crop(self, left: int, right: int) -> Grid:
        """The grid without `left` positions at its start and `right` at its end."""
        if left + right >= self.length:
            raise ContractError(f"cropping {left} + {right} of {self.length} positions leaves none")
        return Grid(self.offset + left * self.bin_size, self.bin_size, self.length - left - right)

    def pool(self, factor: int) -> Grid:
        """The grid after pooling `factor` positions into one; they must divide it."""
        if self.length % factor:
            raise ContractError(f"{self.length} positions are not divisible by a pool of {factor}")
        return Grid(self.offset, self.bin_size * factor, self.length // factor)


ONE_HOT = Field("CT", channels=("A", "C", "G", "T"), rc=(3, 2, 1, 0), values="one_hot")
CODES = Field("T", vocabulary=("A", "C", "G", "T", "N"), rc=(3, 2, 1, 0, 4), values="class")
