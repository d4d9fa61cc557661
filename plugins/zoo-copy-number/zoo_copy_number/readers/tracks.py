"""Tracks by the format of their file: bedGraph, mosdepth, wig or bigWig -> Runs."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ConfigError
from zoo_copy_number.readers.bedgraph import read_bedgraph, read_mosdepth
from zoo_copy_number.readers.bigwig import read_bigwig
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import detect_format
from zoo_copy_number.readers.wig import read_wig


def open_runs(path: str | Path, format: str | None = None) -> Runs:
    """The runs of a bedGraph, mosdepth, wig or bigWig file; ConfigError for another format."""
    format = format or detect_format(path)
    openers = {"bedgraph": read_bedgraph, "mosdepth": read_mosdepth, "wig": read_wig, "bigwig": read_bigwig}
    if format not in openers:
        raise ConfigError(f"{path} is {format}, which holds no track: give one of {', '.join(openers)}")
    return openers[format](path)
