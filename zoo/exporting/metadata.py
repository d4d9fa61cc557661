"""What an exported file says of itself: names, shapes and units of what goes in and comes out, and of which weights.

model, Standalone -> describe -> {key: text}; those of `inputs` and `outputs` are JSON
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from zoo.fields import CODES
from zoo.prediction.predict import versions

if TYPE_CHECKING:
    from zoo.exporting.standalone import Standalone
    from zoo.fields import Field
    from zoo.spec import ModelSpec


def describe(network: Standalone) -> dict[str, str]:
    """{key: text} in the order in which a reader wants to know it; what is not known is left out."""
    spec = network.model.spec
    facts = {
        "name": spec.name,
        "revision": str(getattr(network.model, "revision", "") or ""),
        "source": str(getattr(network.model, "source", "") or ""),
        "description": spec.description,
        "task": spec.task,
        "genome": str(spec.genome.get("name") or ""),
        "input_length": str(spec.input_length),
        "inputs": json.dumps({name: _input(name, network) for name in network.names}),
        "outputs": json.dumps({name: _output(head, network) for head, name in network.output_names.items()}),
        "strands": "the mean of both" if spec.conjoined else "",
        "members": str(spec.members) if spec.members > 1 else "",
        "licence": spec.licence,
        "citation": spec.citation,
        "versions": versions(spec),
    }
    return {key: text for key, text in facts.items() if text}


def sentence_of(name: str, facts: dict[str, Any]) -> str:
    """One input or output in words, for viewers that show a line."""
    parts = [f"{name}: {facts.get('shape', '')}", facts.get("meaning"), facts.get("unit"), facts.get("activation")]
    return ", ".join(part for part in parts if part)


def _input(name: str, network: Standalone) -> dict[str, Any]:
    spec: ModelSpec = network.model.spec
    if name == "codes":
        of_n = {"zero": "four zeros", "quarter": "four quarters"}[spec.n_encoding]
        meaning = f"bases as A C G T N = 0 1 2 3 4; an N is read as {of_n}"
        return {"shape": f"(N, {spec.input_length})", "type": "uint8", "meaning": meaning} | _field(CODES)
    if name.startswith("present/"):
        return {"shape": "(N)", "type": "float32", "meaning": "1 where the input is there, 0 where it is missing"}
    field = spec.inputs[name]
    positions = spec.input_length // field.bin_size
    shape = ", ".join(["N", *map(str, field.shape(1, positions)[1:])])
    kind = "int64" if field.values == "class" else "float32"
    return {"shape": f"({shape})", "type": kind} | _field(field)


def _output(head: str, network: Standalone) -> dict[str, Any]:
    spec: ModelSpec = network.model.spec
    field, grid = spec.outputs[head]
    shape = ", ".join(["N", *map(str, field.shape(1, grid.length if grid else 1)[1:])])
    activation = "none (raw)" if network.raw else spec.activation.get(head, "identity")
    facts = {"shape": f"({shape})", "type": "float32", "head": head, "activation": activation} | _field(field)
    if grid:
        facts["positions"] = {"offset": grid.offset, "bin_size": grid.bin_size, "length": grid.length}
    return facts


def _field(field: Field) -> dict[str, Any]:
    """Axes, names of channels and classes, unit, transform; without what does not apply."""
    facts = {
        "axes": "N" + field.axes,
        "channels": list(field.channels),
        "vocabulary": list(field.vocabulary),
        "unit": field.unit,
        "bin_size": field.bin_size if field.bin_size > 1 else None,
        "transform": field.transform,
    }
    return {key: value for key, value in facts.items() if value}
