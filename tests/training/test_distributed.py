"""Which process this is, for every way in which a run is started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from zoo.errors import ConfigError
from zoo.training.distributed import launcher, rank, world
from zoo.training.settings import TrainerSettings
from zoo.training.trainer import _environment

TORCHRUN = {"RANK": "3", "LOCAL_RANK": "3", "WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "none"}
SRUN = {"SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2"}
ONE_TASK = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "1", "SLURM_JOB_NAME": "train"}
VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID", "NODE_RANK")


@pytest.fixture
def environment(monkeypatch):
    """Sets the variables of a launcher, and no other's."""

    def put(variables):
        for name in [n for n in os.environ if n in VARIABLES or n.startswith("SLURM_")]:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.mark.parametrize(
    ("variables", "name", "number", "n", "kind"),
    [
        ({}, None, 0, 1, "LightningEnvironment"),
        (TORCHRUN, "torchrun", 3, 4, "TorchElasticEnvironment"),
        ({**TORCHRUN, **ONE_TASK}, "torchrun", 3, 4, "TorchElasticEnvironment"),
        ({**TORCHRUN, **SRUN, "SLURM_PROCID": "1"}, "torchrun", 3, 4, "TorchElasticEnvironment"),
        ({**SRUN, "SLURM_JOB_NAME": "train"}, "slurm", 3, 4, "SLURMEnvironment"),
        ({**SRUN, "SLURM_JOB_NAME": "interactive"}, "slurm", 3, 4, "LightningEnvironment"),
        ({**SRUN, "LOCAL_RANK": "1"}, "slurm", 3, 4, "SLURMEnvironment"),
        ({"LOCAL_RANK": "2", "NODE_RANK": "0"}, "local", 2, 1, "LightningEnvironment"),
        ({"LOCAL_RANK": "2", "WORLD_SIZE": "4", "NODE_RANK": "0"}, "local", 2, 4, "LightningEnvironment"),
    ],
)
def test_every_launcher_gives_each_process_its_number(environment, variables, name, number, n, kind):
    environment(variables)
    assert (launcher(), rank(), world()) == (name, number, n)
    assert type(_environment(TrainerSettings(devices=2, nodes=2))).__name__ == kind
    assert type(_environment(TrainerSettings())).__name__ == "LightningEnvironment"


def test_a_launcher_that_started_another_number_of_processes_is_refused(environment):
    environment({**ONE_TASK})
    with pytest.raises(ConfigError, match=r"slurm started 1 processes, but trainer.devices=4 .* ask for 4"):
        _environment(TrainerSettings(devices=4))


def test_a_configuration_is_composed_without_torch():
    code = "import sys, zoo.config; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
