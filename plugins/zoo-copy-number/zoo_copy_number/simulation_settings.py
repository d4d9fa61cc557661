"""From what ranges the noise, biases and events of simulated samples are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.errors import ConfigError

Range = tuple[float, float]


@dataclass(frozen=True)
class DepthSettings:
    """Ranges that the numbers of a sample are drawn from, uniformly unless noted.

    noise: standard deviation of log2 depth in the median bin of two copies, Poisson and overdispersion together,
        drawn evenly on a log scale.  poisson: share of its variance that is Poisson's, which sets the coverage.
    pure: share of samples of purity 1; purity: of the others.
    gc_correlation: Pearson correlation of log2 depth with GC.  gc_curvature: log2 a squared unit of GC (share 0 to
        1); gc_optimum: its peak.
    wave: amplitude in log2.  wavelength: bp, evenly on a log scale, but at least 40 bins and at most a mean contig.
    mappability_power, mappability_floor: depth follows floor + (1 - floor) x mappability ** power.
    mapping_noise: standard deviation in log2 of a bin of mappability 0; half of its variance is common to all samples.
    background: mismapped reads, as a share of the depth of two copies.
    outliers: share of bins with a factor of standard deviation 1.2 in log2.
    gc_unknown, mappability_unknown, reference_absent: share of samples that lack the whole channel.
    gc_gaps: share of bins with unknown GC in the other samples.
    events: mean of the Poisson number of events of the LENGTHS and of `long` bins; lengths are equally likely, those
        of 5 bins and more vary by a fifth.  any_length: whatever length from 1 bin to the longest instead, the short
        ones more often.  arms: mean of the Poisson number of altered chromosome arms.
    altered: most of the usable bins that events may take.
    copies: weights of 0, 1, 3, 4, 5, 6 and 8 copies in an event where two are normal.
    short: most bins of an event that leaves no copy.
    """

    noise: Range = (0.05, 0.35)
    poisson: Range = (0.1, 0.9)
    pure: float = 0.4
    purity: Range = (0.3, 1.0)
    gc_correlation: Range = (-0.6, 0.6)
    gc_curvature: Range = (0.0, 20.0)
    gc_optimum: Range = (0.35, 0.50)
    wave: Range = (0.0, 0.15)
    wavelength: Range = (1e6, 6e7)
    mappability_power: Range = (0.4, 1.0)
    mappability_floor: Range = (0.0, 0.2)
    mapping_noise: Range = (0.3, 1.0)
    background: Range = (0.001, 0.02)
    outliers: Range = (0.0, 0.003)
    gc_unknown: float = 0.15
    gc_gaps: Range = (0.0, 0.03)
    mappability_unknown: float = 0.4
    reference_absent: float = 0.0
    events: Range = (4.0, 30.0)
    long: tuple[int, ...] = (300,)
    any_length: bool = False
    arms: float = 0.5
    altered: float = 0.3
    copies: tuple[float, ...] = (0.10, 0.38, 0.32, 0.10, 0.05, 0.03, 0.02)
    short: int = 10

    def __post_init__(self) -> None:
        shares = (
            "pure purity poisson background outliers gc_unknown gc_gaps mappability_unknown reference_absent altered"
        )
        for name in [*shares.split(), "noise", "wave", "events", "wavelength", "mapping_noise", "gc_correlation"]:
            value = getattr(self, name)
            low, high = value if isinstance(value, tuple) else (value, value)
            least, most = (-0.95, 0.95) if name == "gc_correlation" else (0.0, 1.0 if name in shares else np.inf)
            if not least <= low <= high <= most:
                raise ConfigError(f"{name} is {value}: give one from {least:g} to {most:g}, the lower end first")
        if self.noise[0] <= 0 or self.purity[0] <= 0 or self.wavelength[0] <= 0 or self.poisson[0] <= 0:
            raise ConfigError("noise, purity, wavelength and poisson must be more than 0: raise the lower end")
