"""Draw docs/pictures/attribution.png: python docs/pictures/attribution.py

What each base in the middle of a random sequence with one CTCF site contributes, as ctcf-dilated-cnn sees it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.attribution.sequences import attribute_codes
from zoo.data.codes import encode
from zoo.data.motifs import get_motif
from zoo.pictures.attribution import draw_attribution

LENGTH = 200


def main() -> None:
    codes = np.random.default_rng(0).integers(0, 4, (1, LENGTH)).astype(np.uint8)
    site = encode(get_motif("MA0139.1").consensus)
    middle = (LENGTH - len(site)) // 2
    codes[0, middle : middle + len(site)] = site
    names = ["A random sequence with one CTCF site"]
    found = attribute_codes("ctcf-dilated-cnn", codes, interpreter="deeplift_shap", output="CTCF:raw", names=names)
    picture = Path(__file__).with_name("attribution.png")
    draw_attribution(found, shown=(50, 150)).savefig(picture)


if __name__ == "__main__":
    main()
