"""A Ray cluster for one run: joined by its address, or started on this machine and ended with the run."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from zoo.errors import ConfigError, ZooError

OBJECT_STORE = 512 << 20
"""Bytes of shared memory for what is on its way, where Ray is started here."""


@contextmanager
def cluster(address: str | None, workers: int | None, device: str) -> Iterator[tuple[int, str]]:
    """(workers, their device): as many as asked for, else as there are CPUs, or GPUs if the device is one.

    address: None starts Ray on this machine; auto or HOST:PORT joins a cluster.  Where this process has joined one
    already, that is used, and left as it is.  Raises ConfigError for a cluster that does not answer or is too small.
    """
    before = {k: v for k, v in os.environ.items() if k.startswith("RAY_")}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # Without it Ray warns of a change to come; our actors are told their device either way.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray
    import ray.data

    logger = logging.getLogger("ray.data")
    level, mine = logger.level, not ray.is_initialized()
    logger.setLevel(logging.CRITICAL)
    try:
        if mine:
            _start(workers) if address is None else _join(address)
        yield _share(workers, device, ray.cluster_resources())
    finally:
        if mine and ray.is_initialized():
            ray.shutdown()
        logger.setLevel(level)
        for key in [k for k in os.environ if k.startswith("RAY_")]:
            del os.environ[key]
        os.environ.update(before)


@contextmanager
def plain_errors(retries: int) -> Iterator[None]:
    """What Ray says of processes and machines that it lost, in a sentence; our own mistakes stay as they are."""
    from ray.data.exceptions import SystemException
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        lost = isinstance(error, RayError) and not isinstance(error, RayTaskError)
        if not lost and not isinstance(error, SystemException) and type(error).__name__ != "ExecutionTimeoutError":
            raise
        raise ZooError(
            f"Ray lost one worker {retries + 1} times, or its machines ({_first_line(error)}): look for too little "
            "memory, and go on with --resume"
        ) from error


def _start(workers: int | None) -> None:
    import ray

    if "RAY_AUTH_TOKEN_PATH" not in os.environ:
        os.environ.setdefault("RAY_AUTH_TOKEN", _token())  # else Ray writes one into the home folder
    cpus = workers or len(os.sched_getaffinity(0))
    with _silent():
        ray.init(
            "local",  # whatever RAY_ADDRESS says
            num_cpus=cpus,
            object_store_memory=OBJECT_STORE,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
        )


def _join(address: str) -> None:
    import ray

    host, _, port = address.rpartition(":")
    try:
        if address != "auto":
            socket.create_connection((host, int(port)), timeout=10).close()  # Ray itself tries for many minutes
        with _silent():
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"no Ray cluster answers at address={address} ({_first_line(error)}): give auto or the HOST:PORT of "
            "`ray start --head`, with the same versions of Ray and Python"
        ) from error


def _share(workers: int | None, device: str, resources: Mapping[str, float]) -> tuple[int, str]:
    if device == "auto":
        device = "cuda" if resources.get("GPU") else "cpu"
    kind = "GPU" if device.startswith("cuda") else "CPU"
    there = int(resources.get(kind, 0))
    if (workers or 1) > there:
        raise ConfigError(f"workers={workers or 1} need a {kind} each, but Ray has {there}: ask for no more")
    return workers or there, "cuda" if kind == "GPU" else device


@cache
def _token() -> str:
    """One for the process: Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _silent() -> Iterator[None]:
    """Ray's C++ part writes to stderr past Python; errors come as exceptions all the same."""
    kept, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def _first_line(error: BaseException) -> str:
    return next((line.strip(" .:") for line in str(error).splitlines() if line.strip()), type(error).__name__)
