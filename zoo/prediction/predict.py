"""Predictions for intervals of a genome or for sequences: every row that goes in comes out again.

zoo.predict("ctcf-motif-cnn", "peaks.bed", fasta="hg38.fa")       -> pandas.DataFrame
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.genome import Genome
from zoo.data.window_placement import place_windows
from zoo.effects.engine.precision import full_precision
from zoo.errors import ConfigError
from zoo.files.tables import data_frame
from zoo.hub.calibration import calibration_words
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.prediction.further_inputs import FurtherInputs, Signals, require_inputs
from zoo.prediction.inference import batch_rows, inferring

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from zoo.data.intervals import Intervals
    from zoo.data.sequences import Sequences
    from zoo.model import Model
    from zoo.spec import ModelSpec

CHUNK = 4096


@dataclass(frozen=True)
class Predictions:
    """A stream of rows in input order.

    columns: the input's columns, then status, then one column an output.
    rows: each a list of values; a row without a score has the reason in `status` and None in the outputs.
    comments: what a table of these numbers must say of their origin.
    """

    columns: list[str]
    rows: Iterator[list[Any]]
    comments: dict[str, str]
    total: int


def predict(
    model: Model | str,
    intervals: str | Path | Intervals | None = None,
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    sequences: Iterable[str] | None = None,
    output: str | None = None,
    max_n: float = 0.5,
    on_error: str = "skip",
    signals: Signals | None = None,
    context: str | None = None,
) -> pandas.DataFrame:
    """Predict every interval of a BED-like file, or every one of `sequences`.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    fasta: the genome of the intervals: a FASTA file, several, or a Genome.
    output: which outputs, as zoo.outputs says; None for all.
    max_n: a window with a larger part of N gets no score.
    on_error: "skip" marks malformed lines with a status, "raise" stops at the first.
    signals, context: what the model reads beside the sequence: {track: file}, and one of its contexts.
    """
    model = as_model(model)
    if sequences is not None:
        from zoo.data.sequences import Sequences

        further = FurtherInputs.open(model, None, signals, context)
        read = Sequences.from_letters(sequences)
        predictions = predict_sequences(model, read, output=output, max_n=max_n, further=further)
    elif intervals is None or fasta is None:
        raise ConfigError("nothing to predict: give intervals and their fasta, or sequences")
    else:
        from zoo.data.intervals import Intervals, read_intervals

        genome = Genome.of(fasta)
        if not isinstance(intervals, Intervals):
            intervals = read_intervals(intervals, on_error=on_error)
        further = FurtherInputs.open(model, genome, signals, context)
        predictions = predict_intervals(model, intervals, genome, output=output, max_n=max_n, further=further)
    return data_frame(predictions.columns, predictions.rows, predictions.comments)


def predict_intervals(
    model: Model,
    intervals: Intervals,
    genome: Genome,
    *,
    output: str | None = None,
    max_n: float = 0.5,
    further: FurtherInputs | None = None,
) -> Predictions:
    """Windows of the model's input length around the middle (the summit, where the file has one) of each interval.

    further: what the model reads beside the sequence.
    status: ok, malformed, contig_unknown, out_of_bounds, too_many_n, not_finite.
    """
    selected = Output.parse(output, model.spec)
    length = model.spec.input_length
    further = further or FurtherInputs.open(model, genome)
    columns = [_free(c, {"status", *selected.names}) for c in intervals.columns]
    placed = place_windows(intervals, genome, length)
    comments = {
        **origin(model, selected),
        **_calibration(model, selected),
        "genome": genome.name or "",
        "aliases": ", ".join(f"{given} is {own}" for given, own in genome.aliases.items()) or "none",
        "window": f"{length} bp around the summit, or the middle where the file has none",
        **(further.comments or {}),
    }

    def rows() -> Iterator[list[Any]]:
        for first in range(0, len(intervals), CHUNK):
            part = slice(first, min(first + CHUNK, len(intervals)))
            ids, starts, status = placed.contig[part], placed.start[part], placed.status[part].copy()
            ok = status == "ok"
            scores = np.full((len(ids), len(selected.names)), np.nan, np.float32)
            if ok.any():
                codes = genome.windows(ids[ok], starts[ok], length)
                inputs = further.windows(ids[ok], starts[ok])
                scores[ok], status[ok] = _scored(model, codes, selected, max_n, inputs)
            for i in range(len(ids)):
                yield [*_padded(intervals.raw[first + i], len(columns)), status[i], *scores[i]]

    return Predictions([*columns, "status", *selected.names], rows(), comments, len(intervals))


def predict_sequences(
    model: Model,
    sequences: Sequences,
    *,
    output: str | None = None,
    max_n: float = 0.5,
    further: FurtherInputs | None = None,
) -> Predictions:
    """Ready-made sequences of the model's input length.  status: ok, wrong_length, too_many_n, not_finite."""
    selected = Output.parse(output, model.spec)
    length = model.spec.input_length
    further = further or FurtherInputs.open(model, None)

    def rows() -> Iterator[list[Any]]:
        for first in range(0, len(sequences), CHUNK):
            part = np.arange(first, min(first + CHUNK, len(sequences)))
            sizes = sequences.lengths[part]
            status = np.where(sizes == length, "ok", "wrong_length").astype(object)
            ok = status == "ok"
            scores = np.full((len(part), len(selected.names)), np.nan, np.float32)
            if ok.any():
                inputs = further.sequences(int(ok.sum()))
                scores[ok], status[ok] = _scored(model, sequences.batch(part[ok]), selected, max_n, inputs)
            for i, row in enumerate(part):
                yield [sequences.headers[row], int(sizes[i]), status[i], *scores[i]]

    window = {"window": f"sequences of {length} bp", **(further.comments or {})}
    comments = {**origin(model, selected), **_calibration(model, selected), **window}
    columns = [_free(c, {"status", *selected.names}) for c in ("name", "length")]
    return Predictions([*columns, "status", *selected.names], rows(), comments, len(sequences))


def predict_codes(
    model: Model,
    codes: np.ndarray,
    output: Output,
    *,
    rows: int | None = None,
    inputs: Mapping[str, Tensor] | None = None,
) -> np.ndarray:
    """codes (N, L) uint8 -> (N, number of outputs) float32, in batches that fit the device; on a GPU without TF32.

    inputs: what the model reads beside the sequence, {key: (N, ...)}; ConfigError where it cannot do without others.
    """
    import torch

    require_inputs(model, inputs or ())
    rows = rows or batch_rows(codes.shape[1], model.device.type)
    batch = {"codes": torch.from_numpy(codes), **(inputs or {})}
    with inferring(model), full_precision(model.device):
        parts = [
            output.of(model, {k: x[i : i + rows].to(model.device) for k, x in batch.items()}).float().cpu()
            for i in range(0, len(codes), rows)
        ]
    return torch.cat(parts).numpy() if parts else np.zeros((0, len(output.names)), np.float32)


def origin(model: Model, output: Output) -> Mapping[str, str]:
    """Comment lines that tie numbers to the weights and code that made them."""
    spec = model.spec
    return {
        "model": spec.name,
        "source": str(getattr(model, "source", "") or ""),
        "revision": str(getattr(model, "revision", "") or ""),
        "outputs": ", ".join(output.names),
        "activation": "none (raw)" if output.raw else ", ".join(f"{h}:{a}" for h, a in spec.activation.items()),
        "versions": versions(spec),
    }


def versions(spec: ModelSpec) -> str:
    """Of zoo-core and of the plugins that a model needs, as they are installed here."""
    from importlib.metadata import version

    return ", ".join(f"{d} {version(d)}" for d in sorted({"zoo-core", *spec.requires}))


def _calibration(model: Model, output: Output) -> dict[str, str]:
    """Whether probabilities may be read as such; nothing of other numbers."""
    words = [] if output.raw else calibration_words(model.spec)
    return {"calibration": "; ".join(words)} if words else {}


def _scored(
    model: Model, codes: np.ndarray, output: Output, max_n: float, inputs: Mapping[str, Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    """codes (N, L) -> scores (N, C) with NaN where too much is N, and the status of each row; inputs as above."""
    status = np.full(len(codes), "ok", dtype=object)
    status[(codes == 4).mean(axis=1) > max_n] = "too_many_n"
    scores = np.full((len(codes), len(output.names)), np.nan, np.float32)
    ok = status == "ok"
    if ok.any():
        scores[ok] = predict_codes(model, codes[ok], output, inputs={k: x[ok] for k, x in inputs.items()})
        finite = np.isfinite(scores)
        status[ok & ~finite.all(axis=1)] = "not_finite"
        scores[~finite] = np.nan
    return scores, status


def _padded(cells: list[str], n: int) -> list[str | None]:
    """The cells of a row, made as many as the table has columns; only malformed rows differ."""
    return [*cells[:n], *[None] * (n - len(cells))]


def _free(name: str, taken: set[str]) -> str:
    """`name`, or `input_name` where the outputs or the status need it."""
    return f"input_{name}" if name in taken else name
