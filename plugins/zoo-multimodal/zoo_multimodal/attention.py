"""Attention from chosen positions of the window over all positions of sequence and signal.

queries (N, E, Q), sequence (N, C, K), signal (N, A, S, T), distances in bp
    -> weights (N, heads, Q, K + A T), which sum to 1 -> what they pick, (N, heads (C + S), Q)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo.layers.distance_waves import distance_waves

WAVELENGTHS = tuple(2.0**k for k in range(5, 14))
"""bp of the waves that a distance is written in."""


def distance_features(distance: Tensor) -> Tensor:
    """distance: (Q, K) in bp -> (Q, K, F): sine and cosine of it at wavelengths of 32 to 8,192 bp."""
    return distance_waves(distance, WAVELENGTHS)


class CrossAttention(nn.Module):
    """Weighted means of sequence and of signal, by weights that a query gives to all positions of both together.

    The score of a position is the product of the query with its features, and with its signed distance written as
    waves (Transformer-XL's relative positions, Dai et al. 2019).  One softmax over sequence and signal, so that a
    track that is missing has weight 0 and leaves the rest to the others.

    query: channels of a query.  sequence, signal: channels of their features.  tracks: A.
    """

    def __init__(self, query: int, *, sequence: int, signal: int, tracks: int, heads: int):
        super().__init__()
        self.heads, self.channels, self.tracks = heads, (sequence, signal), tracks
        waves = 2 * len(WAVELENGTHS)
        self.of_sequence = nn.Conv1d(query, heads * sequence, 1)
        self.of_distance = nn.Conv1d(query, heads * waves, 1)
        if tracks:
            self.of_signal = nn.Conv1d(query, heads * tracks * signal, 1)
            self.of_signal_distance = nn.Conv1d(query, heads * tracks * waves, 1)
            self.bias = nn.Parameter(torch.zeros(heads, 1, tracks, 1))

    def weights(
        self,
        query: Tensor,
        sequence: Tensor,
        distance: Tensor,
        signal: Tensor | None = None,
        signal_distance: Tensor | None = None,
        present: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """query (N, E, Q), sequence (N, C, K), signal (N, A, S, T), distances (Q, K) and (Q, T), present (N, A) bool
        -> weights of the sequence (N, heads, Q, K) and of the signal (N, heads, Q, A, T).
        """
        n, _, q = query.shape
        keys = self.of_sequence(query).reshape(n, self.heads, -1, q).transpose(2, 3)
        scores = torch.matmul(keys, sequence.unsqueeze(1)) / math.sqrt(self.channels[0])
        waves = self.of_distance(query).reshape(n, self.heads, -1, q)
        scores = scores + torch.einsum("nhfq,qkf->nhqk", waves, distance_features(distance))
        if signal is None or signal_distance is None or present is None:
            return torch.softmax(scores, 3), None
        bins, shape = signal.shape[3], (n, self.heads, self.tracks, -1, q)
        keys = self.of_signal(query).reshape(shape)
        others = torch.einsum("nhasq,nast->nhqat", keys, signal) / math.sqrt(self.channels[1])
        waves = self.of_signal_distance(query).reshape(shape)
        others = others + torch.einsum("nhafq,qtf->nhqat", waves, distance_features(signal_distance)) + self.bias
        others = others.masked_fill(~present[:, None, None, :, None], -torch.inf)
        joined = torch.softmax(torch.cat([scores, others.reshape(n, self.heads, q, self.tracks * bins)], 3), 3)
        return joined[..., : scores.shape[3]], joined[..., scores.shape[3] :].reshape(others.shape)

    def pick(
        self, weights: Tensor, sequence: Tensor, of_signal: Tensor | None = None, signal: Tensor | None = None
    ) -> Tensor:
        """Weights as `weights` gives them, sequence (N, C, K), signal (N, A, S, T) -> (N, heads (C + A S), Q)."""
        picked = torch.einsum("nhqk,nck->nhcq", weights, sequence).flatten(1, 2)
        if of_signal is None or signal is None:
            return picked
        return torch.cat([picked, torch.einsum("nhqat,nast->nhasq", of_signal, signal).flatten(1, 3)], 1)
