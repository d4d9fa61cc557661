"""`.hic`, versions 6 to 9: read by hictkpy.

The normalisation vectors of a .hic divide (norm = raw / (v_i * v_j)); here they come out as multiplicative weights, as
cooler's.  Source: the description of the format, aidenlab/hic-format, HiCFormatV9.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from zoo_hic.readers.map_file import MapFile, Triplets, check_size, choose, fetch_cis, readable


def open_hic(path: Path, resolution: int | None) -> tuple[MapFile, int]:
    """The map at a resolution, and the factor to coarsen it by.

    Raises ConfigError for several resolutions without a choice, DataError for a damaged file.
    """
    import hictkpy

    with readable(path):
        widths = np.asarray(hictkpy.MultiResFile(path).resolutions()).tolist()
        width, factor = choose(path, widths, resolution)
        file = hictkpy.File(path, width)
        sizes = {str(c): int(s) for c, s in file.chromosomes().items()}
        check_size(path, sizes, width)
        names = tuple(n for n in file.avail_normalizations() if n != "NONE")
        assembly = str(file.attributes().get("assembly", "unknown"))
    return _Hic(path, f"hictkpy {version('hictkpy')}", "hic", sizes, width, names, assembly), factor


@dataclass(frozen=True)
class _Hic(MapFile):
    def weights(self, name: str) -> tuple[np.ndarray, str]:
        import hictkpy

        with readable(self.path):
            file = hictkpy.File(self.path, self.resolution)
            return np.asarray(file.weights(name, divisive=False), np.float64), ""

    def cis(self, contig: str) -> Triplets:
        import hictkpy

        with readable(self.path):
            return fetch_cis(hictkpy.File(self.path, self.resolution), contig, self.sizes[contig])
