"""`Output`: which numbers of a prediction are meant, for predict, score, ISM, attribution and design alike.

    CTCF                     the task called CTCF
    atac/CTCF                the task CTCF of head atac, where two heads have one of that name
    CTCF:sum                 a profile, summed over its positions
    CTCF@-50..50:mean        the mean of the positions within 50 bp of the window's middle
    CTCF:raw                 before the model's activation (a logit, a log rate)
    liver - 0.5*brain        a linear expression (blanks around + and -)
    liver, brain             two outputs
    CTCF*:raw                every task that the pattern fits: * is any letters, ? is one
    cell=K562                every task of data=assays whose column of the sheet has the value

Expressions are parsed, never evaluated as code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.errors import ConfigError, did_you_mean
from zoo.output_patterns import expand_patterns

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.fields import Field, Grid
    from zoo.model import Model, ModelSpec

REDUCTIONS = ("sum", "mean", "max", "logsum")
TRANSFORMS = ("log2", "log1p", "exp")

_COLUMNS = ("status", "")
"""Names of columns that stand beside the outputs in every table."""

_TERM = re.compile(
    r"^(?:(?P<factor>\d+(?:\.\d*)?|\.\d+)\s*\*\s*)?(?P<name>[^@:*\s,]+)"
    r"(?:@(?P<start>-?\d+)\.\.(?P<end>-?\d+))?(?P<modifiers>(?::[a-z0-9]+)*)$"
)


@dataclass(frozen=True)
class Term:
    """`factor * transform(reduce(prediction[head][:, channel, first:last]))`."""

    factor: float
    head: str
    channel: int
    first: int | None = None
    last: int | None = None
    reduce: str | None = None
    transform: str | None = None

    def of(self, prediction: Mapping[str, Tensor]) -> Tensor:
        """prediction {head: (N, C) or (N, C, T...)} -> (N,)."""
        import torch

        x = prediction[self.head][:, self.channel]
        if self.first is not None:
            x = x[..., self.first : self.last]
        if self.reduce is not None:
            x = x.flatten(1)
            match self.reduce:
                case "sum":
                    x = x.sum(1)
                case "mean":
                    x = x.mean(1)
                case "max":
                    x = x.amax(1)
                case "logsum":
                    x = x.sum(1).log()
        match self.transform:
            case "log2":
                x = torch.log2(x)
            case "log1p":
                x = torch.log1p(x)
            case "exp":
                x = torch.exp(x)
        return self.factor * x


@dataclass(frozen=True)
class Output:
    """One or more named linear expressions over a model's predictions."""

    names: tuple[str, ...]
    terms: tuple[tuple[Term, ...], ...]
    raw: bool = False

    @classmethod
    def parse(cls, text: str | None, spec: ModelSpec) -> Output:
        """Bind a text to a model's tasks; None or "" selects every task that is one number.

        Raises ConfigError for an unknown task, or one with positions and no reduction.
        """
        if not text:
            return cls.every(spec)
        names, terms, raws = [], [], []
        for expression in _expressions(text, spec):
            parsed = [_parse_term(part, sign, spec) for sign, part in _split(expression)]
            names.append(re.sub(r"\s+", "", expression))
            terms.append(tuple(term for term, _ in parsed))
            raws += [raw for _, raw in parsed]
        if len(set(raws)) > 1:
            raise ConfigError(f"output {text!r} mixes :raw with activated terms: put :raw on all of them or none")
        return cls(tuple(names), tuple(terms), raws[0])

    @classmethod
    def profiles(cls, text: str, spec: ModelSpec) -> Output:
        """Outputs by position, "task" or "task@-50..50", separated by commas: one term each, without a reduction.

        Raises ConfigError for a task without positions.
        """
        names, terms, raws = [], [], []
        for name in _expressions(text, spec):
            term, raw = _parse_term(f"{name}:sum", 1.0, spec)
            grid = spec.outputs[term.head][1]
            first, last = (0, grid and grid.length) if term.first is None else (term.first, term.last)
            names.append(name)
            terms.append((Term(1.0, term.head, term.channel, first, last),))
            raws.append(raw)
        if len(set(raws)) > 1:
            raise ConfigError(f"profiles {text!r} mix :raw with activated ones: put :raw on all of them or none")
        return cls(tuple(names), tuple(terms), raws[0])

    @classmethod
    def one(cls, text: str | Output | None, spec: ModelSpec) -> Output:
        """`parse`, or an output as it is; raises ConfigError where more than one number is meant."""
        output = text if isinstance(text, Output) else cls.parse(text, spec)
        if len(output.names) != 1:
            names = ", ".join(output.names[:8]) + (", ..." if len(output.names) > 8 else "")
            raise ConfigError(f"one output is needed, not {len(output.names)} ({names}): name one as output")
        return output

    @classmethod
    def every(cls, spec: ModelSpec) -> Output:
        """Every task; tasks with positions are reduced by their mean, and named so.

        A task is called by its head too where two heads have one of its name.
        """
        names, terms = [], []
        every = [task for field, _ in spec.outputs.values() for task in _channels(field)]
        for head, (field, _) in spec.outputs.items():
            reduce = "mean" if "T" in field.axes else None
            for channel, task in enumerate(_channels(field)):
                prefix = f"{head}/" if every.count(task) > 1 else ""
                names.append(prefix + task + (f":{reduce}" if reduce else ""))
                terms.append((Term(1.0, head, channel, reduce=reduce),))
        return cls(tuple(names), tuple(terms))

    def select(self, prediction: Mapping[str, Tensor]) -> Tensor:
        """prediction {head: (N, ...)} -> (N, number of outputs)."""
        import torch

        return torch.stack([sum(t.of(prediction) for t in terms) for terms in self.terms], dim=1)

    def scalar(self, prediction: Mapping[str, Tensor]) -> Tensor:
        """prediction {head: (N, ...)} -> (N,); an error where more than one output is meant."""
        if len(self.terms) != 1:
            raise ConfigError(f"one output is needed, not {len(self.terms)} ({', '.join(self.names)}): name one")
        return self.select(prediction)[:, 0]

    def of(self, model: Model, batch: Mapping[str, Tensor]) -> Tensor:
        """Run the model on a batch and select: (N, number of outputs)."""
        return self.select(model(batch) if self.raw else model.predict(batch))


def _expressions(text: str, spec: ModelSpec) -> list[str]:
    """What stands between the commas, patterns written out."""
    every = [task for field, _ in spec.outputs.values() for task in _channels(field)]
    names = [
        [task, f"{head}/{task}"] if every.count(task) > 1 else [f"{head}/{task}", task]
        for head, (field, _) in spec.outputs.items()
        for task in _channels(field)
    ]
    tasks = spec.data.get("tasks") if isinstance(spec.data, Mapping) else None
    rows = [row for row in tasks if isinstance(row, Mapping)] if isinstance(tasks, list | tuple) else []
    return expand_patterns(text, names, rows)


def _split(expression: str) -> list[tuple[float, str]]:
    """'a - 2*b' -> [(1, 'a'), (-1, '2*b')]."""
    pieces = re.split(r"\s+([+-])\s+", expression)
    sign = 1.0
    if pieces[0].startswith("-"):
        pieces[0], sign = pieces[0][1:].strip(), -1.0
    signs = [sign] + [1.0 if s == "+" else -1.0 for s in pieces[1::2]]
    return list(zip(signs, pieces[::2], strict=True))


def as_name(text: str) -> str:
    """A name that an output can be called by: blanks and the letters of the grammar become underscores.

    >>> as_name("H3K27ac (rep 1)"), as_name("-log10p"), as_name("CTCF")
    ('H3K27ac_(rep_1)', '_log10p', 'CTCF')
    """
    name = re.sub(r"[@:*\s,]+", "_", text.strip())
    name = re.sub(r"^[+-]", "_", name)
    if name.endswith(".label"):  # a table of predictions has a column of that name beside every task
        name = name.removesuffix(".label") + "_label"
    return f"{name}_" if name in _COLUMNS else name


def require_names(targets: Mapping[str, Field]) -> None:
    """ConfigError for a target, or a channel of one, that no output could be called by."""
    for name in (name for target, field in targets.items() for name in (target, *field.channels)):
        if as_name(name) != name:
            raise ConfigError(
                f"{name!r} cannot name an output, which has no blanks and no @:*, : "
                f"call it {as_name(name)!r} (data.target, data.task)"
            )


def _parse_term(text: str, sign: float, spec: ModelSpec) -> tuple[Term, bool]:
    match = _TERM.match(text)
    if not match:
        raise ConfigError(f"output {text!r} does not read task, task:sum or task@-50..50:mean")
    head, channel = _find(match["name"], spec)
    field, grid = spec.outputs[head]
    modifiers = [m for m in match["modifiers"].split(":") if m]
    unknown = [m for m in modifiers if m not in (*REDUCTIONS, *TRANSFORMS, "raw")]
    if unknown:
        raise ConfigError(
            f"output {text!r}: no {unknown[0]!r}" + did_you_mean(unknown[0], [*REDUCTIONS, *TRANSFORMS, "raw"])
        )
    reduces = [m for m in modifiers if m in REDUCTIONS]
    transforms = [m for m in modifiers if m in TRANSFORMS]
    if len(reduces) > 1 or len(transforms) > 1:
        raise ConfigError(f"output {text!r} names two reductions or two transforms: keep one of each")
    if "T" in field.axes and not reduces:
        raise ConfigError(
            f"output {text!r} is {grid and grid.length} numbers by position: "
            f"add a reduction, as in {text}:sum or {text}:mean"
        )
    if "T" not in field.axes and (reduces or match["start"]):
        raise ConfigError(f"output {text!r} is one number: leave out its positions and reduction")
    first = last = None
    if match["start"] is not None:
        first, last = _bins(int(match["start"]), int(match["end"]), grid, spec.input_length, text)
    term = Term(
        sign * float(match["factor"] or 1), head, channel, first, last, *(reduces or [None]), *(transforms or [None])
    )
    return term, "raw" in modifiers


def _find(name: str, spec: ModelSpec) -> tuple[str, int]:
    """Task name, or head/task, to (head, channel)."""
    matches = [
        (head, channel)
        for head, (field, _) in spec.outputs.items()
        for channel, task in enumerate(_channels(field))
        if name in (task, f"{head}/{task}")
    ]
    if len(matches) == 1:
        return matches[0]
    every = [task for field, _ in spec.outputs.values() for task in _channels(field)]
    known = [f"{h}/{t}" if every.count(t) > 1 else t for h, (f, _) in spec.outputs.items() for t in _channels(f)]
    if matches:
        raise ConfigError(f"output {name!r} is in several heads: write one of {', '.join(known)}")
    raise ConfigError(f"model {spec.name!r} has no output {name!r}" + did_you_mean(name, known))


def _channels(field: Field) -> tuple[str, ...]:
    return field.channels or field.vocabulary


def _bins(start: int, end: int, grid: Grid, length: int, text: str) -> tuple[int, int]:
    """Whole positions inside [middle + start, middle + end) of the input window."""
    middle = length // 2
    first = -(-(middle + start - grid.offset) // grid.bin_size)
    last = (middle + end - grid.offset) // grid.bin_size
    if not 0 <= first < last <= grid.length:
        raise ConfigError(
            f"output {text!r}: {start}..{end} bp of the middle holds no whole position of the prediction, "
            f"which covers {grid.offset - middle}..{grid.end - middle} in steps of {grid.bin_size}"
        )
    return first, last
