"""The top of a report: what the model is called and does, and three facts that decide whether to read on.

sections leave `comparison`, `verdicts` and `worth` in Subject.results -> three key facts
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoo.evaluation.comparison import METRICS, number
from zoo.report.validation import TONES, sentence
from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.attribution.verdict import Verdict
    from zoo.report.section import Subject


@dataclass(frozen=True)
class KeyFact:
    """A question, the answer in a word or two, and one sentence.  tone: as of zoo.report.section.Text."""

    question: str
    answer: str
    words: str
    tone: str = ""


@dataclass(frozen=True)
class Summary:
    """name and description of the model, output that is explained, and the facts."""

    name: str
    description: str
    output: str
    facts: list[KeyFact]


def summary(subject: Subject) -> Summary:
    """To be called after the sections, which find the facts."""
    spec = subject.model.spec
    description = printable(spec.description)
    description = description or (f"Predicts {printable(spec.task)}" if spec.task else "No description was given.")
    read = f"Reads {spec.input_length:,} bp of DNA."
    return Summary(
        printable(spec.name),
        f"{description.rstrip('.')}. {read}",
        subject.output_text or subject.output.names[0],
        [_good(subject), _believed(subject), _worth(subject)],
    )


def _good(subject: Subject) -> KeyFact:
    question = "How good is it?"
    comparison = subject.results.get("comparison")
    if comparison is None:
        return KeyFact(question, "not known", "No evaluation is at hand.", "unsure")
    answer = f"{METRICS[comparison.metric][0]} {number(comparison.model)}"
    stored = "" if "evaluation" in subject.results else ", as stored with the model"
    return KeyFact(question, answer, f"{comparison.words()}{stored}.", TONES[comparison.better])


def _believed(subject: Subject) -> KeyFact:
    """The first verdict of the validation."""
    verdicts = subject.results.get("verdicts", [])
    if not verdicts:
        told = "The attributions were not validated." if not subject.n_validation else "The validation gave no answer."
        return KeyFact("Is the attribution faithful to the model?", "not known", told, "unsure")
    if (subject.interpreter or {}).get("name") == "ism":
        told = "By definition: the attributions are the effects of substitutions themselves (ism)."
        return KeyFact(verdicts[0].question, verdicts[0].answer, told)
    fact = _fact(verdicts[0])
    return replace(fact, words=f"{fact.words} The sequences are random.") if subject.random else fact


def _worth(subject: Subject) -> KeyFact:
    verdict = subject.results.get("worth")
    if verdict is None:
        return KeyFact("Is the model worth explaining?", "not known", "That depends on how good it is.", "unsure")
    return _fact(verdict)


def _fact(verdict: Verdict) -> KeyFact:
    return KeyFact(verdict.question, verdict.answer, sentence(verdict.words), TONES.get(verdict.answer, "unsure"))
