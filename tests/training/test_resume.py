"""A run that is killed and started again ends with the same weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from zoo.errors import ConfigError
from zoo.training.resume import open_run
from zoo.training.run import train

RUN = """
import json, sys
from zoo.training import module
step = module.TrainingModule.training_step
def noted(self, batch, batch_idx):
    indices = batch["index"].tolist()
    step(self, batch, batch_idx)
    with open(sys.argv[2], "a") as log:
        log.write(json.dumps([self.global_step, indices]) + "\\n")
module.TrainingModule.training_step = noted
from zoo.training.resume import open_run
from zoo.training.run import train
train(json.load(open(sys.argv[1])))
"""


class Runner:
    """Runs of one configuration in processes of their own, with a log of what every step saw."""

    def __init__(self, config, folder: Path):
        self.folder = folder
        self.config = folder / "asked.json"
        self.config.write_text(json.dumps(config))
        self.log = folder / "steps.jsonl"
        self.last = Path(config["output_dir"]) / "checkpoints" / "last.ckpt"

    def start(self):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(self.config), str(self.log)], env=environment, stderr=subprocess.PIPE
        )

    def stop_at(self, step, signum):
        """Start, send a signal soon after a step, and return the exit code and what stderr said."""
        process = self.start()
        deadline = time.monotonic() + 120
        while self.steps() < step:
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signum)
        said = process.communicate(timeout=60)[1].decode()
        return process.returncode, said

    def steps(self):
        return len(self.seen())

    def seen(self):
        """{step: indices}, of the last time where a step was done again."""
        if not self.log.exists():
            return {}
        lines = self.log.read_text().split("\n")[:-1]
        return dict(json.loads(line) for line in lines)


@pytest.mark.slow
def test_a_run_killed_terminated_and_interrupted_ends_as_if_nothing_had_happened(config, tmp_path, monkeypatch):
    config["data"] |= {"n_train": 410, "n_test": 60}
    config["trainer"] |= {"max_epochs": 4, "batch_size": 8, "checkpoint_every": 10, "threads": 1, "patience": 1}
    config["optimizer"] |= {"schedule": "plateau"}
    per_epoch, n = 52, 410
    run = Runner(config, tmp_path)

    code, _ = run.stop_at(33, signal.SIGKILL)
    assert code == -signal.SIGKILL
    saved = torch.load(run.last, weights_only=True)
    assert 30 <= saved["global_step"] < per_epoch

    code, said = run.stop_at(per_epoch + 15, signal.SIGTERM)
    assert code == 128 + signal.SIGTERM
    assert f"resume={config['output_dir']}" in said
    saved = torch.load(run.last, weights_only=True)
    assert saved["global_step"] == max(run.seen())

    code, said = run.stop_at(2 * per_epoch + 5, signal.SIGINT)
    assert code == 128 + signal.SIGINT
    assert "Traceback" not in said

    resumed = train({"resume": config["output_dir"]})
    undisturbed = train({**config, "output_dir": str(tmp_path / "undisturbed")})
    for name in ("model/model.safetensors", "checkpoints/best.safetensors"):
        a, b = load_file(resumed.folder / name), load_file(undisturbed.folder / name)
        assert a.keys() == b.keys()
        assert all(torch.equal(a[k], b[k]) for k in a), name
    a, b = (torch.load(r.folder / "checkpoints" / "last.ckpt", weights_only=True) for r in (resumed, undisturbed))
    assert a["global_step"] == b["global_step"]
    assert all(torch.equal(a["state_dict"][k], b["state_dict"][k]) for k in a["state_dict"])
    assert a["callbacks"] == b["callbacks"]
    seen = run.seen()
    for epoch in range(2):
        steps = range(epoch * per_epoch + 1, (epoch + 1) * per_epoch + 1)
        assert sorted(i for step in steps for i in seen[step]) == list(range(n))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", [1, 20, 38, 39], ids=lambda at: f"step {at} of 39")
def test_a_signal_in_mid_step_is_answered_after_a_step_with_a_checkpoint(config, monkeypatch, signum, at):
    from zoo.training import module

    config["trainer"] |= {"max_epochs": 3, "checkpoint_every": 1000}  # 13 steps an epoch
    step = module.TrainingModule.training_step

    def interrupted(self, batch, batch_idx):
        step(self, batch, batch_idx)
        if self.global_step == at:
            os.kill(os.getpid(), signum)

    handlers = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    with monkeypatch.context() as patch:
        patch.setattr(module.TrainingModule, "training_step", interrupted)
        if at == 39:  # the last step is done, and with it the training
            assert train(config).metrics
        else:
            with pytest.raises(SystemExit) as end:
                train(config)
            assert end.value.code == 128 + signum
            last = Path(config["output_dir"]) / "checkpoints" / "last.ckpt"
            assert torch.load(last, weights_only=True)["global_step"] == at + 1
            assert train({"resume": config["output_dir"]}).metrics
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)] == handlers


def test_the_losses_logged_before_a_run_was_cut_off_are_kept(config, monkeypatch):
    from zoo.training import run

    config["trainer"] |= {"logger": "csv", "max_epochs": 1}
    with monkeypatch.context() as patch:
        patch.setattr(run.TrainingPlan, "evaluate", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(config)
    folder = train(config).folder
    header, *rows = (folder / "logs" / "metrics.csv").read_text().splitlines()
    assert {"step", "train/loss", "validation_loss"} <= set(header.split(","))
    assert len(rows) >= 2


def test_another_configuration_does_not_go_on_in_the_folder_of_a_run(config, monkeypatch):
    from zoo.training import run

    monkeypatch.setattr(run.TrainingPlan, "evaluate", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(config)
    with pytest.raises(ConfigError, match="another configuration: go on with resume="):
        train({**config, "seed": 5})


def test_a_run_cut_off_before_its_evaluation_only_evaluates(config, monkeypatch, tmp_path):
    from zoo.training import module, run

    with monkeypatch.context() as patch:
        patch.setattr(run.TrainingPlan, "evaluate", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(config)

    def never(*arguments):
        raise AssertionError("trained again")

    monkeypatch.setattr(module.TrainingModule, "training_step", never)
    result = train(config)
    assert result.metrics
    assert (result.model_folder / "model.safetensors").is_file()


@pytest.mark.parametrize(
    "content", [{"thesis.tex": "x"}, {"README.txt": "x"}, {"config.json": '{"format": 1}'}, {"model/a": "x"}]
)
def test_a_folder_that_holds_something_else_is_left_as_it_is(config, tmp_path, content):
    from zoo.config import run

    folder = tmp_path / "run"
    for name, text in content.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    before = sorted(folder.rglob("*"))
    words = ["experiment=demo", f"output_dir={folder}"]
    for start in (lambda: open_run(config), lambda: run(print, words), lambda: run(print, [*words, "-m", "seed=1,2"])):
        with pytest.raises(
            ConfigError, match=r"holds '.*' and is no (run|sweep)'s folder: choose another, or a new one"
        ):
            start()
    assert sorted(folder.rglob("*")) == before


def test_a_folder_with_a_scheduler_s_messages_is_a_new_run_s(config, tmp_path):
    (tmp_path / "run").mkdir()
    for name in ("slurm-17.out", "train.log", ".hydra"):
        (tmp_path / "run" / name).touch()
    open_run(config)[0].begin(config)
    open_run(config)
    (tmp_path / "run" / "report.html").touch()  # beside a run's own files anything may lie
    open_run(config)
    with pytest.raises(ConfigError, match="is a file"):
        open_run({**config, "output_dir": str(tmp_path / "run" / "train.log")})
