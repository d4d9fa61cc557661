"""The constants of a frozen TensorFlow graph, read as the protobuf that it is: nothing is executed, no TensorFlow.

graph.pb -> nodes of the GraphDef -> {name of a Const node: float32 array}

A protobuf message is a row of fields, each a number, a wire type and a value (protobuf.dev, "Encoding").  Numbers of
the fields are those of tensorflow/core/framework: GraphDef.node 1, NodeDef.name 1, .op 2, .attr 5, AttrValue.tensor 8,
TensorProto.dtype 1, .tensor_shape 2, .tensor_content 4, .float_val 5, TensorShapeProto.dim 2, Dim.size 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.errors import DataError
from zoo.files.regular_files import read_bounded

_LARGEST, _MOST_NODES, _MOST_AXES = 1 << 28, 1 << 18, 8
_FLOAT = 1  # DT_FLOAT
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5


def read_constants(path: str | Path) -> dict[str, np.ndarray]:
    """{name: array} of the float32 constants.  DataError for a file that is no GraphDef, or beyond 256 MB."""
    try:
        raw = memoryview(read_bounded(Path(path), _LARGEST, follow_links=True))
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): give the frozen graph (.pb)") from error
    constants: dict[str, np.ndarray] = {}
    try:
        for count, node in enumerate(_messages(raw, 1)):
            if count >= _MOST_NODES:
                raise ValueError(f"more than {_MOST_NODES:,} nodes")
            name, op = (bytes(_one(node, number)).decode("utf-8") for number in (1, 2))
            array = _tensor(node) if op == "Const" else None
            if array is not None:
                constants[name] = array
    except ValueError as error:  # UnicodeDecodeError is one
        raise DataError(
            f"{path} is no frozen TensorFlow graph ({error}): give the .pb as its authors publish it"
        ) from error
    if not constants:
        raise DataError(f"{path} holds no constant of float32: give the frozen graph (.pb) of a network")
    return constants


def _tensor(node: memoryview) -> np.ndarray | None:
    """The array of a Const node; None where it is not of float32."""
    for entry in _messages(node, 5):
        if bytes(_one(entry, 1)) != b"value":
            continue
        tensor = _one(_one(entry, 2), 8)
        if _first(tensor, 1, _VARINT) != _FLOAT:
            return None
        shape = tuple(int(_first(dim, 1, _VARINT) or 0) for dim in _messages(_one(tensor, 2), 2))
        size = math.prod(shape) if len(shape) <= _MOST_AXES and max(shape, default=0) < _LARGEST else -1
        content = _one(tensor, 4)
        if not content:
            packed = b"".join(
                bytes(v) for number, wire, v in _fields(tensor) if number == 5 and wire in (_BYTES, _FOUR)
            )
            content = (
                packed * size if len(packed) == 4 and 4 * size <= _LARGEST else packed
            )  # one number stands for all
        if len(content) != 4 * size:
            raise ValueError(f"a tensor of shape {shape} in {len(content):,} bytes")
        return np.frombuffer(content, "<f4").reshape(shape).copy()
    raise ValueError("a constant without a value")


def _one(message: memoryview, number: int) -> memoryview:
    """The bytes of the last field of this number, empty where there is none."""
    return next(iter(reversed(list(_messages(message, number)))), memoryview(b""))


def _messages(message: memoryview, number: int) -> Iterator[memoryview]:
    for own, wire, value in _fields(message):
        if own == number and wire == _BYTES:
            yield value  # type: ignore[misc]


def _first(message: memoryview, number: int, wire: int) -> int | memoryview | None:
    return next((value for own, kind, value in _fields(message) if (own, kind) == (number, wire)), None)


def _fields(message: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """(number, wire type, value) of each field: an int for a varint, the bytes of everything else."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            size, at = _varint(message, at)
        elif wire in (_EIGHT, _FOUR):
            size = 8 if wire == _EIGHT else 4
        else:
            raise ValueError(f"wire type {wire}")
        if number == 0 or size > len(message) - at:
            raise ValueError("a field that ends behind the message")
        yield number, wire, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """An unsigned number of at most ten bytes, and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte, at = message[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number that does not end")
