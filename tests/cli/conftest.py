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
