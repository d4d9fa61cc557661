"""`Predictor`: a model of contact maps, run over windows of sequence, and what its numbers mean.

codes (N, L) ── both strands ── natural log(O/E) (N, C, T, T)
                                   NaN: pairs at distances it was not trained on, bins that are mostly N
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ConfigError, did_you_mean
from zoo.terminal.progress import counting
from zoo_hic.maps import bins_apart
from zoo_hic.preprocess import Preprocess
from zoo_hic.windows import TARGET

if TYPE_CHECKING:
    from zoo.model import Model

MOSTLY_N = 0.5
"""A bin with a larger share of N is unknown."""

_PIXELS = 1 << 17
"""Pairs of bins that a network works on at a time."""


@dataclass(frozen=True)
class Predictor:
    """A model whose output is `contacts`, and how it is run.

    bins: T of a window.  bin_size: bp.  channels: names of the C maps.
    near, far: least and most bins between two bins that the model was trained on; far is None where all were.
    preprocess: from contacts to the targets of its training; None where the card lacks it.
    strands: predictions of both strands are averaged.
    context: class id of the cell type, of a model that reads one.
    overhang: bins by which its training windows hung over the ends of a contig.
    notes: for the user.
    """

    model: Model
    bins: int
    bin_size: int
    channels: tuple[str, ...]
    near: int = 0
    far: int | None = None
    preprocess: Preprocess | None = None
    strands: bool = True
    context: int | None = None
    overhang: int = 0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, model: Model, *, strands: bool = True, context: str | None = None) -> Predictor:
        """Raises ConfigError for a model without contact maps, or one that needs what is not given.

        context: name of a cell type, of a model that reads one.
        """
        if TARGET not in model.spec.outputs:
            raise ConfigError(
                f"model {model.spec.name!r} predicts {', '.join(model.spec.outputs) or 'nothing'}, no contact map: "
                "take one that was trained on contact maps"
            )
        field, _ = model.spec.outputs[TARGET]
        if field.axes != "CTT" or model.spec.input_length % field.bin_size:
            raise ConfigError(
                f"output {TARGET} of model {model.spec.name!r} has axes {field.axes} in bins of {field.bin_size:,} bp: "
                "it must be CTT, with bins that divide the window"
            )
        try:
            near, far = _trained_on(model.spec.data)
            preprocess = _preprocess(model.spec.data)
            overhang = int(((model.spec.data.get("config") or {}).get("windows") or {}).get("overhang") or 0)
        except (AttributeError, TypeError, ValueError) as error:  # a card holds a stranger's words
            raise ConfigError(
                f"the card of model {model.spec.name!r} does not describe its maps ({error}): publish the model again"
            ) from error
        notes, identity = [], None
        for name, input_field in model.input_fields.items():
            if name in ("one_hot", "codes"):
                continue
            if name == "context":
                identity = _context(model.spec.name, input_field.vocabulary, context)
            elif input_field.required:
                raise ConfigError(f"model {model.spec.name!r} needs the input {name!r}, which is not read from a FASTA")
            else:
                notes.append(f"the model may also read {name} ({', '.join(input_field.channels)}): predicted without")
        if context is not None and identity is None:
            raise ConfigError(f"model {model.spec.name!r} reads no cell type: leave out the context {context!r}")
        return cls(
            model,
            model.spec.input_length // field.bin_size,
            field.bin_size,
            field.channels or ("contacts",),
            near,
            far,
            preprocess,
            strands,
            identity,
            overhang,
            tuple(notes),
        )

    @property
    def length(self) -> int:
        """bp of a window."""
        return self.bins * self.bin_size

    def maps(
        self,
        codes: np.ndarray,
        *,
        signal: np.ndarray | None = None,
        label: str = "predicting",
        progress: bool = False,
    ) -> np.ndarray:
        """codes (N, L) uint8, signal (N, A, T) -> (N, C, T, T) float32, natural log(O/E), symmetric.

        NaN between bins nearer or further apart than in training, in rows and columns of bins that are mostly N, and
        everywhere where the model gives NaN or infinity for any pair of bins.
        """
        import torch

        from zoo.prediction.inference import inferring

        rows = max(1, min(16, _PIXELS // self.bins**2))
        out = np.empty((len(codes), len(self.channels), self.bins, self.bins), np.float32)
        with inferring(self.model), counting(len(codes), label=label, unit="windows", enabled=progress) as advance:
            for first in range(0, len(codes), rows):
                chosen = torch.from_numpy(np.ascontiguousarray(codes[first : first + rows]))
                tracks = None if signal is None else torch.from_numpy(signal[first : first + rows])
                out[first : first + rows] = self._both(chosen, tracks).float().cpu().numpy()
                advance(len(chosen))
        out[~np.isfinite(out).all((1, 2, 3))] = np.nan
        if self.preprocess is not None and self.preprocess.log != "e":
            out *= math.log(float(self.preprocess.log))
        apart = bins_apart(self.bins)
        out[:, :, (apart < self.near) | (apart > (self.bins if self.far is None else self.far))] = np.nan
        unknown = (codes.reshape(len(codes), self.bins, self.bin_size) > 3).mean(2) > MOSTLY_N
        for square, gone in zip(out, unknown, strict=True):
            square[:, gone] = np.nan
            square[:, :, gone] = np.nan
        return out

    def channel(self, name: str | None) -> str:
        """The channel of a name; the only one where none is given.  Raises ConfigError."""
        if name is None and len(self.channels) == 1:
            return self.channels[0]
        if name not in self.channels:
            what = "say which map with --channel" if name is None else f"no map {name!r}"
            hint = "" if name is None else did_you_mean(name, self.channels)
            raise ConfigError(f"{what}{hint}: model {self.model.spec.name!r} has {', '.join(self.channels)}")
        return name

    def _both(self, codes, signal=None):
        batch = {"codes": codes.to(self.model.device)}
        if signal is not None:
            batch["signal"] = signal.to(self.model.device)
        if self.context is not None:
            import torch

            batch["context"] = torch.full((len(codes),), self.context, dtype=torch.long, device=codes.device)
        found = self.model.predict(batch)[TARGET]
        if not self.strands or self.model.spec.conjoined:
            return found
        turned = self.model.predict(self.model.flip(batch))[TARGET]
        return (found + self.model.spec.outputs[TARGET][0].flip(turned)) / 2


def _context(model: str, known: tuple[str, ...], name: str | None) -> int:
    if name not in known:
        hint = "" if name is None else did_you_mean(name, known)
        raise ConfigError(f"model {model!r} reads the cell type, given {name!r}{hint}: choose from {', '.join(known)}")
    return known.index(name)


def _preprocess(data: Mapping[str, Any]) -> Preprocess | None:
    """From the card: of `describe()`, or of the configuration of the data."""
    config = data.get("config")
    for steps in (data.get("preprocessing"), config.get("preprocess") if isinstance(config, Mapping) else None):
        if isinstance(steps, Mapping):
            return Preprocess(**{k: v for k, v in steps.items() if k in Preprocess.__dataclass_fields__})
    return None


def _trained_on(data: Mapping[str, Any]) -> tuple[int, int | None]:
    """Least and most bins apart of the pairs in training."""
    pairs, config, steps = data.get("pairs"), data.get("config"), _preprocess(data)
    near, far = (steps.first_diagonal, steps.last_diagonal) if steps else (0, None)
    if isinstance(pairs, Mapping):
        near = max(near, int(pairs.get("nearest_bins") or 0))
        further = pairs.get("furthest_bins")
        far = min((int(f) for f in (far, further) if f is not None), default=None)
    elif data.get("name") == "simulated_contacts" and isinstance(config, Mapping):
        near = max(near, int(config.get("nearest") or 0))
    return near, far
