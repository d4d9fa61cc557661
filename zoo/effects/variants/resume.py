"""Writing scores of variants so that a killed run loses nothing: finished parts beside the output, joined at the end.

OUT.parts/run.json                 what the run is, so that another is not continued by mistake
OUT.parts/lock                     held by the process that writes
OUT.parts/000000000-000004096.tsv  rows of the records 0 to 4,096, moved into place whole
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.effects.variants.run_identity import difference
from zoo.effects.variants.shortlist import RowChoice, Shortlist
from zoo.errors import ConfigError, DataError
from zoo.files.atomic import atomic_path, check_place, full_disk
from zoo.files.locks import Held, lock
from zoo.files.tables import TableWriter, read_table

if TYPE_CHECKING:
    from zoo.effects.variants.rows import Chunk

_PART = re.compile(r"(\d{9,})-(\d{9,})\.tsv")
_OURS = re.compile(r"run\.json|lock|\d{9,}-\d{9,}\.(tsv|npy)|\..*\.part.*", re.DOTALL)
_REMEDY = "free some and go on with --resume"


class Parts:
    """The finished part of a run; used as a context, in which no other process writes to it.

    out: where the scores go in the end.  columns: of every part.
    run: what the run is, as `run_identity.identify` says; a folder of another run is refused.
    records: of the input whose rows are written.
    resume: go on behind the last part.

    Entering raises ConfigError where parts lie there that are not asked for or of another run, DataError where the
    folder cannot be written to, or another process writes there.
    """

    def __init__(self, out: str | Path, columns: Sequence[str], run: Mapping[str, Any], resume: bool = False):
        self.out, self.columns, self.resume = Path(out), list(columns), resume
        self.folder = self.out.with_name(f"{self.out.name}.parts")
        self.run = dict(run)
        self.records = 0

    def __enter__(self) -> Parts:
        check_place(self.out)
        with ExitStack() as stack:
            self._make_folder()
            try:
                alone = stack.enter_context(lock(self.folder / "lock", wait=False))
            except Held as error:
                raise DataError(
                    f"{self.out} is being written by another run: wait for it, or choose another name"
                ) from error
            stack.callback(self._leave)
            self._same_run(alone)
            with self._room(self.folder), atomic_path(self.folder / "run.json") as temporary:
                temporary.write_text(json.dumps(self.run, indent=1))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, chunk: Chunk) -> None:
        """The rows of a chunk, which follows the last part."""
        name = f"{self.records:09d}-{chunk.last:09d}.tsv"
        if chunk.profiles is not None:
            with self._room(self.folder), atomic_path(self.folder / name.replace(".tsv", ".npy")) as temporary:
                with temporary.open("wb") as file:
                    np.save(file, chunk.profiles, allow_pickle=False)
        with self._room(self.folder), TableWriter(self.folder / name, ["record", *self.columns]) as table:
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

    def finish(
        self, comments: Mapping[str, Any], writer: Callable, choice: RowChoice | None = None
    ) -> tuple[Counter, str | None]:
        """Join the parts into the output and drop them; how many rows have which status, and the writer's note.

        choice: which rows are written, all of them by default.
        """
        choice = choice or RowChoice(Shortlist(), self.columns)
        with self._room(self.out):
            beside = {"profiles": self.profiles()} if getattr(writer, "takes_profiles", False) else {}
            note = writer(self.out, self.columns, choice.of(self.rows), comments, **beside)
        shutil.rmtree(self.folder, ignore_errors=True)
        return choice.statuses, note

    def _parts(self) -> list[tuple[int, int, Path]]:
        """(first record, one past the last, file) of every part; DataError where one is missing between others."""
        names = [(m, path) for path in self.folder.iterdir() if (m := _PART.fullmatch(path.name))]
        found = sorted((int(m[1]), int(m[2]), path) for m, path in names)
        for end, (first, _, _) in zip([0, *(last for _, last, _ in found)], found, strict=False):
            if first != end:
                raise DataError(f"{self.folder} lacks the records {end:,} to {first:,}: delete it and start anew")
        return found

    def _make_folder(self) -> None:
        try:
            with self._room(self.folder):
                self.folder.mkdir(exist_ok=True)
            others = [path.name for path in self.folder.iterdir() if not _OURS.fullmatch(path.name)]
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{self.folder} cannot be written ({reason}): choose another name") from error
        if others:
            raise ConfigError(
                f"{self.folder} is needed for parts of {self.out.name} but holds {others[0]!r}: move it, or choose "
                "another name"
            )

    def _same_run(self, alone: bool) -> None:
        """Find where the run that lies there ends; alone: what a process left that was killed goes."""
        for leftover in self.folder.glob(".*.part*") if alone else ():
            leftover.unlink(missing_ok=True)
        parts = self._parts()
        if not parts:
            return  # a run that came to nothing, such as on a full disk, has nothing to go on with
        self.records = parts[-1][1]
        if not self.resume:
            raise ConfigError(
                f"{self.folder} holds {self.records:,} records of a run that did not end: go on with --resume, "
                "or delete the folder"
            )
        try:
            before = json.loads((self.folder / "run.json").read_text())
            changed = difference(before, self.run)
        except (OSError, ValueError, AttributeError) as error:
            raise DataError(f"{self.folder / 'run.json'} cannot be read: delete the folder and start anew") from error
        if changed:
            raise ConfigError(
                f"{self.folder} is of another run, since {changed}: run with what it was begun with, or delete the "
                "folder to start anew"
            )

    def _leave(self) -> None:
        """A folder without a part is of no use to anybody."""
        if self.folder.is_dir() and not any(_PART.fullmatch(path.name) for path in self.folder.iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _room(self, path: Path):
        return full_disk(path, _REMEDY)
