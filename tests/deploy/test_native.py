"""The services of the compose file, started natively as it says: same commands, environment, secrets by file, health addresses."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from flows.prefect_api import answers, free_port
from tests.deploy.compose import DEPLOY, environment, may_mount, read, services, start
from tests.flows.team import PASSWORD, Postgres, kill, until, why_no_postgres

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """The files of deploy/secrets/, made as the documentation says."""
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copy(DEPLOY / "make_secrets.sh", folder)
    subprocess.run([folder / "make_secrets.sh"], check=True, capture_output=True)
    made = folder / "secrets"
    for name, text in {"postgres_password": PASSWORD, "oidc_client_secret": "what the provider gave"}.items():
        (made / name).chmod(0o600)
        (made / name).write_text(text)
    return made


@pytest.fixture(scope="module")
def stack(secrets, tmp_path_factory):
    """A way to start services by name, and the addresses that stand for theirs; everything ends with the tests."""
    folder = tmp_path_factory.mktemp("stack")
    port = {name: free_port() for name in ("server", "worker", "watch", "ui", "proxy", "health")}
    places = {
        "/run/secrets": str(secrets),
        "/var/lib/lifeline": str(folder / "home"),
        "/var/lib/prefect": str(folder / "prefect"),
        "/etc/caddy": str(DEPLOY),
        "http://server:4200": f"http://127.0.0.1:{port['server']}",
        "127.0.0.1:4200": f"127.0.0.1:{port['server']}",
        "127.0.0.1:8080": f"127.0.0.1:{port['worker']}",
        "127.0.0.1:2020": f"127.0.0.1:{port['health']}",
        "ui:8501": f"127.0.0.1:{port['ui']}",
        "127.0.0.1:8501": f"127.0.0.1:{port['ui']}",
        "0.0.0.0": "127.0.0.1",
        "4200": str(port["server"]),
        "9109": str(port["watch"]),
        "8501": str(port["ui"]),
        "desk.example.org": f"http://127.0.0.1:{port['proxy']}",
    }
    running = []

    def begin(name, more=(), **environ):
        running.append(start(name, folder, {**places, **dict(more)}, **environ))
        return running[-1]

    begin.port, begin.folder, begin.secrets = port, folder, secrets
    yield begin
    for child in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, 9)
        kill(child.pid)
        child.wait()


def is_well(stack, name):
    """What the image's health check asks of this service."""
    there = environment(services()[name])["HEALTH_URL"]
    port = {"server": "4200", "worker": "8080", "watch": "9109", "ui": "8501"}[name]
    return answers(there.replace(port, str(stack.port[name])))


def test_server_and_worker_run_as_the_file_says(stack):
    """PostgreSQL with its password from a file, the server that takes it and asks to sign in, worker and watch that sign in: all well."""
    if why_no_postgres():
        pytest.skip(why_no_postgres())
    database = Postgres()
    try:
        database.start()
        server = stack("server", {"postgres": "127.0.0.1", "5432": str(database.port)})
        until(lambda: is_well(stack, "server") or server.poll() is not None, 400, "the server does not answer")
        assert int(database.sql("select count(*) from information_schema.tables where table_name = 'flow_run'")) == 1
        api = f"http://127.0.0.1:{stack.port['server']}/api"
        assert not answers(f"{api}/admin/version"), "the server answers strangers"
        stack("worker", PREFECT_WORKER_WEBSERVER_PORT=str(stack.port["worker"]))
        until(lambda: is_well(stack, "worker"), 400, f"the worker is not well; see {stack.folder}")
        stack("watch")
        until(lambda: is_well(stack, "watch"), 200, f"the watch does not answer; see {stack.folder}")
        until(lambda: parts(stack).get("workers") == "fine", 200, "the watch does not hear of the worker")
        assert parts(stack)["prefect"] == "fine"
    finally:
        database.stop()


def parts(stack):
    """State by part, as the watch tells it."""
    told = json.load(urllib.request.urlopen(f"http://127.0.0.1:{stack.port['watch']}/health", timeout=10))
    return {row["part"]: row["state"] for row in told["parts"]}


def test_desk_and_proxy_run_as_the_file_says(stack):
    """The desk asks to sign in, with its secrets from files; the proxy passes pages and WebSockets to it."""
    if not shutil.which("caddy"):
        pytest.skip("caddy is not installed")
    stack("ui")
    stack("proxy")
    until(lambda: is_well(stack, "ui"), 120, f"the desk does not answer; see {stack.folder}")
    until(lambda: answers(f"http://127.0.0.1:{stack.port['health']}/health"), 60, "the proxy does not answer")
    assert answers(f"http://127.0.0.1:{stack.port['proxy']}/")
    assert upgraded(stack.port["proxy"], "/_stcore/stream").startswith(b"HTTP/1.1 101")


def upgraded(port, path):
    """The first line of the answer to a WebSocket's handshake."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines).encode())
        return connection.recv(200).split(b"\r\n")[0]


def test_a_desk_without_sign_in_does_not_open(stack):
    """Should the provider's secret be missing, the desk refuses to listen beyond this machine instead of letting everybody in."""
    (stack.secrets / "oidc_client_secret").write_text("")
    child = stack("ui")
    assert child.wait(60) != 0
    assert "LIFELINE_OIDC_CLIENT_SECRET" in (Path(stack.folder) / "ui.log").read_text()


@pytest.mark.skipif(not may_mount(), reason="needs a machine that lets us mount folders read-only")
def test_the_desk_opens_on_a_home_that_it_cannot_write(tmp_path):
    """With the mounts of the compose file the home is read-only, the three folders of decisions are not, and the desk answers."""
    mounts = [volume.split(":") for volume in read()["services"]["ui"]["volumes"]]
    home = tmp_path / "home"
    steps = ["set -e"]
    for name, target, *mode in mounts:
        at = home / Path(target).relative_to("/var/lib/lifeline")
        store = at if name == "home" else tmp_path / name
        at.mkdir(parents=True, exist_ok=True)
        store.mkdir(exist_ok=True)
        steps.append(f"mount --bind {store} {at}")
        steps += [f"mount -o remount,ro,bind {at}"] * (mode == ["ro"])
    port = free_port()
    steps += [f"! touch {home}/x 2>/dev/null", f"touch {home}/rulings/x", f"exec {sys.executable} -m app.cli ui --port {port}"]
    command = ["unshare", "-m", "sh", "-c", "\n".join(steps)]
    env = {**os.environ, "LIFELINE_HOME": str(home), "PYTHONPATH": str(DEPLOY.parent)}
    child = subprocess.Popen(command, env=env, start_new_session=True, stderr=subprocess.PIPE)
    try:
        until(
            lambda: answers(f"http://127.0.0.1:{port}/_stcore/health") or child.poll() is not None, 60, "the desk does not open"
        )
        assert child.poll() is None, child.stderr.read()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, 9)
        child.wait()
