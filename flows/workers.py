"""What Prefect's server says of itself and of the workers of the pool, asked with plain requests: the client takes seconds to import."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from models.vitals import Prefect, Worker

POOL = "lifeline"
TIMEOUT_S = 5.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str | None, environ: Mapping[str, str] = os.environ) -> Prefect | None:
    """The server that `url` names; None when none is named. Without the pool nobody is expected to take runs."""
    if not url:
        return None
    try:
        found = _post(f"{url.rstrip('/')}/work_pools/{POOL}/workers/filter", environ)
        return Prefect(True, tuple(map(_worker, found)))
    except urllib.error.HTTPError as error:
        return Prefect(error.code == 404)
    except (OSError, ValueError, KeyError, TypeError):
        return Prefect(False)


def _worker(row: Mapping[str, Any]) -> Worker:
    heard = row.get("last_heartbeat_time")
    at = datetime.fromisoformat(heard.replace("Z", "+00:00")) if heard else None
    return Worker(
        str(row["name"]),
        at if at is None or at.tzinfo else at.replace(tzinfo=UTC),
        float(row.get("heartbeat_interval_seconds") or 30),
    )


def _post(url: str, environ: Mapping[str, str]) -> Any:
    headers = {"Content-Type": "application/json", **_credentials(environ)}
    request = urllib.request.Request(url, data=b"{}", headers=headers)  # noqa: S310 - the operator's own setting
    host = urlsplit(url).hostname or ""
    opener = _DIRECT if host in ("localhost", "127.0.0.1", "::1") else urllib.request.build_opener()
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def _credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """As Prefect's own client sends them."""
    if pair := environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if key := environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    return {}
