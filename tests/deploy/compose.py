"""The compose file as data, and its services started natively: same command, same environment, hosts and paths of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.flows.team import ROOT, env_file

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
PLACE = re.compile(r"\$\{([A-Z_]+)(?::([-?][^}]*))?\}")
# the program in a container cannot be written to, and here neither
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
OURS = ("server", "deploy", "worker", "watch", "ui")


def read(**values: str) -> dict[str, Any]:
    """The file with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` filled in, from deploy/example.env and `values`."""
    known = {**env_file(DEPLOY / "example.env"), **values}

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        if not isinstance(value, str):
            return value
        return PLACE.sub(lambda found: known.get(found[1]) or (found[2] or "").removeprefix("-"), value)

    found: dict[str, Any] = filled(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    return found


def services(**values: str) -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = read(**values)["services"]
    return found


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """What a container of the service has in its environment."""
    files = [env_file(DEPLOY / name) for name in service.get("env_file", ())]
    return {name: value for each in [*files, service.get("environment", {})] for name, value in each.items()}


def may_mount() -> bool:
    """Whether this machine lets us give a process mounts of its own."""
    return (
        os.getuid() == 0
        and bool(shutil.which("unshare"))
        and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
    )


def start(name: str, folder: Path, places: Mapping[str, str], **environ: str) -> subprocess.Popen[bytes]:
    """Start a service as its command and environment say, through the image's entry point.

    `places` maps whole values, or parts of them, to what stands for them on this machine; `environ` is there beside the file's.
    """
    service = services()[name]

    def here(text: str) -> str:
        if text in places:
            return places[text]
        for there, ours in places.items():
            text = text.replace(there, ours) if set(there) & set(":/.") else text
        return text

    own = {} if name == "proxy" else {"LIFELINE_HOME": "/var/lib/lifeline", "PREFECT_HOME": "/var/lib/prefect"}
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {"PATH": programs, "HOME": str(folder), "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}
    env |= {key: here(value) for key, value in {**own, **environment(service)}.items()}
    env |= environ
    command = [here(word) for word in service["command"]]
    if name in OURS:
        command = [str(DEPLOY / "entrypoint.sh"), *command]
    if command[1:2] == ["lifeline"]:  # the console script of an installed package
        command[1:2] = [sys.executable, "-m", "app.cli"]
    if service.get("read_only") and may_mount():
        command = ["unshare", "-m", "sh", "-c", READ_ONLY, sys.prefix, *command]
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
