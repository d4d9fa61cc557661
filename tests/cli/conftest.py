import os
import pty
import subprocess

import pytest

from zoo.cli.main import main


@pytest.fixture
def zoo(capsys):
    """zoo("list", "models") -> (exit code, stdout, stderr), in this process."""

    def call(*args):
        capsys.readouterr()
        code = main(list(args))
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def at_a_terminal(tmp_path, forks):
    """at_a_terminal("list") -> (exit code, what `zoo list` shows on a terminal's stderr), in a process of its own."""

    def run(*args):
        ours, theirs = pty.openpty()
        env = {**os.environ, "COLUMNS": "120", "TERM": "xterm", "OMP_NUM_THREADS": "1"}
        command = [forks / "zoo", *args]
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
        return running.returncode, seen

    return run
