"""Networks that read windows of one length alone, as those with a dense layer over all positions do."""

from torch import nn

from zoo.errors import ContractError
from zoo.fields import Grid
from zoo.interfaces import Encoder


class Dense(Encoder):
    """A convolution, then one dense layer over all positions (Basset, DeepSEA)."""

    receptive_field = None
    pools = True
    out_channels = 6

    def __init__(self, *, length: int = 601, refuses: bool = True):
        super().__init__()
        self.length, self.refuses = length, refuses
        self.convolution = nn.Conv1d(4, 3, 7, padding=3)
        self.dense = nn.Linear(3 * length, 6)

    def grid(self, length):
        if self.refuses and length != self.length:
            raise ContractError(f"dense reads windows of {self.length} bp, not {length} bp")
        return Grid(0, length, 1)

    def forward(self, inputs):
        x = self.convolution(inputs["one_hot"]).relu()
        return self.dense(x.flatten(1)).tanh().unsqueeze(2)


class Positions(Encoder):
    """A convolution with positions, for windows of one length."""

    receptive_field = 401
    out_channels = 4

    def __init__(self, *, length: int = 500):
        super().__init__()
        self.length = length
        self.convolution = nn.Conv1d(4, 4, 401, padding=200)

    def grid(self, length):
        if length != self.length:
            raise ContractError(f"positions reads windows of {self.length} bp, not {length} bp")
        return Grid(0, 1, length)

    def forward(self, inputs):
        return self.convolution(inputs["one_hot"]).tanh()
