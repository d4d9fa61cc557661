"""Several processes on one machine: the run is started once more for each of them.

The parent waits, hands signals on, and ends as the first of them that fails.  A child leaves when its parent is
gone: its standard input, which nobody writes to, ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from zoo.errors import ConfigError
from zoo.training.settings import TrainerSettings

_GRACE = 30.0
"""Seconds that the others get to write their checkpoint when one has ended badly."""


def run_processes(config: Path, settings: TrainerSettings) -> None:
    """Train the run of `config` (a config.json) in one process for every device; raises SystemExit if one fails."""
    if settings.nodes > 1:
        raise ConfigError(
            f"trainer.nodes={settings.nodes} needs a process on every machine: put srun before the command, "
            "or torchrun in place of python"
        )
    environment = {
        **os.environ,
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "NODE_RANK": "0",
        "WORLD_SIZE": str(settings.devices),
    }
    if settings.accelerator == "cpu":
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // settings.devices)))
    command = [sys.executable, "-m", "zoo.training.run", str(config)]
    children = [
        subprocess.Popen(
            command, env={**environment, "LOCAL_RANK": str(rank)}, stdin=subprocess.PIPE, start_new_session=True
        )
        for rank in range(settings.devices)
    ]
    with _handing_on(children):
        code = _wait(children)
    if code:
        raise SystemExit(code if code > 0 else 128 - code)


def _wait(children: list[subprocess.Popen]) -> int:
    """Exit code of the first that failed, 0 if none did; the others are stopped."""
    try:
        while True:
            codes = [child.poll() for child in children]
            failed = [code for code in codes if code]
            if failed:
                return failed[0]
            if all(code == 0 for code in codes):
                return 0
            time.sleep(0.05)
    finally:
        deadline = time.monotonic() + _GRACE
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin is not None:
                child.stdin.close()


@contextlib.contextmanager
def _handing_on(children: list[subprocess.Popen]):
    before = {}

    def hand_on(signum: int, frame: object) -> None:
        for child in children:
            if child.poll() is None:
                child.send_signal(signum)

    with contextlib.suppress(ValueError):  # not in the main thread: signals are somebody else's
        before = {s: signal.signal(s, hand_on) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def leave_with_parent() -> None:
    """End this process once its standard input ends."""
    with contextlib.suppress(OSError):
        os.read(0, 1)
    os._exit(1)
