"""`Network`: a network that somebody published, as it is, for a plugin of ten lines.

class Mine(Network): length, tasks, network() -> registry.add("encoder", "mine", "zoo_mine.encoder:Mine")
zoo import weights.pt --module zoo_mine.encoder:Mine -> model folder {encoder: mine, head: channels}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError, ContractError, ZooError
from zoo.fields import Grid
from zoo.importing.conversion import Conversion, Importer, join_members
from zoo.importing.weight_file import WeightFile
from zoo.interfaces import Encoder
from zoo.registry import registry
from zoo.spec import ModelSpec


class Network(Encoder):
    """A whole network, whose outputs are the prediction.  A subclass states these and implements `network`.

    length: bp of its input.
    tasks: names of its outputs, C of them, in their order.
    positions: of a prediction along the window, in the window's middle; None where a window has one number a task.
    bin_size: bp of a position.
    activation: what remains to be done: sigmoid where it returns logits, identity where it ends in a sigmoid itself.
    letters: which bases its four input channels are.
    layout: its input: NCL is (N, 4, L), NLC is (N, L, 4), NC1L is (N, 4, 1, L).
    n_encoding: an N is four zeros ("zero") or four quarters ("quarter").
    values: of the outputs: real, count or binary.
    rc: where each task goes when the strand is reversed, None if they stay.
    renames: {begin of a tensor's name in the file: begin of its name in `network()`}, where the two differ.
    licence, citation, description: for the card.
    """

    length: ClassVar[int]
    tasks: ClassVar[Sequence[str]]
    positions: ClassVar[int | None] = None
    bin_size: ClassVar[int] = 1
    activation: ClassVar[str] = "identity"
    letters: ClassVar[str] = "ACGT"
    layout: ClassVar[str] = "NCL"
    n_encoding: ClassVar[str] = "zero"
    values: ClassVar[str] = "real"
    rc: ClassVar[Sequence[int] | None] = None
    renames: ClassVar[Mapping[str, str]] = {}
    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    description: ClassVar[str] = ""

    receptive_field = None

    def __init__(self) -> None:
        super().__init__()
        if self.layout not in ("NCL", "NLC", "NC1L"):
            raise ConfigError(f"layout {self.layout!r} of {type(self).__name__} must be NCL, NLC or NC1L")
        if sorted(self.letters) != list("ACGT"):
            raise ConfigError(f"letters {self.letters!r} of {type(self).__name__} must be A, C, G and T in some order")
        self.out_channels, self.pools = len(self.tasks), self.positions is None
        self.whole = self.network()

    def network(self) -> nn.Module:
        """The network with fresh weights: a module of one input and one output, (N, C) or (N, C, T)."""
        raise NotImplementedError(f"{type(self).__name__} must return its network from network()")

    def grid(self, length: int) -> Grid:
        """The middle of the window in bins, or the whole window as one position."""
        if length != self.length:
            raise ContractError(f"{type(self).__name__} reads windows of {self.length:,} bp, not of {length:,}")
        if self.positions is None:
            return Grid(0, length, 1)
        return Grid((length - self.positions * self.bin_size) // 2, self.bin_size, self.positions)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """inputs: {one_hot (N, 4, L)} -> (N, C, T), T = 1 without positions."""
        x = inputs["one_hot"]
        if self.letters != "ACGT":
            x = torch.cat([x[:, "ACGT".index(b) : "ACGT".index(b) + 1] for b in self.letters], 1)
        if self.layout != "NCL":
            x = x.transpose(1, 2) if self.layout == "NLC" else x.unsqueeze(2)
        y = self.whole(x)
        if not isinstance(y, Tensor):
            raise ConfigError(
                f"the network of {type(self).__name__} gives a {type(y).__name__}: let network() return a module that "
                "hands on one tensor, (N, C) or (N, C, T)"
            )
        return y if self.positions is not None else y.unsqueeze(2)

    def spec(self, name: str) -> ModelSpec:
        """What a model of this network is.  name: under which it is registered."""
        head: dict[str, Any] = {"in_channels": self.out_channels, "tasks": list(self.tasks)}
        head |= {"positions": self.positions is not None, "resolution": self.bin_size, "values": self.values}
        head["rc"] = None if self.rc is None else list(self.rc)
        return ModelSpec(
            name=name,
            encoder={"name": name, **registry().resolve("encoder", name)},
            heads={"output": {"name": "channels", **registry().resolve("head", "channels", head)}},
            input_length=self.length,
            n_encoding=self.n_encoding,
            activation={"output": self.activation},
            licence=self.licence,
            citation=self.citation,
            description=self.description,
        )


def importer_of(module: str) -> tuple[str, Importer]:
    """The name under which a plugin registered package.module:Class, and an importer of its weights.

    The module is imported: it is code of the person who types its name.
    Raises ConfigError for what is no class of a plugin, or is not registered.
    """
    path, _, attribute = module.partition(":")
    if not path or not attribute:
        raise ConfigError(f"{module!r} does not read package.module:Class: write it as in zoo_mine.encoder:Mine")
    encoders = {c.target: c.name for c in registry().components.values() if c.kind == "encoder"}
    name = encoders.get(module)
    if name is None:
        near = [target for target in encoders if target.casefold() == module.casefold()]
        near += get_close_matches(module, encoders, n=1, cutoff=0.8)
        hint = f"did you mean {near[0]}?" if near else "check the name, or"
        raise ConfigError(
            f'no installed plugin registers {module}: {hint} add registry.add("encoder", NAME, "{module}") to the '
            "zoo_register of yours, and install it"
        )
    try:
        network = getattr(import_module(path), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{module} cannot be imported ({error}): check the name, and install the package") from error
    if not (isinstance(network, type) and issubclass(network, Network)):
        raise ConfigError(f"{module} is no zoo.importing.network.Network: derive it from that class")
    return name, lambda files: _read(files, network, name)


def _read(files: Sequence[WeightFile], network: type[Network], name: str) -> Conversion:
    """Weights by the network's own names; several files are an ensemble."""
    conversions = []
    for file in files:
        example = registry().build("encoder", name)
        _check_output(example, name)
        state = {key.removeprefix("whole."): x for key, x in example.state_dict().items()}
        places = _by_name(file, state, network.renames)
        weights = {f"encoder.whole.{key}": _take(file, places[key], state[key]) for key in state if key in places}
        fresh = {f"encoder.whole.{k}": x for k, x in state.items() if k.endswith("num_batches_tracked")}
        conversions.append(
            Conversion(example.spec(name), {**fresh, **weights}, letters=network.letters, notes=(network.description,))
        )
    return join_members(conversions)


def _take(file: WeightFile, name: str, like: Tensor) -> Tensor:
    """A tensor of the network's shape; dense kernels and convolutions of Keras are turned round."""
    return file.take(name, *like.shape)


def _by_name(file: WeightFile, state: Mapping[str, Tensor], renames: Mapping[str, str]) -> dict[str, str]:
    """{name in the network: name in the file}; a begin that all names of either share is looked through."""
    names = {file_name: _renamed(file_name, renames) for file_name in file.names}
    firsts = {key.partition(".")[0] + "." for key in state}
    for own in ("", *(firsts if len(firsts) == 1 else ())):
        for prefix in ("", *sorted({n.partition(".")[0] + "." for n in names.values()})):
            places = {own + n.removeprefix(prefix): f for f, n in names.items() if n.startswith(prefix)}
            if all(key in places or key.endswith("num_batches_tracked") for key in state):
                return {key: f for key, f in places.items() if key in state}
    missing = [key for key in state if key not in names.values()]
    extra = [f for f, n in names.items() if n not in state]
    raise ZooError(
        f"{file.path} has no tensor for {', '.join(missing[:3])} of the network"
        + (
            f", but beside it {', '.join(extra[:3])}: give the names in `renames`"
            if extra
            else ": it is incomplete, or of another network"
        )
    )


def _renamed(name: str, renames: Mapping[str, str]) -> str:
    for begin, new in renames.items():
        if name.startswith(begin):
            return new + name[len(begin) :]
    return name


def _check_output(example: Network, name: str) -> None:
    """ConfigError where the network returns something else than its class states."""
    x = torch.zeros(2, 4, example.length)
    with torch.no_grad():
        try:
            y = example.eval()({"one_hot": x})
        except (RuntimeError, TypeError, AttributeError, IndexError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ConfigError(
                f"{name} does not take {example.layout} windows of {example.length:,} bp ({reason}): check its length "
                "and layout"
            ) from error
    expected = (2, len(example.tasks), example.positions or 1)
    if tuple(y.shape) != expected:
        raise ConfigError(
            f"{name} gives {tuple(y.shape)[1:]} a window where its tasks and positions say {expected[1:]}: correct "
            "them, or let network() return what it should"
        )
