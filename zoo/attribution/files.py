"""Files of attributions, by the end of their names.

a table, or -        a row a sequence: where it is, the prediction, the sum of the contributions
.bw                  what each base contributes; the four letters each where the name has {base}
.h5                  hypothetical and actual contributions, as zoo.attribution.hdf5 lays them out
.png, .svg, .pdf     letters as high as what each base contributes

attributed.write("contributions.bw")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.attribution.kinds import actual
from zoo.attribution.overlaps import mean_track
from zoo.errors import ConfigError, DataError
from zoo.files.endings import PICTURES, TABLES, check_output, is_table
from zoo.files.tables import TableWriter

if TYPE_CHECKING:
    from zoo.attribution.result import Attributed

CHUNK = 256


def check_path(path: str | Path) -> Callable[[Attributed, str], list[str]]:
    """The writer for a name: (Attributed, path) -> names written.

    Raises, before anything is computed: ConfigError for a name that does not say what to write, ZooError where a
    library is missing, DataError where the folder is missing or cannot be written to.
    """
    ending = check_output(path, (*TABLES, ".bw", ".h5", *PICTURES))
    if is_table(path):
        return _write_table
    return {".bw": _write_bigwig, ".h5": _write_h5}.get(ending, _write_picture)


def check_kind(path: str | Path, kind: str) -> None:
    """Raises ConfigError for a file that needs all four letters, where `kind` knows only the one that is there."""
    name = str(path)
    if kind == "contribution" and (name.lower().endswith(".h5") or "{base}" in name):
        raise ConfigError(
            f"{name} needs what all four letters would contribute, which kind contribution does not say: "
            "choose an interpreter, or its arguments, of kind hypothetical or effect"
        )


def _write_table(attributed: Attributed, path: str) -> list[str]:
    """Every row of the input, or every sequence; NA where a row has no number."""
    _refuse_missing(attributed, path)
    columns, cells, status = _rows(attributed)
    added = ["status", attributed.output, "contributions", "delta"]
    header = {
        **attributed.comments,
        "kind": attributed.kind or "none",
        "contributions": "sum over the window of what each base that is there contributes",
        "delta": "contributions less the difference of the output that they should add up to, where the interpreter "
        "says it",
    }
    numbers = _numbers(attributed)
    with TableWriter(path, [f"input_{c}" if c in added else c for c in columns] + added, header) as table:
        for row, reason in zip(cells, status, strict=True):
            table.row([*row, reason, *(next(numbers) if reason == "ok" else (None, None, None))])
    return [path]


def _rows(attributed: Attributed) -> tuple[list[str], Iterator[list[Any]], Any]:
    """Names of columns, cells and status of the input's rows."""
    if attributed.rows is not None:
        return list(attributed.rows.columns), attributed.rows.padded(), attributed.rows.status
    ok = ["ok"] * len(attributed)
    if attributed.chrom is None or attributed.start is None:
        return ["name"], ([name] for name in attributed.names), ok
    length = attributed.codes.shape[1]
    places = zip(attributed.names, attributed.chrom, attributed.start.tolist(), strict=True)
    return ["name", "chrom", "start", "end"], ([n, c, s, s + length] for n, c, s in places), ok


def _numbers(attributed: Attributed) -> Iterator[tuple[Any, Any, Any]]:
    """(prediction, sum of the contributions, delta) of each sequence."""
    for part in _parts(attributed):
        sums = actual(attributed.values[part], attributed.kind, attributed.codes[part]).sum((1, 2), np.float64)
        deltas = [None] * len(sums) if attributed.delta is None else attributed.delta[part]
        yield from zip(attributed.predictions[part], sums.astype(np.float32), deltas, strict=True)


def _write_bigwig(attributed: Attributed, path: str) -> list[str]:
    """The mean over the windows that cover a base; nothing where the base is N."""
    if attributed.chrom is None or not attributed.contigs:
        raise ConfigError(f"{path}: sequences have no place in a genome, which bigWig needs: write .tsv or .h5")
    check_kind(path, attributed.kind)
    _refuse_missing(attributed, path)
    first, last = attributed.shown or (0, attributed.codes.shape[1])
    if "{base}" not in path:
        here = np.empty((len(attributed), last - first), np.float32)
        for part in _parts(attributed):
            codes, values = attributed.codes[part, first:last], attributed.values[part, :, first:last]
            here[part] = np.where(codes < 4, actual(values, attributed.kind, codes).sum(1), np.nan)
        return [_write_track(attributed, here, first, path)]
    values = attributed.values[:, :, first:last]
    return [
        _write_track(attributed, values[:, i], first, path.replace("{base}", base)) for i, base in enumerate("ACGT")
    ]


def _write_track(attributed: Attributed, values: np.ndarray, first: int, path: str) -> str:
    """values (N, W) of the columns of each window that begin at `first`."""
    from zoo.data.bigwig import write_bigwig

    names = list(attributed.contigs)
    order = {name: i for i, name in enumerate(names)}
    contig = np.array([order[name] for name in np.asarray(attributed.chrom)], np.int64)
    runs = (
        (names[i], start, mean) for i, start, mean in mean_track(contig, np.asarray(attributed.start) + first, values)
    )
    write_bigwig(path, attributed.contigs, runs)
    return path


def _write_h5(attributed: Attributed, path: str) -> list[str]:
    from zoo.attribution.hdf5_writer import write_h5

    check_kind(path, attributed.kind)
    _refuse_missing(attributed, path)
    write_h5(attributed, path)
    return [path]


def _write_picture(attributed: Attributed, path: str) -> list[str]:
    from zoo.pictures.attribution import draw_attribution
    from zoo.pictures.figure_files import save_figure

    _refuse_missing(attributed, path)
    save_figure(path, draw_attribution(attributed, shown=attributed.shown))
    return [path]


def _refuse_missing(attributed: Attributed, path: str) -> None:
    """A number that is missing would be a 0 in one file and a gap in another."""
    for part in _parts(attributed):
        missing = ~np.isfinite(attributed.values[part]).all((1, 2))
        if missing.any():
            name = attributed.names[part.start + int(missing.argmax())]
            raise DataError(f"{path}: the attribution of {name!r} holds NaN or infinity: leave that sequence out")
    if not len(attributed) and not is_table(path):
        raise DataError(f"{path} would be empty: no sequence is explained")


def _parts(attributed: Attributed) -> Iterator[slice]:
    """A chunk of sequences at a time, so that what is made of them is never held for all."""
    return (slice(i, min(i + CHUNK, len(attributed))) for i in range(0, len(attributed), CHUNK))
