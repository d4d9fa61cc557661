"""Predict the contact map of a simulated chromosome, shuffle the site at a boundary, and compare with the truth.

python examples/delete_a_boundary.py
"""

import tempfile
from pathlib import Path

import numpy as np

import zoo
from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo_hic.effects.disruption import predict_effect
from zoo_hic.effects.edits import WindowEdit
from zoo_hic.predictor import Predictor
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.settings import MapSettings
from zoo_hic.simulation.structure import compute_truth, drop_sites


def main() -> None:
    """Print the change of insulation at three strong boundaries, predicted and true, in natural log(O/E)."""
    settings = MapSettings(resolution=1024)
    contig = simulate_contig(np.random.default_rng(7), 192, settings)
    predictor = Predictor.of(zoo.load("hic-simulated"))
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "chr1.fa"
        fasta.write_text(f">chr1\n{decode(contig.codes)}\n")
        genome = Genome(str(fasta))
        strong = [i for i, m in enumerate(contig.motifs) if m["strength"] == 1 and 40 < m["position"] // 1024 < 150]
        for index in strong[:3]:
            start, width = int(contig.motifs[index]["position"]), int(contig.motifs[index]["width"])
            change = predict_effect(predictor, genome, [WindowEdit("shuffle", "chr1", start, start + width)])
            without = compute_truth(drop_sites(contig.motifs, index), 192, settings, expected=contig.expected)
            at = start // 1024
            truth = (without - contig.truth)[at - 10 : at, at + 1 : at + 11].mean()
            (score,) = change.scores.values()
            print(f"site at {start:,}: insulation changes by {score.insulation:+.2f}, truth {truth:+.2f}")


if __name__ == "__main__":
    main()
