"""`lifeline ui`: the Streamlit UI on the published file, bound to this machine unless people sign in; no telemetry, no file watching."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from app import elsewhere, signin
from models import settings, store
from models.errors import StoreError, UsageError
from models.report import Report, say

MAIN = Path(__file__).resolve().parent.parent / "desk.py"
HOST = "127.0.0.1"
# Not a word of this is secret: command lines can be read by everybody on the machine.
OPTIONS: dict[str, str] = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "5",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "runner.postScriptGC": "false",  # a full collection after every page took 80 ms of it; app/desk.py sees to that
    "global.disableWidgetStateDuplicationWarning": "true",  # choices live in the address, which sets them on purpose
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "type",
    "client.showErrorLinks": "false",
    "theme.light.primaryColor": "#2467a6",
    "theme.dark.primaryColor": "#6aa9e0",
    "theme.baseRadius": "small",
    "theme.metricValueFontSize": "1.5rem",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--port", type=int, help="port (default: the setting `port`)")
    parser.add_argument(
        "--address", help="address to listen on (default: the setting `address`); beyond this machine needs sign-in"
    )
    parser.add_argument("--from", dest="origin", metavar="ADDRESS", help=elsewhere.HELP)


def run(args: argparse.Namespace) -> Report:
    """Serve until stopped."""
    found = settings.load()
    port = found["port"] if args.port is None else args.port
    address = args.address or found["address"]
    check_address(found, address, os.environ)
    follower = _follower(args.origin, found) if args.origin else None
    if follower is None and not found.published.is_file():
        say(f"{found.published} does not exist yet; the pages say so until `lifeline run` has published")
    child = launch(found.home, port, address=address, published=follower.file if follower else None)
    say(f"the desk is at http://{_shown(address)}:{port} (stop with Ctrl-C)")
    try:
        return wait(child, port, address=address)
    finally:
        if follower:
            follower.end()


def _follower(origin: str, found: settings.Settings) -> elsewhere.Follower:
    """What keeps up with what is published elsewhere; its first file is there when this returns."""
    store.make_home(found.home)
    follower = elsewhere.Follower(origin, found)
    follower.look()
    follower.follow()
    say(f"showing what is published at {origin}; rulings made here stay in {found.home}")
    return follower


def check_address(found: settings.Settings, address: str, env: Mapping[str, str]) -> None:
    """Refuse to show the desk to a network without asking who is there.

    Raises
    ------
    UsageError
        when the address reaches beyond this machine, no sign-in is configured, and nobody said that this is meant.

    """
    is_signed = signin.is_configured(found.home, env)
    if signin.is_loopback(address) or is_signed:
        return
    if not found["open_desk"]:
        raise UsageError(
            f"{address} can be reached from other machines and no sign-in is configured; configure it (docs/ui.md), stay on {HOST}, "
            "or set LIFELINE_OPEN_DESK=1 if something else keeps strangers out"
        )
    say(f"no sign-in is configured: whoever reaches {address} reads everything and rules as local")


def _shown(address: str) -> str:
    """The address as a browser takes it."""
    return f"[{address}]" if ":" in address else address


def launch(
    home: Path, port: int, *, address: str = HOST, quiet: bool = True, published: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start the UI on the published file of `home`, or on `published`, as a child process and return it.

    `wait_until_ready` tells when it answers.

    Raises
    ------
    UsageError
        when the port is no port or is taken already.

    """
    if not 0 < port < 65536:
        raise UsageError(f"{port} is no port; use 1 to 65535")
    if not is_free(port, address):
        raise UsageError(f"port {port} on {address} is in use, or the address is not this machine's; choose another with --port")
    if not home.is_dir():  # one that is there may be read-only: the desk needs to write rulings, watchlists and catalogue only
        store.make_home(home)
    flags = [f"--{name}={value}" for name, value in OPTIONS.items()]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(MAIN),
        f"--server.address={address}",
        f"--server.port={port}",
        *flags,
    ]
    out = subprocess.DEVNULL if quiet else None
    return subprocess.Popen(command, env=environment(home, published), cwd=home, stdout=out, stdin=subprocess.DEVNULL)


@contextmanager
def serving(home: Path, *, timeout_s: float = 120.0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The UI of `home` on a free loopback port while the block runs: its address and its process."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    child = launch(home, port)
    try:
        wait_until_ready(child, port, timeout_s=timeout_s)
        yield f"http://{HOST}:{port}", child
    finally:
        stop(child)


def environment(home: Path, published: Path | None = None) -> dict[str, str]:
    """The environment of the child: the home, and this project ahead of whatever else is on the path."""
    root = str(MAIN.parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    own = {"LIFELINE_PUBLISHED": str(published)} if published else {}
    return {**os.environ, "LIFELINE_HOME": str(home), "PYTHONPATH": path, "DO_NOT_TRACK": "1", **own}


def is_free(port: int, address: str = HOST) -> bool:
    """Whether nothing listens on the port of this machine, and the address is one of it."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def wait_until_ready(child: subprocess.Popen[bytes], port: int, *, timeout_s: float = 60.0) -> None:
    """Return when the UI answers its health check.

    Raises
    ------
    StoreError
        when the child ended or did not answer in time.

    """
    from urllib.request import urlopen

    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if child.poll() is not None:
            raise StoreError(f"the UI ended with code {child.returncode} before it answered; run `lifeline doctor`")
        try:
            with urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise StoreError(f"the UI did not answer on port {port} within {timeout_s:g} s; run `lifeline doctor`")


def wait(child: subprocess.Popen[bytes], port: int, *, address: str = HOST) -> Report:
    """Stay until the UI ends; Ctrl-C and a request to terminate end it, too."""
    previous = signal.signal(signal.SIGTERM, lambda *_: stop(child))
    try:
        code = child.wait()
    except KeyboardInterrupt:
        stop(child)
        code = 0
    finally:
        signal.signal(signal.SIGTERM, previous)
    data = {"url": f"http://{_shown(address)}:{port}", "exit_code": code}
    return Report(
        [] if code in (0, -signal.SIGTERM) else [f"the UI ended with code {code}"], data, 0 if code in (0, -signal.SIGTERM) else 1
    )


def stop(child: subprocess.Popen[bytes]) -> None:
    """Ask the UI to end; insist after five seconds."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
