"""What every answer of the desk carries: a policy under which the browser asks no other host and runs no foreign script.

The policy is the second line behind the escaping of text. Inline styles, and evaluation for the charts, are Streamlit's own needs.
"""

from __future__ import annotations

from typing import Any

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    ]
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}
# Without it the page at /jumps first asks /jumps/_stcore/health, which is an error in the console on every page but the first.
BASE = b"<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + '/'}</script>"


class Guard:
    """ASGI middleware: adds the headers, and tells the page where its server is."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass everything on; change only answers to HTTP requests."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(_plain(scope), receive, _Answer(send))


def _plain(scope: dict[str, Any]) -> dict[str, Any]:
    """The request for a page asks for no compression, so that its HTML can be read and added to."""
    headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding" or not _is_page(scope)]
    return {**scope, "headers": headers}


def _is_page(scope: dict[str, Any]) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


class _Answer:
    """Sends one answer on; holds an HTML page back until it is whole."""

    def __init__(self, send: Any) -> None:
        self.send = send
        self.start: dict[str, Any] | None = None
        self.body = b""

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message["headers"] if name.lower() not in HEADERS]
            message = {**message, "headers": [*kept, *HEADERS.items()]}
            if _is_html(kept):
                self.start = message
                return
        elif self.start is not None:
            self.body += message.get("body", b"")
            if message.get("more_body"):
                return
            message = await self._finish()
        await self.send(message)

    async def _finish(self) -> dict[str, Any]:
        assert self.start is not None
        body = self.body.replace(b"<head>", b"<head>" + BASE, 1)
        changed = {b"content-length", b"etag", b"last-modified"}
        headers = [(name, value) for name, value in self.start["headers"] if name.lower() not in changed]
        await self.send({**self.start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        return {"type": "http.response.body", "body": body}


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    names = {name.lower(): value for name, value in headers}
    return names.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in names
