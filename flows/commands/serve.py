"""`lifeline serve`: the schedules of `prefect.yaml`, kept by one process and Prefect's own server."""

from __future__ import annotations

import argparse
import importlib
import logging
import warnings
from asyncio import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows import deployments
from flows.prefect_api import Api
from flows.prefect_api import configure as configure_prefect
from flows.watch import watching
from models import settings
from models.errors import LifelineError
from models.report import Report, say
from models.store import make_home

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--file", type=Path, metavar="FILE", help="another prefect.yaml")


def run(args: argparse.Namespace) -> Report:
    """Keep the schedules until stopped."""
    config = settings.load()
    specs = deployments.read(args.file or deployments.find_file())
    make_home(config.home)
    configure_prefect(config.home, log_level="INFO")
    api = Api(config.home, services=True)
    if other := api.running():
        raise LifelineError(f"`lifeline serve` keeps the schedules of {config.home} already, at {other}; stop it first")
    try:
        api.start()
        import prefect  # takes seconds, in which the server starts

        api.wait()
        if api.is_ours:
            bury_dead_runs()
        for spec in specs:
            say(f"{spec.name}: {spec.description} {'; '.join(map(schedule_in_words, spec.schedules))}")
        say(f"home {config.home}; Prefect at {api.url.removesuffix('/api')}; Ctrl-C stops")
        _quieten_shutdown()
        with watching(config, specs) as port:
            if port:
                say(f"http://{config['metrics_host']}:{port}/health and /metrics say how things stand")
            prefect.serve(*map(to_prefect, specs), pause_on_shutdown=False, print_starting_message=False)
    finally:
        api.stop()
    return Report(
        ["stopped; schedules that fall due meanwhile are not made up, the next one is"],
        {"deployments": [spec.name for spec in specs]},
    )


def _quieten_shutdown() -> None:
    """Drop two slips of Prefect's runner that it prints when it is told to stop; neither means anything."""
    warnings.filterwarnings("ignore", message="coroutine 'Runner.astop' was never awaited")
    logging.getLogger("asyncio").addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], CancelledError))
    )


def bury_dead_runs() -> int:
    """Mark runs that a killed `lifeline serve` left behind as crashed; returns how many.

    Prefect would hold them for running for ever, and with them the one place that each deployment has.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    unfinished = FlowRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING, StateType.CANCELLING])
    with get_client(sync_client=True) as client:
        left = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=unfinished)))
        for run in left:
            client.set_flow_run_state(run.id, Crashed(message="the process that ran it is gone"), force=True)
    return len(left)


def to_prefect(spec: deployments.Deployment) -> RunnerDeployment:
    """A deployment as Prefect's runner takes it; flows are found by module, wherever the program is installed."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.deployments.runner import EntrypointType

    flow = getattr(importlib.import_module(spec.module), spec.flow)
    return flow.to_deployment(
        name=spec.name,
        schedules=list(map(schedule, spec.schedules)),
        parameters=dict(spec.parameters),
        description=spec.description,
        tags=list(spec.tags),
        concurrency_limit=ConcurrencyLimitConfig(**spec.concurrency_limit) if spec.concurrency_limit else None,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def schedule(row: Any) -> Any:
    """A schedule of prefect.yaml: `cron` with its time zone, or `interval` in seconds."""
    from datetime import timedelta

    from prefect.schedules import Cron, Interval

    if "cron" in row:
        return Cron(row["cron"], timezone=row.get("timezone", "UTC"))
    return Interval(timedelta(seconds=row["interval"]))


def schedule_in_words(row: Any) -> str:
    """The same for people."""
    return f"cron {row['cron']} {row.get('timezone', 'UTC')}" if "cron" in row else f"every {row['interval']} s"
