"""From the options of `zoo report` to what its sections read: model, data, output, sequences and interpreter.

zoo report NAME [--config, --data, --fasta, --bed, --sequences, --output, --interpreter]  ->  Subject
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.data.genome import Genome
from zoo.errors import ConfigError, DataError, UnknownComponent
from zoo.hub.loader import load
from zoo.hub.path import run_of
from zoo.prediction.further_inputs import FurtherInputs, Signals, take
from zoo.report.section import Subject
from zoo.report.sequences import Chosen, of_fasta, of_intervals, of_split, random_sequences

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo.outputs import Output
    from zoo.training.model_and_data import Opened

INTERPRETERS = ("deeplift_shap", "ism")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a report is made of.

    output: one output; the first task by default, before its activation where it has one.
    interpreter: name, or name and arguments; by default deeplift_shap, or ism where that does not run on the model.
    config, data, fasta, device: as in zoo.training.model_and_data; `fasta` is the genome of `bed` too.
    bed, sequences: whose windows are explained, in place of the test split's.
    motifs: JASPAR names whose best match is a baseline of the evaluation.
    n: sequences, at most.  n_validation: of these, how many attributions are validated on; 0 for not at all.
    progress: show bars on stderr, if that is a terminal.
    signals, model_context: what the model reads beside the windows of `bed` or `sequences`; those of the test split
        have their own.
    """

    output: str | None = None
    interpreter: str | Mapping[str, Any] | None = None
    config: str | Path | None = None
    data: Sequence[str] = ()
    fasta: Sequence[str] = ()
    bed: str | None = None
    sequences: str | None = None
    motifs: Sequence[str] = ()
    n: int = 200
    n_validation: int = 50
    seed: int = 0
    device: str = "cpu"
    progress: bool = False
    signals: Signals = ()
    model_context: str | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ConfigError(f"n {self.n} sequences cannot stand for data: use 1 or more")
        if self.n_validation < 0:
            raise ConfigError(f"n_validation {self.n_validation} is no number of sequences: use 0 or more")
        if self.bed and not self.fasta:
            raise ConfigError("intervals need their genome: give --fasta beside --bed")
        if self.bed and self.sequences:
            raise ConfigError("--bed and --sequences are two sources of sequences: leave out one")
        if (self.signals or self.model_context) and not (self.bed or self.sequences):
            raise ConfigError("--signal and --context belong to the windows of --bed: give that, with its --fasta")


def open_subject(name: str, **options: Any) -> Subject:
    """Open a run folder or a published model for a report.  options: of `Options`.

    A published model names its data itself; only simulated data of a bounded size are made from that, since no file
    is read because a stranger's model asks for it.
    Raises ConfigError and DataError as opening and reading do, for what `options` name.
    """
    settings = Options(**options)
    notes: list[str] = []
    opened, model = _open(name, settings, notes)
    selected, text = _output(settings.output, model, notes)
    chosen = _sequences(opened, model, selected, settings)
    subject = Subject(
        name,
        model,
        selected,
        opened=opened,
        seed=settings.seed,
        progress=settings.progress,
        output_text=text,
        run=run_of(name),
        motifs=tuple(settings.motifs),
        n_validation=settings.n_validation,
        notes=notes,
        **vars(chosen),
    )
    subject.names = subject.names or [f"sequence {i + 1}" for i in range(len(subject.codes))]
    subject.interpreter = _interpreter(settings.interpreter, subject)
    return subject


def _open(name: str, options: Options, notes: list[str]) -> tuple[Opened | None, Model]:
    """The model, and its data where they are at hand; data that the options name and that fail are an error."""
    from zoo.training.model_and_data import open_evaluated, why_not_from_card

    run = run_of(name)
    named = options.config is not None or options.data or (options.fasta and not options.bed)
    if not named and run is None:
        model = load(name, device=options.device)
        reason = why_not_from_card(model)
        if reason:
            notes.append(
                f"The data that the model was made with are not at hand ({reason}): --config RUN/config.json, or "
                "--data and --fasta, say where they are."
            )
            return None, model
    try:
        opened = open_evaluated(
            name, config=options.config, data=options.data, fasta=options.fasta, device=options.device
        )
        opened.source.examples("test")
        return opened, opened.model
    except (ConfigError, DataError, UnknownComponent) as error:
        if named:
            raise
        model = load(name, device=options.device)
        notes.append(f"The data that the model was made with could not be read here: {error}.")
        return None, model


def _output(text: str | None, model: Model, notes: list[str]) -> tuple[Output, str]:
    """One output; the first of the model's own by default."""
    from zoo.outputs import Output

    if text:
        return Output.one(text, model.spec), text
    every = Output.every(model.spec)
    if not every.names:
        raise ConfigError(f"model {model.spec.name!r} has no task with a name: name an output with --output")
    first, term = every.names[0], every.terms[0][0]
    activated = model.spec.activation.get(term.head, "identity") != "identity"
    text = f"{first}:raw" if activated and term.reduce is None else first
    if len(every.names) > 1:
        others = ", ".join(every.names[1:6]) + (", ..." if len(every.names) > 6 else "")
        notes.append(
            f"The model has {len(every.names):,} outputs; this report explains the first, {text}. "
            f"Others: {others} (--output names one)."
        )
    return Output.one(text, model.spec), text


def _sequences(opened: Opened | None, model: Model, output: Output, options: Options) -> Chosen:
    length = model.spec.input_length
    given = options.signals, options.model_context
    genome = Genome(list(options.fasta)) if options.bed else None
    further = FurtherInputs.open(model, genome, *given) if any(given) else None
    if options.bed and genome:
        return of_intervals(options.bed, genome, length, options.n, options.seed, further)
    if options.sequences:
        return of_fasta(options.sequences, length, options.n, options.seed, further)
    split = of_split(opened, output, options.n, options.seed) if opened else None
    return split or random_sequences(length, options.n, options.seed)


def _interpreter(interpreter: str | Mapping[str, Any] | None, subject: Subject) -> dict[str, Any]:
    """The interpreter of the options; else the first that explains a sequence of this model."""
    from zoo.registry import registry

    if interpreter is not None:
        named = {"name": interpreter} if isinstance(interpreter, str) else dict(interpreter)
        registry().resolve("interpreter", named["name"], {k: v for k, v in named.items() if k != "name"})
        return named
    known = registry().names("interpreter")
    for name in INTERPRETERS:
        if name in known:
            reason = _fails(name, subject)
            if not reason:
                return {"name": name}
            subject.notes.append(f"Attributions are not by {name}, which does not run on this model: {reason}.")
    return {"name": INTERPRETERS[-1]}


def _fails(name: str, subject: Subject) -> str:
    """Why an interpreter cannot explain the first sequence; "" where it can, or where none could."""
    from zoo.attribution.sequences import attribute_codes

    if name == INTERPRETERS[-1] or subject.other_inputs:
        return ""
    try:
        attribute_codes(
            subject.model, subject.codes[:1], interpreter=name, output=subject.output, inputs=take(subject.inputs, [0])
        )
    except Exception as error:  # No one named it: whatever stops it, another interpreter will do.
        return str(error).rstrip(".") or type(error).__name__
    return ""
