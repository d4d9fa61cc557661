"""Layers of a file in their order, whatever they are called: convolutions, normalisations, dense and recurrent layers.

WeightFile -> LayerReader -> convolution(320, 4, 26) {weight, bias}, norm(320), dense(925, 48000), lstm(320, 320)

Keras keeps kernels (width, in, out) and dense layers (in, out); Torch7 and its heirs have two-dimensional kernels
(out, in, 1, width) or (out, in, width, 1).  All come out as PyTorch has them: (out, in, width) and (out, in).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.importing.weight_file import WeightFile

_ROLES = {
    "kernel": "weight", "gamma": "weight", "beta": "bias", "moving_mean": "running_mean",
    "moving_variance": "running_var", "recurrent_kernel": "recurrent",
}  # fmt: skip
_DIRECTIONS = (("", "forward"), ("_reverse", "backward"))


class LayerReader:
    """One file, layer by layer.  Every method takes the next layer of its kind and checks its shape.

    architecture: for errors.
    """

    def __init__(self, file: WeightFile, architecture: str):
        self.file, self.architecture = file, architecture
        self.is_keras = file.writer == "keras"
        self.layers: dict[str, dict[str, str]] = {}
        separator = "/" if self.is_keras else "."
        for name in file.names:
            layer, _, role = name.rpartition(separator)
            self.layers.setdefault(layer, {})[_ROLES.get(role, role)] = name
        self.left: dict[str, list[str]] = {"convolution": [], "norm": [], "dense": [], "recurrent": []}
        for layer, roles in self.layers.items():
            kind = self._kind(roles)
            if kind:
                self.left[kind].append(layer)
        file.leave_out("*num_batches_tracked", "counts of training batches, which no prediction reads")

    @property
    def is_two_dimensional(self) -> bool:
        """Whether its convolutions are those of Torch7: kernels with an axis of one."""
        return any(len(self.file.shape(self.layers[layer]["weight"])) == 4 for layer in self.left["convolution"])

    def convolution(self, filters: int, channels: int, width: int) -> dict[str, Tensor]:
        """{"weight": (filters, channels, width), "bias": (filters,)} of the next convolution."""
        layer, roles = self._next("convolution")
        name = roles["weight"]
        if self.is_keras:
            weight = self.file.take(name, width, channels, filters).permute(2, 1, 0)
        elif len(self.file.shape(name)) == 4:
            axis = 2 if self.file.shape(name)[2] == 1 else 3
            shape = [filters, channels, width]
            shape.insert(axis, 1)
            weight = self.file.take(name, *shape).squeeze(axis)
        else:
            weight = self.file.take(name, filters, channels, width)
        return {"weight": weight.contiguous(), "bias": self._bias(layer, roles, filters)}

    def norm(self, channels: int) -> dict[str, Tensor]:
        """Weight, bias and running statistics of the next batch normalisation, each (channels,)."""
        import torch

        _, roles = self._next("norm")
        parts = {r: self.file.take(roles[r], channels) for r in ("running_mean", "running_var")}
        for role, default in (("weight", 1.0), ("bias", 0.0)):
            parts[role] = self.file.take(roles[role], channels) if role in roles else torch.full((channels,), default)
        return {**parts, "num_batches_tracked": torch.tensor(0)}

    def dense(self, units: int, inputs: int, flattened: tuple[int, int] | None = None) -> dict[str, Tensor]:
        """{"weight": (units, inputs), "bias": (units,)} of the next dense layer.

        flattened: (positions, channels) where it reads a flattened signal, which Keras flattens position by position
            and PyTorch channel by channel.
        """
        layer, roles = self._next("dense")
        if not self.is_keras:
            return {
                "weight": self.file.take(roles["weight"], units, inputs),
                "bias": self._bias(layer, roles, units),
            }
        weight = self.file.take(roles["weight"], inputs, units).T
        if flattened is not None:
            positions, channels = flattened
            weight = weight.reshape(units, positions, channels).transpose(1, 2).reshape(units, inputs)
        return {"weight": weight.contiguous(), "bias": self._bias(layer, roles, units)}

    def lstm(self, channels: int, hidden: int) -> dict[str, Tensor]:
        """The next recurrent layer by the names of a bidirectional torch.nn.LSTM; Keras has the same order of gates."""
        import torch

        shapes = {"weight_ih": (4 * hidden, channels), "weight_hh": (4 * hidden, hidden)}
        shapes |= {"bias_ih": (4 * hidden,), "bias_hh": (4 * hidden,)}
        weights = {}
        for suffix, direction in _DIRECTIONS:
            if not self.is_keras:
                _, roles = (suffix, self.layers[self._peek("recurrent")])
                names = {f"{n}_l0{suffix}": n for n in shapes}
                weights |= {k: self.file.take(self._role(roles, k), *shapes[n]) for k, n in names.items()}
                continue
            layer = self._peek("recurrent")
            if direction not in layer:
                raise self._lacks("bidirectional recurrent")
            roles = self.layers[self.left["recurrent"].pop(0)]
            weights[f"weight_ih_l0{suffix}"] = self.file.take(roles["weight"], channels, 4 * hidden).T.contiguous()
            weights[f"weight_hh_l0{suffix}"] = self.file.take(roles["recurrent"], hidden, 4 * hidden).T.contiguous()
            weights[f"bias_ih_l0{suffix}"] = self.file.take(roles["bias"], 4 * hidden)
            weights[f"bias_hh_l0{suffix}"] = torch.zeros(4 * hidden)
        if not self.is_keras:
            self._next("recurrent")
        return weights

    def next_units(self) -> int:
        """Units of the next dense layer."""
        shape = self.file.shape(self.layers[self._peek("dense")]["weight"])
        return shape[1] if self.is_keras else shape[0]

    def _kind(self, roles: dict[str, str]) -> str:
        if "running_mean" in roles:
            return "norm"
        if "recurrent" in roles or "weight_hh_l0" in roles:
            return "recurrent"
        rank = len(self.file.shape(roles["weight"])) if "weight" in roles else 0
        return {2: "dense", 3: "convolution", 4: "convolution"}.get(rank, "")

    def _peek(self, kind: str) -> str:
        if not self.left[kind]:
            raise self._lacks(kind)
        return self.left[kind][0]

    def _next(self, kind: str) -> tuple[str, dict[str, str]]:
        layer = self._peek(kind)
        self.left[kind].pop(0)
        return layer, self.layers[layer]

    def _role(self, roles: dict[str, str], role: str) -> str:
        if role not in roles:
            raise self._lacks("recurrent")
        return roles[role]

    def _bias(self, layer: str, roles: dict[str, str], size: int) -> Tensor:
        import torch

        return self.file.take(roles["bias"], size) if "bias" in roles else torch.zeros(size)

    def _lacks(self, kind: str) -> ZooError:
        return ZooError(
            f"{self.file.path} has fewer {kind} layers than {self.architecture!r}: it is of another architecture, or "
            "not the whole of it"
        )
