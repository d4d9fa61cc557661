"""ONNX: a model as a graph that onnxruntime and others compute, and what onnxruntime makes of it.

program -> write_onnx -> FILE.onnx -> run_onnx {input: (N, ...)} -> {output: (N, ...)}
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.errors import ZooError, need
from zoo.exporting.metadata import sentence_of

if TYPE_CHECKING:
    from torch.export import ExportedProgram

MODULES = ("onnx", "onnxruntime", "onnxscript")
_LIMIT = 1 << 31
"""Bytes that a file of protocol buffers has at most."""


def write_onnx(
    program: ExportedProgram, path: Path, inputs: Sequence[str], outputs: Sequence[str], facts: Mapping[str, str]
) -> None:
    """Write a recorded model with the names of its inputs and outputs, and what is to be said of it.

    Raises ZooError where the model calls what ONNX does not have, or is larger than one file may be.
    """
    need("an ONNX file", *MODULES)
    import torch

    try:
        with _quiet():
            made = torch.onnx.export(
                program, dynamo=True, input_names=list(inputs), output_names=list(outputs), verbose=False
            )
    except torch.onnx.errors.OnnxExporterError as error:
        raise ZooError(
            f"model {facts['name']!r} computes {_operation(error)}, for which ONNX has no form: export it with "
            "--format torch-export"
        ) from error
    assert made is not None  # torch answers None where it wrote the file itself
    model = made.model_proto
    for key, text in facts.items():
        model.metadata_props.add(key=key, value=text)
    model.producer_name, model.doc_string = "zoo", facts.get("description", "")
    described = json.loads(facts["inputs"]) | json.loads(facts["outputs"])
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = sentence_of(value.name, described[value.name])
    if model.ByteSize() >= _LIMIT:
        raise ZooError(
            f"model {facts['name']!r} makes {model.ByteSize():,} bytes, more than one ONNX file holds: export it with "
            "--format torch-export"
        )
    path.write_bytes(model.SerializeToString())


def run_onnx(path: Path, batches: Sequence[Mapping[str, np.ndarray]]) -> list[dict[str, np.ndarray]]:
    """What onnxruntime's CPU provider answers to each batch {input: (N, ...)}, with its default optimisations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    answers = [session.run(names, dict(batch)) for batch in batches]
    return [{name: np.asarray(value) for name, value in zip(names, row, strict=True)} for row in answers]


@contextmanager
def _quiet():
    """PyTorch tells of libraries that it would use if they were there, and of its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _operation(error: BaseException) -> str:
    """The torch call that could not be translated."""
    matched = re.search(r"op='([\w.]+)'", str(error))
    return matched[1] if matched else " ".join(str(error).split())[:200]
