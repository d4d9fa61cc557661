"""Random sequences made into CTCF sites, base by base, without a restriction site.

python examples/towards_ctcf.py
"""

import numpy as np

from zoo.data.codes import decode
from zoo.hub.loader import load
from zoo_design.constraints.words import read_constraints
from zoo_design.objective import Objective
from zoo_design.run import design
from zoo_design.search.settings import Settings
from zoo_design.starts import Start


def main() -> None:
    """Print every design with its edits."""
    objective = Objective.parse("CTCF:raw", {"ctcf": load("ctcf-motif-cnn")})
    codes = np.random.default_rng(0).integers(0, 4, (2, objective.length)).astype(np.uint8)
    starts = [Start(f"random{i}", decode(row)) for i, row in enumerate(codes)]
    constraints = read_constraints(["avoid=BsaI", "gc=40-60%"], None)
    for one in design(starts, objective, constraints, Settings("greedy", edits=4)):
        edits = ", ".join(f"{e.reference}{e.position + 1}{e.alternate}" for e in one.edits)
        print(f"{one.name}: {one.start_value:.2f} -> {one.value:.2f} by {edits}; constraints kept: {one.obeys}")


if __name__ == "__main__":
    main()
