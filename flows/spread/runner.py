"""Where heavy stages run: what LIFELINE_RUNNER says, the cluster, and a Prefect flow that maps one task over shards."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from models.errors import LifelineError, SettingsError

ENGINES = ("dask", "ray")
# a shard is minutes of work; one that takes longer is done by the writer itself
SHARD_S = 3600.0
Job = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Runner:
    """A cluster: a new one of `n_workers` local processes (None: as many as there are cores), or the one at `address`.

    With `has_gpus` each task takes a GPU of its own, where the cluster counts them.
    """

    engine: str
    n_workers: int | None = None
    address: str = ""
    has_gpus: bool = False

    @property
    def words(self) -> str:
        """For a line of progress."""
        if self.address:
            return f"{self.engine} at {self.address}"
        return f"{self.n_local} local {self.engine} worker{'s' * (self.n_local != 1)}"

    @property
    def n_local(self) -> int:
        """Worker processes of a local cluster."""
        return self.n_workers or os.cpu_count() or 1

    @property
    def n_expected(self) -> int:
        """Workers to cut for; how many a cluster of somebody else's has changes by the minute."""
        return 8 if self.address else self.n_local


class RunnerError(LifelineError):
    """The cluster that was asked for cannot be used."""


def parse_runner(text: str) -> Runner | None:
    """What the setting says: nothing for this process, `dask`, `ray:4`, `dask:tcp://host:8786`, `ray:ray://host:10001`.

    Raises
    ------
    SettingsError
        for anything else.

    """
    if not text.strip():
        return None
    engine, _, rest = text.strip().partition(":")
    if engine in ENGINES and not rest:
        return Runner(engine)
    if engine in ENGINES and re.fullmatch(r"[1-9]\d{0,2}", rest):
        return Runner(engine, n_workers=int(rest))
    if (engine == "dask" and re.fullmatch(r"(tcp|tls)://\S+", rest)) or (engine == "ray" and re.fullmatch(r"ray://\S+", rest)):
        return Runner(engine, address=rest)
    raise SettingsError(
        f"runner is {text!r}; write nothing, dask, ray, a number of local workers (dask:4), dask:tcp://HOST:PORT or ray:ray://HOST:PORT"
    )


def run_shards(
    runner: Runner,
    home: Path,
    work: str,
    jobs: Sequence[Job],
    same: Job,
    merge: Callable[[Any], None],
    say: Callable[[str], None],
) -> int:
    """Map the task `work` of `flows.spread.tasks` over `jobs`, with `same` for each, and merge what comes back, in order.

    Returns how many shards came back. Whatever goes wrong outside `merge` is said in one line and not raised.
    """
    from flows.spread.engines import engine_of, why

    state = _Progress(merge, runner.engine == "ray" and runner.has_gpus)
    try:
        task_runner = engine_of(runner, home)
        with _prefect(home):
            _start(task_runner, work, jobs, same, state)
    except Exception as error:
        if state.broken is not None:
            raise state.broken from error
        say(f"{runner.words} cannot be used ({why(runner, error) or _line(error)}); going on in this process")
    else:
        if state.failures:
            say(f"{len(state.failures)} of {len(jobs)} shards failed on {runner.words} ({state.failures[0]}); doing them here")
    finally:
        state.forget()
    return state.n_done


class _Progress:
    """Merges what comes back, and keeps apart what went wrong there from what went wrong elsewhere."""

    def __init__(self, merge: Callable[[Any], None], asks_for_gpus: bool = False) -> None:
        self.merge, self.asks_for_gpus = merge, asks_for_gpus
        self.n_done = 0
        self.failures: list[str] = []
        self.broken: BaseException | None = None

    def take(self, future: Any) -> None:
        """Wait for one shard and merge it."""
        try:
            told = future.result(timeout=SHARD_S)
        except Exception as error:
            self.failures.append(_line(error))
            return
        try:
            self.merge(told)
        except BaseException as error:
            self.broken = error
            raise
        self.n_done += 1

    def forget(self) -> None:
        """Let go of the store: Prefect's threads keep the context that this lies in for as long as the process lives."""
        self.merge = lambda told: None


_under_way: ContextVar[_Progress] = ContextVar("_under_way")


def over_shards(work: str, jobs: Sequence[Job], same: Job) -> None:
    """The body of the flow. It stands here by name and holds no connection, because Prefect sends the flow along with each task."""
    from prefect import unmapped

    from flows.spread import tasks

    varied = {name: [job[name] for job in jobs] for name in jobs[0]}
    state = _under_way.get()
    with _a_gpu_each() if state.asks_for_gpus else nullcontext():
        futures = getattr(tasks, work).map(**varied, **{name: unmapped(value) for name, value in same.items()})
    for future in futures:
        state.take(future)


def _a_gpu_each() -> AbstractContextManager[None]:
    """Ray hides every GPU from a task that does not ask for one."""
    from prefect_ray.context import remote_options

    return remote_options(num_gpus=1)


def _start(task_runner: Any, work: str, jobs: Sequence[Job], same: Job, state: _Progress) -> None:
    """Run the flow on the cluster. The task around the stage stays out of its context: it holds the store's connection."""
    from prefect import flow
    from prefect.context import TaskRunContext

    name = f"spread-{work}".replace("_", "-")
    run = flow(name=name, task_runner=task_runner, persist_result=False, validate_parameters=False)(over_shards)
    context = copy_context()
    context.run(TaskRunContext.__var__.set, cast(Any, None))
    context.run(_under_way.set, state)
    context.run(run, work, jobs, same)


@contextmanager
def _prefect(home: Path) -> Iterator[None]:
    """A Prefect server to report to: the one in use, else one of our own for as long as this takes."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.prefect_api import Api

    if PREFECT_API_URL.value():
        yield
        return
    api = Api(home, services=False)
    try:
        api.start()
        api.wait()
        with temporary_settings({PREFECT_API_URL: api.url}):
            yield
    finally:
        api.stop()


def _line(error: BaseException) -> str:
    words = " ".join(str(error).split())[:200]
    return words if isinstance(error, LifelineError) else f"{type(error).__name__}: {words}"
