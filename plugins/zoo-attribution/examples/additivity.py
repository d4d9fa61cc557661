"""Contributions of one sequence add up to the difference from its references."""

import numpy as np

import zoo
from zoo.attribution.sequences import attribute_codes

model = zoo.load("ctcf-motif-cnn")
codes = np.random.default_rng(0).integers(0, 4, (1, 200)).astype(np.uint8)
for references in ("zero", "gc", "dinucleotide"):
    method = {"name": "deeplift_shap", "references": references}
    scores = attribute_codes(model, codes, interpreter=method, output="CTCF:raw")
    total = scores.actual().sum()
    print(f"{references:13} sum of contributions {total:+.4f}, error {scores.delta[0]:+.1e} at most")
