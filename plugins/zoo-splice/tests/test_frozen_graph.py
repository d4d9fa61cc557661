"""Constants of a frozen graph, beside a writer of the wire format that the reader does not know."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from zoo.errors import DataError
from zoo_splice.networks.ci_spliceai import read_ci_spliceai
from zoo_splice.networks.frozen_graph import read_constants


def varint(value: int) -> bytes:
    """An unsigned number."""
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    """A varint, or bytes with their length in front."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def constant(name: str, array: np.ndarray, dtype: int = 1, packed: bool = False) -> bytes:
    """A node of a GraphDef."""
    shape = b"".join(field(2, field(1, n)) for n in array.shape)
    content = field(5, array.tobytes()) if packed else field(4, array.tobytes())
    value = field(8, field(1, dtype) + field(2, shape) + content)
    other = field(5, field(1, b"dtype") + field(2, field(6, dtype)))
    return field(
        1, field(1, name.encode()) + field(2, b"Const") + other + field(5, field(1, b"value") + field(2, value))
    )


FLOATS = arrays.arrays(np.float32, arrays.array_shapes(max_dims=3, max_side=5), elements=st.floats(width=32))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=20), FLOATS, min_size=1, max_size=5), st.booleans())
def test_arrays_come_back_as_they_were_written(tmp_path_factory, constants, packed):
    path = tmp_path_factory.mktemp("graph") / "graph.pb"
    relu = field(1, field(1, b"relu") + field(2, b"Relu") + field(3, b"x"))
    whole = constant("whole numbers", np.zeros(3, np.float32), dtype=3)
    path.write_bytes(
        relu + whole + b"".join(constant(k, x, packed=packed) for k, x in constants.items()) + field(4, b"")
    )
    found = read_constants(path)
    assert list(found) == list(constants)
    for name, array in constants.items():
        np.testing.assert_array_equal(found[name], array)


def test_one_number_stands_for_a_whole_tensor(tmp_path):
    value = field(8, field(1, 1) + field(2, field(2, field(1, 3))) + varint(5 << 3 | 5) + struct.pack("<f", 0.001))
    node = field(1, field(1, b"y") + field(2, b"Const") + field(5, field(1, b"value") + field(2, value)))
    (tmp_path / "graph.pb").write_bytes(node)
    np.testing.assert_array_equal(read_constants(tmp_path / "graph.pb")["y"], np.full(3, 0.001, np.float32))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_raises_nothing_else(tmp_path_factory, data):
    raw = bytearray(constant("kernel", np.arange(12, dtype=np.float32).reshape(3, 4)))
    if data.draw(st.booleans()):
        raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("graph") / "graph.pb"
    path.write_bytes(bytes(raw))
    try:
        found = read_constants(path)
    except DataError:  # nothing else is raised, and no memory is taken for what is not there
        return
    assert all(x.nbytes < 1000 for x in found.values())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff" * 11,
        b"\x0a\xff\xff\xff\xff\x0f",  # a field of 4 GB
        b"\x0b",  # a group, which ended with protobuf 1
        b"#!/bin/sh\n",
        field(1, field(1, b"\xff\xfe") + field(2, b"Const")),
        field(1, field(1, b"x") + field(2, b"Const")),
        field(
            1,
            field(1, b"x")
            + field(2, b"Const")
            + field(
                5,
                field(1, b"value")
                + field(2, field(8, field(1, 1) + field(2, field(2, field(1, 1 << 62)) * 8) + varint(45) + b"abcd")),
            ),
        ),  # one number for 2**496
    ],
)
def test_what_is_no_graph_is_refused(tmp_path, raw):
    (tmp_path / "graph.pb").write_bytes(raw)
    with pytest.raises(DataError):
        read_constants(tmp_path / "graph.pb")


def test_only_the_published_graph_becomes_ci_spliceai(tmp_path):
    (tmp_path / "graph.pb").write_bytes(constant("kernel", np.zeros((1, 4, 32), np.float32)))
    with pytest.raises(DataError, match=r"cispliceai 1\.2\.2"):
        read_ci_spliceai(tmp_path / "graph.pb")
