"""The one HTTP client: everything that leaves this machine for a source goes through `Client.get`.

    get -> check address -> resolve once, refuse what is not global, connect to that very address -> one deadline
        -> at most one coding, inflated within a bound -> redirects by hand -> Answer

Nothing here judges what came back; `FetchError` says why nothing did.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from models.errors import FetchError
from models.identity import safe_link

MAX_REDIRECTS = 5
PERMANENT, TEMPORARY = (301, 308), (302, 303, 307)
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `moved_to` is set when every redirect on the way was permanent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    moved_to: str = ""
    seconds: float = 0.0


class RefusedError(FetchError):
    """The address may not be asked at all; no packet was sent."""


def may_connect(address: Address, *, allow_private: bool) -> bool:
    """Whether a resolved address may be reached: global ones; with `allow_private` also loopback and private networks.

    Link-local addresses (where clouds keep their credentials), multicast, unspecified and reserved ones never.
    """
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped:
        return may_connect(mapped, allow_private=allow_private)
    if getattr(address, "teredo", None) or (address.version == 6 and address in ipaddress.ip_network("64:ff9b::/96")):
        return False
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback or (address.is_private and not address.is_reserved):
        return allow_private
    return address.is_global


class Deadline(threading.local):
    """When the fetch under way in this thread has to be over (monotonic seconds)."""

    at = float("inf")

    def left(self, timeout: float | None) -> float:
        """Seconds that one read may still take."""
        left = min(self.at - time.monotonic(), timeout if timeout is not None else float("inf"))
        if left <= 0:
            raise httpcore.ReadTimeout("past the deadline of the whole fetch")
        return left


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose every read and write ends with the deadline, so that nothing may drip: no body, no header, no handshake."""

    def __init__(self, real: httpcore.NetworkStream, deadline: Deadline) -> None:
        self.real, self.deadline = real, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Some bytes."""
        return self.real.read(max_bytes, self.deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All bytes."""
        self.real.write(buffer, self.deadline.left(timeout))

    def close(self) -> None:
        """Hang up."""
        self.real.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same over TLS; the certificate is checked against the host's name, not the pinned address."""
        return DeadlineStream(self.real.start_tls(ssl_context, server_hostname, self.deadline.left(timeout)), self.deadline)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks of a connection."""
        return self.real.get_extra_info(info)


class PinnedBackend(httpcore.NetworkBackend):
    """Resolves a host once, refuses it if any of its addresses may not be reached, and connects to the address it checked."""

    def __init__(self, allow_private: bool) -> None:
        self.allow_private = allow_private
        self.deadline = Deadline()
        self.real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first checked address of `host`."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"cannot resolve {host}: {error}") from error
        addresses = list(dict.fromkeys(str(info[4][0]).split("%")[0] for info in found))
        for address in addresses:
            if not may_connect(ipaddress.ip_address(address), allow_private=self.allow_private):
                is_own = may_connect(ipaddress.ip_address(address), allow_private=True)
                raise RefusedError(
                    f"{host} is at {address}, a private or reserved address, and was not asked"
                    + ("; set LIFELINE_ALLOW_PRIVATE=1 if it is yours" if is_own else "")
                )
        last: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses[:3]:
            try:
                stream = self.real.connect_tcp(address, port, self.deadline.left(timeout), local_address, socket_options)
                return DeadlineStream(stream, self.deadline)
            except httpcore.ConnectError as error:
                last = error
        raise last

    def sleep(self, seconds: float) -> None:
        """Sleep, for httpcore's own retries (we make none)."""
        time.sleep(seconds)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Certificates are read once a process: that takes longer than a poll."""
    return httpx.create_ssl_context(trust_env=False)


class Transport(httpx.HTTPTransport):
    """httpx's transport on the pinned backend. `_pool` is private to httpx: it is pinned below 0.29 and a test watches this."""

    def __init__(self, allow_private: bool, limits: httpx.Limits) -> None:
        super().__init__(verify=_tls(), trust_env=False, http2=False, retries=0, limits=limits)
        self.backend = PinnedBackend(allow_private)
        self._pool._network_backend = self.backend


class Spacing:
    """Hands out turns: requests to one host start at least `seconds` apart. Loopback is our own machine and waits for nobody."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.next_at: dict[str, float] = {}
        self.lock = threading.Lock()

    def wait(self, host: str) -> None:
        """Sleep until it is this request's turn."""
        if not self.seconds or is_loopback(host):
            return
        with self.lock:
            at = max(time.monotonic(), self.next_at.get(host, 0.0))
            self.next_at[host] = at + self.seconds
        time.sleep(max(0.0, at - time.monotonic()))


def is_loopback(host: str) -> bool:
    """Whether the host is this machine by its very name."""
    return host == "localhost" or host.startswith("127.") or host in ("::1", "[::1]")


class Client:
    """Fetches politely and safely; one for a whole run, shared by its threads."""

    def __init__(
        self,
        *,
        contact: str,
        allow_private: bool = False,
        deadline_s: float = 25.0,
        max_bytes: int = 20_000_000,
        spacing_s: float = 0.5,
        n_connections: int = 32,
        version: str = "0",
    ) -> None:
        self.deadline_s, self.max_bytes = deadline_s, max_bytes
        self.spacing = Spacing(spacing_s)
        limits = httpx.Limits(max_connections=n_connections, max_keepalive_connections=n_connections, keepalive_expiry=20)
        transport = Transport(allow_private, limits)
        self.deadline = transport.backend.deadline
        self.http = httpx.Client(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": f"lifeline/{version} (+{contact})", "Accept-Encoding": "gzip", "Accept": "*/*"},
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, deadline_s: float | None = None) -> Answer:
        """Fetch one address within the deadline; any status is an answer.

        Raises
        ------
        FetchError
            when no whole answer came: refused address, no connection, past the deadline, too large, broken coding.

        """
        start = time.monotonic()
        self.deadline.at = until = start + (deadline_s or self.deadline_s)
        here, moved_to, is_permanent = url, "", True
        for _ in range(MAX_REDIRECTS + 1):
            if not safe_link(here):
                raise RefusedError(f"{here[:200]!r} is no http(s) address")
            self.spacing.wait(urlsplit(here).hostname or "")
            try:
                status, found, body = self._once(here, headers or {}, until)
            except RefusedError as error:
                raise RefusedError(str(error) if here == url else f"redirects to {here[:200]}: {error}") from error
            target = found.get("location")
            if status not in PERMANENT + TEMPORARY or not target:
                return Answer(status, found, body, here, moved_to if here != url else "", time.monotonic() - start)
            here = urljoin(here, target)
            is_permanent = is_permanent and status in PERMANENT
            moved_to = here if is_permanent else ""
            if urlsplit(here).hostname != urlsplit(url).hostname:
                headers = {}
        raise FetchError(f"redirects more than {MAX_REDIRECTS} times, last to {here[:200]}")

    def _once(self, url: str, headers: Mapping[str, str], until: float) -> tuple[int, httpx.Headers, bytes]:
        left = until - time.monotonic()
        if left <= 0:
            raise FetchError(f"no whole answer within {self.deadline_s:g} s (time-out)")
        timeout = httpx.Timeout(left, connect=min(left, 10.0), pool=left)
        try:
            with self.http.stream("GET", url, headers=dict(headers), timeout=timeout) as response:
                body = b"" if response.status_code in PERMANENT + TEMPORARY else self._body(response, until)
                return response.status_code, response.headers, body
        except httpx.TimeoutException as error:
            raise FetchError(f"no whole answer within {self.deadline_s:g} s (time-out)") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ProtocolError, UnicodeError, ValueError) as error:
            raise FetchError(f"{_in_words(error)}") from error

    def _body(self, response: httpx.Response, until: float) -> bytes:
        """The inflated body; read raw, because httpx inflates without a bound and follows any number of codings."""
        inflater = Inflater(response.headers.get("content-encoding", ""))
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_raw():
            if time.monotonic() > until:
                raise httpx.ReadTimeout("past the deadline")
            parts.append(inflater.feed(chunk, self.max_bytes - size + 1))
            size += len(parts[-1])
            if size > self.max_bytes:
                raise FetchError(f"the answer is larger than {self.max_bytes / 1e6:g} MB")
        if response.status_code == 200:
            inflater.finish()
        return b"".join(parts)


class Inflater:
    """Undoes at most one gzip, never giving more bytes than asked for."""

    def __init__(self, coding: str) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise FetchError(f"the answer comes in the coding {coding[:40]!r}; only gzip was asked for")
        self.engine = zlib.decompressobj(31) if coding in ("gzip", "x-gzip") else None

    def feed(self, chunk: bytes, limit: int) -> bytes:
        """At most `limit` bytes of what `chunk` holds."""
        if self.engine is None:
            return chunk[:limit]
        try:
            found = self.engine.decompress(chunk, limit)
            while self.engine.eof and self.engine.unused_data and len(found) < limit:
                rest, self.engine = self.engine.unused_data, zlib.decompressobj(31)
                found += self.engine.decompress(rest, limit - len(found))
        except zlib.error as error:
            raise FetchError(f"the answer's gzip is broken ({error})") from error
        return found

    def finish(self) -> None:
        """Refuse half an answer."""
        if self.engine is not None and not self.engine.eof:
            raise FetchError("the answer's gzip breaks off half-way")


def _in_words(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return text or type(error).__name__
