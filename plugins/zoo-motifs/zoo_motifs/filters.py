"""Filters of a model's first convolution as motifs: count the bases where a filter is most active.

    codes (N, L) -> pre-activation of every filter at every position, on both strands
                 -> positions where it is above half of the filter's own maximum
                 -> counts (4, W) of the letters there, sites of the - strand reverse-complemented

After DeepBind (Alipanahi et al. 2015), which takes the best subsequence of each sequence, and Basset (Kelley et al.
2016), which takes every one above half of the maximum, as here.  Both read one strand; a filter that stands for a
motif in either orientation is active on both.

A filter can be one half of a motif, two filters can be one motif, and an active filter may not matter for any
output: `zoo_motifs.importance` measures that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from zoo.data.motifs import Motif
from zoo.errors import ConfigError, DataError
from zoo.terminal.progress import counting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from zoo.model import Model

_BATCH_BYTES = 1 << 26
_PROBE = 20_150_527


@dataclass(frozen=True, eq=False)
class FilterMotif:
    """What activates one filter.

    name: "filter_12", in an ensemble "member_0/filter_12".
    pfm: (4, W) counts of A C G T at its sites; None for a silent filter, of which too little was seen.
    n_sites: sites above the threshold, over both strands, each position once.
    maximum: largest pre-activation, bias included, over all sequences.
    threshold: share of the maximum that a site must reach.
    sequences: share of the sequences with at least one site.
    """

    name: str
    member: int
    index: int
    pfm: np.ndarray | None
    n_sites: int
    maximum: float
    threshold: float
    sequences: float

    @property
    def silent(self) -> bool:
        """Whether it is never active, or at too few sites for a motif."""
        return self.pfm is None

    def motif(self, trim: float = 0.0) -> Motif:
        """The counts as a motif, its ends without columns of less than `trim` bits; all where none has as much.

        Raises DataError for a silent filter.
        """
        if self.pfm is None:
            raise DataError(f"{self.name} has {self.n_sites} sites, too few for a motif: lower the threshold")
        whole = Motif(self.name, self.name, self.pfm)
        enough = np.flatnonzero(whole.information >= trim)
        if trim <= 0 or not len(enough):
            return whole
        return Motif(self.name, self.name, self.pfm[:, enough[0] : enough[-1] + 1])


def filter_motifs(
    model: Model, codes: np.ndarray, *, threshold: float = 0.5, min_sites: int = 10, progress: bool = False
) -> list[FilterMotif]:
    """Every filter of the first convolution, in the order of members and channels.

    codes: (N, L) uint8; sites that hold an N are left out.
    threshold: share of a filter's maximal pre-activation (bias included, before the activation) that a site
        must reach; a filter whose maximum is not above 0 is silent.
    min_sites: a filter with fewer sites is silent.
    progress: show a bar on stderr, if that is a terminal.

    A batch normalisation that follows the convolution is taken into account.  Of a tied convolution, whose filters
    come with their reverse complements, each filter comes once.  Every position counts, whatever the stride; zeros
    past the ends of a sequence do not.  A filter with gaps (dilation) gives a matrix with uninformative columns.

    Raises ConfigError where the model has no convolution that reads the four bases, DataError for sequences
    shorter than a filter.
    """
    if not 0 < threshold <= 1:
        raise ConfigError(f"threshold {threshold} must be a share of the maximum, above 0 and up to 1")
    models = members(model)
    layers = [first_convolution(member) for member in models]
    if None in layers:
        raise ConfigError(
            f"model {model.spec.name!r} has no convolution that reads the one-hot sequence: its filters are no "
            "motifs, take `zoo attribute` and `zoo modisco`"
        )
    motifs = []
    total = 2 * len(codes) * len(models)
    with counting(total, label="scanning", unit="sequences", enabled=progress) as advance:
        for m, layer in enumerate(layers):
            motifs += _of_layer(layer, codes, threshold, min_sites, (m, len(models)), advance)
    return motifs


def members(model: Model) -> Sequence[Model]:
    """The models of an ensemble; a single model alone."""
    return list(getattr(model, "members", [model]))


def filter_name(index: int, member: int = 0, n_members: int = 1) -> str:
    """Name of a filter; with its member where there are several.

    >>> filter_name(3), filter_name(3, 1, 4)
    ('filter_3', 'member_1/filter_3')
    """
    return f"member_{member}/filter_{index}" if n_members > 1 else f"filter_{index}"


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """A convolution of one-hot sequence, and the batch normalisation behind it, if there is one.

    filters: number of filters with weights of their own; a tied convolution has twice as many channels.
    """

    convolution: nn.Conv1d
    normalisation: nn.BatchNorm1d | None = None

    @property
    def filters(self) -> int:
        """Number of filters that have weights of their own."""
        return len(self.convolution.weight)

    @property
    def tied(self) -> bool:
        """Whether channel 2F - 1 - f is filter f on the other strand."""
        return self.convolution.out_channels != self.filters

    @property
    def module(self) -> nn.Module:
        """The module whose output is the pre-activation."""
        return self.normalisation or self.convolution

    def weights(self) -> tuple[Tensor, Tensor]:
        """(F, 4, span) and (F,): weight and bias, gaps filled with zeros, normalisation folded in."""
        import torch

        conv = self.convolution
        span = conv.dilation[0] * (conv.kernel_size[0] - 1) + 1
        weight = conv.weight.new_zeros(self.filters, 4, span)
        weight[:, :, :: conv.dilation[0]] = conv.weight
        bias = conv.weight.new_zeros(self.filters) if conv.bias is None else conv.bias
        if (norm := self.normalisation) is not None:
            f, mean, variance = self.filters, cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
            scale = torch.rsqrt(variance + norm.eps)[:f]
            scale = scale if norm.weight is None else scale * norm.weight[:f]
            weight = weight * scale[:, None, None]
            bias = (bias - mean[:f]) * scale + (0 if norm.bias is None else norm.bias[:f])
        return weight.detach(), bias.detach()


def first_convolution(model: Model) -> FirstLayer | None:
    """The first convolution of a single model's encoder that is given the one-hot sequence; None without one.

    It is found by running the encoder on one sequence: a layer of four channels that reads something else,
    such as four tracks, is none.
    """
    import torch
    from torch import nn

    from zoo.prediction.inference import inferring

    encoder, length = model.encoder, model.spec.input_length
    field = encoder.inputs.get("one_hot")
    if field is None:
        return None
    codes = torch.from_numpy(np.random.default_rng(_PROBE).integers(0, 4, (1, length)).astype(np.uint8))
    batch = {"codes": codes.to(model.device)}
    for key, other in encoder.inputs.items():
        if key == "one_hot":
            continue
        shape = other.shape(1, length // other.bin_size)
        whole = other.values in ("class", "code")
        batch[key] = torch.zeros(shape, device=model.device, dtype=torch.long if whole else model.dtype)
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []
    with ExitStack() as hooks, inferring(model):
        for layer in encoder.modules():
            if isinstance(layer, (nn.Conv1d, nn.BatchNorm1d)):
                keep = lambda module, received, out: calls.append((module, received[0], out))  # noqa: E731
                hooks.enter_context(layer.register_forward_hook(keep))
        inputs = model.prepare(batch)
        encoder(inputs)
    for i, (module, x, out) in enumerate(calls):
        if isinstance(module, nn.Conv1d) and module.in_channels == 4 and _holds(x, inputs["one_hot"]):
            following = (m for m, received, _ in calls[i + 1 :] if received is out and isinstance(m, nn.BatchNorm1d))
            norm = next(following, None)
            return FirstLayer(module, norm if norm is not None and norm.running_mean is not None else None)
    return None


def _holds(x: Tensor, one_hot: Tensor) -> bool:
    """Whether x (1, 4, T) is the one-hot sequence, padded or cropped."""
    import torch

    if x.dim() != 3 or x.shape[:2] != one_hot.shape[:2]:
        return False
    long, short = (x, one_hot) if x.shape[2] >= one_hot.shape[2] else (one_hot, x)
    width = short.shape[2]
    return any(torch.equal(long[:, :, i : i + width], short) for i in range(long.shape[2] - width + 1))


def _of_layer(
    layer: FirstLayer,
    codes: np.ndarray,
    threshold: float,
    min_sites: int,
    member: tuple[int, int],
    advance: Callable[[int], None],
) -> list[FilterMotif]:
    import torch
    from torch.nn.grad import conv1d_weight

    weight, bias = layer.weights()
    weight, bias = weight.float().cpu(), bias.float().cpu()
    filters, _, width = weight.shape
    if codes.shape[1] < width:
        raise DataError(f"sequences of {codes.shape[1]} bp are shorter than filters of {width} bp: give longer ones")
    with torch.inference_mode():
        maximum = torch.full((filters,), -torch.inf)
        for _, _, forward, backward in _scan(codes, weight, bias):
            maximum = torch.maximum(maximum, torch.maximum(forward, backward).amax((0, 2)))
            advance(len(forward))
        least = torch.where(maximum > 0, threshold * maximum, torch.inf)[:, None]
        counts = torch.zeros(filters, 4, width, dtype=torch.float64)
        sites, sequences = torch.zeros(2, filters, dtype=torch.float64)
        for x, reverse, forward, backward in _scan(codes, weight, bias):
            plus = (forward >= least) & (forward >= backward)
            minus = (backward >= least) & (backward > forward)
            sites += (plus | minus).sum((0, 2))
            sequences += (plus | minus).any(2).sum(0)
            # The gradient by a filter's weight sums the input over the positions that are marked.
            counts += conv1d_weight(x, weight.shape, plus.float())
            counts += conv1d_weight(reverse, weight.shape, minus.flip(2).float())
            advance(len(x))
    motifs = []
    for i in range(filters):
        pfm = counts[i].round().numpy() if sites[i] >= max(1, min_sites) else None
        seen = int(sites[i]), float(maximum[i]), threshold, float(sequences[i]) / len(codes)
        motifs.append(FilterMotif(filter_name(i, *member), member[0], i, pfm, *seen))
    return motifs


def _scan(codes: np.ndarray, weight: Tensor, bias: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """One-hot (n, 4, L), the same of the other strand, and the pre-activations (n, F, P) of both at each window.

    Position p of both is the window that starts at base p; windows that hold an N are -inf.
    """
    import torch
    from torch.nn.functional import conv1d

    from zoo.layers.one_hot import one_hot

    filters, _, width = weight.shape
    rows = max(1, _BATCH_BYTES // (4 * filters * codes.shape[1]))
    for first in range(0, len(codes), rows):
        x = one_hot(torch.from_numpy(np.ascontiguousarray(codes[first : first + rows]))).contiguous()
        reverse = x.flip(1, 2)
        known = conv1d(x.sum(1, keepdim=True), torch.ones(1, 1, width)) > width - 0.5
        forward, backward = conv1d(x, weight, bias), conv1d(reverse, weight, bias).flip(2)
        yield x, reverse, forward.masked_fill(~known, -torch.inf), backward.masked_fill(~known, -torch.inf)
