"""The one HTTP client: what it refuses, what it bounds, what it remembers."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import time

import httpcore
import httpx
import pytest

from flows.fetch import Client, Deadline, PinnedBackend, RefusedError, Spacing, Transport, may_connect
from models.errors import FetchError


@pytest.fixture
def client():
    with Client(contact="test@example.org", allow_private=True, deadline_s=1.5, max_bytes=100_000) as made:
        yield made


FORBIDDEN_ALWAYS = [
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "fe80::1",
    "::",
    "ff02::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", FORBIDDEN_ALWAYS)
def test_metadata_and_reserved_addresses_are_never_reached(address):
    """Link-local, multicast, unspecified and reserved addresses stay out of reach even when private ones are allowed."""
    assert not may_connect(ipaddress.ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_setting(address):
    """Loopback and private networks are reached only with allow_private, whatever their spelling."""
    assert not may_connect(ipaddress.ip_address(address), allow_private=False)
    assert may_connect(ipaddress.ip_address(address), allow_private=True)


def test_shared_and_global_addresses():
    """A public address may be asked; carrier-grade NAT space may not."""
    assert may_connect(ipaddress.ip_address("93.184.216.34"), allow_private=False)
    assert may_connect(ipaddress.ip_address("2606:4700::1111"), allow_private=False)
    assert not may_connect(ipaddress.ip_address("100.64.0.1"), allow_private=False)


def test_a_host_with_one_private_address_is_refused_before_any_packet(monkeypatch):
    """One private address among a host's addresses refuses the host, and no connection is opened."""
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    backend = PinnedBackend(allow_private=False)
    backend.real = None  # any use of the real network would raise AttributeError
    with pytest.raises(RefusedError, match=r"10\.0\.0\.1"):
        backend.connect_tcp("two-faced.example", 80)


def test_the_checked_address_is_the_one_connected_to(monkeypatch):
    """The name is resolved once and the very address that was checked is dialled, so a second answer cannot differ."""
    asked, dialled = [], []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *_, **__: asked.append(host) or [(2, 1, 6, "", ("93.184.216.34", 80))]
    )

    class Real:
        def connect_tcp(self, host, *_):
            dialled.append(host)
            raise httpcore.ConnectError("nobody home")

    backend = PinnedBackend(allow_private=False)
    backend.real = Real()
    with pytest.raises(httpcore.ConnectError):
        backend.connect_tcp("example.org", 80)
    assert (asked, dialled) == (["example.org"], ["93.184.216.34"])


def test_httpx_still_has_the_pool_that_we_put_our_backend_into():
    """The transport's private pool takes our backend; a new httpx that renames it must not pass unseen."""
    transport = Transport(False, httpx.Limits())
    assert isinstance(transport._pool._network_backend, PinnedBackend)


def test_loopback_is_refused_without_the_setting(site):
    """A source on this machine is not asked unless the operator allowed it."""
    site.pages["/"] = (200, {}, b"secret")
    with Client(contact="c") as strict, pytest.raises(RefusedError, match="LIFELINE_ALLOW_PRIVATE"):
        strict.get(site.url)
    assert site.asked == []


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest", "file:///etc/passwd", "gopher://127.0.0.1/", "//[::ffff:169.254.169.254]/x"]
)
def test_redirects_are_checked_like_first_addresses(site, client, target):
    """A redirect to the metadata service or another scheme is refused and named."""
    site.pages["/"] = (302, {"Location": target}, b"")
    with pytest.raises(RefusedError):
        client.get(site.url + "/")


def test_permanent_redirects_are_remembered_and_temporary_ones_not(site, client):
    """`moved_to` is the last address only when every step on the way was permanent."""
    site.pages |= {"/a": (301, {"Location": "/b"}, b""), "/b": (200, {}, b"here"), "/c": (302, {"Location": "/a"}, b"")}
    assert client.get(site.url + "/a").moved_to == site.url + "/b"
    answer = client.get(site.url + "/c")
    assert (answer.moved_to, answer.url, answer.body) == ("", site.url + "/b", b"here")


def test_a_circle_of_redirects_ends(site, client):
    """After five redirects it is enough."""
    site.pages["/"] = (302, {"Location": "/"}, b"")
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        client.get(site.url + "/")
    assert len(site.asked) == 6


def test_validators_do_not_follow_to_another_host(site, client):
    """Headers meant for one host are not told to another."""
    site.pages |= {"/a": (302, {"Location": site.url.replace("127.0.0.1", "localhost") + "/b"}, b""), "/b": (200, {}, b"")}
    client.get(site.url + "/a", {"If-None-Match": '"secret"'})
    assert "if-none-match" in site.asked[0][1]
    assert "if-none-match" not in site.asked[1][1]


def test_who_we_are(site, client):
    """Every request names the program and a contact, and asks for gzip alone."""
    site.pages["/"] = (200, {}, b"")
    client.get(site.url + "/")
    headers = site.asked[0][1]
    assert headers["user-agent"].startswith("lifeline/")
    assert "test@example.org" in headers["user-agent"]
    assert headers["accept-encoding"] == "gzip"


def drip_body(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(1000):
        handler.wfile.write(b"X-%d: y\r\n" % i)
        handler.wfile.flush()
        time.sleep(0.05)


def hang(handler):
    time.sleep(30)


@pytest.mark.parametrize("behaviour", [drip_body, drip_headers, hang])
def test_one_deadline_for_the_whole_fetch(site, client, behaviour):
    """A body or headers that drip, or silence, end with the deadline."""
    site.pages["/"] = behaviour
    start = time.monotonic()
    with pytest.raises(FetchError, match="time-out"):
        client.get(site.url + "/")
    assert 1.0 < time.monotonic() - start < 20  # undisturbed, they would go on for longer than that


def test_a_deadline_that_is_over_allows_no_read():
    """The deadline bounds each single read."""
    deadline = Deadline()
    deadline.at = time.monotonic() - 1
    with pytest.raises(httpcore.ReadTimeout):
        deadline.left(10)


def test_large_bodies_are_cut_off_while_they_come(site, client):
    """More bytes than the bound end the fetch, also without a Content-Length."""

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65536)

    site.pages["/"] = endless
    with pytest.raises(FetchError, match="larger than"):
        client.get(site.url + "/")


def test_a_gzip_bomb_is_inflated_no_further_than_the_bound(site, client):
    """Bytes are counted after inflating, and no chunk is inflated past the bound."""
    site.pages["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"\0" * 50_000_000))
    with pytest.raises(FetchError, match="larger than"):
        client.get(site.url + "/")


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "deflate", "zstd", "gzip, identity, gzip"])
def test_only_one_coding_and_only_the_one_asked_for(site, client, coding):
    """Nested or unasked codings are refused unread."""
    site.pages["/"] = (200, {"Content-Encoding": coding}, gzip.compress(gzip.compress(b"x")))
    with pytest.raises(FetchError, match="coding"):
        client.get(site.url + "/")


def test_gzip_is_read(site, client):
    """An honest gzip body comes out whole, in one member or in two."""
    site.pages["/"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"hello " * 1000))
    assert client.get(site.url + "/").body == b"hello " * 1000


def test_broken_or_cut_gzip_is_no_answer(site, client):
    """Half a gzip body is an error, not half a feed."""
    whole = gzip.compress(bytes(range(256)) * 100)
    site.pages |= {
        "/cut": (200, {"Content-Encoding": "gzip"}, whole[: len(whole) // 2]),
        "/bad": (200, {"Content-Encoding": "gzip"}, b"no gzip"),
    }
    for path in ("/cut", "/bad"):
        with pytest.raises(FetchError, match="gzip"):
            client.get(site.url + path)


def test_a_body_that_breaks_off_is_no_answer(site, client):
    """Fewer bytes than announced are an error."""

    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"x" * 50)

    site.pages["/"] = cut
    with pytest.raises(FetchError):
        client.get(site.url + "/")


def test_requests_to_one_host_are_spaced_and_loopback_is_not(monkeypatch):
    """Turns to one host are `seconds` apart; this machine waits for nobody."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    spacing = Spacing(10.0)
    for _ in range(3):
        spacing.wait("example.org")
    spacing.wait("other.org")
    spacing.wait("127.0.0.1")
    assert [round(seconds, -1) for seconds in slept] == [0, 10, 20, 0]
