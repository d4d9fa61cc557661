import numpy as np
import pytest


@pytest.fixture
def draw():
    """draw(rows, length): codes with a few N."""
    random = np.random.default_rng(7)

    def codes(rows, length, letters=4):
        return random.integers(0, letters, (rows, length)).astype(np.uint8)

    return codes
