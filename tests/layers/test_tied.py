"""Layers that are true to the strand: layer(rc(x)) = rc(layer(x)), whatever the weights."""

import pytest
import torch
from torch import nn

from zoo.errors import ContractError
from zoo.fields import ONE_HOT, Grid
from zoo.layers.attention_pooling import AttentionPooling
from zoo.layers.dilated_block import DilatedBlock
from zoo.layers.recurrent import Bidirectional
from zoo.layers.tied_conv import TiedBatchNorm1d, TiedConv1d, conv_grid


def rc(x):
    return x.flip(1, 2)


def test_the_flip_of_channels_is_the_reverse_complement_of_sequence():
    x = torch.nn.functional.one_hot(torch.randint(4, (2, 9)), 4).movedim(-1, 1)
    assert torch.equal(ONE_HOT.flip(x), rc(x))


@pytest.mark.parametrize(
    "layer",
    [
        TiedConv1d(4, 6, 7, padding=3),
        TiedConv1d(4, 6, 7),
        TiedConv1d(6, 10, 4, padding=2),
        TiedConv1d(6, 6, 3, padding="same", dilation=4),
        TiedConv1d(6, 6, 3, stride=2, padding=1),
        TiedConv1d(6, 2, 1, bias=False),
        DilatedBlock(6, kernel=5, dilation=3, tied=True),
        Bidirectional(6, 5, tied=True),
        Bidirectional(6, 5, cell="lstm", tied=True),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_tied_layer_is_true_to_the_strand(layer):
    torch.manual_seed(0)
    for p in layer.parameters():
        nn.init.normal_(p)
    convolution = layer if isinstance(layer, nn.Conv1d) else getattr(layer, "convolution", None)
    channels = convolution.in_channels if convolution is not None else 6
    x = torch.randn(3, channels, 41)
    y = layer(x)
    assert y.std() > 0.1
    torch.testing.assert_close(layer(rc(x)), rc(y), rtol=1e-5, atol=1e-5)


def test_a_tied_convolution_has_half_of_the_weights_and_all_of_the_channels():
    layer = TiedConv1d(4, 8, 5)
    assert layer.weight.shape == (4, 4, 5)
    assert layer(torch.randn(1, 4, 9)).shape == (1, 8, 5)


def test_a_filter_and_its_twin_find_a_motif_on_either_strand():
    layer = TiedConv1d(4, 2, 3, bias=False)
    with torch.no_grad():
        layer.weight[:] = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])  # ACG
    acg, cgt = torch.zeros(2, 1, 4, 3)
    acg[0, [0, 1, 2], [0, 1, 2]] = 1
    cgt[0, [1, 2, 3], [0, 1, 2]] = 1
    assert layer(acg)[0, :, 0].tolist() == [3, 0]
    assert layer(cgt)[0, :, 0].tolist() == [0, 3]


def test_odd_channels_and_lopsided_padding_are_refused():
    with pytest.raises(ContractError, match="even number of channels, not 7"):
        TiedConv1d(4, 7, 5)
    with pytest.raises(ContractError, match="cannot be padded alike"):
        TiedConv1d(4, 8, 4, padding="same")


def test_a_stride_that_leaves_something_over_is_refused_with_the_window_that_fits():
    layer = TiedConv1d(4, 8, 3, stride=2, padding=1)
    assert layer.grid(Grid(0, 1, 41)).length == 21
    with pytest.raises(ContractError, match="use a window of 41 bp"):
        layer.grid(Grid(0, 1, 42))


@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), [(3, 2, 1, 1), (5, 4, 0, 2), (8, 4, 2, 1)])
def test_the_grid_of_a_convolution_has_its_length_and_middle(kernel, stride, padding, dilation):
    conv = nn.Conv1d(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
    grid = conv_grid(Grid(10, 2, 50), conv)
    x = torch.zeros(1, 1, 50)
    x[0, 0, 24] = torch.nan
    seen = conv(x)[0, 0].isnan().nonzero()[:, 0].float()
    assert conv(x).shape[2] == grid.length
    middle = grid.offset + grid.bin_size * (seen.mean() + 0.5)
    assert abs(middle - (10 + 2 * 24.5)) <= grid.bin_size / 2


def test_tied_batch_normalisation_keeps_twins_together_in_training_and_evaluation():
    torch.manual_seed(0)
    norm = TiedBatchNorm1d(6)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    x = torch.randn(8, 6, 20) * torch.arange(1, 7)[:, None]
    torch.testing.assert_close(norm(rc(x)), rc(norm(x)), rtol=1e-5, atol=1e-5)
    norm.eval()
    torch.testing.assert_close(norm(rc(x)), rc(norm(x)), rtol=1e-5, atol=1e-5)
    assert norm.running_mean.shape == (3,)


@pytest.mark.parametrize("heads", [1, 3])
def test_tied_attention_weighs_mirror_positions_alike(heads):
    torch.manual_seed(0)
    pooling = AttentionPooling(6, heads, tied=True)
    x = torch.randn(4, 6, 11)
    assert pooling(x).shape == (4, 6 * heads)
    torch.testing.assert_close(pooling.weights(rc(x)), pooling.weights(x).flip(2))
    torch.testing.assert_close(pooling(rc(x)), pooling(x).flip(1))


def test_attention_weights_are_what_the_pooling_uses():
    torch.manual_seed(0)
    pooling, x = AttentionPooling(6, 2), torch.randn(4, 6, 11)
    weights = pooling.weights(x)
    torch.testing.assert_close(weights.sum(2), torch.ones(4, 2))
    by_hand = torch.stack([(x * weights[:, h, None]).sum(2) for h in range(2)], 1).flatten(1)
    torch.testing.assert_close(pooling(x), by_hand)


def test_in_eval_a_tied_convolution_is_true_to_the_strand_to_the_bit():
    torch.manual_seed(0)
    layer = TiedConv1d(64, 64, 3, padding=2, dilation=2)
    x = 100 * torch.randn(2, 64, 501)
    trained = layer(x)
    layer.eval()
    assert torch.equal(layer(rc(x)), rc(layer(x)))
    torch.testing.assert_close(layer(x), trained, rtol=1e-4, atol=1e-4)
