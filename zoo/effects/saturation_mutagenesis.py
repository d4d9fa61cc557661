"""Saturation mutagenesis (ISM): every single substitution of a region, by incremental inference.

region or sequence -> window (1, L) codes -> 3 W edits -> effects (4, W)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.codes import encode
from zoo.data.edits import Edits
from zoo.data.genome import Genome
from zoo.data.region import format_region
from zoo.data.window_placement import RegionWindow, region_window
from zoo.effects.mutational_landscape import Landscape
from zoo.errors import ConfigError, DataError
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.prediction.further_inputs import FurtherInputs, Inputs, Signals, optional_shapes
from zoo.prediction.predict import origin, predict_codes
from zoo.terminal.progress import counting

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.model import Model

MAX_N = 0.5


def mutate(model: Model | str, sequence: str | tuple[str, int, int], **options: Any) -> Tensor:
    """Effects (4, W) float32 of every single substitution, A C G T; 0 at the reference base.

    model, sequence, options (fasta, output, start, end, full, progress) and errors are those of `landscape`, which
    also says where the numbers come from.
    """
    import torch

    return torch.from_numpy(landscape(model, sequence, **options).effects)


def landscape(
    model: Model | str,
    sequence: str | tuple[str, int, int],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    output: str | Output | None = None,
    start: int | None = None,
    end: int | None = None,
    full: bool = False,
    progress: bool = False,
    signals: Signals | None = None,
    context: str | None = None,
    inputs: Inputs | None = None,
) -> Landscape:
    """output(mutant) - output(reference) for every single substitution of W bases.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    sequence: letters, as many as the model reads; or, with `fasta`, a region: chr20:1,001-1,200 (1-based, both ends
        belong to it) or (chrom, start, end) 0-based half-open.  A region shorter than the model's input is mutated
        in a window of that length around its middle; what of the window lies beyond the contig reads as N.
    fasta: the genome of a region: a FASTA file, several, or a Genome.
    output: one number, as zoo.outputs says; it may be left out where the model has only one.
    start, end: the columns of a sequence of letters to mutate, 0-based half-open; all where not given.
    full: run the model in full for every mutant, where incremental inference is not wanted.
    progress: show a bar on stderr, if that is a terminal.
    signals, context: what the model reads beside the sequence: {track: file}, and one of its contexts.  They stay as
        they are in the reference while the sequence is mutated.
    inputs: in place of both, {key: (1, ...)} of the window itself.

    Raises ConfigError where more than one output is meant, for a region that is longer than the model's input, and
    where the model lacks what it reads beside the sequence; GenomeMismatch for a region off the genome; DataError for
    letters of another number, and where more than half of the window is N.
    """
    model = as_model(model)
    selected = Output.one(output, model.spec)
    length = model.spec.input_length
    genome = None if fasta is None else Genome.of(fasta)
    window = _window(sequence, genome, length, start, end)
    further = FurtherInputs()
    if inputs is None:
        further = FurtherInputs.open(model, genome, signals, context)
        inputs = further.windows(np.array([window.chrom or 0]), np.array([window.start]))
    reference, effects, report = _measure(model, selected, window, inputs, full, progress)
    return Landscape(
        effects,
        window.codes[window.first : window.last],
        selected.names[0],
        reference,
        window.chrom,
        window.start + window.first,
        window.contig_length,
        {**origin(model, selected), **window.comments, **(further.comments or {}), "inference": report},
    )


def _measure(
    model: Model, output: Output, window: RegionWindow, inputs: Inputs, full: bool, progress: bool
) -> tuple[float, np.ndarray, str]:
    """The output of the window as it is, the effects (4, W), and how they were computed."""
    from zoo.effects.engine.incremental import incremental

    missing = (window.codes == 4).mean()
    if missing > MAX_N:
        raise DataError(f"{missing:.0%} of the window {window.comments['window']} is N: mutate where more is known")
    codes = window.codes[None]
    reference = predict_codes(model, codes, output, inputs=inputs)[0, 0]
    edits = Edits.substitutions(codes, window.first, window.last)
    engine = incremental(model, output, carry=not full, optional=optional_shapes(model, inputs))
    with counting(len(edits), label="mutating", unit="mutations", enabled=progress) as advance:
        values = engine.effects(codes, edits, inputs=inputs, progress=advance)
    effects = np.zeros((4, window.last - window.first), np.float32)
    effects[edits.alternate, edits.position - window.first] = values[:, 0].float().cpu().numpy()
    _check_finite(reference, effects[edits.alternate, edits.position - window.first], model, window)
    return float(reference), effects, engine.report


def _check_finite(reference: float, effects: np.ndarray, model: Model, window: RegionWindow) -> None:
    if not np.isfinite(reference) or not np.isfinite(effects).any():
        raise DataError(
            f"model {model.spec.name!r} gives {float(reference):g} for the window {window.comments['window']}, so that "
            "no effect is finite: do not use it there"
        )


def _window(
    sequence: str | tuple, genome: Genome | None, length: int, start: int | None, end: int | None
) -> RegionWindow:
    """The window of a region, or of letters where there is no genome."""
    if genome is None:
        return _of_letters(sequence, length, start, end)
    if start is not None or end is not None:
        raise ConfigError("start and end are columns of a sequence of letters: name the region itself instead")
    return region_window(sequence, genome, length)


def _of_letters(letters: str | tuple, length: int, start: int | None, end: int | None) -> RegionWindow:
    if not isinstance(letters, str) or ":" in letters:
        raise ConfigError(f"region {letters!r} needs a genome: give its FASTA file as fasta")
    if len(letters) != length:
        raise DataError(f"the sequence has {len(letters):,} bp but the model reads {length:,}: cut or extend it")
    start, end = start or 0, length if end is None else end
    if not 0 <= start < end <= length:
        raise ConfigError(f"columns {start}..{end} are not within the sequence: use 0..{length} or a part of it")
    comments = {"window": f"a sequence of {length:,} bp", "region": format_region("sequence", start, end)}
    return RegionWindow(encode(letters), start, end, comments=comments)
