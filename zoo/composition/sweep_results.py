"""The results of a sweep: one row a job, from what the jobs left in their folders.

A job may have run in another process or on another machine, so nothing but its folder is asked:
`.hydra/overrides.yaml` (what it was), `metrics.json` (what came out), `error.txt` (why nothing did).
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.errors import ConfigError, ZooError
from zoo.files.tables import write_table
from zoo.terminal.columns import align


@dataclass
class Job:
    """One run of a sweep; `error` is None where it succeeded."""

    folder: Path
    overrides: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def label(self) -> str:
        """`seed=1 encoder=motif_cnn`, what sets it apart."""
        return " ".join(f"{k}={v}" for k, v in self.overrides.items()) or self.folder.name


def refuse_foreign(folder: Path) -> None:
    """ConfigError where a sweep's folder is there and holds something other than a sweep."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"output_dir {folder} is a file: name a folder")
    foreign = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []
    if foreign and "multirun.yaml" not in foreign:
        raise ConfigError(
            f"output_dir {folder} holds {foreign[0]!r} and is no sweep's folder: choose another, or a new one"
        )


def report(folder: Path, lost: str | None = None) -> int:
    """Print and write the table of a sweep, and name the jobs that failed; returns the exit code.

    lost: why a launcher could not bring all its jobs to an end.
    """
    jobs = read_jobs(folder)
    failed = [job for job in jobs if job.error is not None]
    if jobs:
        print(format_jobs(jobs))
        print(f"sweep     {write_jobs(folder, jobs)} ({len(jobs)} jobs)")
    for job in failed:
        print(f"zoo: error: job {job.folder.name} ({job.label}) failed: {job.error}", file=sys.stderr)
    if lost:
        print(f"zoo: error: the launcher lost a job: {lost}", file=sys.stderr)
    return 1 if failed or lost or not jobs else 0


def record_failure(error: Exception, folder: Path) -> None:
    """Leave the reason in a job's folder; a mistake of ours also shows where it happened."""
    text = str(error) if isinstance(error, ZooError) else f"{type(error).__name__}: {error}"
    (folder / "error.txt").write_text(" ".join(text.split()) + "\n")
    if not isinstance(error, ZooError):
        traceback.print_exception(error)


def read_jobs(sweep: Path) -> list[Job]:
    """Jobs of a sweep's folder, by number; overrides that all of them share are left out."""
    folders = [f.parent for f in sweep.rglob(".hydra") if f.is_dir()]
    jobs = [_read(folder) for folder in sorted(folders, key=lambda f: (len(f.name), f.name))]
    shared = set.intersection(*(set(job.overrides.items()) for job in jobs)) if len(jobs) > 1 else set()
    for job in jobs:
        job.overrides = {k: v for k, v in job.overrides.items() if (k, v) not in shared}
    return jobs


def write_jobs(sweep: Path, jobs: list[Job]) -> Path:
    """Write `sweep.tsv` into the sweep's folder; returns its path."""
    columns, rows = _cells(jobs)
    path = sweep / "sweep.tsv"
    write_table(path, columns, rows, {"sweep": sweep})
    return path


def format_jobs(jobs: list[Job]) -> str:
    """The same table for a terminal."""
    columns, rows = _cells(jobs)
    cells = [columns, *([_short(value) for value in row] for row in rows)]
    return "\n".join(align(cells))


def flat_metrics(metrics: Any, prefix: str = "") -> dict[str, float]:
    """Numbers of a metrics.json by dotted name.

    >>> flat_metrics({"test": {"binding": {"auroc": 0.91, "n": 200}}})
    {'test.binding.auroc': 0.91, 'test.binding.n': 200}

    Of rows as `zoo evaluate` makes them, the model's own over all examples:

    >>> flat_metrics([{"split": "test", "head": "binding", "task": "CTCF", "metric": "auroc", "value": 0.91}])
    {'test.binding.CTCF.auroc': 0.91}
    """
    if isinstance(metrics, bool):
        return {}
    if isinstance(metrics, int | float):
        return {prefix: metrics}
    if isinstance(metrics, list):
        own = [row for row in metrics if isinstance(row, Mapping) and "value" in row and not row.get("baseline")]
        metrics = {_name(row): row["value"] for row in own if row.get("stratum", "all") == "all"}
    if not isinstance(metrics, Mapping):
        return {}
    flat: dict[str, float] = {}
    for key, value in metrics.items():
        flat.update(flat_metrics(value, f"{prefix}.{key}" if prefix else str(key)))
    return flat


def _name(row: Mapping[str, Any]) -> str:
    return ".".join(str(row[key]) for key in ("split", "head", "task", "metric") if row.get(key) not in (None, ""))


def _read(folder: Path) -> Job:
    import yaml

    job = Job(folder)
    record = folder / ".hydra" / "overrides.yaml"
    if record.exists():
        for override in yaml.safe_load(record.read_text()) or []:
            key, _, value = str(override).lstrip("+").partition("=")
            job.overrides[key] = value
    error, metrics = folder / "error.txt", folder / "metrics.json"
    if error.exists():
        job.error = error.read_text().strip()
    elif not metrics.exists():
        job.error = "it ended without metrics.json: it was killed, or its machine was"
    else:
        try:
            job.metrics = flat_metrics(json.loads(metrics.read_text()))
        except json.JSONDecodeError as broken:
            job.error = f"its metrics.json cannot be read: {broken}"
    return job


def _cells(jobs: list[Job]) -> tuple[list[str], list[list[Any]]]:
    varied = list(dict.fromkeys(key for job in jobs for key in job.overrides))
    metrics = list(dict.fromkeys(name for job in jobs for name in job.metrics))
    metrics = [name for name in metrics if name not in varied]
    columns = ["job", *varied, "status", *metrics, "folder"]
    rows = [
        [
            job.folder.name,
            *(job.overrides.get(key) for key in varied),
            "ok" if job.error is None else f"failed: {job.error}",
            *(job.metrics.get(name) for name in metrics),
            str(job.folder),
        ]
        for job in jobs
    ]
    return columns, rows


def _short(value: Any) -> str:
    return "NA" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
