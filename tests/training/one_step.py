"""Two epochs of a run in one or several processes; the first writes every step's gradient and losses as JSON.

python one_step.py OUT.json WORLD
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

import torch

from zoo.registry import registry
from zoo.training.module import TrainingModule
from zoo.training.plan import TrainingPlan
from zoo.training.run_folder import RunFolder
from zoo.training.settings import TrainerSettings
from zoo.training.trainer import fit, make_trainer

SEEN: dict = {"parts": [], "gradients": [], "validation": {}}


def main(out: str, world: int) -> None:
    conftest = _module(Path(__file__).with_name("conftest.py"))
    registry().add("objective", "spread", "zoo_tests_spread:Spread")
    sys.modules["zoo_tests_spread"] = sys.modules["__main__"]
    # 65 rows in batches of 64: in the second batch the second process has none.
    source = conftest.Tiny(n=65, margin=0)
    config = {
        "seed": 0,
        "strand": "augmented",
        "encoder": {"name": "dilated_cnn", "channels": 8, "layers": 1},
        "head": {"name": "scalar"},
        "heads": {"profile": {"name": "profile"}},
        "objective": {"name": "squared_error"},
        "objectives": {
            "profile": {"name": "poisson", "coefficient": 0.5},
            "penalty": {"name": "spread", "head": "scalar", "coefficient": 0.1},
        },
    }
    settings = TrainerSettings(devices=world, max_epochs=2, logger="none", log_every=1, bar=False)
    torch.manual_seed(0)
    module = TrainingPlan.of(config, source).module(settings)
    # Adam divides by the size of the gradient, which would magnify rounding: plain steps keep the two runs together.
    module.configure_optimizers = lambda: torch.optim.SGD(module.parameters(), lr=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        run.checkpoints.mkdir()
        fit(make_trainer(settings, run, module), module, run)
        if module.global_rank == 0:
            SEEN["validation"] = dict(module.losses)
            Path(out).write_text(json.dumps(SEEN))


def _module(path: Path):
    spec = importlib.util.spec_from_file_location("tiny_source", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _noting(note):
    def noted(self, parts):
        SEEN["parts"].append({k: float(v) for k, v in parts.items()})
        SEEN["gradients"].append({n: p.grad.tolist() for n, p in self.named_parameters()})
        note(self, parts)

    return noted


TrainingModule._note = _noting(TrainingModule._note)


from zoo.interfaces import Objective  # noqa: E402


class Spread(Objective):
    """A term that is no sum over examples and has a parameter of its own."""

    additive = False

    def __init__(self, *, head: str = "scalar"):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))

    def weights(self, batch):
        return {"spread": torch.ones(())}

    def forward(self, prediction, batch, embedding):
        x = prediction["scalar"]
        spread = (x - x.mean(0)).square().mean() * self.scale
        return {"spread": (spread, torch.ones(()))}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
