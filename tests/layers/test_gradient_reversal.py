import torch

from zoo.layers.gradient_reversal import GradientReversal


def test_forward_is_the_identity_and_backward_turns_the_gradient_round():
    x = torch.randn(3, 4, requires_grad=True)
    y = GradientReversal(0.5)(x)
    assert torch.equal(x, y)
    (y * torch.arange(4.0)).sum().backward()
    assert torch.equal(x.grad, -0.5 * torch.arange(4.0).expand(3, 4))
