"""Several processes: started by ourselves, or by srun."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from zoo.training.launch import _free_port
from zoo.training.run import train

SRUN = """#!/usr/bin/env python3
# Two tasks on two machines, as srun would start them; both machines are this one.
import os, subprocess, sys
tasks = []
for rank in range(2):
    slurm = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1",
             "SLURM_NNODES": "2", "SLURM_PROCID": str(rank), "SLURM_LOCALID": "0", "SLURM_NODEID": str(rank),
             "SLURM_NODELIST": "127.0.0.1"}
    tasks.append(subprocess.Popen(sys.argv[1:], env={**os.environ, **slurm}))
open(os.environ["PIDS"], "w").write(" ".join(str(t.pid) for t in tasks))
sys.exit(max(t.wait() for t in tasks))
"""

TRAIN = "import json, sys; from zoo.training.run import train; train(json.load(open(sys.argv[1])))"


@pytest.fixture
def config(config):
    config["encoder"]["dropout"] = 0.0  # the one thing that differs between processes on purpose
    config["data"] |= {"n_train": 90, "n_validation": 33, "n_test": 40}
    config["trainer"] |= {"max_epochs": 2, "threads": 1}
    return config


@pytest.mark.slow
def test_two_processes_train_the_model_of_one(config, tmp_path, capfd):
    alone = train({**config, "output_dir": str(tmp_path / "alone")})
    both = train({**config, "trainer": {**config["trainer"], "devices": 2}})
    assert capfd.readouterr().out.count("zoo publish") == 2
    assert both.metrics[0]["n"] == 40
    a, b = (load_file(r.model_folder / "model.safetensors") for r in (alone, both))
    for name in a:
        torch.testing.assert_close(b[name], a[name], atol=1e-3, rtol=0)
    training = json.loads((both.model_folder / "config.json").read_text())["training"]
    assert training["processes"] == 2
    assert training["steps"] == 2 * 3


@pytest.mark.slow
def test_two_processes_train_the_members_of_one_by_one_metric(config, tmp_path):
    config |= {"members": 2, "evaluation": {"bootstrap": 0}}
    config["trainer"] |= {"monitor": "auroc", "ema": 0.9}
    alone = train({**config, "output_dir": str(tmp_path / "alone")})
    both = train({**config, "trainer": {**config["trainer"], "devices": 2}})
    a, b = (load_file(r.model_folder / "model.safetensors") for r in (alone, both))
    assert {name.split(".")[1] for name in a} == {"0", "1"}
    for name in a:
        torch.testing.assert_close(b[name], a[name], atol=1e-3, rtol=0)
    a, b = (json.loads((r.model_folder / "config.json").read_text())["training"] for r in (alone, both))
    assert b["processes"] == 2
    for one, other in zip(a["members"], b["members"], strict=True):
        assert other["validation_auroc"] == pytest.approx(one["validation_auroc"], abs=5e-3)


@pytest.mark.slow
def test_a_process_that_fails_ends_the_others_and_the_run(config):
    config["trainer"] |= {"devices": 2}
    config["heads"] = {"bindin": {"name": "scalar"}}
    with pytest.raises(SystemExit) as end:
        train(config)
    assert end.value.code == 1


@pytest.mark.slow
def test_srun_starts_the_processes_and_a_signal_before_the_time_limit_queues_the_job_again(config, tmp_path):
    config["trainer"] |= {"nodes": 2, "max_epochs": 400, "patience": 0}
    tools = tmp_path / "bin"
    tools.mkdir()
    asked = tmp_path / "requeued"
    for name, text in (("srun", SRUN), ("scontrol", f'#!/bin/sh\necho "$@" >> {asked}\n')):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755 | stat.S_IXUSR)
    (tmp_path / "asked.json").write_text(json.dumps(config))
    environment = {
        **os.environ,
        "PATH": f"{tools}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PIDS": str(tmp_path / "pids"),
        "MASTER_PORT": str(_free_port()),
    }
    command = ["srun", sys.executable, "-c", TRAIN, str(tmp_path / "asked.json")]
    job = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    last = Path(config["output_dir"]) / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not last.exists():
        assert job.poll() is None, job.stderr.read().decode()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(int((tmp_path / "pids").read_text().split()[0]), signal.SIGUSR1)
    said = job.communicate(timeout=60)[1].decode()
    assert job.returncode in (128 + signal.SIGUSR1, 128 + signal.SIGTERM), said
    assert asked.read_text() == "requeue 4711\n"
    stopped = torch.load(last, weights_only=True)["global_step"]
    assert stopped > 0

    # The same command, as SLURM starts it again: it goes on where it was, here to the end it is now asked for.
    stored = Path(config["output_dir"]) / "config.json"
    epochs = -(-stopped // 3) + 1
    for path in (stored, tmp_path / "asked.json"):
        plain = json.loads(path.read_text())
        plain["trainer"]["max_epochs"] = epochs
        path.write_text(json.dumps(plain))
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    training = json.loads((Path(config["output_dir"]) / "model" / "config.json").read_text())["training"]
    assert training["steps"] == 3 * epochs
    assert training["processes"] == 2


@pytest.mark.slow
def test_torchrun_inside_one_slurm_task_makes_one_run_of_its_processes(config, tmp_path):
    """SLURM counts one task, number 0; torchrun's own numbers must win, or every process takes itself for the first."""
    config["trainer"] |= {"devices": 2, "max_epochs": 1}
    (tmp_path / "asked.json").write_text(json.dumps(config))
    (tmp_path / "script.py").write_text(TRAIN)
    slurm = {"SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NTASKS": "1", "SLURM_JOB_NAME": "train"}
    port = f"--master_port={_free_port()}"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", port]
    done = subprocess.run(
        [*command, str(tmp_path / "script.py"), str(tmp_path / "asked.json")],
        env={**os.environ, "OMP_NUM_THREADS": "1", **slurm},
        capture_output=True,
        text=True,
        timeout=600,  # 25 s of processor time, most of it imports: minutes where many share a machine
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("zoo publish") == 1
    training = json.loads((Path(config["output_dir"]) / "model" / "config.json").read_text())["training"]
    assert (training["processes"], training["steps"]) == (2, 3)
