"""A relay in front of the archived web that breaks chosen paths: `python benchmarks/relay.py UPSTREAM_PORT` is a process of its own.

It hands each request on as it came, with `?fault=NAME` added where the plan says so, and the answer back byte by byte; so an address
stays the same whether or not it is broken today. `POST /__plan` with a JSON object of path to fault sets the plan.
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

HEAD_LIMIT = 65536


class Handler(socketserver.BaseRequestHandler):
    """One connection, one request."""

    def handle(self) -> None:
        """Read the request's head, then set the plan or hand it on."""
        self.request.settimeout(60)
        with suppress(OSError, ValueError):
            head, body = _head(self.request)
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, version = first.split(" ")
            if path == "/__plan":
                self._take_plan(lines, body)
            else:
                fault = self.server.plan.get(path.split("?")[0])  # type: ignore[attr-defined]
                path += f"{'&' if '?' in path else '?'}fault={fault}" if fault else ""
                kept = [line for line in lines if not line.lower().startswith("connection:")]
                self._hand_on("\r\n".join([f"{method} {path} {version}", *kept, "Connection: close", "", ""]).encode("latin-1"))

    def _take_plan(self, lines: list[str], body: bytes) -> None:
        n = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        while len(body) < n:
            body += self.request.recv(HEAD_LIMIT)
        self.server.plan = json.loads(body)  # type: ignore[attr-defined]
        self.request.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def _hand_on(self, head: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.server.upstream), timeout=60) as upstream:  # type: ignore[attr-defined]
            upstream.sendall(head)
            while part := upstream.recv(HEAD_LIMIT):
                self.request.sendall(part)


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(HEAD_LIMIT)
        if not part or len(got) > HEAD_LIMIT:
            raise ValueError("no request")
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return head, body


class Server(socketserver.ThreadingTCPServer):
    """A thread a connection."""

    daemon_threads = True
    request_queue_size = 128


class Relay:
    """The relay as its user sees it."""

    def __init__(self, base: str, pid: int) -> None:
        self.base = base
        self.pid = pid

    def plan(self, faults: Mapping[str, str]) -> None:
        """From now on these paths, and no others, are broken."""
        told = urllib.request.Request(f"{self.base}/__plan", data=json.dumps(dict(faults)).encode(), method="POST")
        urllib.request.urlopen(told).read()


@contextmanager
def relay(upstream: str) -> Iterator[Relay]:
    """A relay in front of `upstream` until left."""
    command = [sys.executable, __file__, upstream.rsplit(":", 1)[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Relay(server.stdout.readline().strip(), server.pid)
        finally:
            server.terminate()


def main(upstream: int) -> None:
    """Serve on a free port, which is printed."""
    with Server(("127.0.0.1", 0), Handler) as server:
        server.upstream, server.plan = upstream, {}  # type: ignore[attr-defined]
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
