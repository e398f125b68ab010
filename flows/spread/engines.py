"""Prefect's own task runners on Dask and Ray: a new cluster on this machine, or one that is there already."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flows.spread.runner import Runner, RunnerError

# how long a cluster that should be there may take to answer, and to show a worker
ANSWER_S = 10.0
# where Ray's client server listens unless told
RAY_PORT = 10001


def engine_of(runner: Runner, home: Path) -> Any:
    """The task runner for the cluster; says what is missing.

    Raises
    ------
    RunnerError
        when the package is not installed, or the cluster does not answer or has no workers.

    """
    from flows.prefect_api import configure

    configure(home, log_level="CRITICAL")
    try:
        return _dask(runner) if runner.engine == "dask" else _ray(runner)
    except ImportError as error:
        raise RunnerError(f"`pip install 'lifeline[{runner.engine}]'` first: {error}") from error


def why(runner: Runner, error: Exception) -> str:
    """What is likely to be wrong where the engine does not say it; else nothing."""
    if runner.engine == "ray" and runner.address and isinstance(error, ConnectionError):
        return f"{error}; it listens, so see that RAY_AUTH_MODE, its token and the releases of Ray and Python are the cluster's"
    return ""


def _dask(runner: Runner) -> Any:
    import distributed
    from prefect_dask import DaskTaskRunner

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said by us
    if runner.address:
        with distributed.Client(runner.address, timeout=ANSWER_S, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=ANSWER_S)
        return DaskTaskRunner(address=runner.address, client_kwargs={"timeout": ANSWER_S})
    local = {"n_workers": runner.n_local, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
    return DaskTaskRunner(cluster_kwargs={**local, "silence_logs": logging.CRITICAL, "scheduler_kwargs": {"dashboard": False}})


def _ray(runner: Runner) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if not runner.address:
        _own_token(os.environ)
    import ray  # noqa: F401
    from prefect_ray import RayTaskRunner

    if runner.address:
        _listens(runner.address)
        return RayTaskRunner(address=runner.address, init_kwargs={"log_to_driver": False})
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    # `local`, for without it Ray joins whatever cluster `ray start` left on this machine
    return RayTaskRunner(address="local", init_kwargs={**quiet, "num_cpus": runner.n_local, "include_dashboard": False})


def _own_token(environ: MutableMapping[str, str]) -> None:
    """A token for a cluster of our own, known to its processes only; left to itself, Ray writes one into the account's home."""
    if not any(name.startswith("RAY_AUTH_") for name in environ):
        environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})


def _listens(address: str) -> None:
    """Return when something listens there; Ray's own client tries for half a minute.

    Raises
    ------
    RunnerError
        when nothing does.

    """
    parts = urlsplit(address)
    host, port = parts.hostname or "", parts.port or RAY_PORT
    try:
        socket.create_connection((host, port), timeout=ANSWER_S).close()
    except OSError as error:
        raise RunnerError(
            f"nothing listens at {host}:{port} ({error.strerror or error}); start it there with `ray start --head`"
        ) from error
