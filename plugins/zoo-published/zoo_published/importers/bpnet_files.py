"""Files of BPNet and ChromBPNet: whose names and layouts they have, and what of it is one network.

chrombpnet .h5      [model_wo_bias/][wo_bias_]bpnet_1st_conv, bpnet_1conv, ..., prof_out_precrop, logcount_predictions
basepairmodels .h5  main_conv_0, main_dil_conv_1, ..., main_profile_head, profile_predictions, main_counts_head
bpnet-lite .torch   [accessibility.|bias.]iconv, rconvs.0, ..., fconv, linear
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.importing.weight_file import WeightFile

LENGTH, OUTPUT = 2114, 1000
"""bp of a window and of its profile, where a file says neither."""


@dataclass(frozen=True)
class Network:
    """One BPNet: its body by the names of `DilatedTower`, and its two heads.

    profile_weight: (tracks, filters, kernel).  counts_weight: (numbers, filters).
    profile_crop, counts_crop: bp left out at each rim of a window of `length` bp.
    role: "bias", "accessibility" or "" as the file calls it.
    """

    body: Mapping[str, Tensor]
    profile_weight: Tensor
    profile_bias: Tensor
    counts_weight: Tensor
    counts_bias: Tensor
    length: int
    profile_crop: int
    counts_crop: int
    preactivation: bool = False
    controls: int = 0
    role: str = ""

    @property
    def arguments(self) -> dict[str, int]:
        """filters, layers and first_width of the body."""
        first = self.body["first.weight"]
        layers = sum(name.endswith(".weight") for name in self.body) - 1
        return {"filters": first.shape[0], "layers": layers, "first_width": first.shape[2]}

    @property
    def kernel(self) -> int:
        """bp of the profile's convolution."""
        return self.profile_weight.shape[2]


def read_networks(file: WeightFile, length: int | None, output_length: int | None) -> list[Network]:
    """The networks of a file, accessibility before bias.

    length, output_length: bp of a window and its profile, where they are not those that the file states.
    Raises ZooError for a file that is of none of these packages.
    """
    if file.writer == "keras":
        if file.holds("main_conv_0/kernel"):
            return [_of_basepairmodels(file, length, output_length)]
        firsts = [name for name in file.names if name.endswith("bpnet_1st_conv/kernel")]
        roots = sorted(
            {name.removesuffix("bpnet_1st_conv/kernel") for name in firsts}, key=lambda r: "wo_bias_" not in r
        )
        networks = [_of_chrombpnet(file, root, length, output_length) for root in roots]
    else:
        firsts = [name for name in file.names if name.endswith("iconv.weight")]
        roots = sorted(name.removesuffix("iconv.weight") for name in firsts)
        networks = [_of_bpnet_lite(file, root, length, output_length) for root in roots]
    if not networks:
        raise ZooError(
            f"{file.path} holds no BPNet of chrombpnet, basepairmodels or bpnet-lite (its tensors begin with "
            f"{file.names[0]!r}): it is of another architecture"
        )
    return networks


def _of_chrombpnet(file: WeightFile, root: str, length: int | None, output_length: int | None) -> Network:
    """root: what stands before "bpnet_1st_conv" in the names, as model_wo_bias/wo_bias_."""
    group, slash, prefix = root.rpartition("/")
    group += slash
    body = {"first.weight": _kernel(file, f"{root}bpnet_1st_conv"), "first.bias": _bias(file, f"{root}bpnet_1st_conv")}
    layers = _count(file, re.compile(re.escape(root) + r"bpnet_(\d+)conv/kernel"))
    for i in range(1, layers + 1):
        body[f"blocks.{i - 1}.convolution.weight"] = _kernel(file, f"{root}bpnet_{i}conv")
        body[f"blocks.{i - 1}.convolution.bias"] = _bias(file, f"{root}bpnet_{i}conv")
    heads = f"{group}{prefix}bpnet_" if prefix else group
    profile = _kernel(file, f"{heads}prof_out_precrop")
    stated = keras_length(file.settings)
    length = length or stated or LENGTH
    reach = body["first.weight"].shape[2] // 2 + sum(2**i for i in range(1, layers + 1))
    crop = _keras_crop(file.settings, prefix)
    if output_length is not None or crop is None:
        profile_crop = _crop(length, output_length or OUTPUT)
    else:
        profile_crop = reach + profile.shape[2] // 2 + crop
    return Network(
        body,
        profile,
        _bias(file, f"{heads}prof_out_precrop"),
        file.take(f"{heads}logcount_predictions/kernel", body["first.weight"].shape[0], None).T,
        _bias(file, f"{heads}logcount_predictions"),
        length,
        profile_crop,
        reach,
        role="accessibility" if prefix else "bias" if group else "",
    )


def _of_basepairmodels(file: WeightFile, length: int | None, output_length: int | None) -> Network:
    """Control tracks are read as zeros: what the profile makes of them is 0, the counts' logarithm of 2 is log 2."""
    import torch

    body = {"first.weight": _kernel(file, "main_conv_0"), "first.bias": _bias(file, "main_conv_0")}
    layers = _count(file, re.compile(r"main_dil_conv_(\d+)/kernel"))
    for i in range(1, layers + 1):
        body[f"blocks.{i - 1}.convolution.weight"] = _kernel(file, f"main_dil_conv_{i}")
        body[f"blocks.{i - 1}.convolution.bias"] = _bias(file, f"main_dil_conv_{i}")
    filters = body["first.weight"].shape[0]
    profile, bias = file.take("main_profile_head/kernel", None, filters, None), _bias(file, "main_profile_head")
    mix = file.take("profile_predictions/kernel", 1, None, None)[0]
    tracks = profile.shape[2]
    counts, counts_bias = file.take("main_counts_head/kernel", filters, None), _bias(file, "main_counts_head")
    counts_mix = file.take("logcounts_predictions/kernel", None, None)
    numbers, controls = counts.shape[1], len(mix) - tracks
    log_two = math.log(2) * counts_mix[numbers:].sum(0)
    length = length or keras_length(file.settings) or LENGTH
    crop = _crop(length, output_length or OUTPUT)
    return Network(
        body,
        torch.einsum("kfi,io->ofk", profile, mix[:tracks]),
        bias @ mix[:tracks] + _bias(file, "profile_predictions"),
        (counts @ counts_mix[:numbers]).T,
        counts_bias @ counts_mix[:numbers] + log_two + _bias(file, "logcounts_predictions"),
        length,
        crop,
        max(crop - profile.shape[0] // 2, 0),
        preactivation=True,
        controls=controls,
    )


def _of_bpnet_lite(file: WeightFile, root: str, length: int | None, output_length: int | None) -> Network:
    """Control tracks are read as zeros.  root: accessibility., bias. or nothing."""
    body = {
        "first.weight": file.take(f"{root}iconv.weight", None, 4, None),
        "first.bias": file.take(f"{root}iconv.bias"),
    }
    filters = body["first.weight"].shape[0]
    layers = _count(file, re.compile(re.escape(root) + r"rconvs\.(\d+)\.weight")) + 1
    for i in range(layers):
        body[f"blocks.{i}.convolution.weight"] = file.take(f"{root}rconvs.{i}.weight", filters, filters, 3)
        body[f"blocks.{i}.convolution.bias"] = file.take(f"{root}rconvs.{i}.bias", filters)
    profile, counts = file.take(f"{root}fconv.weight", None, None, None), file.take(f"{root}linear.weight", None, None)
    controls = profile.shape[1] - filters
    if controls < 0 or counts.shape[1] - filters not in (0, 1):
        raise ZooError(f"{file.path}: its heads read fewer channels than the {filters} of its body: it is damaged")
    preactivation = file.settings.get(f"{root}class") == "BasePairNet"
    counts_bias = _optional_bias(file, f"{root}linear", len(counts))
    if preactivation and controls:
        counts_bias = counts_bias + math.log(2) * counts[:, filters:].sum(1)
    length = length or LENGTH
    trimming = file.settings.get(f"{root}trimming")
    if not isinstance(trimming, int):
        trimming = 47 + sum(2**i for i in range(1, layers + 1))  # bpnet-lite's own default
    return Network(
        body,
        profile[:, :filters],
        _optional_bias(file, f"{root}fconv", len(profile)),
        counts[:, :filters],
        counts_bias,
        length,
        trimming if output_length is None else _crop(length, output_length),
        max(trimming - 37, 0),
        preactivation=preactivation,
        controls=controls,
        role=root.rstrip(".").rpartition(".")[2],
    )


def keras_layers(config: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(class, name, settings) of every layer of a Keras configuration, those of models inside it too."""
    inner = config.get("config")
    layers = inner.get("layers", [inner.get("layer")]) if isinstance(inner, Mapping) else inner
    for layer in layers if isinstance(layers, list) else []:
        if isinstance(layer, Mapping) and isinstance(layer.get("config"), Mapping):
            settings = layer["config"]
            yield str(layer.get("class_name")), str(settings.get("name")), settings
            yield from keras_layers(layer)


def keras_length(config: Mapping[str, Any]) -> int | None:
    """bp of the first input of four channels, None where the configuration states none."""
    for kind, _, settings in keras_layers(config):
        shape = settings.get("batch_shape") or settings.get("batch_input_shape")
        if kind == "InputLayer" and isinstance(shape, list) and len(shape) == 3 and shape[2] == 4:
            return shape[1] if isinstance(shape[1], int) else None
    return None


def _keras_crop(config: Mapping[str, Any], prefix: str) -> int | None:
    """Positions that the profile's last layer crops at each rim."""
    for kind, name, settings in keras_layers(config):
        is_bias = not name.startswith("wo_bias_")
        if kind == "Cropping1D" and name.endswith("logitt_before_flatten") and (is_bias != bool(prefix)):
            crop = settings.get("cropping")
            crop = crop[0] if isinstance(crop, list) and crop else crop
            return crop if isinstance(crop, int) else None
    return None


def _kernel(file: WeightFile, layer: str) -> Tensor:
    """A kernel of Keras (width, in, out) as (out, in, width)."""
    return file.take(f"{layer}/kernel", None, None, None).permute(2, 1, 0).contiguous()


def _bias(file: WeightFile, layer: str) -> Tensor:
    return file.take(f"{layer}/bias", None)


def _optional_bias(file: WeightFile, layer: str, size: int) -> Tensor:
    import torch

    return file.take(f"{layer}.bias", size) if file.holds(f"{layer}.bias") else torch.zeros(size)


def _count(file: WeightFile, pattern: re.Pattern) -> int:
    """The largest number in names of this pattern, which must all be there; 0 for none."""
    numbers = sorted(int(match[1]) for match in map(pattern.fullmatch, file.names) if match)
    return numbers[-1] if numbers else 0


def _crop(length: int, output_length: int) -> int:
    if not 0 < output_length <= length or (length - output_length) % 2:
        raise ZooError(f"{output_length} bp are not in the middle of a window of {length} bp: set output_length")
    return (length - output_length) // 2
