"""The sex of a sample from its depth on X and Y, and the copies of the sex chromosomes that follow from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.errors import ConfigError
from zoo_copy_number.chromosomes import describe_contigs, find_karyotype

SEXES = ("female", "male")

_NO_Y = -2.5
"""log2 depth below which Y is not there: mismapped reads alone."""


def infer_sex(
    corrected: np.ndarray, contigs: Sequence[str], contig: np.ndarray, ploidy: int = 2
) -> tuple[str | None, str]:
    """(sex, why in words) from the median corrected log2 depth of X and Y; None where neither has 20 bins.

    ploidy: copies at log2 0.  Of two copies, one X is a level of -1, two are one of 0: the border lies between.  Y,
    where it is binned, has to agree.  Where they are called 23 and 24 both must fit one sex, else they are autosomes.
    """
    karyotype = find_karyotype(contigs)
    if not karyotype.has("X", "Y"):
        return None, "no contig is X or Y"
    if not karyotype.has("autosome"):
        return None, "there is no autosome to set X and Y against"
    levels = {name: measure_level(corrected, contigs, contig, name) for name in ("X", "Y")}
    levels = {name: level for name, level in levels.items() if np.isfinite(level)}
    if not levels:
        return None, "neither X nor Y has 20 usable bins"
    evidence = ", ".join(f"{name} at log2 {level:+.2f}" for name, level in levels.items())
    border, votes = _border(ploidy), []
    if "X" in levels:
        votes.append("male" if levels["X"] < border else "female")
    if "Y" in levels:
        votes.append("male" if levels["Y"] > _NO_Y else "female")
    if karyotype.plink and (len(set(votes)) > 1 or not _fits(levels, votes[0], ploidy)):
        return None, f"23 and 24 are not X and Y: {evidence.replace('X at', '23 at').replace('Y at', '24 at')}"
    if len(set(votes)) > 1:
        return votes[0], f"{evidence}: X and Y do not agree"
    return votes[0], evidence


def lies_on(contigs: Sequence[str], contig: np.ndarray, *names: str) -> np.ndarray:
    """(n,) bool: the bins on the contigs that are X or Y, by whatever name.  contig: (n,) index into contigs."""
    return find_karyotype(contigs).lies_on(contig, *names)


def measure_level(log2: np.ndarray, contigs: Sequence[str], contig: np.ndarray, name: str) -> float:
    """Median log2 depth of the bins on X or Y; NaN where fewer than 20 have one."""
    values = log2[lies_on(contigs, contig, name) & np.isfinite(log2)]
    return float(np.median(values)) if len(values) >= 20 else np.nan


def expect_copies(contigs: Sequence[str], sex: str | None, ploidy: int = 2) -> np.ndarray:
    """(contigs,) int copies; `ploidy` of everything where the sex is not known.

    A male has half of the ploidy of X and of Y, one X more than Y where the ploidy is odd (as in XXY), except that a
    single chromosome of a haploid cell is the Y.
    """
    if sex not in (None, *SEXES):
        raise ConfigError(f"sex {sex!r} must be female or male")
    if ploidy < 1:
        raise ConfigError(f"ploidy {ploidy} must be 1 or more")
    copies = {"autosome": ploidy, "other": ploidy, "X": ploidy, "Y": 0 if sex else ploidy}
    if sex == "male":
        copies["X"], copies["Y"] = count_male(ploidy)
    return np.array([copies[role] for role in find_karyotype(contigs).roles])


def count_male(ploidy: int) -> tuple[int, int]:
    """Copies of X and of Y in a male.

    >>> [count_male(p) for p in (1, 2, 3, 4)]
    [(0, 1), (1, 1), (2, 1), (2, 2)]
    """
    return (0, 1) if ploidy == 1 else (ploidy - ploidy // 2, ploidy // 2)


def check_sex(contigs: Sequence[str], sex: str | None) -> None:
    """Raise ConfigError where a sex is given and it cannot be told which contigs are X and Y."""
    karyotype = find_karyotype(contigs)
    if sex is None or karyotype.has("X", "Y"):
        return
    if karyotype.roman:
        raise ConfigError(
            f"--sex {sex} does not fit a genome that counts in Roman numerals, whose chrX is the tenth chromosome: "
            "leave --sex out"
        )
    if karyotype.unreadable or len(karyotype.roles) > 22:
        raise ConfigError(
            f"--sex {sex} cannot be used, since the names {describe_contigs(contigs)} do not say which contigs are X "
            "and Y: call them X and Y, or leave --sex out"
        )


def _border(ploidy: int) -> float:
    """log2 between one level of X and the other."""
    x = count_male(ploidy)[0]
    return 0.5 * np.log2(x / ploidy) if x else -1.0


def _fits(levels: dict[str, float], sex: str, ploidy: int) -> bool:
    """Whether X and Y lie within 0.3 of where a sex has them; Y of a female anywhere below a fifth."""
    x, y = count_male(ploidy) if sex == "male" else (ploidy, 0)
    expected = {"X": np.log2(max(x, 0.05) / ploidy), "Y": np.log2(max(y, 0.05) / ploidy)}
    return all(
        abs(level - expected[name]) < 0.3 or (expected[name] < -3 and level < _NO_Y) for name, level in levels.items()
    )
