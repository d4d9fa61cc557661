"""Run an interpreter over sequences or over regions of a genome.

attribute_codes("ctcf-motif-cnn", codes, interpreter="deeplift_shap", output="CTCF:raw") -> Attributed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.result import Attributed
from zoo.errors import ConfigError, ContractError
from zoo.hub.loader import as_model
from zoo.outputs import Output
from zoo.prediction.further_inputs import Inputs, take
from zoo.prediction.inference import batch_rows
from zoo.prediction.predict import origin, predict_codes
from zoo.registry import registry
from zoo.terminal.progress import counting

if TYPE_CHECKING:
    from zoo.interfaces import Interpreter
    from zoo.model import Model


def attribute_codes(
    model: Model | str,
    codes: np.ndarray,
    *,
    interpreter: Interpreter | str | Mapping[str, Any] = "ism",
    output: str | Output | None = None,
    names: Sequence[str] | None = None,
    inputs: Inputs | None = None,
    progress: bool = False,
    **where: Any,
) -> Attributed:
    """codes (N, L) uint8 -> Attributed.

    model: a model, or whatever `zoo.load` takes: a name, a run's folder, a source.
    interpreter: an interpreter; its name; or name and arguments, as in a configuration.
    output: one number an example, as zoo.outputs says; it may be left out where the model has only one.
    names: of the sequences, "1", "2", ... where they are not given.
    inputs: what the model reads beside the sequences, {key: (N, ...)}; it stays as it is.
    progress: show a bar on stderr, if that is a terminal.
    where: chrom, start, contigs and comments of Attributed.

    Raises ConfigError for several outputs, and where the model lacks what it reads beside a sequence.
    """
    import torch

    model = as_model(model)
    selected = Output.one(output, model.spec)
    built, arguments = build_interpreter(interpreter)
    predictions = predict_codes(model, codes, selected, inputs=inputs)[:, 0]
    rows = batch_rows(codes.shape[1], model.device.type)
    values, deltas, last = [], [], None
    with counting(len(codes), label="explaining", unit="sequences", enabled=progress) as advance:
        for first in range(0, len(codes), rows):
            part = np.arange(first, min(first + rows, len(codes)))
            batch = {"codes": torch.from_numpy(codes[part]), **take(inputs or {}, part)}
            batch = {key: x.to(model.device) for key, x in batch.items()}
            last = built.attribute(model, batch, selected)
            if "one_hot" not in last.values:
                told = ", ".join(last.values) or "nothing"
                raise ContractError(f"{arguments['name']} scores {told} and no bases: take another interpreter")
            values.append(last.values["one_hot"].float().cpu().numpy())
            deltas.append(None if last.delta is None else last.delta.float().cpu().numpy())
            advance(len(batch["codes"]))
    if last is None:
        raise ConfigError("there is no sequence to explain: give at least one")
    comments = {**origin(model, selected), "interpreter": text_of(arguments), **where.pop("comments", {})}
    return Attributed(
        codes,
        np.concatenate(values),
        last.kind,
        predictions,
        selected.names[0],
        arguments,
        list(names) if names is not None else [str(i + 1) for i in range(len(codes))],
        last.centered,
        None if deltas[0] is None else np.concatenate(deltas),
        comments=comments,
        **where,
    )


def build_interpreter(interpreter: Interpreter | str | Mapping[str, Any]) -> tuple[Interpreter, dict[str, Any]]:
    """The interpreter, and its name with every argument it was built with."""
    from zoo.interfaces import Interpreter

    if isinstance(interpreter, Interpreter):
        return interpreter, {"name": type(interpreter).__name__}
    given = {"name": interpreter} if isinstance(interpreter, str) else dict(interpreter)
    name = given.pop("name")
    resolved = registry().resolve("interpreter", name, given)
    return registry().get("interpreter", name)(**resolved), {"name": name, **resolved}


def text_of(arguments: Mapping[str, Any]) -> str:
    """An interpreter with its arguments on one line.

    >>> text_of({"name": "ism", "start": None})
    'ism (start none)'
    """
    rest = ", ".join(f"{k} {'none' if v is None else v}" for k, v in arguments.items() if k != "name")
    return f"{arguments['name']} ({rest})" if rest else str(arguments["name"])
