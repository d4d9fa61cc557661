"""Which filters of a shipped model matter for CTCF, and which known motif each of them is.

python examples/ctcf_filters.py
"""

import numpy as np

import zoo
from zoo.data.motifs import get_motif
from zoo.data.planted_motifs import background
from zoo.outputs import Output
from zoo_motifs.databases import jaspar
from zoo_motifs.filter_ranking import rank_filters


def main() -> None:
    """Print the three most important filters, over random sequences that hold one CTCF site each."""
    rng = np.random.default_rng(0)
    codes = background(500, 200, gc=0.5, rng=rng)
    sites = get_motif("CTCF").sample(rng, len(codes))
    codes[:, 90 : 90 + sites.shape[1]] = sites
    model = zoo.load("ctcf-motif-cnn")
    ranking = rank_filters(model, codes, output=Output.parse("CTCF:raw", model.spec), targets=jaspar())
    for ranked in ranking.filters[:3]:
        match = ranking.name_match(ranked) or "no known motif"
        print(f"{ranked.filter.name}: importance {ranked.importance.change:.2f}, {ranked.motif.consensus}, {match}")


if __name__ == "__main__":
    main()
