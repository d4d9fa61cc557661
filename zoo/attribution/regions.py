"""Attributions of regions of a genome, or of ready-made sequences: every row that goes in comes out again.

region, intervals or sequences -> Windows -> Attributed, which holds every row with its status

attribute("ctcf-motif-cnn", "peaks.bed", fasta="hg19.fa", output="CTCF:raw").write("contributions.bw")
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.overlaps import shared_bases
from zoo.attribution.result import Attributed
from zoo.attribution.sequences import attribute_codes, build_interpreter
from zoo.attribution.windows import MAX_N, Windows, interval_windows, names_region, one_window, sequence_windows
from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.prediction.further_inputs import FurtherInputs, Signals
from zoo.prediction.predict import origin

if TYPE_CHECKING:
    from zoo.data.intervals import Intervals
    from zoo.data.sequences import Sequences
    from zoo.interfaces import Interpreter
    from zoo.model import Model


def attribute(
    model: Model | str,
    regions: str | Path | tuple[str, int, int] | Intervals | None = None,
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    sequences: str | Path | Iterable[str] | Sequences | None = None,
    interpreter: Interpreter | str | Mapping[str, Any] = "ism",
    output: str | Output | None = None,
    max_n: float = MAX_N,
    on_error: str = "skip",
    progress: bool = False,
    signals: Signals | None = None,
    context: str | None = None,
) -> Attributed:
    """Explain one output of a model at every row of `regions`, or of `sequences`.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    regions: chr20:1,001-1,200 (1-based, both ends belong to it), (chrom, start, end) 0-based half-open, or a BED-like
        file or its Intervals.  A row of a file is explained in a window of the model's input length around its
        summit or middle; a region lies in the middle of one, and what of that lies beyond the contig reads as N.
    fasta: the genome of the regions: a FASTA file, several, or a Genome.
    sequences: in place of both, sequences as long as the model's input: a FASTA file, or letters.
    interpreter: an interpreter; its name; or name and arguments, as in a configuration.
    output: one number an example, as zoo.outputs says; it may be left out where the model has only one.
    max_n: a window with a larger part of N is not explained.
    on_error: "skip" marks malformed lines with a status, "raise" stops at the first.
    progress: show a bar on stderr, if that is a terminal.
    signals, context: what the model reads beside the sequence: {track: file}, and one of its contexts.

    Raises ConfigError and DataError for what cannot be asked or read, and DataError where no row can be explained.
    """
    model = as_model(model)
    length = model.spec.input_length
    if sequences is not None:
        if regions is not None or fasta is not None:
            raise ConfigError("sequences stand alone: leave out regions and fasta")
        genome, windows = None, sequence_windows(sequences, length, max_n=max_n)
    elif regions is None or fasta is None:
        raise ConfigError("nothing to explain: give regions and their fasta, or sequences")
    else:
        genome = Genome.of(fasta)
        if isinstance(regions, tuple) or names_region(regions):
            windows = one_window(regions, genome, length, max_n=max_n)
        else:
            windows = interval_windows(regions, genome, length, max_n=max_n, on_error=on_error)
    further = FurtherInputs.open(model, genome, signals, context)
    how = {"interpreter": interpreter, "output": output, "further": further}
    attributed = attribute_windows(model, windows, progress=progress, **how)
    if not len(attributed):
        raise DataError(f"no row could be explained: {(attributed.rows or windows.rows).counts()}")
    return attributed


def attribute_windows(
    model: Model,
    windows: Windows,
    *,
    interpreter: Interpreter | str | Mapping[str, Any] = "ism",
    output: str | Output | None = None,
    progress: bool = False,
    further: FurtherInputs | None = None,
) -> Attributed:
    """Explain `windows`; a row whose numbers are not finite becomes not_finite.

    further: what the model reads beside the sequence.
    Where no row is left, so is no sequence: N is 0, and kind is "" if nothing was run.
    """
    selected = Output.one(output, model.spec)
    built = build_interpreter(interpreter)
    comments = {**windows.comments, **((further and further.comments) or {})}
    if not len(windows):
        return _nothing(windows, selected, built[1], {**origin(model, selected), **comments})
    attributed = attribute_codes(
        model,
        windows.codes,
        interpreter=interpreter,
        output=selected,
        names=windows.names,
        inputs=windows.inputs(further),
        progress=progress,
        chrom=windows.chrom,
        start=windows.start,
        contigs=windows.contigs,
        comments=comments,
    )
    status = windows.rows.status.copy()
    finite = _finite(attributed)
    if not finite.all():
        status[np.flatnonzero(status == "ok")[~finite]] = "not_finite"
        attributed = attributed.select(finite)
    comments = dict(attributed.comments)
    if attributed.chrom is not None:
        first, last = windows.shown
        contig = np.unique(np.array(attributed.chrom, str), return_inverse=True)[1]
        shared = shared_bases(contig, np.asarray(attributed.start) + first, last - first)
        comments["overlap"] = f"{shared:,} bases lie in several windows; bigWig has their mean"
    rows = replace(windows.rows, status=status)
    return replace(attributed, comments=comments, rows=rows, shown=windows.shown)


def _finite(attributed: Attributed) -> np.ndarray:
    """(N,) bool."""
    finite = np.isfinite(attributed.predictions)
    finite &= np.array([np.isfinite(values).all() for values in attributed.values], bool)
    return finite if attributed.delta is None else finite & np.isfinite(attributed.delta)


def _nothing(windows: Windows, output: Output, interpreter: dict[str, Any], comments: dict[str, str]) -> Attributed:
    length = windows.codes.shape[1]
    return Attributed(
        windows.codes,
        np.zeros((0, 4, length), np.float32),
        "",
        np.zeros(0, np.float32),
        output.names[0],
        interpreter,
        [],
        chrom=windows.chrom,
        start=windows.start,
        contigs=windows.contigs,
        comments=comments,
        rows=windows.rows,
        shown=windows.shown,
    )
