"""DeepLIFT/SHAP: the rescale rule, averaged over references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from torch import Tensor

from zoo.errors import ConfigError
from zoo.interfaces import Attribution, Interpreter
from zoo.prediction.inference import batch_rows
from zoo_attribution.contributions import Kind, ReferencePairs, check_kind, in_chunks
from zoo_attribution.references import check_references
from zoo_attribution.rescale.network import record_network

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output


class DeepLiftShap(Interpreter):
    """DeepLIFT's rescale rule (Shrikumar et al. 2017) from several references (Lundberg and Lee 2017).

    A sequence is run once and each of its references once, forwards and backwards; see
    zoo_attribution.rescale for the rules, which hold for functions and modules alike, used once or often.

    references: zero, gc or dinucleotide (zoo_attribution.references).
    n_references: sequences averaged over, for gc and dinucleotide.
    kind: hypothetical, for all four bases, or contribution, of the base that is there.
    center: subtract the mean over the four bases.
    seed: of the references.
    broken: refuse, or allow with the gradient's rule, a model with a layer that breaks additivity.

    delta is the largest error of the sum of contributions over the references.  Raises ConfigError, before anything
    is run, with the name of the layer that breaks additivity.
    """

    def __init__(
        self,
        *,
        references: Literal["zero", "gc", "dinucleotide"] = "dinucleotide",
        n_references: int = 20,
        kind: Kind = "hypothetical",
        center: bool = False,
        seed: int = 0,
        broken: Literal["refuse", "allow"] = "refuse",
    ):
        check_references(references, n_references)
        check_kind(kind)
        if broken not in ("refuse", "allow"):
            raise ConfigError(f"broken {broken!r} of deeplift_shap must be refuse or allow")
        self.references, self.n_references, self.seed = references, n_references, seed
        self.kind, self.center, self.broken = kind, center, broken

    def attribute(self, model: Model, batch: Mapping[str, Tensor], output: Output) -> Attribution:
        """batch as the model takes it -> {one_hot: (N, 4, L)}, with convergence deltas."""
        pairs = ReferencePairs(model, batch, self.references, self.n_references, self.seed)
        network = record_network(model, output, pairs.inputs)
        if network.broken and self.broken == "refuse":
            raise ConfigError(
                f"deeplift_shap does not add up in model {model.spec.name!r}: {network.broken[0]}: "
                "take integrated_gradients, or set broken=allow and mind the convergence deltas"
            )
        x = pairs.x
        total, at_reference, at_sequence = x.new_zeros(len(pairs)), x.new_zeros(len(pairs)), x.new_zeros(len(x))
        rows = network.rows or batch_rows(model.spec.input_length, x.device.type)

        def of_sequences(row: Tensor) -> None:
            sequences = network.at({k: v[row] for k, v in pairs.inputs.items()}, len(row))
            at_sequence[row] = sequences.output

            def of_references(chosen: Tensor) -> None:
                pair = chosen + row[0] * pairs.each
                reference = pairs.references(pair)
                multipliers, value = sequences.multipliers(pairs.inputs_at(pair, reference), pairs.rows(pair) - row[0])
                total[pair] = pairs.add(pair, multipliers, reference)
                at_reference[pair] = value

            in_chunks(len(row) * pairs.each, rows, x.device, of_references)

        in_chunks(len(x), rows, x.device, of_sequences)
        pairs.check(total, at_sequence, at_reference)
        return pairs.attribution(self.kind, self.center)
