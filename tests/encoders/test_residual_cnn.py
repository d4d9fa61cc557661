"""The residual CNN: where its positions lie, and what it refuses."""

import pytest
import torch

from zoo.encoders.residual_cnn import ResidualCNN
from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid


def test_a_position_covers_the_pool_and_the_last_bin_may_be_shorter():
    encoder = ResidualCNN(filters=8, pool=4)
    assert encoder.grid(101) == Grid(0, 4, 26)
    with torch.no_grad():
        assert encoder({"one_hot": torch.zeros(2, 4, 101)}).shape == (2, 8, 26)


def test_its_receptive_field_is_what_a_change_of_one_base_can_reach():
    encoder = ResidualCNN(filters=8, width=7, pool=4, layers=2, kernel=3).double().eval()
    x = torch.rand(1, 4, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    reach = set()
    with torch.no_grad():
        before = encoder({"one_hot": x})
        for base in range(96, 100):
            changed = x.clone()
            changed[:, :, base] += 5
            moved = (encoder({"one_hot": changed}) - before).abs().amax((0, 1)).nonzero()[:, 0]
            reach |= {base - 4 * int(t) for t in moved} | {4 * int(t) + 3 - base for t in moved}
    # A position sees `receptive_field` bp: those it covers, and as many on both sides of them.
    assert max(reach) <= (encoder.receptive_field + 4) // 2 + 2


def test_a_tied_pool_must_divide_the_window():
    with pytest.raises(ContractError, match="use 100 bp"):
        ResidualCNN(filters=8, tied=True).grid(101)


@pytest.mark.parametrize("options", [{"width": 4}, {"kernel": 2}, {"pool": 0}])
def test_sizes_that_would_move_bases_are_refused(options):
    with pytest.raises(ConfigError, match="residual_cnn must be"):
        ResidualCNN(**options)
