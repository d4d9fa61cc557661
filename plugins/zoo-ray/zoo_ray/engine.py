"""`Ray`, an engine: on Ray Data one task reads a file of variants, a pool of actors scores, the driver writes.

    read (1 task) -> chunk (a row of text) -> Worker (an actor with its own model) -> chunk with scores -> driver

A chunk says behind which record it begins, so that the driver sees one that is missing or comes twice.  Models and
genomes do not travel: every process opens them by source and path, which have to be there on all machines.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo import errors
from zoo.effects.variants.rows import Scored
from zoo.effects.variants.scorer import Scorer
from zoo.errors import ConfigError, DataError, ZooError
from zoo.prediction.predict import origin
from zoo.variants.variants import Variants
from zoo_ray.cluster import cluster, plain_errors

if TYPE_CHECKING:
    from zoo.data.genome import Genome
    from zoo.variants.files import VariantFile

RETRIES = 4
"""How often a chunk whose actor died is tried again, by one started anew, before the run stops."""
PATIENCE = 6 * 3600
"""Seconds without any chunk after which the run stops."""

Row = dict[str, Any]
"""after, last: records; end: whether the input ends here; variants, status (with notes), error: JSON; others: bytes."""


class Ray:
    """An engine: actors that each load the scorer's model.

    workers: actors, each with a CPU, or a GPU for cuda; as many as there are where it is not given.
    address: None starts Ray on this machine for the run; auto or HOST:PORT joins a running cluster.
    device: cpu, cuda, or auto: cuda where there are GPUs.

    Raises ConfigError for options that cannot be.
    """

    def __init__(self, *, workers: int | None = None, address: str | None = None, device: str = "auto"):
        if workers is not None and not (isinstance(workers, int) and workers >= 1):
            raise ConfigError(f"workers={workers} must be 1 or more: leave it out for as many as there are")
        if address is not None and "//" in address:
            raise ConfigError(f"address={address!r} must be auto or HOST:PORT, as `ray start --head` says it")
        self.workers, self.address, self.device = workers, address, device

    def __call__(
        self, variants: VariantFile, scorer: Scorer, profiles: bool = False
    ) -> Iterator[tuple[Variants, Scored]]:
        """(alleles, scores) of every chunk, in order, none missing and none twice.

        Raises ZooError where Ray cannot be joined, or loses an actor too often.
        """
        if not getattr(scorer.model, "source", None):
            name = scorer.model.spec.name
            raise ConfigError(f"model {name!r} was built here, but actors load theirs: publish it first")
        at, ended = variants.start, False
        with plain_errors(RETRIES), cluster(self.address, self.workers, self.device) as (actors, device):
            for row in _dataset(variants, scorer, profiles, actors, device).iter_rows():
                if row["error"]:
                    kind, message = json.loads(row["error"])
                    raise getattr(errors, kind)(message)
                if ended or row["after"] != at:
                    raise DataError(f"Ray gave the records behind {row['after']:,}, not {at:,}: go on with --resume")
                at, ended = row["last"], row["end"]
                if not ended:
                    part = _unpack(row["variants"], variants.allele_type)
                    for name in dict.fromkeys(part.chrom[part.contig >= 0]):
                        scorer.genome.resolve(name)  # so that the driver's genome knows the aliases
                    yield part, _scored(row, part, scorer, profiles)
        if not ended:
            raise DataError(f"Ray gave no more than {at:,} records and not the end: go on with --resume")


def _scored(row: Row, part: Variants, scorer: Scorer, profiles: bool) -> Scored:
    """The scores that came with a part."""
    values = np.frombuffer(row["scores"], np.float32).reshape(-1, len(scorer.columns))
    width = sum(map(len, scorer.positions.values()))
    whole = np.frombuffer(row["profiles"], np.float32).reshape(len(values), 2, width) if profiles else None
    status, notes = (x if x is None else np.array(x, object) for x in json.loads(row["status"]))
    return Scored(values, status, whole, notes)


def _dataset(variants: VariantFile, scorer: Scorer, profiles: bool, actors: int, device: str):
    """A Ray dataset of one row a chunk, in order, with scores."""
    from ray.data import ActorPoolStrategy, DataContext, from_items

    fasta = [str(f.absolute()) for f in scorer.genome.files]
    opened = _anywhere(variants, type(scorer.genome)(fasta, scorer.genome.name))
    same = {"identity": _identity(scorer), "profiles": profiles}
    opens = {"model": str(scorer.model.source), "fasta": fasta, "name": scorer.genome.name, "device": device}
    opens |= {"scorer": type(scorer), "options": scorer.options, "alleles": variants.allele_type}
    with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):  # Ray's defaults, told by Ray itself
        context = DataContext.get_current()
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # a chunk is a block, and goes to an actor as soon as it is read
    context.enable_progress_bars = context.print_on_execution_start = False
    context.execution_no_progress_timeout_s = PATIENCE
    # The reader takes no CPU: it would wait for ever for one that the actors hold, or be merged into them.
    read = from_items([{"read": 1}]).flat_map(_read, fn_kwargs={"variants": opened}, num_cpus=0)
    with warnings.catch_warnings(category=DeprecationWarning, action="ignore"):  # max_task_retries, from Ray 2.60 on
        return read.map(
            _Worker,
            fn_constructor_kwargs={**same, **opens},
            compute=ActorPoolStrategy(size=actors),
            num_cpus=1,
            num_gpus=1 if device.startswith("cuda") else 0,
            max_task_retries=RETRIES,
        )


def _read(_: Row, variants: VariantFile) -> Iterator[Row]:
    """Chunks of the file, then a row that says it ended, or why not."""
    at = variants.start
    try:
        for part in variants:
            last = int(part.shown.record[-1]) + 1
            yield _row(after=at, last=last, variants=_pack(part))
            at = last
        yield _row(after=at, last=at, end=True)
    except ZooError as error:
        yield _row(after=at, error=_error(error))


class _Worker:
    """An actor: its model and genome, and chunks one at a time."""

    def __init__(self, identity: Mapping[str, str], profiles: bool, alleles: type[Variants], **opens: Any):
        self.problem, self.profiles, self.alleles = "", profiles, alleles
        try:
            self.scorer = _scorer(**opens)
            own = _identity(self.scorer)
            other = next((k for k, v in own.items() if v != identity[k]), None)
            if other:
                raise ConfigError(
                    f"{other} is {own[other]} on node {os.uname().nodename}, but {identity[other]} where the run was "
                    "started: install and copy the same on all machines"
                )
        except ZooError as error:
            self.problem = _error(error)

    def __call__(self, row: Row) -> Row:
        if row["end"] or row["error"] or self.problem:
            return {**row, "error": row["error"] or self.problem}
        try:
            part = _unpack(row["variants"], self.alleles)
            scored = self.scorer(part, self.profiles)
        except ZooError as error:
            return {**row, "error": _error(error)}
        notes = None if scored.notes is None else scored.notes.tolist()
        numbers = {"status": json.dumps([scored.status.tolist(), notes]), "scores": scored.values.tobytes()}
        return {**row, **numbers, "profiles": b"" if scored.profiles is None else scored.profiles.tobytes()}


def _scorer(scorer: type[Scorer], model: str, fasta: list[str], name: str, device: str, options: Row) -> Scorer:
    from zoo.data.genome import Genome
    from zoo.hub.loader import load

    return scorer(load(model, device=device), Genome(fasta, name), **options)


def _identity(scorer: Scorer) -> dict[str, str]:
    """What must be the same in every process."""
    own = origin(scorer.model, scorer.output)
    return {**{k: own[k] for k in ("model", "revision", "versions")}, "genome": scorer.genome.checksum}


def _row(after: int, last: int = 0, end: bool = False, variants: str = "", error: str = "") -> Row:
    numbers = {"status": "", "scores": b"", "profiles": b""}
    return {"after": after, "last": last, "end": end, "variants": variants, "error": error, **numbers}


def _error(error: ZooError) -> str:
    kind = type(error).__name__
    return json.dumps([kind if hasattr(errors, kind) else "ZooError", str(error)])


def _pack(variants: Variants) -> str:
    """JSON, which carries bytes that are no UTF-8 (read as lone surrogates) where Arrow's text does not."""
    return json.dumps([getattr(variants, f.name).tolist() for f in fields(variants)])


def _unpack(text: str, alleles: type[Variants]) -> Variants:
    types = [getattr(alleles.join([]), f.name).dtype for f in fields(alleles)]
    return alleles(*(np.array(x, t) for x, t in zip(json.loads(text), types, strict=True)))


def _anywhere(variants: VariantFile, genome: Genome) -> VariantFile:
    """The same file from whatever folder a process runs in."""
    path = variants.path if variants.kind == "typed" else str(Path(variants.path).absolute())
    regions = copy(variants.regions)
    if regions is not None:
        regions.genome = genome
    return replace(variants, path=path, genome=genome, regions=regions)
