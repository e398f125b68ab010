"""Whether there is a network at all, asked once before ninety sources each wait for their own time-out."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

N_PROBED = 5
ENOUGH_HOSTS = 3
PROBE_S = 4.0


def is_out(urls: Iterable[str]) -> bool:
    """Whether none of the first few hosts can be reached within seconds; never for fewer hosts than tell anything."""
    hosts = public_hosts(urls)[:N_PROBED]
    return len(hosts) >= ENOUGH_HOSTS and not any_reachable(hosts)


def public_hosts(urls: Iterable[str]) -> list[tuple[str, int]]:
    """Host and port of each address, once each, in order; bare addresses and this machine say nothing about the network."""
    found = {}
    for url in urls:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host and host != "localhost" and not _is_address(host):
            found[host] = (host, parts.port or (80 if parts.scheme == "http" else 443))
    return list(found.values())


def any_reachable(hosts: Iterable[tuple[str, int]], timeout_s: float = PROBE_S) -> bool:
    """Whether a connection to any of them opens; all are tried at once, and the first that opens decides.

    A name server that does not answer blocks its thread for longer than we wait, hence daemons that are left behind.
    """
    opened, tried = threading.Event(), threading.Semaphore(0)
    hosts = list(hosts)

    def attempt(host: tuple[str, int]) -> None:
        try:
            socket.create_connection(host, timeout=timeout_s).close()
            opened.set()
        except OSError:
            pass
        finally:
            tried.release()

    for host in hosts:
        threading.Thread(target=attempt, args=(host,), daemon=True).start()
    for _ in hosts:
        if not tried.acquire(timeout=timeout_s) or opened.is_set():
            break
    return opened.is_set()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
