"""Tracks by the format of their file: bedGraph, mosdepth, wig or bigWig -> Runs."""

from __future__ import annotations

from pathlib import Path

from zoo.errors import ConfigError
from zoo_copy_number.readers.bedgraph import bedgraph_runs, mosdepth_runs
from zoo_copy_number.readers.bigwig import bigwig_runs
from zoo_copy_number.readers.runs import Runs
from zoo_copy_number.readers.sniff import format_of
from zoo_copy_number.readers.wig import wig_runs

__all__ = ["open_runs"]


def open_runs(path: str | Path, format: str | None = None) -> Runs:
    """The runs of a bedGraph, mosdepth, wig or bigWig file; ConfigError for another format."""
    format = format or format_of(path)
    openers = {"bedgraph": bedgraph_runs, "mosdepth": mosdepth_runs, "wig": wig_runs, "bigwig": bigwig_runs}
    if format not in openers:
        raise ConfigError(f"{path} is {format}, which holds no track: give one of {', '.join(openers)}")
    return openers[format](path)
