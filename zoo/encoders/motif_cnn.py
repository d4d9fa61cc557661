"""One layer of motif detectors and a global maximum: the smallest network that reads DNA well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.fields import Grid
from zoo.interfaces import Encoder
from zoo.layers.initialization import fresh
from zoo.layers.tied_conv import convolution

_BEST_SCORE = 4.0
_THRESHOLD = 2.0


class MotifCNN(Encoder):
    """Convolution, activation, global max pooling, and an optional hidden layer.

    1. one_hot (N, 4, L), padded so that a motif at the window's rim meets the whole of every filter
    2. convolution of `filters` filters, `width` bp wide -> (N, F, L)
    3. relu, or exp, which makes filters read as motifs (Koo and Ploenzke 2021)
    4. the maximum over the window -> (N, F, 1)
    5. if `hidden`: dropout, a dense layer and relu -> (N, hidden, 1)

    After DeepBind (Alipanahi et al. 2015); differs from it in the two-sided padding and in having no
    learned threshold apart from the bias.  No normalisation, so that training and evaluation see one function.

    filters: number of filters.
    width: bp of a filter.
    hidden: units of the dense layer, 0 for none.
    dropout: probability with which a pooled feature is left out in training.
    activation: relu or exp.
    tied: every filter comes with its reverse complement, which doubles the channels of both layers, and
        the embedding of the other strand is the same with the channels reversed.
    motifs: names or identifiers of JASPAR matrices that the first filters start from.  They are looked
        up only for fresh weights: stored weights need no matrices.
    """

    pools = True
    receptive_field = None

    def __init__(
        self,
        *,
        filters: int = 64,
        width: int = 21,
        hidden: int = 32,
        dropout: float = 0.1,
        activation: Literal["relu", "exp"] = "relu",
        tied: bool = False,
        motifs: Sequence[str] = (),
    ):
        super().__init__()
        if activation not in ("relu", "exp"):
            raise ConfigError(f"activation {activation!r} of motif_cnn must be relu or exp")
        self.strand = "equivariant" if tied else "none"
        strands = 2 if tied else 1
        self.activation = activation
        self.convolution = convolution(4, strands * filters, width, padding=width // 2, tied=tied)
        self.dense = None
        if hidden:
            self.dropout = nn.Dropout(dropout)
            self.dense = convolution(strands * filters, strands * hidden, 1, tied=tied)
        self.out_channels = strands * (hidden or filters)
        if activation == "exp":
            nn.init.normal_(self.convolution.weight, std=0.1)
        if motifs and fresh():
            _start_from(self.convolution, motifs)

    def grid(self, length: int) -> Grid:
        """One position, the whole window."""
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> embedding (N, D, 1)."""
        x = self.convolution(inputs["one_hot"])
        x = torch.relu(x) if self.activation == "relu" else torch.exp(x)
        x = x.amax(2, keepdim=True)
        if self.dense is None:
            return x
        return torch.relu(self.dense(self.dropout(x)))


def _start_from(conv: nn.Conv1d, names: Sequence[str]) -> None:
    """Set the first filters to scaled log-odds, the best match scoring 4 and the bias a threshold at half of it."""
    from zoo.data.motifs import get_motif

    filters, _, width = conv.weight.shape
    if len(names) > filters:
        raise ConfigError(f"{len(names)} motifs do not fit into {filters} filters: set encoder.filters={len(names)}")
    with torch.no_grad():
        for i, name in enumerate(names):
            log_odds = torch.from_numpy(get_motif(name).log_odds()).to(conv.weight)
            if log_odds.shape[1] > width:
                raise ConfigError(
                    f"motif {name!r} is {log_odds.shape[1]} bp wide but the filters are {width} bp: "
                    f"set encoder.width={log_odds.shape[1]}"
                )
            log_odds = log_odds * (_BEST_SCORE / log_odds.amax(0).sum())
            start = (width - log_odds.shape[1]) // 2
            conv.weight[i] = 0
            conv.weight[i, :, start : start + log_odds.shape[1]] = log_odds
            conv.bias[i] = -_THRESHOLD  # type: ignore[index]  # this one has a bias
