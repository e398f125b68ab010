"""A pass of the pipeline under Prefect, as `lifeline run` and `lifeline up` do it."""

from __future__ import annotations

from collections.abc import Callable

from flows.pipeline import Job, Outcome, one_line, read_inputs, run
from flows.prefect_api import Api, PrefectError, configure
from models.errors import StoreLockedError
from models.settings import Settings
from models.store import lock_holder, make_home


def run_under_prefect(job: Job, settings: Settings, *, log_level: str = "CRITICAL") -> Outcome:
    """Run the daily flow once, without its retries.

    What cannot work is found out before Prefect is started, which takes seconds. The data matter more than their supervision: when
    Prefect does not work, that is said, and the stages run plainly.
    """
    read_inputs(job, settings)
    make_home(settings.home)
    refuse_if_locked(job, settings)
    configure(settings.home, log_level=log_level)
    api = Api(settings.home, services=False)
    try:
        try:
            job.say("starting Prefect …")
            flow = _ready(api)
            return flow(
                job.as_of,
                sources=job.sources,
                offline=job.is_offline,
                only_due=job.only_due,
                with_signs=job.with_signs,
                wait_s=job.wait_s,
                purpose=job.purpose,
            )
        except Exception as error:
            if not _is_prefects_own(error):
                raise
            job.say(f"{one_line(error)}; going on without Prefect")
        return run(job, settings)
    finally:
        api.stop()


def refuse_if_locked(job: Job, settings: Settings) -> None:
    """Name who writes to the store, unless the run is ready to wait."""
    holder = lock_holder(settings.home)
    if holder and not job.wait_s:
        raise StoreLockedError(f"the work file is in use by {holder}; wait for it to end (or give --wait SECONDS), or stop it")


def _ready(api: Api) -> Callable[..., Outcome]:
    """The flow, with a server that answers; the import takes seconds in which the server starts."""
    api.start()
    try:
        from flows.daily import daily
    except ImportError as error:
        raise PrefectError(f"Prefect cannot be imported ({error})") from error
    api.wait()
    return daily.with_options(retries=0)


def _is_prefects_own(error: Exception) -> bool:
    """Whether the failure lies in Prefect or on the way to its server; our stages turn network errors of their own into ours."""
    return isinstance(error, PrefectError) or type(error).__module__.split(".")[0] in {"prefect", "httpx"}
