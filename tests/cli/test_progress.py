"""What a person at a terminal sees of long work."""

import os
import pty
import subprocess
import sys
from pathlib import Path


def test_training_shows_a_bar_of_its_sequences_and_a_line_an_epoch(tmp_path):
    small = ["data.n_train=400", "data.n_validation=64", "data.n_test=64", "trainer.max_epochs=2"]
    command = [Path(sys.executable).parent / "zoo", "train", "experiment=demo", *small, "evaluation.bootstrap=0"]
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "120", "TERM": "xterm", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=theirs) as running:
        os.close(theirs)
        seen = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # how Linux says that the other side is closed
                break
            if not more:
                break
            seen += more
    os.close(ours)
    assert running.returncode == 0, seen[-2000:]
    assert b"/400" in seen
    assert b"epoch 2/2  loss" in seen
    assert b"validation" in seen
