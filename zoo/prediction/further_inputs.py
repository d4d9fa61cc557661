"""What a model reads beside the sequence: signal tracks in its windows, and the context.

--signal atac=FILE.bw --context K562 -> FurtherInputs -> {signal (N, A, T), context (N,)} of N windows

A track is read at the coordinates of the reference, whatever stands in the sequence: no variant moves or changes it.
What is not given is missing where the model was made to do without it, and an error where it was not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model

Inputs = Mapping[str, "Tensor"]
"""{key: (N, ...)} of N windows."""
Signals = Mapping[str, "str | Path"] | Iterable[str]
"""{name: file}, or texts as in "atac=FILE.bw"."""


@dataclass(frozen=True)
class FurtherInputs:
    """Of one model and one genome.

    store: the tracks, in the order in which the model reads them; None where it gets none.
    context: id in the model's vocabulary; None where it gets none.
    length: bp of a window.  comments: what a table must say of them.
    """

    store: SignalStore | None = None
    context: int | None = None
    length: int = 0
    comments: Mapping[str, str] | None = None

    @classmethod
    def open(
        cls, model: Model, genome: Genome | None, signals: Signals | None = None, context: str | None = None
    ) -> FurtherInputs:
        """genome: of the windows; None for ready-made sequences, which have no place on a track.

        Raises ConfigError for a track or a context that the model does not read, for one of several tracks that is
        left out, for a context that is not in its vocabulary (which is listed), and for what it cannot do without;
        DataError and GenomeMismatch as SignalStore.open does.
        """
        fields, paths = model.input_fields, named_tracks(signals)
        store = _open_tracks(model.spec.name, fields.get("signal"), paths, genome)
        chosen = _context(model.spec.name, fields.get("context"), context)
        made = cls(store, chosen, model.spec.input_length)
        require_inputs(model, made.keys)
        return replace(made, comments=_comments(fields, store, context))

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the inputs that windows get."""
        return ("signal",) * (self.store is not None) + ("context",) * (self.context is not None)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each input, without N."""
        shapes: dict[str, tuple[int, ...]] = {"context": ()}
        if self.store is not None:
            shapes["signal"] = (len(self.store.names), self.length // self.store.bin_size)
        return {key: shapes[key] for key in self.keys}

    @property
    def notes(self) -> list[str]:
        """What a person should know of how the tracks were read."""
        return [] if self.store is None else list(self.store.notes)

    def windows(self, contigs: np.ndarray, starts: np.ndarray) -> dict[str, Tensor]:
        """Of N windows of the model's length: {key: (N, ...)}, on the CPU.

        contigs: (N,) ids of `Genome.contig_ids`, or names.  starts: (N,) 0-based.
        """
        import torch

        inputs = {}
        if self.store is not None:
            inputs["signal"] = torch.from_numpy(self.store.windows(contigs, starts, self.length))
        if self.context is not None:
            inputs["context"] = torch.full((len(starts),), self.context, dtype=torch.int64)
        return inputs

    def sequences(self, n: int) -> dict[str, Tensor]:
        """Of N ready-made sequences, which have no tracks."""
        return self.windows(np.zeros(n, np.int64), np.zeros(n, np.int64))


def take(inputs: Inputs, rows: np.ndarray | Sequence[int]) -> dict[str, Tensor]:
    """Of the windows with these numbers, (M,)."""
    import torch

    return {key: x[torch.from_numpy(np.asarray(rows))] for key, x in inputs.items()}


def optional_shapes(model: Model, inputs: Inputs) -> dict[str, tuple[int, ...]]:
    """Shapes, without N, of those inputs that the model can do without, and of their flags `present/<input>`."""
    required = {key for key, field in model.input_fields.items() if field.required}
    return {key: tuple(x.shape[1:]) for key, x in inputs.items() if key not in required}


def named_tracks(signals: Signals | None) -> dict[str, Path]:
    """{name: file} of tracks as they were given; ConfigError for a text that is no NAME=FILE, and a name twice."""
    if not signals:
        return {}
    if isinstance(signals, Mapping):
        return {str(name): Path(path) for name, path in signals.items()}
    if isinstance(signals, str):
        raise ConfigError(f"signals {signals!r} is one text: give a list of NAME=FILE, or {{name: file}}")
    paths: dict[str, Path] = {}
    for text in signals:
        name, sign, path = str(text).partition("=")
        if not (name and sign and path):
            raise ConfigError(f"--signal {text!r} is no NAME=FILE: write it as in --signal atac=FILE.bw")
        if name in paths:
            raise ConfigError(f"--signal {name} is given twice: give each track once")
        paths[name] = Path(path)
    return paths


def share_out(models: Sequence[Model], signals: Signals | None, context: str | None) -> list[dict[str, Any]]:
    """Of what was given for several models, each one's `signals` and `context`; all of it where there is but one model.

    Raises ConfigError for a track or a context that none of them reads.
    """
    tracks = named_tracks(signals)
    if len(models) == 1:
        return [{"signals": tracks, "context": context}]
    shares = []
    for model in models:
        field = model.input_fields.get("signal")
        own = {name: path for name, path in tracks.items() if field is not None and name in field.channels}
        shares.append({"signals": own, "context": context if "context" in model.input_fields else None})
    for name in tracks:
        if not any(name in share["signals"] for share in shares):
            raise ConfigError(f"none of the models reads a track {name!r}: leave out --signal {name}")
    if context is not None and all(share["context"] is None for share in shares):
        raise ConfigError(f"none of the models reads a context: leave out --context {context}")
    return shares


def require_inputs(model: Model, given: Collection[str] = ()) -> None:
    """ConfigError that names what a model cannot do without beside the sequence, and how it is given."""
    missing = {k: f for k, f in model.input_fields.items() if f.required and k not in {*given, "one_hot"}}
    if not missing:
        return
    remedies = []
    if "signal" in missing:
        tracks = missing["signal"].channels or ("NAME",)
        remedies.append("give " + " ".join(f"--signal {name}=FILE" for name in tracks))
    if "context" in missing:
        remedies.append(f"give --context, one of {', '.join(missing['context'].vocabulary)}")
    if others := [key for key in missing if key not in ("signal", "context")]:
        remedies.append(f"use the command of its plugin for {', '.join(others)}")
    raise ConfigError(
        f"model {model.spec.name!r} reads {', '.join(missing)} beside the sequence: {', and '.join(remedies)}"
    )


def _open_tracks(
    name: str, field: Field | None, paths: Mapping[str, Path], genome: Genome | None
) -> SignalStore | None:
    if not paths:
        return None
    if field is None:
        raise ConfigError(f"model {name!r} reads no signal beside the sequence: leave out --signal {next(iter(paths))}")
    if genome is None:
        raise ConfigError("sequences have no place on a track: give intervals of a genome, or leave out --signal")
    channels = field.channels or tuple(paths)[:1]
    for track in paths:
        if track not in channels:
            raise ConfigError(f"model {name!r} reads no track {track!r}{did_you_mean(track, channels)}")
    if missing := [track for track in channels if track not in paths]:
        leave = "" if field.required else ", or none of its tracks"
        raise ConfigError(
            f"model {name!r} reads the tracks {', '.join(channels)} together: give --signal {missing[0]}=FILE "
            f"too{leave}"
        )
    tracks = [Track(track, paths[track]) for track in channels]
    return SignalStore.open(tracks, genome, field.bin_size, field.transform)


def _context(name: str, field: Field | None, context: str | None) -> int | None:
    if context is None:
        return None
    if field is None:
        raise ConfigError(f"model {name!r} reads no context: leave out --context {context}")
    if context not in field.vocabulary:
        known = ", ".join(field.vocabulary) or "none, its contexts have no names"
        new = "" if field.required else ", or leave out --context where it is a new one"
        raise ConfigError(f"model {name!r} was never trained in context {context!r}: choose from {known}{new}")
    return field.vocabulary.index(context)


def _comments(fields: Mapping[str, Field], store: SignalStore | None, context: str | None) -> dict[str, str]:
    comments = {}
    if store is not None:
        for track in store.describe():
            how = f"{store.transform}, bins of {store.bin_size} bp"
            comments[f"signal.{track['name']}"] = (
                f"{track['file']} ({track['format']}, blake2b {track['digest']}), {how}"
            )
        comments["signal"] = "at the coordinates of the reference; no variant moves or changes it"
    elif "signal" in fields:
        comments["signal"] = "missing: not given"
    if "context" in fields:
        comments["context"] = context or "missing: not given"
    return comments
