"""Importers of BPNet and ChromBPNet: the TensorFlow pipelines' .h5 and bpnet-lite's .torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoo.errors import ZooError
from zoo.importing.conversion import Conversion, inert_classes, join_members
from zoo.importing.weight_file import WeightFile
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo_published.importers.bpnet_files import Network, read_networks

if TYPE_CHECKING:
    from torch import Tensor

_BPNET = "Avsec et al. 2021, Nature Genetics 53, doi:10.1038/s41588-021-00782-6"
_CHROMBPNET = "Pampari et al. 2024, bioRxiv 2024.12.25.630221"
_COUNTS = "The counts are 1 + reads in the profile's window, whose logarithm (counts:raw) is what the original returns."
_PROFILE = "The profile is the share of a window's reads at each base; profile:raw are the original's logits."
_CONTROLS = "Its {} control tracks are read as zeros."


@inert_classes("bpnetlite.")
def bpnet(files: Sequence[WeightFile], *, length: int | None = None, output_length: int | None = None) -> Conversion:
    """A BPNet of chrombpnet (bias model, or the model without bias), basepairmodels or bpnet-lite.

    length, output_length: bp of a window and of its profile, where the file does not state them.
    Several files are an ensemble, as of the folds of a cross-validation.
    """
    conversions = []
    for file in files:
        networks = read_networks(file, length, output_length)
        if len(networks) > 1:
            raise ZooError(f"{file.path} holds a network and its bias model: import it --as chrombpnet")
        conversions.append(_single(networks[0]))
    return join_members(conversions)


@inert_classes("bpnetlite.")
def chrombpnet(
    files: Sequence[WeightFile], *, length: int | None = None, output_length: int | None = None
) -> Conversion:
    """A ChromBPNet with its bias model: in one file, or accessibility and bias in two.

    Heads profile and counts are without the bias, profile_with_bias and counts_with_bias are what was trained.
    length, output_length: bp of a window and of its profile, where the files do not state them.
    Several whole files are an ensemble, as of the folds of a cross-validation.
    """
    networks = [read_networks(file, length, output_length) for file in files]
    if len(files) == 2 and [len(n) for n in networks] == [1, 1]:
        first, second = networks[0][0], networks[1][0]
        accessibility, bias = (second, first) if second.role == "accessibility" else (first, second)
        if accessibility.role != "accessibility" and accessibility.arguments == bias.arguments:
            raise ZooError("which of two files is the bias model cannot be told: give the accessibility model first")
        return _pair(accessibility, bias)
    for file, parts in zip(files, networks, strict=True):
        if len(parts) != 2:
            raise ZooError(f"{file.path} holds no bias model: give its file too, or import this one --as bpnet")
    return join_members([_pair(*parts) for parts in networks])


def _single(network: Network) -> Conversion:
    from zoo_published.networks.bpnet import shared_log_probabilities

    tracks, stranded = len(network.profile_weight), len(network.profile_weight) > 1
    arguments = network.arguments | {"preactivation": network.preactivation}
    names = {1: ["profile"], 2: ["plus", "minus"]}
    tasks = names.get(tracks, [f"track_{i}" for i in range(1, tracks + 1)])
    profile = {"tasks": tasks, "crop": network.profile_crop, "kernel": network.kernel}
    if stranded:
        profile["rc"] = [1, 0] if tracks == 2 else None
    heads = {
        "profile": _head("stranded_profile" if stranded else "profile", arguments["filters"], profile),
        "counts": _head("bpnet_counts", arguments["filters"], _counts_arguments(network)),
    }
    weights = {f"encoder.tower.{name}": x for name, x in network.body.items()}
    weights |= {
        "heads.profile.output.weight": network.profile_weight,
        "heads.profile.output.bias": network.profile_bias,
        "heads.counts.dense.weight": network.counts_weight,
        "heads.counts.dense.bias": network.counts_bias,
    }
    spec = ModelSpec(
        name="bpnet",
        encoder={"name": "bpnet", **registry().resolve("encoder", "bpnet", arguments)},
        heads=heads,
        input_length=network.length,
        activation={"profile": "exp" if stranded else "softmax", "counts": "exp"},
        description="A BPNet: the shape of a profile of reads, and their number.",
        citation=_BPNET,
    )
    notes = [_PROFILE, _COUNTS, *([_CONTROLS.format(network.controls)] if network.controls else [])]
    complete = (lambda raw: {**raw, "profile": shared_log_probabilities(raw["profile"])}) if stranded else None
    return Conversion(spec, weights, raw=("profile", "counts"), notes=notes, complete=complete)


def _counts_arguments(network: Network) -> dict[str, Any]:
    numbers = len(network.counts_weight)
    tasks = ["counts"] if numbers == 1 else [f"counts_{i}" for i in range(1, numbers + 1)]
    return {"tasks": tasks, "crop": network.counts_crop}


def _pair(accessibility: Network, bias: Network) -> Conversion:
    if (accessibility.length, accessibility.kernel) != (bias.length, bias.kernel):
        raise ZooError(
            f"the bias model reads {bias.length} bp and the other one {accessibility.length}, or their profiles have "
            "other kernels: they are not of one ChromBPNet"
        )
    own, other = accessibility.arguments, bias.arguments
    if len(accessibility.profile_weight) != 1 or own["first_width"] != other["first_width"]:
        raise ZooError("a ChromBPNet has one track, and two networks of equal first filters: import them --as bpnet")
    arguments = {**own, "bias_filters": other["filters"], "bias_layers": other["layers"]}
    channels = own["filters"] + other["filters"]
    heads, weights = {}, _bodies(accessibility, bias)
    for ending, with_bias in (("", False), ("_with_bias", True)):
        shared = {"bias_channels": other["filters"], "with_bias": with_bias}
        settings = {**shared, "crop": accessibility.profile_crop, "kernel": accessibility.kernel}
        heads[f"profile{ending}"] = _head("chrombpnet_profile", channels, {"tasks": [f"profile{ending}"], **settings})
        settings = {**shared, "crop": accessibility.counts_crop, "bias_crop": bias.counts_crop}
        heads[f"counts{ending}"] = _head("chrombpnet_counts", channels, {"tasks": [f"counts{ending}"], **settings})
        for part, network in {"accessibility": accessibility, **({"bias": bias} if with_bias else {})}.items():
            weights |= {
                f"heads.profile{ending}.{part}.weight": network.profile_weight,
                f"heads.profile{ending}.{part}.bias": network.profile_bias,
                f"heads.counts{ending}.{part}.weight": network.counts_weight,
                f"heads.counts{ending}.{part}.bias": network.counts_bias,
            }
    spec = ModelSpec(
        name="chrombpnet",
        encoder={"name": "chrombpnet", **registry().resolve("encoder", "chrombpnet", arguments)},
        heads=heads,
        input_length=accessibility.length,
        activation={head: "softmax" if head.startswith("profile") else "exp" for head in heads},
        description="A ChromBPNet: accessibility without the enzyme's bias (profile, counts) and with it.",
        citation=_CHROMBPNET,
    )
    returns = ("profile_with_bias", "counts_with_bias")
    return Conversion(spec, weights, raw=tuple(heads), returns=returns, notes=(_PROFILE, _COUNTS))


def _bodies(accessibility: Network, bias: Network) -> dict[str, Tensor]:
    parts = {"accessibility": accessibility, "bias": bias}
    return {f"encoder.{part}.{name}": x for part, network in parts.items() for name, x in network.body.items()}


def _head(name: str, channels: int, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, **registry().resolve("head", name, {"in_channels": channels, **arguments})}
