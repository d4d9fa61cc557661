"""Section `context` of a report: how much of the activity is of each part, measured and as the model sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo.report.section import Picture, Section, Table, Text
from zoo_constructs.context.insulation import insulate
from zoo_constructs.context.uncertainty import NAMES, Shares, share_variance

if TYPE_CHECKING:
    from zoo.report.section import Subject
    from zoo_constructs.library.examples import ConstructSource

RESAMPLES, MOST = 200, 20_000


def context(subject: Subject) -> Section | None:
    """None without the library at hand, and where no two of its parts recur.

    `subject.results["context"]` gets {role: {share: value}} of the measured activities.
    """
    from zoo_constructs.library.examples import ConstructSource

    source = subject.opened.source if subject.opened is not None else None
    if not isinstance(source, ConstructSource):
        return None
    roles = [role for role, letters in source.parts.items() if len(set(letters)) <= len(letters) / 2]
    if len(roles) < 2:
        return None
    rows = np.flatnonzero(source.sequences.lengths == subject.model.spec.input_length)[:MOST]
    column = subject.output.terms[0][0].channel
    measured = source.measurements.values[rows, column].astype(np.float64)
    rows, measured = rows[np.isfinite(measured)], measured[np.isfinite(measured)]
    noise = source.measurements.sampling_variance[rows, column]
    predicted = _predict(subject, source, rows)
    cells, parts, results = [], [], {}
    for role in roles:
        labels = source.parts[role][rows].astype(str)
        others = [source.parts[other][rows].astype(str) for other in roles if other != role]
        around = np.array(["|".join(several) for several in zip(*others, strict=True)])
        known = noise if np.isfinite(noise).any() else None
        try:
            own = share_variance(measured, labels, around, known, resamples=RESAMPLES, seed=subject.seed)
            seen = share_variance(predicted, labels, around, resamples=0)
        except DataError:
            continue
        results[role] = own.value
        cells += [_row(role, "measured", own), _row(role, "predicted", seen)]
        if not parts:
            from zoo_constructs.context.picture import draw_context

            rows_of = insulate(measured, labels, around, own.variances.part, known, seed=subject.seed)
            caption = f"{role} against all other parts; n = {own.n:,}, {own.parts:,} parts, {own.contexts:,} contexts"
            parts.append(Picture(draw_context(own, rows_of), f"Shares of variance and insulation of {role}", caption))
    if not cells:
        return None
    subject.results["context"] = results
    text = Text(
        "How much of the variance of activity is of a part, of all that stands around it, of both together, and noise. "
        "The measured rows have 95 % intervals, parts and contexts resampled; a model has no noise, and its "
        "interaction is what it makes of parts that do not add up. Without replicates the measured interaction holds "
        "the noise."
    )
    return Section("Part or context", [text, Table(("part", "of", *NAMES, "constructs"), cells), *parts])


def _predict(subject: Subject, source: ConstructSource, rows: np.ndarray) -> np.ndarray:
    from zoo.prediction.predict import predict_codes

    codes = source.sequences.batch(rows)
    return predict_codes(subject.model, codes, subject.output)[:, 0].astype(np.float64)


def _row(role: str, what: str, shares: Shares) -> list[str | int]:
    cells = []
    for name in NAMES:
        value, low, high = shares.value[name], shares.low[name], shares.high[name]
        text = "" if np.isnan(value) else f"{value:.2f}"
        cells.append(text if not text or np.isnan(low) else f"{text} [{low:.2f}, {high:.2f}]")
    return [role, what, *cells, shares.n]
