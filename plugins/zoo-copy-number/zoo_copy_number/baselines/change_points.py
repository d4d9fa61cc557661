"""Segments of the log2 ratio by change points, and which of them are altered.

`CircularBinary` is circular binary segmentation (Olshen et al. 2004, doi:10.1093/biostatistics/kxh008) as its authors
keep it, the R package DNAcopy, run by Rscript.  `Pelt` needs no R: penalised least squares, exact, by ruptures
(Killick et al. 2012, doi:10.1080/01621459.2012.737745).  It is not circular binary segmentation.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.errors import ZooError, need
from zoo_copy_number.baselines.correction import Ratio
from zoo_copy_number.baselines.threshold import copies_at

_CLIP = (-3.0, 2.5)

_R = """
suppressMessages(library(DNAcopy))
a <- commandArgs(trailingOnly = TRUE)
x <- read.table(a[1], col.names = c("contig", "at", "log2"))
set.seed(1)
cna <- smooth.CNA(CNA(x$log2, x$contig, x$at, presorted = TRUE))
s <- segment(cna, alpha = as.numeric(a[3]), min.width = 2, undo.splits = "sdundo", undo.SD = 1, verbose = 0)
write.table(s$segRows, a[2], row.names = FALSE, col.names = FALSE)
"""


class _ChangePoints:
    """Calls segments whose median leaves a band around 0."""

    least: float
    sds: float
    _first: Callable[[Ratio], np.ndarray]
    """First bins of the segments."""

    def prepare(self, ratio: Ratio) -> np.ndarray:
        """(2, k): first bins of the segments, and their medians."""
        first = self._first(ratio) if len(ratio.log2) else np.zeros(0, int)
        level = [float(np.median(part)) for part in np.split(ratio.log2, first[1:])] if len(first) else []
        return np.array([first, level], float)

    def decide(self, ratio: Ratio, prepared: np.ndarray) -> np.ndarray:
        """(n,) float32 copies, NaN where none can be given."""
        first, level = prepared[0].astype(int), prepared[1]
        size = np.diff(np.append(first, len(ratio.log2)))
        band = np.maximum(self.least, self.sds * ratio.noise / size**0.5)
        direction = np.where(np.abs(level) > band, np.sign(level), 0)
        return ratio.expand(np.repeat(copies_at(level, direction, ratio.expected[first]), size))


_DECIDES = {"least": (0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4), "sds": (0.0, 3.0, 4.0, 5.0, 6.0, 8.0)}


@dataclass(frozen=True)
class Pelt(_ChangePoints):
    """Change points of least squares with a penalty.

    penalty: times noise variance times log of the contig's bins.  bins: least of a segment.
    least: the band in log2.  sds: the band in standard errors of a segment's mean; the wider one holds.
    """

    penalty: float = 6.0
    bins: int = 3
    least: float = 0.2
    sds: float = 0.0

    prepares: ClassVar[dict] = {"penalty": (2.0, 4.0, 6.0, 8.0, 12.0), "bins": (2, 3)}
    decides: ClassVar[dict] = _DECIDES

    def _first(self, ratio):
        need("pelt", "ruptures", install="zoo-copy-number[baselines]")
        import ruptures

        first: list[int] = []
        scaled = np.clip(ratio.log2, *_CLIP) / ratio.noise
        for run in np.split(np.arange(len(scaled)), np.flatnonzero(np.diff(ratio.contig)) + 1):
            first.append(int(run[0]))
            if len(run) >= 2 * self.bins:
                search: Any = ruptures.KernelCPD(kernel="linear", min_size=self.bins).fit(scaled[run, None])
                ends = search.predict(pen=self.penalty * np.log(len(run)))
                first += [int(run[0]) + e for e in ends[:-1]]
        return np.array(first)


@dataclass(frozen=True)
class CircularBinary(_ChangePoints):
    """Segments of DNAcopy, outliers smoothed and splits of less than one standard deviation undone.

    alpha: level of significance of a split.
    least: the band in log2.  sds: the band in standard errors of a segment's mean; the wider one holds.

    Raises ZooError where Rscript or DNAcopy is missing.
    """

    alpha: float = 0.001
    least: float = 0.25
    sds: float = 5.0

    prepares: ClassVar[dict] = {"alpha": (0.00001, 0.0001, 0.001)}
    decides: ClassVar[dict] = _DECIDES

    @staticmethod
    def installed() -> bool:
        """Whether Rscript finds DNAcopy."""
        if not shutil.which("Rscript"):
            return False
        return not subprocess.run(["Rscript", "-e", "library(DNAcopy)"], capture_output=True, check=False).returncode

    def _first(self, ratio):
        if not shutil.which("Rscript"):
            raise ZooError("circular binary segmentation needs Rscript, which is not on PATH: install R and DNAcopy")
        with tempfile.TemporaryDirectory() as folder:
            script, table, out = (Path(folder) / name for name in ("cbs.R", "log2.txt", "rows.txt"))
            script.write_text(_R)
            log2 = np.clip(ratio.log2, *_CLIP)
            np.savetxt(table, np.column_stack([ratio.contig, np.arange(len(log2)), log2]), fmt=("%d", "%d", "%.5f"))
            command = ["Rscript", "--vanilla", str(script), str(table), str(out), str(self.alpha)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ZooError(f"Rscript could not run DNAcopy ({done.stderr.strip()[-200:]}): install the R package")
            rows = np.loadtxt(out, int, ndmin=2)
        return rows[:, 0] - 1
