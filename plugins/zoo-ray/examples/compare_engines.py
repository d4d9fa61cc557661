"""Ray and the local engine give one table."""

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

import zoo
from zoo.data.codes import decode
from zoo.effects.variants.job import ScoreJob
from zoo.effects.variants.scorer import Scorer
from zoo_ray.engine import Ray

folder = Path(sys.argv[1] if len(sys.argv) > 1 else mkdtemp())
letters = decode(np.random.default_rng(0).integers(0, 4, 3000).astype(np.uint8))
(folder / "genome.fa").write_text(f">chr1\n{letters}\n")
other = dict(zip("ACGT", "CGTA", strict=True))
variants = [f"chr1:{p + 1}:{letters[p]}>{other[letters[p]]}" for p in range(500, 2500, 20)]

genome = zoo.Genome(folder / "genome.fa")
scorer = Scorer(zoo.load("ctcf-motif-cnn"), genome, output="CTCF:raw")
local = ScoreJob(variants, genome, scorer).table()
ray = ScoreJob(variants, genome, scorer, engine=Ray(workers=2)).table()
print(f"{len(ray)} rows, largest difference {np.abs(local['CTCF:raw'] - ray['CTCF:raw']).max():.1e}")
