"""Low-rank adapters for a published encoder (`tune=lora`): its weights stay, a small difference to each is trained.

published encoder -> add_adapters -> layers whose weight is `weight + B A`, of which B and A are trained -> fit
    -> merge_adapters -> plain weights again, the pairs (A, B), and which published model they belong to

After Hu et al. (2022).  The difference is added to the weight and not to the layer's output (zoo/layers/low_rank.py),
so that tied, grouped and attention layers train like any other.  Recurrent layers, embeddings and normalisations stay
as they were published, running statistics included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.utils import parametrize

from zoo.composition.settings import settings_of
from zoo.errors import ConfigError, did_you_mean
from zoo.layers.low_rank import LowRank
from zoo.model import Model
from zoo.training.settings import TuneSettings

_LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


def tune_settings(config: Mapping[str, Any]) -> TuneSettings | None:
    """The settings of the adapters, None where there are none; ConfigError where nothing could be adapted."""
    settings = settings_of(TuneSettings, "tune", config.get("tune"))
    if settings.name == "none":
        return None
    if not config.get("init"):
        raise ConfigError("tune=lora adapts an encoder that is trained already: set init=NAME of a published model too")
    if config.get("freeze_encoder"):
        raise ConfigError("freeze_encoder=true trains the heads alone, tune=lora adapters too: leave one of them out")
    return settings


def add_adapters(encoder: nn.Module, settings: TuneSettings) -> None:
    """Freeze an encoder, and give the layers that the settings name something to train."""
    layers = dict(adaptable(encoder))
    chosen = {n: layer for n, layer in layers.items() if any(fnmatchcase(n, p) for p in settings.patterns)}
    for pattern in settings.patterns:
        if not any(fnmatchcase(name, pattern) for name in layers):
            choices = did_you_mean(pattern, layers) if layers else ": it has none, set freeze_encoder=true instead"
            raise ConfigError(f"tune.layers={pattern} names no convolution or linear layer of the encoder{choices}")
    encoder.requires_grad_(False)
    for layer, weight in chosen.values():
        adapter = LowRank(getattr(layer, weight), settings.rank, settings.scale, settings.dropout)
        parametrize.register_parametrization(layer, weight, adapter)
        bias = getattr(layer, weight.replace("weight", "bias"), None)
        if settings.bias and isinstance(bias, nn.Parameter):
            bias.requires_grad_(True)


def adaptable(encoder: nn.Module) -> Iterator[tuple[str, tuple[nn.Module, str]]]:
    """(name of a layer, (the layer, name of its weight)) of every layer that can have an adapter.

    A weight that several layers share, or that is computed from other parameters, has none: a sum could not take its
    place afterwards.
    """
    uses: dict[int, int] = {}
    for _, parameter in encoder.named_parameters(remove_duplicate=False):
        uses[id(parameter)] = uses.get(id(parameter), 0) + 1
    for name, layer in encoder.named_modules():
        weight = "in_proj_weight" if isinstance(layer, nn.MultiheadAttention) else "weight"
        parameter = layer._parameters.get(weight)
        if isinstance(layer, (*_LAYERS, nn.MultiheadAttention)) and parameter is not None and uses[id(parameter)] == 1:
            yield name, (layer, weight)


def merge_adapters(model: Model, base: Mapping[str, Any]) -> None:
    """Make a tuned model an ordinary one, which knows what was added to which base.

    base: as `zoo.hub.adapters.describe_base` gives it.
    """
    pairs = {}
    for name, module in list(model.encoder.named_modules()):
        lists: Any = getattr(module, "parametrizations", {})
        for weight, steps in list(lists.items()):
            if isinstance(steps[-1], LowRank):
                pairs[f"encoder.{name}.{weight}"] = steps[-1].pair
                steps.eval()
                parametrize.remove_parametrizations(module, weight, leave_parametrized=True)
    model.encoder.requires_grad_(True)
    model.adapters = pairs
    model.spec = model.spec.replace(base=dict(base))
