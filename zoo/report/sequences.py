"""Sequences that stand for a model's data: of its test split, of a file, or random ones where there is nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import DataError, ZooError

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.model import Model
    from zoo.outputs import Output
    from zoo.prediction.further_inputs import FurtherInputs, Inputs
    from zoo.training.model_and_data import Opened

GC = 0.41
MOST_N = 0.5


@dataclass(frozen=True)
class Chosen:
    """codes (N, L) uint8, where they are from in words, and what is known of each; see zoo.report.section.Subject."""

    codes: np.ndarray
    origin: str
    labels: np.ndarray | None = None
    names: Sequence[str] = ()
    places: Sequence[tuple[str, int]] = ()
    random: bool = False
    inputs: Inputs = field(default_factory=dict)


def of_split(opened: Opened, output: Output, n: int, seed: int, split: str = "test") -> Chosen | None:
    """A random part of a split's windows of the model's length, with labels where the output is one scalar task.

    None where the split has no such window, or its batches hold no sequence.
    """
    import torch

    from zoo.evaluation.split_predictions import labels_of, read

    length = opened.model.spec.input_length
    examples = opened.source.examples(split)
    rows = np.flatnonzero(np.asarray(examples.lengths) == length)
    if not len(rows) or "codes" not in examples.batch(rows[:1]):
        return None
    of = len(rows)
    rows = random_part(rows, n, seed)
    target = _target(opened, output)
    fields = {} if target is None else {target[0]: opened.source.targets[target[0]]}

    def of_batch(batch):
        return {"codes": batch["codes"], **_beside(opened.model, batch), **labels_of(batch, fields)}

    seen = read(examples, of_batch, rows, label="choosing")
    kept = (seen["codes"] == 4).mean(1) <= MOST_N
    identity = {key: np.asarray(v)[kept] for key, v in examples.identity(rows).items()}
    labels = None if target is None else seen[f"target/{target[0]}"][kept][:, target[1]]
    names, places = _named(identity, length)
    if not _read_there(getattr(opened.source, "genome", None), seen["codes"][kept], places):
        places = []
    origin = f"{_drawn(int(kept.sum()), of)} of the {split} split of the model's data"
    inputs = {key: torch.from_numpy(x[kept]) for key, x in _beside(opened.model, seen).items()}
    return Chosen(np.ascontiguousarray(seen["codes"][kept]), origin, labels, names, places, inputs=inputs)


def _beside(model: Model, batch: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What of a batch the model reads beside the sequence."""
    fields = model.input_fields.keys() - {"one_hot"}
    return {key: x for key, x in batch.items() if key.removeprefix("present/") in fields}


def of_intervals(
    bed: str, fasta: Sequence[str] | Genome, length: int, n: int, seed: int, further: FurtherInputs | None = None
) -> Chosen:
    """Windows of `length` bp around the summit, or the middle, of a random part of a BED-like file's rows.

    Raises DataError where no window lies on the genome.
    """
    from zoo.data.genome import Genome
    from zoo.data.intervals import read_intervals
    from zoo.data.window_placement import place_windows

    genome, intervals = Genome.of(fasta), read_intervals(bed)
    placed = place_windows(intervals, genome, length)
    inside = placed.status == "ok"
    if not inside.any():
        raise DataError(f"no window of {length:,} bp around the rows of {bed} lies on the genome: check the assembly")
    rows = random_part(np.flatnonzero(inside), n, seed)
    codes = genome.windows(placed.contig[rows], placed.start[rows], length)
    kept = (codes == 4).mean(1) <= MOST_N
    if not kept.any():
        raise DataError(f"more than half of every window around the rows of {bed} is N: give other intervals")
    rows, codes = rows[kept], codes[kept]
    start = placed.start[rows]
    names, places = _named({"chrom": intervals.chrom[rows], "start": start, "end": start + length}, length)
    origin = f"{_drawn(len(rows), len(intervals))} rows of {Path(bed).name}"
    inputs = further.windows(placed.contig[rows], start) if further else {}
    return Chosen(codes, origin, None, names, places, inputs=inputs)


def of_fasta(path: str, length: int, n: int, seed: int, further: FurtherInputs | None = None) -> Chosen:
    """A random part of a FASTA file's records of `length` bp; raises DataError where it has none."""
    from zoo.data.sequences import read_sequences

    sequences = read_sequences(path)
    rows = np.flatnonzero(sequences.lengths == length)
    if not len(rows):
        raise DataError(
            f"{path} has no sequence of {length:,} bp, which the model reads, but of {sequences.lengths.min():,} to "
            f"{sequences.lengths.max():,}: cut or extend them"
        )
    chosen = random_part(rows, n, seed)
    codes = sequences.batch(chosen)
    kept = (codes == 4).mean(1) <= MOST_N
    if not kept.any():
        raise DataError(f"more than half of every sequence of {path} is N: give others")
    names = [sequences.headers[i] for i in chosen[kept]]
    origin = f"{_drawn(int(kept.sum()), len(sequences))} of {Path(path).name}"
    inputs = further.sequences(int(kept.sum())) if further else {}
    return Chosen(codes[kept], origin, None, names, inputs=inputs)


def random_sequences(length: int, n: int, seed: int) -> Chosen:
    """Independent letters with 41 % C and G, as in the human genome."""
    from zoo.data.planted_motifs import background

    codes = background(n, length, gc=GC, rng=np.random.default_rng(seed))
    return Chosen(codes, f"{n:,} random sequences with {GC:.0%} C and G", random=True)


def random_part(rows: np.ndarray, n: int, seed: int) -> np.ndarray:
    """At most n of the rows, in their order."""
    if len(rows) <= n:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, n, replace=False))


def _drawn(n: int, of: int) -> str:
    return f"all {n:,} sequences" if n == of else f"{n:,} sequences, drawn at random from the {of:,}"


def _target(opened: Opened, output: Output) -> tuple[str, int] | None:
    """(head, channel of its target) where the output is one scalar task that the data label."""
    if len(output.terms) != 1 or len(output.terms[0]) != 1:
        return None
    term = output.terms[0][0]
    field = opened.source.targets.get(term.head)
    if field is None or field.axes != "C" or field.values == "class":
        return None
    predicted = opened.model.spec.outputs[term.head][0].channels
    task = predicted[term.channel] if predicted else None
    if task is None or not field.channels:
        return term.head, term.channel
    return (term.head, field.channels.index(task)) if task in field.channels else None


def _named(identity: dict[str, np.ndarray], length: int) -> tuple[list[str], list[tuple[str, int]]]:
    """Coordinates as names where every row has those of its window, else the first column."""
    from zoo.data.region import format_region

    if {"chrom", "start", "end"} <= identity.keys():
        spans = list(zip(identity["chrom"], identity["start"], identity["end"], strict=True))
        if all(chrom and start >= 0 and end - start == length for chrom, start, end in spans):
            places = [(str(chrom), int(start)) for chrom, start, _ in spans]
            return [format_region(chrom, start, start + length) for chrom, start in places], places
    columns = [identity[key] for key in ("name", *identity) if key in identity]
    return [str(name) for name in columns[0]] if columns else [], []


def _read_there(genome: Any, codes: np.ndarray, places: Sequence[tuple[str, int]]) -> bool:
    """Whether the genome has these very letters at these places.

    Ready-made sequences may be of the other strand, and their coordinates then run the other way.
    """
    from zoo.data.genome import Genome

    if not places or not isinstance(genome, Genome):
        return False
    try:
        contigs = genome.contig_ids([chrom for chrom, _ in places])
        found = genome.windows(contigs, np.array([start for _, start in places]), codes.shape[1])
    except ZooError:
        return False
    return np.array_equal(found, codes)
