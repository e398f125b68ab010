"""`lifeline deploy`: hand the schedules to a Prefect server, whose workers run them.

    prefect.yaml     -> work pool `lifeline` and its deployments, by Prefect's own `prefect deploy --all`
    automations.yaml -> what the server does by itself: bury runs whose machine died

Doing it again brings the server up to date, and changes nothing when it is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from flows import deployments
from flows.prefect_api import Api
from flows.prefect_api import configure as configure_prefect
from models import settings
from models.errors import LifelineError, UsageError
from models.report import Report, say
from models.store import make_home

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

POOL = "lifeline"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--file", type=Path, metavar="FILE", help="another prefect.yaml")


def run(args: argparse.Namespace) -> Report:
    """Make the pool, the deployments and the automations, or bring them up to date."""
    if not os.environ.get("PREFECT_API_URL"):
        raise UsageError("PREFECT_API_URL is not set; it names the server that the workers ask, as in http://HOST:4200/api")
    config = settings.load()
    file = (args.file or deployments.find_file()).absolute()
    specs = deployments.read(file)
    rules = yaml.safe_load(deployments.find_file(deployments.AUTOMATIONS).read_text(encoding="utf-8"))["automations"]
    make_home(config.home)
    configure_prefect(config.home, log_level="WARNING")
    api = Api(config.home, services=False)
    api.start()
    api.wait()
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectHTTPStatusError

    try:
        with get_client(sync_client=True) as client:
            say(f"work pool {POOL} {'made' if make_pool(client) else 'is there'}")
            hand_over(file)
            for rule in rules:
                put_automation(client, rule)
    except PrefectHTTPStatusError as error:
        code = error.response.status_code
        remedy = "set PREFECT_API_AUTH_STRING as the server has it" if code in (401, 403) else "see the server's log"
        raise LifelineError(f"Prefect's server at {api.url} answered {code}; {remedy}") from error
    lines = [f"{spec.name}: {spec.description}" for spec in specs]
    lines += [f"{len(rules)} automations in force", f"next, on each machine that runs them: prefect worker start --pool {POOL}"]
    return Report(lines, {"deployments": [spec.name for spec in specs], "automations": [rule["name"] for rule in rules]})


def make_pool(client: SyncPrefectClient) -> bool:
    """Make the work pool, whose workers start a process for each run; False when it is there already."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=template))
    except ObjectAlreadyExists:
        return False
    return True


def hand_over(file: Path) -> None:
    """Let Prefect's own command read the file."""
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LifelineError(f"`prefect deploy --all` failed: {last_words(done.stdout + done.stderr)}")


def last_words(output: str) -> str:
    """What a command said at its end, without its frames."""
    lines = [line.strip(" │╭╮╰╯─") for line in output.splitlines()]
    return " ".join([line for line in lines if line][-4:])[:400]


def put_automation(client: SyncPrefectClient, rule: Mapping[str, Any]) -> None:
    """Make the automation of this name what `rule` says; copies of the same name go."""
    from prefect.events.schemas.automations import AutomationCore

    wanted = AutomationCore.model_validate(rule).model_dump(mode="json", exclude_unset=True)
    there: Sequence[Mapping[str, Any]] = client.request(
        "POST", "/automations/filter", json={"automations": {"name": {"any_": [wanted["name"]]}}}
    ).json()
    if not there:
        client.request("POST", "/automations/", json=wanted)
        return
    client.request("PUT", "/automations/{id}", path_params={"id": there[0]["id"]}, json=wanted)
    for copy in there[1:]:
        client.request("DELETE", "/automations/{id}", path_params={"id": copy["id"]})
