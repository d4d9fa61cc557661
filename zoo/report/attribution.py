"""Section `attribution`: what the model reads in the sequences it scores highest, letter by letter.

codes -> the 3 highest predictions -> attributions above the mutational landscape, on one x axis
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import decode
from zoo.errors import ConfigError
from zoo.pictures.mutational_landscape import best_window, draw_landscape
from zoo.prediction.further_inputs import take
from zoo.report.section import Picture, Section, Subject, Text

if TYPE_CHECKING:
    from zoo.attribution.result import Attributed

SHOWN = 3
WHOLE, WINDOW = 130, 100
"""bp that are drawn in one row; of a longer input, the window with most attribution."""


def attribution(subject: Subject) -> Section | None:
    """Tracks of the sequences with the highest predictions; None where no interpreter is wanted."""
    if subject.interpreter is None:
        return None
    title = "What it reads in a sequence"
    if needed := subject.other_inputs:
        text = f"Not drawn: the model reads {', '.join(needed)} beside the sequence, which this report was not given."
        return Section(title, [Text(text)])
    from zoo.attribution.sequences import attribute_codes
    from zoo.prediction.predict import predict_codes

    predictions = predict_codes(subject.model, subject.codes, subject.output, inputs=subject.inputs)[:, 0]
    if not np.isfinite(predictions).all():
        raise ConfigError(f"{subject.output.names[0]} is not finite for every sequence: explain another output")
    chosen = highest(predictions, SHOWN)
    attributed = attribute_codes(
        subject.model,
        subject.codes[chosen],
        interpreter=subject.interpreter,
        output=subject.output,
        names=[subject.names[i] for i in chosen] if len(subject.names) else None,
        inputs=take(subject.inputs, chosen),
        progress=subject.progress,
    )
    subject.results["attributed"] = attributed
    parts: list[Text | Picture] = []
    if subject.random:
        parts.append(
            Text(
                "These are random sequences, for want of the model's data: look at the filters, not at the tracks. "
                "Give --bed and --fasta, or --sequences, for tracks of real ones.",
                "unsure",
            )
        )
    parts += [Text(paragraph) for paragraph in _how(subject, attributed, len(chosen))]
    parts += [_track(subject, attributed, i, int(row)) for i, row in enumerate(chosen)]
    return Section(title, parts)


def highest(predictions: np.ndarray, n: int) -> np.ndarray:
    """Rows of the n highest predictions, the highest first; of equal ones the first."""
    return np.argsort(-predictions, kind="stable")[:n]


def _how(subject: Subject, attributed: Attributed, shown: int) -> Iterator[str]:
    """How sequences were chosen, how to read a picture, and how the letters were made."""
    from zoo.attribution.sequences import text_of

    output = subject.output.names[0]
    yield (
        f"Shown are the {shown} sequences with the highest {output} among {subject.origin}: the clearest cases, not "
        "typical ones."
    )
    yield (
        "Letters: how much each base contributes; a letter that points up raises the output. Cells below: how the "
        "output changes if the base is replaced by A, C, G or T; blue lowers it, red raises it, and a dot marks the "
        "base that is there. Where both agree, a base matters whichever way one looks at it."
    )
    made = f"The letters are by {text_of(attributed.interpreter)}."
    if attributed.delta is not None and np.isfinite(attributed.delta).all():
        made += (
            " The contributions of a sequence should add up to a known difference of the output; they miss it by "
            f"{np.abs(attributed.delta).max():.2g} at most."
        )
    yield made


def _track(subject: Subject, attributed: Attributed, i: int, row: int) -> Picture:
    """i: among those that were explained; row: among all sequences."""
    from zoo.effects.saturation_mutagenesis import landscape

    codes, heights = attributed.codes[i], attributed.actual()[i]
    length = len(codes)
    start, end = (0, length) if length <= WHOLE else best_window(heights.sum(0), WINDOW)
    letters = decode(codes)
    output = subject.output_text or subject.output.names[0]
    how = {"inputs": take(subject.inputs, [row]), "progress": subject.progress}
    effects = landscape(subject.model, letters, output=output, start=start, end=end, **how)
    if len(subject.places):
        chrom, first = subject.places[row]
        effects = replace(effects, chrom=str(chrom), start=int(first) + start)
    name = str(subject.names[row]) if len(subject.names) else f"sequence {row + 1}"
    figure = draw_landscape(effects, heights=heights[:, start:end], title=name)
    value = f"{subject.output.names[0]} = {attributed.predictions[i]:.4g}{_probability(subject, row)}"
    strongest = int(np.argmax(np.abs(heights.sum(0)[start:end])))
    alt = (
        f"Attribution letters above a mutational landscape of {name}, {value}. The largest contribution is of the "
        f"{'ACGTN'[codes[start + strongest]]} at position {effects.start + strongest + 1:,}."
    )
    return Picture(figure, alt, f"{name}: {value}{_label(subject, row)}.{_zoom(heights, start, end)}")


def _zoom(heights: np.ndarray, start: int, end: int) -> str:
    """What is left out of a picture of a part."""
    length = heights.shape[1]
    if end - start == length:
        return ""
    whole = np.abs(heights).sum()
    held = np.abs(heights[:, start:end]).sum() / whole if whole else 0.0
    return f" Drawn are positions {start + 1:,} to {end:,} of {length:,}, which hold {held:.0%} of all attribution."


def _label(subject: Subject, row: int) -> str:
    """What was measured of a sequence, where it is known."""
    if subject.labels is None or not np.isfinite(subject.labels[row]):
        return ""
    value = float(subject.labels[row])
    if subject.model.spec.outputs[subject.output.terms[0][0].head][0].values == "binary":
        return f", labelled {'positive' if value > 0.5 else 'negative'}"
    return f", measured {value:g}"


def _probability(subject: Subject, row: int) -> str:
    """A raw output of a sigmoid as a probability too."""
    from zoo.prediction.predict import predict_codes

    terms: Sequence = subject.output.terms[0]
    if not subject.output.raw or len(terms) != 1 or terms[0].transform or terms[0].factor != 1:
        return ""
    if subject.model.spec.activation.get(terms[0].head) != "sigmoid":
        return ""
    codes, inputs = subject.codes[row : row + 1], take(subject.inputs, [row])
    probability = float(predict_codes(subject.model, codes, replace(subject.output, raw=False), inputs=inputs)[0, 0])
    return f" (probability {probability:.3f})"
