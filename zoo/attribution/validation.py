"""Is an attribution faithful to the model?  Its scores against saturation mutagenesis, all substitutions.

validate(model, codes, interpreter="deeplift_shap", output="CTCF:raw").table()

An attribution is a hypothesis of what the model reads; saturation mutagenesis measures it.  Both are brought to one
kind before they are compared (zoo.attribution.kinds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.faithfulness import MEASURES, TOP, Compared, agreement, pooled, shuffled
from zoo.attribution.result import Attributed
from zoo.attribution.sequences import attribute_codes, text_of
from zoo.attribution.verdict import Verdict
from zoo.errors import ConfigError
from zoo.evaluation.bootstrap import MIN_EXAMPLES, resamples
from zoo.evaluation.comparison import number
from zoo.files.tables import write_table
from zoo.hub.loader import as_model
from zoo.outputs import Output

if TYPE_CHECKING:
    from zoo.interfaces import Interpreter
    from zoo.model import Model
    from zoo.prediction.further_inputs import Inputs

FAITHFUL = 0.5
"""The mean correlation with effects, its whole interval, that is called faithful.  Fixed beforehand."""

QUESTION = "Is the attribution faithful to the model?"
NAMES = {
    "pearson": "Pearson r",
    "spearman": "Spearman r",
    "top_k": f"overlap of the top {TOP:.0%} of bases",
    "sign": f"sign at the top {TOP:.0%} of effects",
}


@dataclass(frozen=True)
class Validation:
    """Agreement of an attribution with saturation mutagenesis.

    rows: measure, value, low, high (95 % interval over sequences), null_high (97.5 % of the shuffles), n, unit.
    each: {measure: (N,)} of every sequence, NaN where no substitution changes the output.
    scores, effects: the numbers compared, all sequences together, for pictures.
    form: "effects of substitutions" or "bases".
    silent: sequences in which no substitution changes the output.  constant: those whose scores are all one number.
    """

    rows: list[dict[str, Any]]
    each: Mapping[str, np.ndarray]
    scores: np.ndarray
    effects: np.ndarray
    names: list[str]
    interpreter: str
    output: str
    form: str
    n: int
    silent: int
    constant: int
    n_shuffles: int
    comments: Mapping[str, Any] = field(default_factory=dict)

    def row(self, measure: str, unit: str = "sequences") -> dict[str, Any]:
        """The row of a measure: mean over sequences, or all numbers pooled."""
        return next(r for r in self.rows if r["measure"] == measure and r["unit"] == unit)

    def verdicts(self) -> list[Verdict]:
        """Is the attribution faithful to the model?

        yes: the whole interval of the mean Pearson correlation is at or above 0.5, and above the shuffles.
        no: its upper end is below 0.5, or its lower end is not above the shuffles.  unsure: anything between, and
        fewer than 10 sequences.
        """
        r = self.row("pearson")
        if r["value"] is None:
            return [
                Verdict(QUESTION, "unsure", f"no substitution changes {self.output} in any of {self.n:,} sequences")
            ]
        reason = (
            f"over {r['n']:,} sequences, scores by {self.interpreter.split(' ')[0]} correlate with the effects of all "
            f"substitutions at r = {r['value']:.2f}"
        )
        if r["low"] is None:
            reason += f"; with fewer than {MIN_EXAMPLES} sequences there is no interval"
            return [Verdict(QUESTION, "unsure", reason)]
        reason += f" [{r['low']:.2f}, {r['high']:.2f}] on average, shuffled scores at {r['null_high']:.2f} at most"
        if self.constant:
            reason += f"; in {self.constant:,} of them the scores do not vary"
        reason += f" (faithful: the whole interval from {FAITHFUL} up)"
        if r["low"] <= r["null_high"] or r["high"] < FAITHFUL:
            answer = "no"
        else:
            answer = "yes" if r["low"] >= FAITHFUL else "unsure"
        return [Verdict(QUESTION, answer, reason)]

    def table(self) -> str:
        """The rows as text."""
        lines = [f"{self.interpreter} on {self.output}, {self.form}, n = {self.n:,} sequences"]
        lines.append(f"{'mean over sequences, then pooled':40}{'value [95 %]':>24}{'shuffled':>10}{'n':>10}")
        for r in self.rows:
            name = NAMES[r["measure"]] + (", pooled" if r["unit"] == "numbers" else "")
            null = "" if r["null_high"] is None else f"{r['null_high']:.3f}"
            lines.append(f"{name:40}{number(r):>24}{null:>10}{r['n']:>10,}")
        return "\n".join(lines)

    def write(self, path: str) -> int:
        """A TSV of every sequence's measures; returns the rows."""
        columns = ["name", *MEASURES]
        rows = zip(self.names, *(self.each[m] for m in MEASURES), strict=True)
        return write_table(path, columns, rows, {**self.comments, "compared": self.form})


def validate(
    model: Model | str,
    codes: np.ndarray,
    *,
    interpreter: Interpreter | str | Mapping[str, Any],
    output: str | Output | None = None,
    names: list[str] | None = None,
    inputs: Inputs | None = None,
    n_shuffles: int = 100,
    n_bootstrap: int = 1000,
    seed: int = 0,
    progress: bool = False,
) -> Validation:
    """Hold an interpreter against saturation mutagenesis of codes (N, L) uint8.

    inputs: what the model reads beside the sequences, {key: (N, ...)}.
    n_shuffles: orders of each sequence's scores that make up the null.
    n_bootstrap: resamples of the sequences for the intervals.

    Raises ConfigError for scores that cannot be brought to the kind of effects, as raw input x gradient.
    """
    model = as_model(model)
    selected = Output.one(output, model.spec)
    how: dict[str, Any] = {"output": selected, "names": names, "inputs": inputs, "progress": progress}
    scored = attribute_codes(model, codes, interpreter=interpreter, **how)
    _comparable(scored)
    truth = attribute_codes(model, codes, interpreter="ism", **how)
    return compare(scored, truth, n_shuffles=n_shuffles, n_bootstrap=n_bootstrap, seed=seed)


def compare(
    scored: Attributed, truth: Attributed, *, n_shuffles: int = 100, n_bootstrap: int = 1000, seed: int = 0
) -> Validation:
    """An attribution beside the effects of all substitutions of the same sequences; see `validate`."""
    _comparable(scored)
    if truth.kind != "effect" or not np.array_equal(scored.codes, truth.codes):
        raise ConfigError("an attribution is compared with the effects of substitutions of the same sequences: run ism")
    many = [_compared(scored, truth, i) for i in range(len(scored))]
    each = np.array([agreement(one) for one in many]).reshape(len(many), len(MEASURES))
    heard = np.isfinite(each[:, 0])
    answering = [one for one, ok in zip(many, heard, strict=True) if ok]
    n = len(answering)
    null = shuffled(answering, n_shuffles, seed) if n else np.zeros((0, len(MEASURES)))
    drawn = resamples(np.random.default_rng(seed), n_bootstrap, n) if n >= MIN_EXAMPLES else np.zeros((0, n))
    rows = []
    for i, measure in enumerate(MEASURES):
        values = each[heard, i]
        means = drawn @ values / max(n, 1)
        rows.append(_row(measure, float(values.mean()) if n else None, means, null[:, i], n, "sequences"))
    if n:
        whole = pooled(answering, np.ones((1, n)))
        every = pooled(answering, drawn) if len(drawn) else {}
        for measure, value in whole.items():
            numbers = sum(int(one.used.sum()) for one in answering)
            rows.append(_row(measure, float(value[0]), every.get(measure, np.zeros(0)), None, numbers, "numbers"))
    constant = sum(np.ptp(one.scores[one.used]) == 0 for one in answering)
    return Validation(
        rows,
        {measure: each[:, i] for i, measure in enumerate(MEASURES)},
        np.concatenate([one.scores[one.used] for one in many]) if many else np.zeros(0),
        np.concatenate([one.effects[one.used] for one in many]) if many else np.zeros(0),
        list(scored.names),
        text_of(scored.interpreter),
        scored.output,
        "bases" if scored.kind == "contribution" else "effects of substitutions",
        len(scored),
        int((~heard).sum()),
        int(constant),
        n_shuffles,
        scored.comments,
    )


def _comparable(scored: Attributed) -> None:
    if scored.kind == "contribution":
        scored.per_base()
    else:
        scored.effects()


def _compared(scored: Attributed, truth: Attributed, i: int) -> Compared:
    """One sequence in the form that the kind allows."""
    codes = scored.codes[i : i + 1]
    known = codes[0] < 4
    one, other = scored.select([i]), truth.select([i])
    importance = one.per_base()[0, known], other.per_base()[0, known]
    if scored.kind == "contribution":
        scores, effects = (x[:, None] for x in importance)
        return Compared(scores, effects, np.ones_like(scores, bool), importance)
    used = np.arange(4)[:, None] != codes[0]
    scores, effects = (x.effects()[0][:, known].T for x in (one, other))
    return Compared(scores, effects, used[:, known].T, importance)


def _row(measure: str, value: float | None, resampled: np.ndarray, null: np.ndarray | None, n: int, unit: str) -> dict:
    low, high = np.quantile(resampled, [0.025, 0.975]).tolist() if len(resampled) else (None, None)
    chance = float(np.quantile(null, 0.975)) if null is not None and len(null) else None
    return {"measure": measure, "value": value, "low": low, "high": high, "null_high": chance, "n": n, "unit": unit}
