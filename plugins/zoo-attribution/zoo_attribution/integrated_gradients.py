"""Integrated gradients: the mean gradient on the straight path from a reference to the sequence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from zoo.errors import ConfigError
from zoo.interfaces import Attribution, Interpreter
from zoo.prediction.inference import batch_rows
from zoo_attribution.contributions import Kind, ReferencePairs, check_kind, in_chunks
from zoo_attribution.output_gradient import differentiating, gradients_at, scalar_output
from zoo_attribution.references import check_references

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


class IntegratedGradients(Interpreter):
    """Sundararajan et al. 2017, with Gauss-Legendre points on the path.

    references: zero, gc or dinucleotide (zoo_attribution.references).
    n_references: sequences averaged over, for gc and dinucleotide.
    steps: points on the path from each reference.
    kind: hypothetical, for all four bases, or contribution, of the base that is there.
    center: subtract the mean over the four bases.
    seed: of the references.

    delta is the largest error of the sum of contributions over the references; more steps make it smaller.
    """

    def __init__(
        self,
        *,
        references: Literal["zero", "gc", "dinucleotide"] = "zero",
        n_references: int = 20,
        steps: int = 20,
        kind: Kind = "hypothetical",
        center: bool = False,
        seed: int = 0,
    ):
        check_references(references, n_references)
        check_kind(kind)
        if steps < 1:
            raise ConfigError(f"steps {steps} of integrated_gradients must be 1 or more: 20 is usual")
        self.references, self.n_references, self.seed = references, n_references, seed
        self.steps, self.kind, self.center = steps, kind, center

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {one_hot: (N, 4, L)}, with convergence deltas."""
        pairs = ReferencePairs(model, batch, self.references, self.n_references, self.seed)
        x = pairs.x
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        along = torch.tensor((nodes + 1) / 2).to(x)
        weight = torch.tensor(weights / 2).to(x)
        rows = batch_rows(model.spec.input_length, x.device.type)
        total, at_reference, at_sequence = x.new_zeros(len(pairs)), x.new_zeros(len(pairs)), x.new_zeros(len(x))

        def on_path(points: Tensor) -> None:
            pair, step = points // self.steps, points % self.steps
            reference = pairs.references(pair)
            here = torch.lerp(reference, x[pairs.rows(pair)], along[step].reshape(-1, 1, 1))
            (gradient,) = gradients_at(model, pairs.inputs_at(pair, here), output, ["one_hot"])
            total.index_add_(0, pair, pairs.add(pair, gradient, reference, weight[step]))

        def of_references(pair: Tensor) -> None:
            at_reference[pair] = scalar_output(model, pairs.inputs_at(pair, pairs.references(pair)), output)

        def of_sequences(row: Tensor) -> None:
            at_sequence[row] = scalar_output(model, {k: v[row] for k, v in pairs.inputs.items()}, output)

        with differentiating(model):
            in_chunks(len(pairs) * self.steps, rows, x.device, on_path)
            with torch.no_grad():
                in_chunks(len(pairs), rows, x.device, of_references)
                in_chunks(len(x), rows, x.device, of_sequences)
        pairs.check(total, at_sequence, at_reference)
        return pairs.attribution(self.kind, self.center)
