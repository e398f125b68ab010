"""A team's set-up on one machine: PostgreSQL, Prefect's server and workers, each started by the command of docs/team.md."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from flows.prefect_api import answers, free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, SIGN_IN = "a-password", "lifeline:another"
PREFECT = (sys.executable, "-m", "prefect")
ACCOUNTS = ("postgres", "nobody")


def postgres_bin() -> Path | None:
    """Folder of PostgreSQL's programs, where Debian puts them or on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def why_no_postgres() -> str:
    """Why PostgreSQL cannot be started here; nothing when it can."""
    if postgres_bin() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and not (_account() and shutil.which("setpriv")):
        return "PostgreSQL does not run as root, and there is no account to run it as"
    return ""


def _account() -> str:
    """An account without rights, for PostgreSQL refuses to run as root."""
    import pwd

    for name in ACCOUNTS:
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return ""


class Postgres:
    """PostgreSQL on a free loopback port, in a folder of its own, with a database `prefect` that asks for a password."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lifeline-pg-"))
        self.as_user = ["setpriv", f"--reuid={_account()}", "--clear-groups", "--"] if os.getuid() == 0 else []
        if self.as_user:
            shutil.chown(self.folder, _account())
        self.port = free_port()
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster, start it, make the database."""
        programs = postgres_bin()
        assert programs is not None
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = self.folder / "data"
        self._run(
            programs / "initdb", "-D", data, "-U", "prefect", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "-N"
        )
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder), "fsync": "off"}
        command = [programs / "postgres", "-D", data, "-p", str(self.port), *(f"-c{k}={v}" for k, v in options.items())]
        with (self.folder / "log").open("wb") as log:
            self.child = subprocess.Popen([*self.as_user, *command], stdout=log, stderr=log, cwd=self.folder)
        until(lambda: self.sql("select 1", database="postgres") is not None, 60, "PostgreSQL does not start")
        self.sql("create database prefect", database="postgres")

    def _run(self, *command: Any) -> None:
        subprocess.run([*self.as_user, *map(str, command)], check=True, capture_output=True, cwd=self.folder)

    def sql(self, query: str, database: str = "prefect") -> str | None:
        """What psql answers, in its plain form; None when it cannot connect."""
        programs = postgres_bin()
        assert programs is not None
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "prefect", database]
        done = subprocess.run(
            [programs / "psql", *where, "-Atc", query],
            env={**os.environ, "PGPASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
        )
        return None if done.returncode else done.stdout.strip()

    @property
    def url(self) -> str:
        """As Prefect wants it."""
        return f"postgresql+asyncpg://prefect:{PASSWORD}@127.0.0.1:{self.port}/prefect"

    def stop(self) -> None:
        """End it and its folder."""
        if self.child:
            self.child.send_signal(signal.SIGQUIT)
            self.child.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class Team:
    """Server and workers of one home; whatever runs for it can be found and ended, for its environment names the home."""

    def __init__(self, folder: Path, database_url: str, **environ: str) -> None:
        self.folder, self.home = folder, folder / "home"
        self.port = free_port()
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LIFELINE_", "PREFECT_"))},
            **env_file(ROOT / "deploy" / "server.env"),
            "PREFECT_API_DATABASE_CONNECTION_URL": database_url,
            "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_SERVER_API_AUTH_STRING": SIGN_IN,
            "PREFECT_API_AUTH_STRING": SIGN_IN,
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "LIFELINE_HOME": str(self.home),
            "LIFELINE_TAGGER": "keyword",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "127.0.0.1",
            **environ,
        }
        self.server: subprocess.Popen[bytes] | None = None
        self.worker: subprocess.Popen[bytes] | None = None

    def start_server(self) -> None:
        """`prefect server start`, until it answers."""
        self.server = self._start("server", *PREFECT, "server", "start", "--host", "127.0.0.1", "--port", str(self.port))
        until(lambda: answers(f"{self.environ['PREFECT_API_URL']}/health"), 400, "Prefect's server does not start")

    def deploy(self, file: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        """`lifeline deploy`."""
        more = ["--file", str(file)] if file else []
        return self.run(sys.executable, "-m", "app.cli", "deploy", *more, **environ)

    def start_worker(self) -> None:
        """`prefect worker start --pool lifeline`."""
        name = f"worker-{time.monotonic_ns()}"
        self.worker = self._start("worker", *PREFECT, "worker", "start", "--pool", "lifeline", "--name", name)

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def run(self, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Some command in this environment."""
        return subprocess.run(
            command, env={**self.environ, **environ}, capture_output=True, text=True, timeout=300, check=False, cwd=self.folder
        )

    def api(self, method: str, path: str, json: Any = None) -> Any:
        """What the server's API answers."""
        import httpx

        user, _, word = SIGN_IN.partition(":")
        with httpx.Client(base_url=self.environ["PREFECT_API_URL"], auth=(user, word), trust_env=False, timeout=30) as client:
            answer = client.request(method, path, json=json)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def runs(self, *states: str) -> list[dict[str, Any]]:
        """Flow runs in any of these types of state, the latest first."""
        asked = {"flow_runs": {"state": {"type": {"any_": states}}}, "sort": "EXPECTED_START_TIME_DESC"}
        found: list[dict[str, Any]] = self.api("POST", "/flow_runs/filter", asked)
        return found

    def writers(self) -> list[int]:
        """Processes that run flows, by their ids."""
        return [pid for pid, words in self._processes() if "prefect.engine" in words or "prefect.flow_engine" in words]

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Id and command line of each process whose environment names this home."""
        mark = f"LIFELINE_HOME={self.home}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")

    def stop(self) -> None:
        """End everything that runs for this home."""
        for child in filter(None, (self.worker, self.server)):
            child.kill()
            child.wait()
        for pid, _ in list(self._processes()):
            kill(pid)


def kill(pid: int) -> None:
    """`kill -9`."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def env_file(file: Path) -> dict[str, str]:
    """NAME=value lines."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def schedules(file: Path, overrides: Mapping[str, Mapping[str, Any]]) -> Path:
    """The shipped prefect.yaml with some deployments changed, written to `file`."""
    shipped = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    rows = [{**row, **overrides.get(row["name"], {})} for row in shipped["deployments"]]
    file.write_text(yaml.safe_dump({**shipped, "deployments": rows}), encoding="utf-8")
    return file


def until(happened: Callable[[], Any], seconds: float, otherwise: str) -> Any:
    """What `happened` answers as soon as that is something; it has `seconds` for it."""
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, otherwise
        time.sleep(0.2)
    return found
