"""The sex of a sample from its depth on X and Y, and the copies expected of every contig."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.errors import ConfigError

SEXES = ("female", "male")


def infer_sex(corrected: np.ndarray, contigs: Sequence[str], contig: np.ndarray) -> tuple[str | None, str]:
    """(sex, why in words) from the median corrected log2 depth of X and Y; None where neither has 20 bins.

    One X is a level of -1, two one of 0: the border lies between.  Y, where it is binned, has to agree.
    """
    levels = {name: measure_level(corrected, contigs, contig, name) for name in ("X", "Y")}
    levels = {name: level for name, level in levels.items() if np.isfinite(level)}
    if not levels:
        return None, "neither X nor Y has 20 usable bins"
    evidence = ", ".join(f"{name} at log2 {level:+.2f}" for name, level in levels.items())
    votes = []
    if "X" in levels:
        votes.append("male" if levels["X"] < -0.5 else "female")
    if "Y" in levels:
        votes.append("male" if levels["Y"] > -2.5 else "female")
    if len(set(votes)) > 1:
        return votes[0], f"{evidence}: X and Y do not agree"
    return votes[0], evidence


def lies_on(contigs: Sequence[str], contig: np.ndarray, *names: str) -> np.ndarray:
    """(n,) bool: the bins on contigs of these names, with or without chr.  contig: (n,) index into contigs."""
    return np.array([c.removeprefix("chr") in names for c in contigs], bool)[contig]


def measure_level(log2: np.ndarray, contigs: Sequence[str], contig: np.ndarray, name: str) -> float:
    """Median log2 depth of the bins on X or Y; NaN where fewer than 20 have one."""
    values = log2[lies_on(contigs, contig, name) & np.isfinite(log2)]
    return float(np.median(values)) if len(values) >= 20 else np.nan


def expect_copies(contigs: Sequence[str], sex: str | None, ploidy: int = 2) -> np.ndarray:
    """(contigs,) copies; `ploidy` of everything where the sex is not known."""
    if sex not in (None, *SEXES):
        raise ConfigError(f"sex {sex!r} must be female or male")
    if ploidy < 1:
        raise ConfigError(f"ploidy {ploidy} must be 1 or more")
    half = max(1, ploidy // 2)
    special = {} if sex is None else {"X": half if sex == "male" else ploidy, "Y": half if sex == "male" else 0}
    return np.array([special.get(c.removeprefix("chr"), ploidy) for c in contigs])
