"""A provider of identities on loopback, for tests: discovery, PKCE, signed id_token, keys. It signs in whoever it is told to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "lifeline-desk", "s3cret-of-the-client"


class Provider(ThreadingHTTPServer):
    """Answers as an OIDC provider; `person` are the claims of whoever comes next."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, parameters={"kid": "one"})
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []

    def id_token(self, nonce: str) -> str:
        """What the provider says of the person, signed."""
        now = int(time.time())
        claims = {"iss": self.address, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, "sub": "42", **self.person}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)


class _Answer(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Discovery, keys, and the page on which people would sign in."""
        where = urlsplit(self.path)
        self.server.asked.append(where.path)
        if where.path == "/.well-known/openid-configuration":
            self._say(_discovery(self.server.address))
        elif where.path == "/jwks":
            self._say({"keys": [self.server.key.as_dict(private=False, use="sig", alg="RS256")]})
        elif where.path == "/authorize":
            self._authorize({name: values[0] for name, values in parse_qs(where.query).items()})
        else:
            self.send_error(404)

    def _authorize(self, asked: dict[str, str]) -> None:
        code = secrets.token_urlsafe(16)
        self.server.codes[code] = asked
        self.send_response(302)
        self.send_header("Location", asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]}))
        self.end_headers()

    def do_POST(self) -> None:
        """The token, for who has the code, the client's secret and the verifier."""
        self.server.asked.append(self.path)
        sent = {
            name: values[0] for name, values in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()
        }
        asked = self.server.codes.pop(sent.get("code", ""), None)
        user = base64.b64decode(self.headers.get("Authorization", "Basic ").split()[-1]).decode()
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(sent.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        )
        if asked is None or user != f"{CLIENT_ID}:{CLIENT_SECRET}" or asked.get("code_challenge") != challenge:
            self.send_error(400)
            return
        self._say(
            {"access_token": "a", "token_type": "Bearer", "expires_in": 300, "id_token": self.server.id_token(asked["nonce"])}
        )

    def _say(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _discovery(address: str) -> dict[str, Any]:
    ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
    return {
        "issuer": address,
        **{name: f"{address}/{path}" for name, path in ends.items()},
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }


@contextmanager
def provider() -> Iterator[Provider]:
    """A provider that answers until the block ends."""
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
