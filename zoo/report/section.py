"""What a section of a report is given (`Subject`) and what it gives (`Section`).

A section is a function `(Subject) -> Section | None`, registered as kind "section"; None where it has nothing to say.
It gives text, pictures and tables, never HTML: the report alone writes that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.model import Model
    from zoo.outputs import Output
    from zoo.prediction.further_inputs import Inputs
    from zoo.training.model_and_data import Opened


@dataclass(frozen=True)
class Text:
    """A paragraph in plain words.  tone: "", "good", "bad" or "unsure", for verdicts."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Picture:
    """A figure with the words that stand for it where it is not seen."""

    figure: Figure
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Table:
    """rows: cells are text, numbers or a Picture."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | float | Picture | None]]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    parts: Sequence[Text | Picture | Table]


@dataclass
class Subject:
    """What a report is about.

    name: of the model, as the user wrote it.  output: the number that is explained.
    codes: (N, L) uint8 sequences that stand for the model's data, and origin: where they are from, in words.
    labels: (N,) of the output's task, where they are known.
    opened: the model with its data, where they are at hand.
    interpreter: name and arguments, as in a configuration; None where none is wanted.
    results: what sections computed and others may use, by name.
    output_text: the output as it was asked for.
    names: of the sequences.  places: (chrom, 0-based start) of each, where they are from a genome.
    random: whether the sequences are random ones, for want of others.
    run: the folder of the training run, where the model is from one.
    motifs: JASPAR names whose best match is a baseline of the evaluation.
    n_validation: on how many of the sequences attributions are validated; 0 for not at all.
    notes: what the reader must know of how the report was made, in words.
    inputs: what the model reads beside the sequences, {key: (N, ...)}.
    """

    name: str
    model: Model
    output: Output
    codes: np.ndarray
    origin: str
    labels: np.ndarray | None = None
    opened: Opened | None = None
    interpreter: Mapping[str, Any] | None = None
    seed: int = 0
    progress: bool = False
    results: dict[str, Any] = field(default_factory=dict)
    output_text: str = ""
    names: Sequence[str] = ()
    places: Sequence[tuple[str, int]] = ()
    random: bool = False
    run: Path | None = None
    motifs: Sequence[str] = ()
    n_validation: int = 50
    notes: list[str] = field(default_factory=list)
    inputs: Inputs = field(default_factory=dict)

    @property
    def other_inputs(self) -> list[str]:
        """Inputs beside the sequence that the model cannot do without and the report does not have."""
        own = {"one_hot", *self.inputs}
        return [key for key, given in self.model.input_fields.items() if given.required and key not in own]
