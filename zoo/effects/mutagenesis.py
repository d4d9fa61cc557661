"""Saturation mutagenesis: every single substitution of a region, by incremental inference.

region or sequence -> window (1, L) codes -> 3 W edits -> effects (4, W)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import encode
from zoo.data.edits import Edits
from zoo.data.region import format_region, parse_region
from zoo.effects.landscape import Landscape
from zoo.errors import ConfigError, DataError, GenomeMismatch
from zoo.outputs import Output
from zoo.prediction import origin, predict_codes
from zoo.progress import counting

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.data.genome import Genome
    from zoo.model import Model

__all__ = ["landscape", "mutate"]

MAX_N = 0.5


def mutate(
    model: Model | str,
    sequence: str | tuple[str, int, int],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    output: str | None = None,
    start: int | None = None,
    end: int | None = None,
    full: bool = False,
) -> Tensor:
    """Effects (4, W) float32 of every single substitution, A C G T; 0 at the reference base.

    The arguments and errors are those of `landscape`, which also says where the numbers come from.
    """
    import torch

    found = landscape(model, sequence, fasta=fasta, output=output, start=start, end=end, full=full)
    return torch.from_numpy(found.effects)


def landscape(
    model: Model | str,
    sequence: str | tuple[str, int, int],
    *,
    fasta: str | Path | Sequence[str | Path] | Genome | None = None,
    output: str | None = None,
    start: int | None = None,
    end: int | None = None,
    full: bool = False,
    progress: bool = False,
) -> Landscape:
    """output(mutant) - output(reference) for every single substitution of W bases.

    model: a model, or the name of a published one.
    sequence: letters, as many as the model reads; or, with `fasta`, a region: chr20:1,001-1,200 (1-based, both ends
        belong to it) or (chrom, start, end) 0-based half-open.  A region shorter than the model's input is mutated
        in a window of that length around its middle; what of the window lies beyond the contig reads as N.
    fasta: the genome of a region: a FASTA file, several, or a Genome.
    output: one number, as zoo.outputs says; it may be left out where the model has only one.
    start, end: the columns of a sequence of letters to mutate, 0-based half-open; all where not given.
    full: run the model in full for every mutant, where incremental inference is not wanted.
    progress: show a bar on stderr, if that is a terminal.

    Raises ConfigError where more than one output is meant, for a region that is longer than the model's input, and
    for a model that reads more than a sequence; GenomeMismatch for a region off the genome; DataError for letters of
    another number, and where more than half of the window is N.
    """
    from zoo.effects import incremental

    if isinstance(model, str):
        from zoo.hub import load

        model = load(model)
    selected = _one_output(output, model)
    length = model.spec.input_length
    if fasta is not None:
        if start is not None or end is not None:
            raise ConfigError("start and end are columns of a sequence of letters: name the region itself instead")
        window = _of_region(sequence, fasta, length)
    else:
        window = _of_letters(sequence, length, start, end)
    missing = (window.codes == 4).mean()
    if missing > MAX_N:
        raise DataError(f"{missing:.0%} of the window {window.comments['window']} is N: mutate where more is known")
    codes = window.codes[None]
    reference = predict_codes(model, codes, selected)[0, 0]
    edits = Edits.substitutions(codes, window.first, window.last)
    engine = incremental(model, selected, carry=not full)
    with counting(len(edits), label="mutating", unit="mutations", wanted=progress) as advance:
        values = engine.effects(codes, edits, progress=advance)
    effects = np.zeros((4, window.last - window.first), np.float32)
    effects[edits.alternate, edits.position - window.first] = values[:, 0].float().cpu().numpy()
    return Landscape(
        effects,
        window.codes[window.first : window.last],
        selected.names[0],
        float(reference),
        window.chrom,
        window.start + window.first,
        window.contig_length,
        {**origin(model, selected), **window.comments, "inference": engine.report},
    )


@dataclass(frozen=True)
class _Window:
    """codes (L,) of the model's input and the columns [first, last) of it that are mutated."""

    codes: np.ndarray
    first: int
    last: int
    comments: Mapping[str, str]
    chrom: str | None = None
    start: int = 0
    contig_length: int | None = None


def _one_output(text: str | None, model: Model) -> Output:
    output = Output.parse(text, model.spec)
    if len(output.names) != 1:
        names = ", ".join(output.names[:8]) + (", ..." if len(output.names) > 8 else "")
        raise ConfigError(f"mutagenesis needs one output, not {len(output.names)} ({names}): name one as output")
    return output


def _of_letters(letters: str | tuple, length: int, start: int | None, end: int | None) -> _Window:
    if not isinstance(letters, str) or ":" in letters:
        raise ConfigError(f"region {letters!r} needs a genome: give its FASTA file as fasta")
    if len(letters) != length:
        raise DataError(f"the sequence has {len(letters):,} bp but the model reads {length:,}: cut or extend it")
    start, end = start or 0, length if end is None else end
    if not 0 <= start < end <= length:
        raise ConfigError(f"columns {start}..{end} are not within the sequence: use 0..{length} or a part of it")
    comments = {"window": f"a sequence of {length:,} bp", "region": format_region("sequence", start, end)}
    return _Window(encode(letters), start, end, comments)


def _of_region(region: str | tuple[str, int, int], fasta, length: int) -> _Window:
    from zoo.data.genome import Genome

    given, start, end = parse_region(region) if isinstance(region, str) else _checked(region)
    genome = fasta if isinstance(fasta, Genome) else Genome(fasta)
    chrom = genome.resolve(given)
    contig_length = genome.contigs[chrom]
    name = format_region(chrom, start, end)
    if end > contig_length:
        raise GenomeMismatch(
            f"region {name} leaves contig {chrom!r} of genome {genome.name!r}, which ends at {contig_length:,}: "
            "end it there, or check the assembly"
        )
    if end - start > length:
        raise ConfigError(
            f"region {name} is {end - start:,} bp but the model reads {length:,}: split it into parts of at most that"
        )
    at = (start + end) // 2 - length // 2
    comments = {
        "genome": genome.name or "",
        "aliases": f"{given} is {chrom}" if given != chrom else "none",
        "window": format_region(chrom, max(at, 0), min(at + length, contig_length)),
        "region": name,
    }
    beyond = max(-at, 0) + max(at + length - contig_length, 0)
    if beyond:
        comments["rim"] = f"{beyond:,} bp of the model's {length:,} lie beyond the contig and read as N"
    return _Window(genome.fetch(chrom, at, at + length), start - at, end - at, comments, chrom, at, contig_length)


def _checked(region: tuple[str, int, int]) -> tuple[str, int, int]:
    try:
        chrom, start, end = region
        start, end = int(start), int(end)
    except (TypeError, ValueError):
        raise ConfigError(f"region {region!r} is not (chrom, start, end) with 0-based half-open numbers") from None
    if not 0 <= start < end:
        raise ConfigError(f"region {region!r}: it must hold a base: use 0 <= start < end")
    return chrom, start, end
