"""Section `context` of a report: how much of the activity is of each part, measured and as the model sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import DataError
from zoo.report.section import Picture, Section, Table, Text
from zoo_constructs.context.insulation import insulate
from zoo_constructs.context.uncertainty import NAMES, Shares, share_variance
from zoo_constructs.context.variance_partition import select_replicated

if TYPE_CHECKING:
    from zoo.report.section import Subject
    from zoo_constructs.library.examples import ConstructSource

RESAMPLES, MOST = 200, 20_000


def context(subject: Subject) -> Section | None:
    """None without the library at hand, where no two of its parts recur, and for an output of several tasks.

    `subject.results["context"]` gets {role: {share: value}} of the measured activities.
    """
    from zoo_constructs.library.examples import ConstructSource

    source = subject.opened.source if subject.opened is not None else None
    if not isinstance(source, ConstructSource):
        return None
    roles = [role for role, letters in source.parts.items() if len(set(letters)) <= len(letters) / 2]
    terms = subject.output.terms[0]
    if len(roles) < 2 or len(terms) != 1 or terms[0].transform is not None:
        return None
    rows, measured, noise = _choose_rows(subject, source, terms[0].channel)
    if not len(rows):
        return None
    predicted = _predict(subject, source, rows)
    held_out = np.isin(rows, source.rows["test"])
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
        cells += _held_out(role, predicted[held_out], labels[held_out], around[held_out])
        if not parts:
            from zoo_constructs.context.picture import draw_context

            rows_of = insulate(measured, labels, around, own.variances.part, own.noise_of(known))
            caption = f"{role} against all other parts; n = {own.n:,}, {own.parts:,} parts, {own.contexts:,} contexts"
            parts.append(Picture(draw_context(own, rows_of), f"Shares of variance and insulation of {role}", caption))
    if not cells:
        return None
    subject.results["context"] = results
    text = Text(
        "How much of the variance of activity is of a part, of all that stands around it, of both together, and noise. "
        "The measured rows have 95 % intervals, parts and contexts resampled; a model has no noise, and its "
        "interaction is what it makes of parts that do not add up. Without replicates the measured interaction holds "
        "the noise. Of constructs that it was trained on a model may repeat the noise, which then looks like "
        "interaction: the row of the test split has none of them."
    )
    return Section("Part or context", [text, Table(("part", "of", *NAMES, "constructs"), cells), *parts])


def _choose_rows(subject: Subject, source: ConstructSource, column: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, their activities and the variances of these; at random where there are more than `MOST`."""
    rows = np.flatnonzero(source.sequences.lengths == subject.model.spec.input_length)
    rows = rows[np.isfinite(source.measurements.values[rows, column])]
    rows = rows[select_replicated(source.measurements.sampling_variance[rows, column])]
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(subject.seed).choice(rows, MOST, replace=False))
    return (
        rows,
        *(
            x[rows, column].astype(np.float64)
            for x in (source.measurements.values, source.measurements.sampling_variance)
        ),
    )


def _held_out(role: str, predicted: np.ndarray, part: np.ndarray, context: np.ndarray) -> list[list[str | int]]:
    """The row of the test split, none where its parts or contexts do not recur."""
    if not len(predicted):
        return []
    try:
        return [_row(role, "predicted, test split", share_variance(predicted, part, context, resamples=0))]
    except DataError:
        return []


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
