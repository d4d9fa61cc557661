"""Writing scores of variants so that a killed run loses nothing: finished parts beside the output, joined at the end.

OUT.parts/run.json                 what the run is, so that another is not continued by mistake
OUT.parts/000000000-000004096.tsv  rows of the records 0 to 4,096, moved into place whole
"""

from __future__ import annotations

import errno
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.errors import ConfigError, DataError
from zoo.files.tables import TableWriter, atomic_path, read_table

if TYPE_CHECKING:
    from zoo.effects.variants.rows import Chunk

_PART = re.compile(r"(\d{9,})-(\d{9,})\.tsv")


class Parts:
    """The finished part of a run.

    out: where the scores go in the end.  columns: of every part.
    run: what the run is: model, options, input; a folder of another run is refused.
    records: of the input whose rows are written.
    resume: go on behind the last part.  Raises ConfigError where parts lie there and resume is not asked for.
    """

    def __init__(self, out: str | Path, columns: Sequence[str], run: Mapping[str, Any], resume: bool = False):
        self.out, self.columns = Path(out), list(columns)
        self.folder = self.out.with_name(f"{self.out.name}.parts")
        self.run = json.loads(json.dumps(dict(run), default=str))
        parts = self._parts()
        self.records = parts[-1][1] if parts else 0
        if self.folder.exists():
            self._same_run(resume)
        elif not self.out.parent.is_dir():
            raise DataError(f"folder {self.out.parent} for {self.out.name} does not exist: create it")

    def write(self, chunk: Chunk) -> None:
        """The rows of a chunk, which follows the last part."""
        if not self.folder.exists():
            with _room(self.folder):
                self.folder.mkdir()
                with atomic_path(self.folder / "run.json") as temporary:
                    temporary.write_text(json.dumps(self.run, indent=1))
        name = f"{self.records:09d}-{chunk.last:09d}.tsv"
        if chunk.profiles is not None:
            with _room(self.folder), atomic_path(self.folder / name.replace(".tsv", ".npy")) as temporary:
                with temporary.open("wb") as file:
                    np.save(file, chunk.profiles, allow_pickle=False)
        with _room(self.folder), TableWriter(self.folder / name, ["record", *self.columns]) as table:
            for record, row in zip(chunk.record.tolist(), chunk.rows, strict=True):
                table.row([record, *row])
        self.records = chunk.last

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(record, cells) of every row, in order."""
        for _, _, path in self._parts():
            for row in read_table(path)[1]:
                record, *cells = row.values()
                yield int(record), cells

    def profiles(self) -> Iterator[np.ndarray]:
        """(A, 2, T) of every part, in order."""
        for _, _, path in self._parts():
            yield np.load(path.with_suffix(".npy"), allow_pickle=False)

    def finish(self, comments: Mapping[str, Any], writer: Callable) -> tuple[Counter, str | None]:
        """Join the parts into the output and drop them; how many rows have which status, and the writer's note."""
        counts: Counter = Counter()
        status = self.columns.index("status")

        def rows() -> Iterator[tuple[int, list[str]]]:
            for record, cells in self.rows():
                counts[cells[status]] += 1
                yield record, cells

        with _room(self.out):
            beside = {"profiles": self.profiles()} if getattr(writer, "takes_profiles", False) else {}
            note = writer(self.out, self.columns, rows(), comments, **beside)
        shutil.rmtree(self.folder, ignore_errors=True)
        return counts, note

    def _parts(self) -> list[tuple[int, int, Path]]:
        """(first record, one past the last, file) of every part; DataError where one is missing between others."""
        if not self.folder.exists():
            return []
        names = [(m, path) for path in self.folder.iterdir() if (m := _PART.fullmatch(path.name))]
        found = sorted((int(m[1]), int(m[2]), path) for m, path in names)
        for end, (first, _, _) in zip([0, *(last for _, last, _ in found)], found, strict=False):
            if first != end:
                raise DataError(f"{self.folder} lacks the records {end:,} to {first:,}: delete it and start anew")
        return found

    def _same_run(self, resume: bool) -> None:
        if not resume:
            raise ConfigError(
                f"{self.folder} holds {self.records:,} records of a run that did not end: go on with --resume, "
                "or delete the folder"
            )
        try:
            before = json.loads((self.folder / "run.json").read_text())
        except (OSError, json.JSONDecodeError) as error:
            raise DataError(f"{self.folder / 'run.json'} cannot be read: delete the folder and start anew") from error
        other = [key for key in {*before, *self.run} if before.get(key) != self.run.get(key)]
        if other:
            key = sorted(other)[0]
            raise ConfigError(
                f"{self.folder} is of another run, whose {key} is {before.get(key)!r} and not {self.run.get(key)!r}: "
                "run with the same options, or delete the folder"
            )


class _room:
    """A full disk is a sentence, not a traceback."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, error, trace) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(f"no room is left for {self.path}: free some and go on with --resume") from error
