"""Settings of `data=assays`: where the windows lie, what is learned of them, which windows are added to them."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.errors import ConfigError, did_you_mean

_REPLICATES = ("all", "any")
_HEADS = ("one", "assay")
_OF = ("peaks", "signal", "profile")
_NEGATIVES = ("gc", "random", "none")
_MOST_PER_WINDOW = 1000.0


def _require(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"data.{key} is {value!r}{did_you_mean(str(value), choices)}")


@dataclass(frozen=True, kw_only=True)
class AssayWindows:
    """Where the windows lie.

    length: bp of a window.  center: of a peak, "summit" (the middle where the file has none) or "middle".
    core: bp in the middle of a window; a peak whose centre lies there makes it a positive, and centres that fit into
        one core share a window.
    places: BED file of windows' middles in place of the peaks.
    blacklist: BED file of regions that no window may touch.
    max_n_fraction: of N in a window that is trained or validated on; what is tested on may hold any, if not N alone.
    """

    length: int = 200
    core: int = 100
    center: str = "summit"
    places: str | None = None
    blacklist: str | None = None
    max_n_fraction: float = 0.0

    def __post_init__(self) -> None:
        _require("windows.center", self.center, ("summit", "middle"))
        if self.length < 1:
            raise ConfigError(f"data.windows.length {self.length} must be at least 1")
        if not 1 <= self.core <= self.length:
            raise ConfigError(f"data.windows.core {self.core} must be 1 to the window's {self.length:,} bp")


@dataclass(frozen=True, kw_only=True)
class AssayLabels:
    """What is learned of a window.

    of: "peaks" (bound or not), "signal" (the mean coverage of the window, or its number of fragments' ends) or
        "profile" (the same by position, in bins).
    bin_size: bp of a position of a profile.
    target: name of the prediction.  heads: "one" for all tasks, or "assay": a prediction for every assay, called by it.
    replicates: what makes a window positive, a peak in "all" replicates of an experiment or in "any".
    near: bp around a window within which a peak leaves the label open, beside peaks that touch it off its core.
    max_width: bp; in training a wider peak is no positive, and leaves the label open.
    min_peaks: experiments of fewer peaks on the genome are left out.
    on_error: "raise", or "skip" lines of peak files that cannot be read.
    """

    of: str = "peaks"
    bin_size: int = 1
    target: str = "binding"
    heads: str = "one"
    replicates: str = "all"
    near: int = 0
    max_width: int | None = None
    min_peaks: int = 1
    on_error: str = "raise"

    def __post_init__(self) -> None:
        _require("labels.of", self.of, _OF)
        _require("labels.heads", self.heads, _HEADS)
        _require("labels.replicates", self.replicates, _REPLICATES)
        if self.near < 0:
            raise ConfigError(f"data.labels.near {self.near} must be 0 or more bp")


@dataclass(frozen=True, kw_only=True)
class InputSignals:
    """How tracks of the role input are read.

    bin_size: bp of a position; it divides the window.  transform: none, log1p, sqrt or clip99.
    """

    bin_size: int = 25
    transform: str = "log1p"


@dataclass(frozen=True, kw_only=True)
class Background:
    """Windows beside those at peaks.

    how: "gc" (away from every peak, with the GC content of the windows at peaks), "random" (anywhere
        that no window at a peak touches) or "none" (the peaks of the other experiments are the negatives of each).
    per_window: number for every window at a peak; it may be a fraction.
    per_training_window: another number for training, null for the same.
    judged_per_positive: in validation and test each task has so many of these windows for every positive as its
        negatives, the same draw for all tasks, and windows at peaks of others say nothing of it; null: every window
        without a peak of the task is a negative.
    gc_bin: GC difference up to which one is matched.  min_distance: bp between one and any peak, for "gc".
    """

    how: str = "gc"
    per_window: float = 1.0
    per_training_window: float | None = None
    judged_per_positive: float | None = None
    gc_bin: float = 0.02
    min_distance: int = 500

    def __post_init__(self) -> None:
        _require("negatives.how", self.how, _NEGATIVES)
        for key in ("per_window", "per_training_window", "judged_per_positive"):
            number = getattr(self, key)
            if number is not None and not 0 < number <= _MOST_PER_WINDOW:
                raise ConfigError(f"data.negatives.{key} {number} must be above 0 and at most {_MOST_PER_WINDOW:,.0f}")

    def number(self, split: str, windows: int) -> int:
        """How many for so many windows at peaks of a split."""
        if self.how == "none":
            return 0
        own = self.per_training_window if split == "train" else None
        return round((own or self.per_window) * windows)
