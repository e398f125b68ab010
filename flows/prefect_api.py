"""Prefect's own server, as a child process that dies with us: `python -m flows.prefect_api PORT` is the child."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path

from models.errors import LifelineError

START_TIMEOUT_S = 120.0
# a server that should be running already
ANSWER_TIMEOUT_S = 5.0
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # a run says this often that it lives, so that a dead one is told from a long one
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
}


# The server that keeps schedules drops old runs itself.
KEEPER = {
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(30 * 24 * 3600),
}


# a proxy of the environment has no business with our own loopback servers
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class PrefectError(LifelineError):
    """Prefect's server does not start or does not answer."""


def configure(home: Path, *, log_level: str) -> None:
    """Set what Prefect reads at import: state in the home, no telemetry, its log no louder than asked. What is set already stays."""
    for name, value in {"PREFECT_HOME": str(home / "prefect"), "PREFECT_LOGGING_LEVEL": log_level, **QUIET}.items():
        os.environ.setdefault(name, value)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))


class Api:
    """Prefect's server for one home: the one that PREFECT_API_URL names, the one of a running `lifeline serve`, or a new child.

    Call `configure` first. `start` returns at once; `wait` until it answers, so that other work fits in between.
    """

    def __init__(self, home: Path, *, services: bool) -> None:
        self.folder = home / "prefect"
        self.services = services
        self.url = ""
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Find a server or start one, and let Prefect's settings point to it."""
        self.url = os.environ.get("PREFECT_API_URL", "") or self.running() or self._spawn()
        os.environ["PREFECT_API_URL"] = self.url

    def wait(self) -> None:
        """Return when the server answers.

        Raises
        ------
        PrefectError
            when it dies, or does not answer in time; says where to look.

        """
        until = time.monotonic() + (START_TIMEOUT_S if self._child else ANSWER_TIMEOUT_S)
        while not answers(f"{self.url}/health"):
            if self._child and self._child.poll() is not None:
                raise PrefectError(f"Prefect's server stopped while starting; see {self.log}")
            if time.monotonic() > until:
                remedy = f"see {self.log}" if self._child else "correct or clear PREFECT_API_URL"
                raise PrefectError(f"Prefect's server at {self.url} does not answer; {remedy}")
            time.sleep(0.05)
        if self._child:
            self._stamp.write_text(version("prefect"), encoding="utf-8")
            if self.services:
                self._address.write_text(json.dumps({"url": self.url, "owner": os.getpid()}), encoding="utf-8")

    @property
    def is_ours(self) -> bool:
        """Whether the server is our own child, so that nobody else has runs on it."""
        return self._child is not None

    def stop(self) -> None:
        """End the child, if there is one."""
        if self._child is None:
            return
        if self.services:
            self._address.unlink(missing_ok=True)
        self._child.terminate()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child = None
        os.environ.pop("PREFECT_API_URL", None)

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / "server.log"

    @property
    def _address(self) -> Path:
        return self.folder / "server.json"

    @property
    def _stamp(self) -> Path:
        """Version of Prefect whose migrations the database has seen; checking them anew costs seconds at each start."""
        return self.folder / "migrated"

    def running(self) -> str:
        """Address of the server of a running `lifeline serve`, if it answers; else nothing.

        A server outlives its killed owner by a second, so the owner has to be there, too.
        """
        try:
            told = json.loads(self._address.read_text(encoding="utf-8"))
            os.kill(int(told["owner"]), 0)
            url = str(told["url"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""
        return url if answers(f"{url}/health") else ""

    def _spawn(self) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "flows.prefect_api", str(port)],
                env={**os.environ, **self._server_settings()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return f"http://127.0.0.1:{port}/api"

    def _server_settings(self) -> dict[str, str]:
        migrated = self._stamp.is_file() and self._stamp.read_text(encoding="utf-8") == version("prefect")
        has_database = (Path(os.environ["PREFECT_HOME"]) / "prefect.db").is_file()
        settings = {"PREFECT_SERVER_DATABASE_MIGRATE_ON_START": "false" if migrated and has_database else "true"}
        settings |= KEEPER if self.services else {"PREFECT_UI_ENABLED": "false", "PREFECT__SERVER_EPHEMERAL": "1"}
        return settings | {
            "PREFECT__SERVER_FINAL": "1",
            "PREFECT_LOGGING_LEVEL": "WARNING",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }


def free_port(wanted: int = 0) -> int:
    """A free loopback port: `wanted` if it is free, else the next free one above it; any for 0."""
    for port in range(wanted, wanted + 20) if wanted else [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
            return int(probe.getsockname()[1])
    raise LifelineError(f"ports {wanted} to {wanted + 19} are all in use; choose another with --port")


def answers(url: str) -> bool:
    """Whether an address answers with 200 within two seconds."""
    try:
        with _DIRECT.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _die_with_parent(parent: int) -> None:
    """Leave when the parent is gone, however it went: a killed run must not leave a server behind."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def main(port: int) -> None:
    """Serve Prefect's API on loopback until the parent stops or dies."""
    import uvicorn

    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    uvicorn.run(
        "prefect.server.api.server:create_app", factory=True, host="127.0.0.1", port=port, log_level="warning", lifespan="on"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
