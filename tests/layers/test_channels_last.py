"""The faster layout computes the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zoo.layers.channels_last import channels_first, channels_last
from zoo.layers.tied_conv import TiedConv1d


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv1d(6, 8, 5, padding=2),
        nn.Conv1d(6, 8, 3, padding="same", dilation=4),
        nn.Conv1d(6, 8, 4, stride=3),
        nn.Conv1d(6, 12, 3, groups=3, bias=False),
        nn.Conv1d(6, 8, 3, padding=1, padding_mode="circular"),
        TiedConv1d(6, 8, 5, padding=2),
        nn.Conv1d(16, 2, 7, padding=3),
        nn.Conv1d(16, 1, 5, padding=4, dilation=3, bias=False),
        nn.Conv1d(16, 1, 9),
        nn.Conv1d(16, 2, 9, padding="same"),
    ],
    ids=lambda conv: f"{type(conv).__name__}-{conv.extra_repr()}",
)
def test_outputs_gradients_and_names_are_those_of_the_plain_convolution(conv):
    x = torch.randn(3, conv.in_channels, 50)
    model = nn.Sequential(conv, nn.ReLU())
    names = list(model.state_dict())
    wanted = run(model, x)
    channels_last(model)
    assert type(conv).__mro__[2] in (nn.Conv1d, TiedConv1d)
    assert list(model.state_dict()) == names
    assert channels_last(model) is model
    for got, want in zip(run(model, x), wanted, strict=True):
        torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)
    channels_first(model)
    assert type(conv) in (nn.Conv1d, TiedConv1d)
    for got, want in zip(run(model, x), wanted, strict=True):
        assert torch.equal(got, want)


def run(model, x):
    model.zero_grad()
    x = x.clone().requires_grad_()
    y = model(x)
    y.square().sum().backward()
    return [y.detach(), x.grad, *(p.grad.clone() for p in model.parameters())]


def test_a_convolution_of_its_own_kind_is_left_alone():
    class Own(nn.Conv1d):
        def _conv_forward(self, x, weight, bias):
            return super()._conv_forward(x, 2 * weight, bias)

    model = channels_last(nn.Sequential(Own(4, 4, 3)))
    assert type(model[0]) is Own


def test_channels_stay_contiguous_between_layers():
    model = channels_last(nn.Sequential(nn.Conv1d(4, 8, 3), nn.ReLU(), nn.Conv1d(8, 8, 3)))
    y = model[1](model[0](torch.randn(2, 4, 30)))
    assert y.stride(1) == 1
