"""A small genome with peaks, and ready-made sequences."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Two contigs, peaks every 3 kb with summits, wide ones among them, and ready-made sequences."""
    folder = tmp_path_factory.mktemp("peaks")
    rng = np.random.default_rng(0)
    letters = {name: "".join(rng.choice(list("ACGT"), 200_000)) for name in ("1", "2")}
    (folder / "g.fa").write_text("".join(f">{n}\n{s}\n" for n, s in letters.items()))
    rows = []
    for i, start in enumerate(range(3_000, 196_000, 3_000)):
        for chrom in ("chr1", "chr2"):
            width = 5_000 if i % 10 == 9 else 300
            rows.append(f"{chrom}\t{start}\t{start + width}\tp{i}\t{i}\t.\t{float(i)}\t-1\t-1\t100")
    (folder / "x.narrowPeak").write_text("\n".join(rows) + "\n")
    made = ["".join(rng.choice(list("ACGT"), 60)) for _ in range(40)]
    headers = [f"chr{7 + i % 2}:{1000 * i}-{1000 * i + 60}" for i in range(38)]
    headers += ["chr2:150-210", "chr1:160000-160060"]
    (folder / "extra.fa").write_text("".join(f">{h}\n{s}\n" for h, s in zip(headers, made, strict=True)))
    return folder
