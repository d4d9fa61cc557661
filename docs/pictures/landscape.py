"""Draw docs/pictures/landscape.png: python docs/pictures/landscape.py

Every substitution in the middle of a random sequence with one CTCF site, as ctcf-dilated-cnn sees it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.data.codes import decode, encode
from zoo.data.motifs import get_motif
from zoo.effects.saturation_mutagenesis import landscape

LENGTH = 200


def main() -> None:
    codes = np.random.default_rng(0).integers(0, 4, LENGTH).astype(np.uint8)
    site = encode(get_motif("MA0139.1").consensus)
    middle = (LENGTH - len(site)) // 2
    codes[middle : middle + len(site)] = site
    found = landscape("ctcf-dilated-cnn", decode(codes), output="CTCF:raw", start=50, end=150)
    found.write(Path(__file__).with_name("landscape.png"))


if __name__ == "__main__":
    main()
